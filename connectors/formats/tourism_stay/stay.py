"""A guest's declaration as canonical event: age, region and pseudonym stay, the person does not leave.

Source: Luật Cư trú 2020 Art. 30, TT 55/2021/TT-BCA (Vietnamese guests: before 23:00 of the first day), Luật
Nhập cảnh, xuất cảnh, quá cảnh, cư trú của người nước ngoài 2014 Art. 33 (foreigners: within 12 hours), NĐ
13/2023/NĐ-CP.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from connectors.formats.event import Stamp, record_event
from connectors.formats.findings import Findings, refused
from connectors.formats.format import Context, Event
from connectors.formats.plain import plain
from connectors.formats.readers.cell import InputField
from connectors.formats.tourism_stay.country import VIETNAM, nationality_of
from connectors.formats.tourism_stay.region import home_region

FEED = "tourism.stay"
_PLANS, _FIRST = "stay/plan", "stay/first"
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
    """What a template tells of one guest. `region` is given for templates that ask for the home province.

    `tells_departure` is false for a template without a column for the check-out: there the planned day is used, once
    it is over, marked as estimated.
    """

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
    tells_departure: bool = True


def read_stay(guest: Declaration, findings: Findings, where: str, context: Context) -> Event:
    """Return the stay's event; raises RejectedError with all that is wrong."""
    nationality = _nationality(guest.nationality, findings)
    domestic = nationality == VIETNAM
    sex = _sex(guest.sex, findings)
    _check_paper(guest, findings)
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
    today = context.received_at.astimezone(context.timezone).date()
    if departure is not None and departure > today:
        guest.departure.warn(
            findings,
            "departure_ahead",
            "ngày trả phòng chưa đến; được hiểu là ngày đi dự kiến",
            "the check-out lies ahead; it is taken as the planned day",
        )
        planned, departure = departure, None
    findings.settle()
    assert arrival and planned and birth, "findings hold a reason for each that is missing"
    establishment = require_establishment(context)
    told = departure is not None
    estimated = not told and not guest.tells_departure and planned < today
    fields = {
        "establishment_id": establishment,
        "guest_id": guest_id(guest, nationality, arrival, context),
        "origin": "domestic" if domestic else "international",
        "nationality": nationality,
        "sex": sex,
        "age_years": _age(birth, arrival),
        "purpose": guest.purpose,
        "doc_type": guest.paper.doc_type,
        "home_region": region,
        "check_in_on": arrival,
        "planned_check_out_on": planned,
        "check_out_on": planned if estimated else departure,
        "check_out_estimated": estimated,
        "overnight": (departure or planned) > arrival,
    }
    key = f"{establishment}/{fields['guest_id']}/{arrival.isoformat()}"
    # A file that tells the check-out follows an earlier declaration; how late that was, it does not tell.
    late = not told and context.received_at > _deadline(arrival, domestic, context)
    fields |= _first_declaration(key, context, late=late)
    # Lists of one second: what tells the check-out comes after what tells the arrival.
    at = context.received_at + timedelta(milliseconds=1 if told else 0)
    event = record_event(context.feeds[FEED], establishment, fields, stamp=Stamp(where, at), warnings=findings.warnings)
    if told or estimated or guest.tells_departure:
        context.memory.forget(_PLANS, key)
    else:
        context.memory.put(_PLANS, key, {"planned": planned.isoformat(), "data": event.envelope["data"]})
    return event


def due_departures(context: Context) -> Iterator[Event]:
    """Yield, for stays of templates that tell no check-out, the planned one once its day is over, as estimated."""
    today = context.received_at.astimezone(context.timezone).date()
    for key, plan in [*context.memory.items(_PLANS)]:
        planned = date.fromisoformat(plan["planned"])
        if planned >= today:
            continue
        data = plan["data"] | {"check_out_on": plan["planned"], "check_out_estimated": True}
        # The day's end orders it behind what was told of the stay until then, and before whatever is told later.
        at = datetime.combine(planned + timedelta(days=1), time(), context.timezone)
        context.memory.forget(_PLANS, key)
        yield record_event(context.feeds[FEED], data["establishment_id"], data, stamp=Stamp(f"{key} (plan)", at))


def _first_declaration(key: str, context: Context, *, late: bool) -> dict[str, Any]:
    """Return when a stay was first declared and whether that was late: facts of its first version, not of this one."""
    now = {"declared_at": context.received_at.isoformat(), "declared_late": late}
    known: dict[str, Any] = context.memory.first(_FIRST, key, now)
    if context.received_at < datetime.fromisoformat(known["declared_at"]):
        context.memory.put(_FIRST, key, now)
        known = now
    return {"declared_at": datetime.fromisoformat(known["declared_at"]), "declared_late": known["declared_late"]}


def require_establishment(context: Context) -> str:
    """Return the establishment's code in the register; raises RejectedError where it is not known.

    The police templates do not name it.
    """
    if not context.establishment:
        raise refused(
            "establishment",
            "required",
            "mẫu khai báo không ghi cơ sở lưu trú; hãy thêm --establishment <mã cơ sở>",
            "the template does not name the establishment; add --establishment <code>",
        )
    findings = Findings()
    code = context.crosswalk.read(FEED, context.establishment, "establishment", findings)
    findings.settle()
    return code


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


def _check_paper(guest: Declaration, findings: Findings) -> None:
    number = "".join(guest.number.required(findings).split())
    if number and guest.paper.domain == "cccd" and not _CITIZEN_NUMBER.fullmatch(number):
        guest.number.refuse(
            findings,
            "citizen_number",
            "số thẻ căn cước phải có đủ 12 chữ số; kiểm tra số 0 đứng đầu",
            "a citizen's card has 12 digits; check for a lost leading zero",
        )


def guest_id(guest: Declaration, nationality: str, arrival: date, context: Context) -> str:
    """Return the guest's pseudonym under the key of the day of arrival."""
    number = "".join(guest.number.text.split()).upper()
    # Passport numbers are unique within the country that issues them.
    issuer = f"{nationality}:" if guest.paper.domain == "passport" else ""
    return context.pseudonymise(guest.paper.domain, issuer + number, arrival)


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
