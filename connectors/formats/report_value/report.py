"""What the carriers of reported values share: from named values to the event of one number.

An empty value, or one marked as missing, takes the number back: it is voided, never read as 0 or as unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from connectors.formats.field import DAY, MOMENT, NUMBER, TEXT, WHOLE, FieldReading, choice, dropped, field
from connectors.formats.findings import Findings, shown
from connectors.formats.flat import Built, order_of, reporter_of
from connectors.formats.format import Context
from connectors.formats.report_value.period import ReportPeriod, period_between, period_of

FEED = "report.value"
_SCALES = {
    "1": "1",
    "đơn vị": "1",
    "10": "10",
    "100": "100",
    "nghìn": "1000",
    "1000": "1000",
    "triệu": "1000000",
    "1000000": "1000000",
    "tỷ": "1000000000",
    "1000000000": "1000000000",
}
_KINDS = {"day": "day", "ngày": "day", "week": "week", "tuần": "week", "month": "month", "tháng": "month"} | {
    "quarter": "quarter",
    "quý": "quarter",
    "year": "year",
    "năm": "year",
}
_ACTIONS = {"I": "set", "A": "set", "M": "set", "R": "set", "D": "delete"} | {
    "Information": "set",
    "Append": "set",
    "Merge": "set",
    "Replace": "set",
    "Delete": "delete",
}
LABEL = FieldReading(
    "period",
    lambda text, context: period_of(text),
    "period",
    "kỳ phải có dạng 2024-09, 2024-Q3, 2024, Tháng 9/2024, Quý III/2024",
    "must be a period such as 2024-09, 2024-Q3, 2024, Tháng 9/2024, Quý III/2024",
)
FIELDS = (
    field("reporter", "agency|REF_AGENCY|REPORTER|AGENCY|ma_don_vi|mã đơn vị báo cáo", TEXT, note="by the crosswalk"),
    field("indicator", "indicator|INDICATOR|ma_chi_tieu|mã chỉ tiêu", TEXT, required=True),
    field("area", "area_code|REF_AREA|ma_dia_ban|mã địa bàn", TEXT, required=True),
    field("label", "period_label|TIME_PERIOD|ky_bao_cao|kỳ báo cáo", LABEL),
    field("kind", "period|period_kind|loai_ky|loại kỳ", choice(_KINDS), note="checked against the period"),
    field("first", "period_start|tu_ngay|từ ngày", DAY, note="with period_end, or with period"),
    field("last", "period_end|den_ngay|đến ngày", DAY),
    field("value", "value|OBS_VALUE|gia_tri|giá trị", NUMBER, note="empty = the number is taken back"),
    field("scale", "scale|UNIT_MULT_TEXT|he_so|hệ số", choice(_SCALES)),
    field("mult", "UNIT_MULT", WHOLE, note="SDMX: power of ten"),
    field("status", "OBS_STATUS|trang_thai_so_lieu", TEXT, note="M, L, O, Q, H = missing"),
    field("action", "ACTION", choice(_ACTIONS), note="SDMX: D deletes"),
    field("updated_at", "submitted_at|ngay_gui|ngày gửi", MOMENT),
    field("revision", "revision|lan_gui|lần gửi", WHOLE),
    dropped("signer|nguoi_ky|người ký"),
    dropped("note|ghi_chu|ghi chú"),
)
# Codes of CL_OBS_STATUS for a number that does not exist, was not collected, is suppressed or is a holiday's.
_MISSING = ("M", "L", "O", "Q", "H")
# Columns of SDMX whose numbers have a decimal point, never a comma: `1.234` is between 1 and 2.
POINTED = ("OBS_VALUE", "UNIT_MULT")
_LARGEST_POWER = 12


def build_value(values: dict[str, Any], findings: Findings, context: Context) -> Built:
    """Return what a row of values becomes; notes a reason where it makes no number of a period."""
    reporter = reporter_of(values, FEED, findings, context)
    period = _period(values, findings)
    findings.settle()
    assert period is not None, "findings hold the reason"
    kind, start = period
    moment, revision = order_of(values, context)
    key = f"{values['indicator']}/{values['area']}/{kind}/{start.isoformat()}"
    value = values.get("value")
    if value is None or values.get("status", "").upper() in _MISSING or values.get("action") == "delete":
        return Built(reporter, None, moment, revision, key)
    factor = int(values.get("scale", "1"))
    power = values.get("mult", 0)
    if abs(power) > _LARGEST_POWER:
        findings.refuse("UNIT_MULT", "scale", "hệ số quá lớn", "the power of ten is too large")
        findings.settle()
    fields = {
        "agency": reporter,
        "indicator": values["indicator"],
        "area_code": values["area"],
        "period": kind,
        "period_start": start,
        "value": float(Decimal(str(value)) * factor * Decimal(10) ** power),
    }
    return Built(reporter, fields, moment, revision)


def _period(values: Mapping[str, Any], findings: Findings) -> ReportPeriod | None:
    first, last, kind = values.get("first"), values.get("last"), values.get("kind")
    found: ReportPeriod | None = values.get("label")
    if found is None and isinstance(first, date):
        try:
            found = period_between(first, last) if last is not None else (kind, first) if kind else None
        except ValueError:
            findings.refuse(
                "period_end",
                "period",
                "từ ngày – đến ngày không phải một ngày, tuần, tháng, quý hay năm (kể cả kỳ từ 15 đến 14)",
                "the days bound no day, week, month, quarter or year (nor one from the 15th to the 14th)",
            )
            return None
    if found is None:
        findings.missing("period_label")
    elif kind is not None and kind != found[0]:
        findings.refuse("period", "period", "loại kỳ khác kỳ báo cáo", "is another kind than the period", shown(kind))
    return found
