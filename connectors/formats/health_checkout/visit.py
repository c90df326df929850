"""One HOSO as the visit that it tells: check-in (XML0), summary (XML1), sums of services (XML3).

A resend is the whole visit anew, so the time of arrival orders the versions; of one moment a summary goes before a
check-in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from connectors.formats.age import age_group, years_between
from connectors.formats.event import Stamp, record_event
from connectors.formats.findings import Findings, shown
from connectors.formats.format import Context, Event
from connectors.formats.health_checkout.diagnosis import chapter_of, chronic_of, disease_of, icd_of
from connectors.formats.health_checkout.fields import check_fields
from connectors.formats.moment import told_moment
from connectors.formats.value import day_of, decimal_of
from ioc.feeds.validation import mask

FEED = "health.checkout"
Values = Mapping[str, str]

_VISIT_TYPES = {
    "01": "exam",
    "02": "outpatient",
    "03": "inpatient",
    "04": "day_inpatient",
    "05": "chronic",
    "06": "station_stay",
    "07": "drug_pickup",
    "08": "chronic",
    "09": "short_inpatient",
    "10": "other",
}
_ADMITTED = ("03", "04", "06", "09")
_MUST_BE_ADMITTED = ("03", "04")
# Their NGAY_RA is the last day of medicine and may lie ahead.
_MEDICINE = ("02", "05", "07")
_SEXES = {"1": "male", "2": "female", "3": "unknown"}
_OUTCOMES = {
    "1": "cured",
    "2": "improved",
    "3": "unchanged",
    "4": "worse",
    "5": "died",
    "6": "terminal",
    "7": "undetermined",
    "8": "died_outside",
}
_DISCHARGES = {"1": "normal", "2": "transfer_up", "3": "absconded", "4": "asked", "5": "transfer_req"}
_INJURIES = {"1": "traffic", "2": "work", "3": "drowning", "4": "burn", "5": "violence"}
_SOURCES = {"cost_bhyt": "T_BHTT", "cost_copay": "T_BNCCT", "cost_selfpay": "T_BNTT", "cost_other": "T_NGUONKHAC"}
_SERVICES = {
    "1": "cost_lab",
    "2": "cost_imaging",
    "8": "cost_procedure",
    "18": "cost_procedure",
    "13": "cost_exam",
    "14": "cost_bed",
    "15": "cost_bed",
    "16": "cost_bed",
}
_ROUNDING = 4


@dataclass
class Dossier:
    """What a HOSO holds, by table; `made_on` is the day on which the envelope was made."""

    facility: str
    made_on: date | None = None
    check_ins: list[Values] = field(default_factory=list)
    summaries: list[Values] = field(default_factory=list)
    drugs: list[Values] = field(default_factory=list)
    services: list[Values] = field(default_factory=list)
    episodes: set[str] = field(default_factory=set)


def read_visit(dossier: Dossier, where: str, context: Context) -> Iterator[Event]:
    """Yield the visit's event; raises RejectedError with all that is wrong."""
    findings = Findings()
    if len(dossier.episodes) > 1:
        findings.refuse(
            "MA_LK",
            "several",
            "các bảng trong một HOSO có MA_LK khác nhau; mỗi HOSO là một đợt điều trị",
            "the tables of one HOSO have different MA_LK; a HOSO is one episode",
        )
    if len(dossier.summaries) > 1:
        findings.refuse(
            "XML1", "several", "một HOSO có nhiều bảng XML1; chỉ giữ một", "one HOSO holds several XML1; keep one"
        )
    if not dossier.summaries and not dossier.check_ins:
        findings.refuse(
            "XML1",
            "nothing_readable",
            "HOSO không có bảng XML1 hay XML0 nào đọc được",
            "the HOSO holds neither an XML1 nor an XML0 that can be read",
        )
    findings.settle()
    summary = dossier.summaries[0] if dossier.summaries else None
    values = summary or min(dossier.check_ins, key=lambda row: row.get("NGAY_VAO", ""))
    check_fields(values, "XML1" if summary else "XML0", findings)
    fields, reporter = _check_in(values, dossier, findings, context)
    if summary is not None:
        fields |= _completion(summary, dossier, fields, findings, context)
    findings.settle()
    at = context.received_at + timedelta(milliseconds=1 if summary else 0)
    yield record_event(context.feeds[FEED], reporter, fields, stamp=Stamp(where, at), warnings=findings.warnings)


def _check_in(values: Values, dossier: Dossier, findings: Findings, context: Context) -> tuple[dict[str, Any], str]:
    facility = values.get("MA_CSKCB") or dossier.facility
    reporter = context.crosswalk.read(FEED, facility or context.reporter, "MA_CSKCB", findings)
    episode = values.get("MA_LK", "")
    if not episode:
        findings.missing("MA_LK")
    came = _moment(values, "NGAY_VAO", findings, context)
    admitted = _moment(values, "NGAY_VAO_NOI_TRU", findings, context, required=False)
    kind = _code(values, "MA_LOAI_KCB", _VISIT_TYPES, findings, width=2)
    code = values.get("MA_LOAI_KCB", "").zfill(2)
    if came is None:
        return {}, reporter
    day = came.astimezone(context.timezone).date()
    admitted_on = admitted.astimezone(context.timezone).date() if admitted and code in _ADMITTED else None
    if code in _MUST_BE_ADMITTED and admitted_on is None:
        findings.warn(
            "NGAY_VAO_NOI_TRU",
            "admission_missing",
            "nội trú không có ngày vào nội trú; lấy theo ngày vào",
            "an inpatient without a day of admission; the day of arrival is taken",
        )
        admitted_on = day
    card = values.get("MA_THE_BHYT", "").split(";")[0].strip()
    return {
        "visit_id": context.pseudonymise("visit", f"{facility}|{episode}", day),
        "person_id": _person(values, facility, card, day, context),
        "sex": _code(values, "GIOI_TINH", _SEXES, findings),
        "age_group": _age_group(values, day, findings),
        "visit_type": kind,
        "route": _route(values.get("MA_DOITUONG_KCB", ""), findings),
        "payer": "bhyt" if card else "self_pay",
        "id_method": _id_method(values, card),
        "check_in_on": day,
        "admitted_on": admitted_on,
    }, reporter


def _completion(
    values: Values, dossier: Dossier, visit: Mapping[str, Any], findings: Findings, context: Context
) -> dict[str, Any]:
    left = _moment(values, "NGAY_RA", findings, context)
    came = _moment(values, "NGAY_VAO", findings, context)
    icd = icd_of(values.get("MA_BENH_CHINH", ""))
    if icd is None or chapter_of(icd) is None:
        findings.refuse(
            "MA_BENH_CHINH",
            "icd",
            "mã bệnh chính phải là đúng một mã ICD-10 (ví dụ A97.0), không phải mã nguyên nhân V, W, X, Y",
            "the main diagnosis must be exactly one ICD-10 code (A97.0), not one of causes (V, W, X, Y)",
            mask(values.get("MA_BENH_CHINH", "")),
        )
    outcome = _code(values, "KET_QUA_DTRI", _OUTCOMES, findings)
    discharge = _code(values, "MA_LOAI_RV", _DISCHARGES, findings)
    money = _money(values, dossier, findings)
    days = _number(values, "SO_NGAY_DTRI", findings)
    if left is None or came is None or icd is None or not visit:
        return {}
    today = context.received_at.astimezone(context.timezone).date()
    left_on = left.astimezone(context.timezone).date()
    if values.get("MA_LOAI_KCB", "").zfill(2) in _MEDICINE:
        made_on = dossier.made_on or today
        left_on = min(left_on, max(made_on, visit["check_in_on"]))
        left = min(left, datetime.combine(left_on, datetime.max.time().replace(microsecond=0), context.timezone))
    elif left_on > today:
        findings.warn(
            "NGAY_RA",
            "discharge_ahead",
            "ngày ra chưa đến; lượt khám được coi là chưa kết thúc",
            "the discharge lies ahead; the visit is taken as not completed",
        )
        return {}
    return {
        "completed_on": left_on,
        "icd_chapter": chapter_of(icd),
        "disease": disease_of(icd),
        "ncd": chronic_of(icd),
        "injury": _INJURIES.get(values.get("MA_TAI_NAN", "")),
        "outcome": outcome,
        "discharge_type": discharge,
        "los_days": int(days) if days is not None else None,
        "visit_minutes": max(0, int((left - came).total_seconds() // 60)),
        **money,
    }


def _money(values: Values, dossier: Dossier, findings: Findings) -> dict[str, int]:
    total = _number(values, "T_TONGCHI_BV", findings)
    parts = {column: _number(values, name, findings, required=False) for column, name in _SOURCES.items()}
    drug, supply = (_number(values, name, findings, required=False) for name in ("T_THUOC", "T_VTYT"))
    if total is None:
        return {}
    costs = {column: _dong(amount) for column, amount in parts.items() if amount is not None}
    costs["cost_total"] = _dong(total)
    rest = costs["cost_total"] - sum(costs.get(column, 0) for column in _SOURCES)
    if rest and abs(rest) < _ROUNDING:
        # Each part was rounded to the đồng by itself.
        largest = max((column for column in _SOURCES if column in costs), key=lambda column: costs[column])
        costs[largest] += rest
    for column, amount, rows in (("cost_drug", drug, dossier.drugs), ("cost_supply", supply, [])):
        if amount is not None:
            costs[column] = _dong(amount)
            _check_sum(column, amount, rows, findings)
    for row in dossier.services:
        item = _SERVICES.get(row.get("MA_NHOM", ""))
        amount = _number(row, "THANH_TIEN_BV", findings, required=False)
        if item is not None and amount is not None:
            costs[item] = costs.get(item, 0) + _dong(amount)
    return costs


def _check_sum(column: str, declared: Decimal, rows: Sequence[Values], findings: Findings) -> None:
    amounts = [_number(row, "THANH_TIEN_BV", findings, required=False) for row in rows]
    total = sum((amount for amount in amounts if amount is not None), Decimal(0))
    if rows and abs(total - declared) > len(rows):
        findings.warn(
            column,
            "sum_differs",
            "tổng khai báo không khớp tổng chi tiết; số khai báo được giữ nguyên",
            "the declared total differs from the sum of its lines; what is declared is kept",
        )


def _person(values: Values, facility: str, card: str, on: date, context: Context) -> str:
    number = "".join(values.get("SO_CCCD", "").split())
    if number:
        return context.pseudonymise("cccd", number, on)
    if card:
        return context.pseudonymise("bhyt", card, on)
    return context.pseudonymise("patient", f"{facility}|{values.get('MA_BN', '')}", on)


def _id_method(values: Values, card: str) -> str:
    """Return how the patient showed who they are; the tables tell only which number was entered."""
    return "cccd_chip" if values.get("SO_CCCD") else "bhyt_card" if card else "other"


def _age_group(values: Values, on: date, findings: Findings) -> str | None:
    text = values.get("NGAY_SINH", "")
    try:
        year, month, day = int(text[:4]), int(text[4:6] or 0), int(text[6:8] or 0)
        # Day and month unknown: the middle of what is known.
        born = date(year, month or 7, day or (1 if not month else 15))
        if born > on or not text.isdigit() or len(text) not in (8, 12):
            raise ValueError
        return age_group(years_between(born, on))
    except ValueError:
        findings.refuse(
            "NGAY_SINH",
            "birth_date",
            "ngày sinh phải có dạng YYYYMMDD hoặc YYYYMMDDHHMM và không sau ngày vào",
            "the birth date must be YYYYMMDD or YYYYMMDDHHMM and not after the arrival",
            mask(text),
        )
        return None


def _route(code: str, findings: Findings) -> str | None:
    if code == "1.3":
        return "referral"
    head = code.partition(".")[0]
    routes = {"1": "right", "2": "emergency", "3": "off", "7": "other", "8": "other", "9": "other"}
    if head not in routes:
        findings.refuse(
            "MA_DOITUONG_KCB",
            "code",
            "mã đối tượng không có trong QĐ 824/QĐ-BYT",
            "no such code in QĐ 824/QĐ-BYT",
            shown(code),
        )
    return routes.get(head)


def _code(values: Values, name: str, names: Mapping[str, str], findings: Findings, width: int = 1) -> str | None:
    text = values.get(name, "")
    if not text:
        findings.missing(name)
        return None
    found = names.get(text.zfill(width))
    if found is None:
        known = ", ".join(names)
        findings.refuse(name, "code", f"mã phải là một trong: {known}", f"must be one of {known}", shown(text))
    return found


def _moment(
    values: Values, name: str, findings: Findings, context: Context, *, required: bool = True
) -> datetime | None:
    return told_moment(values.get(name, ""), name, "YYYYMMDDHHMM", findings, context.timezone, required=required)


def _number(values: Values, name: str, findings: Findings, *, required: bool = True) -> Decimal | None:
    text = values.get(name, "")
    if not text:
        if required:
            findings.missing(name)
        return None
    try:
        return decimal_of(text)
    except ValueError:
        findings.refuse(name, "decimal", "số phải ở dạng 1234567.89", "must be a number as 1234567.89", mask(text))
        return None


def _dong(amount: Decimal) -> int:
    return int(amount.to_integral_value(rounding=ROUND_HALF_UP))


def made_on(text: str, context: Context) -> date | None:
    """Return NGAYLAP of an envelope, None where it is missing or unreadable."""
    try:
        return day_of(text, context.timezone)
    except (ValueError, OverflowError):
        return None
