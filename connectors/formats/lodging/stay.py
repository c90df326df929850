"""A guest's declaration as canonical event: age, region and pseudonym stay, the person does not leave.

Source: Luật Cư trú 2020 Art. 30, TT 55/2021/TT-BCA (Vietnamese guests: before 23:00 of the first day), Luật
Nhập cảnh, xuất cảnh, quá cảnh, cư trú của người nước ngoài 2014 Art. 33 (foreigners: within 12 hours), NĐ
13/2023/NĐ-CP.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from connectors.formats.event import Stamp, record_event
from connectors.formats.findings import Findings, refused
from connectors.formats.format import Context, Event
from connectors.formats.lodging.cell import InputField
from connectors.formats.lodging.country import VIETNAM, nationality_of
from connectors.formats.lodging.region import home_region
from connectors.formats.plain import plain

FEED = "tourism.stay"
_SEX = {"M": "male", "F": "female"}
_IMPRECISE_BIRTH = re.compile(r"(?:(?:[0-9]{1,2}/)?([0-9]{1,2})/)?([0-9]{4})")
_PURPOSES = (
    ("mice", re.compile(r"hoi nghi|hoi thao|su kien|trien lam|hoi cho")),
    ("expert", re.compile(r"chuyen gia|lao dong ky thuat")),
    ("business", re.compile(r"cong tac|kinh doanh|thuong mai|dau tu|lam viec|cong viec")),
    ("leisure", re.compile(r"du lich|nghi duong|nghi mat|tham quan|nghi ngoi")),
)
_PURPOSE_CODES = {"1": "leisure", "3": "other", "20": "other"}
_IDENTITY_CARDS = ("1", "8")
_PASSPORT = "4"
_OTHER_PAPER = "9"
_CITIZEN_NUMBER = re.compile(r"[0-9]{12}")


@dataclass(frozen=True)
class Paper:
    """The kind of document a guest showed, and the domain of pseudonyms that its number belongs to."""

    doc_type: str
    domain: str


PASSPORT = Paper("passport", "passport")


@dataclass(frozen=True)
class Declaration:
    """What a template tells of one guest. `region` is given for templates that ask for the home province."""

    birth: InputField
    sex: InputField
    nationality: InputField
    number: InputField
    arrival: InputField
    planned_departure: InputField
    departure: InputField
    paper: Paper
    purpose: str
    birth_precision: str = "D"
    province: InputField | None = None


def read_stay(guest: Declaration, findings: Findings, where: str, context: Context) -> Event:
    """Return the stay's event; raises RejectedError with all that is wrong."""
    nationality = _nationality(guest.nationality, findings)
    domestic = nationality == VIETNAM
    sex = _sex(guest.sex, findings)
    guest_id = _guest_id(guest, nationality, findings, context)
    arrival = guest.arrival.day(findings)
    planned = guest.planned_departure.day(findings)
    departure = guest.departure.day(findings)
    for cell in (guest.arrival, guest.planned_departure):
        if not cell.text:
            findings.missing(cell.field)
    birth = _birth(guest, findings)
    if arrival and birth and birth > arrival:
        guest.birth.refuse(findings, "day_order", "ngày sinh sau ngày đến", "born after the arrival")
    for cell, day in ((guest.planned_departure, planned), (guest.departure, departure)):
        if arrival and day and day < arrival:
            cell.refuse(findings, "day_order", "ngày đi trước ngày đến", "departure before the arrival")
    region = _region(guest, findings, context) if domestic else None
    findings.settle()
    assert arrival and planned and birth, "findings hold a reason for each that is missing"

    fields = {
        "establishment_id": context.establishment,
        "guest_id": guest_id,
        "origin": "domestic" if domestic else "international",
        "nationality": nationality,
        "sex": sex,
        "age_years": _age(birth, arrival),
        "purpose": guest.purpose,
        "doc_type": guest.paper.doc_type,
        "home_region": region,
        "check_in_on": arrival,
        "planned_check_out_on": planned,
        "check_out_on": departure,
        "overnight": (departure or planned) > arrival,
        "declared_at": context.received_at,
        # A file that tells the check-out follows an earlier declaration; how late that was, it does not tell.
        "declared_late": departure is None and context.received_at > _deadline(arrival, domestic, context),
    }
    stamp = Stamp(where, context.received_at)
    return record_event(context.feeds[FEED], context.establishment, fields, stamp=stamp, warnings=findings.warnings)


def require_establishment(context: Context) -> None:
    """Raise RejectedError where the establishment is not known: the police templates do not name it."""
    if not context.establishment:
        raise refused(
            "establishment",
            "required",
            "mẫu khai báo không ghi cơ sở lưu trú; hãy thêm --establishment <mã cơ sở>",
            "the template does not name the establishment; add --establishment <code>",
        )


def purpose_of(code: str, label: str, typed: str) -> str:
    """Return the purpose that a reason of stay means: by label, else by what was typed, else by code."""
    for text in (plain(label), plain(typed)):
        for purpose, pattern in _PURPOSES:
            if pattern.search(text):
                return purpose
    return _PURPOSE_CODES.get(code, "other")


def paper_of(code: str, label: str, typed: str) -> Paper:
    """Return the document that a code of the template means; VNeID is told by name only."""
    if "vneid" in plain(f"{label} {typed}"):
        return Paper("vneid", "cccd")
    if code in _IDENTITY_CARDS:
        return Paper("cccd", "cccd")
    if code == _PASSPORT:
        return PASSPORT
    return Paper("other", "other" if code == _OTHER_PAPER else f"paper{code}")


def _nationality(cell: InputField, findings: Findings) -> str:
    code, _ = cell.choice(findings)
    nationality = nationality_of(code) if code else ""
    if nationality is None:
        findings.refuse(
            cell.field,
            "country",
            "mã quốc tịch không có trong danh mục; dùng mã ISO 3166-1 ba chữ cái hoặc mã hộ chiếu",
            "no such country code; use ISO 3166-1 alpha-3 or the passport's code",
            code,
        )
    return nationality or ""


def _sex(cell: InputField, findings: Findings) -> str:
    code, _ = cell.choice(findings)
    if code and code not in _SEX:
        cell.refuse(findings, "sex", "giới tính phải là M hoặc F", "the sex must be M or F")
    return _SEX.get(code, "")


def _guest_id(guest: Declaration, nationality: str, findings: Findings, context: Context) -> str:
    number = "".join(guest.number.required(findings).split()).upper()
    if not number:
        return ""
    if guest.paper.domain == "cccd" and not _CITIZEN_NUMBER.fullmatch(number):
        guest.number.refuse(
            findings,
            "citizen_number",
            "số thẻ căn cước phải có đủ 12 chữ số; kiểm tra số 0 đứng đầu",
            "a citizen's card has 12 digits; check for a lost leading zero",
        )
    # Passport numbers are unique within the country that issues them.
    issuer = f"{nationality}:" if guest.paper.domain == "passport" else ""
    return context.pseudonymise(guest.paper.domain, issuer + number)


def _birth(guest: Declaration, findings: Findings) -> date | None:
    """Return the birth date; where only month or year is known, the middle of it."""
    text = guest.birth.required(findings)
    found = _IMPRECISE_BIRTH.fullmatch(text)
    year_only = guest.birth_precision == "Y" or len(text) == 4
    if not found or not (year_only or guest.birth_precision == "M"):
        return guest.birth.day(findings) if guest.birth.is_text else None
    try:
        return date(int(found[2]), 7, 1) if year_only else date(int(found[2]), int(found[1] or 0), 15)
    except ValueError:
        guest.birth.refuse(
            findings, "date", "tháng hoặc năm sinh không hợp lệ", "the month or year of birth is not valid"
        )
        return None


def _region(guest: Declaration, findings: Findings, context: Context) -> str | None:
    if guest.province is None:
        guest.nationality.refuse(
            findings,
            "domestic_guest",
            "khách Việt Nam phải khai theo mẫu khách Việt Nam",
            "Vietnamese guests are declared in the template for Vietnamese guests",
        )
        return None
    text = guest.province.required(findings)
    region = home_region(re.sub(r"^[0-9]+\s*-\s*", "", text), context.home_province)
    if text and region is None:
        guest.province.refuse(findings, "province", "không có tỉnh, thành phố này", "there is no such province")
    return region


def _age(birth: date, on: date) -> int:
    return on.year - birth.year - ((on.month, on.day) < (birth.month, birth.day))


def _deadline(arrival: date, domestic: bool, context: Context) -> datetime:
    """Return when a declaration becomes late.

    The templates tell the day of arrival, not the hour: for foreigners the twelve hours run from the day's
    end.
    """
    if domestic:
        return datetime.combine(arrival, time(23), context.timezone)
    return datetime.combine(arrival + timedelta(days=1), time(12), context.timezone)
