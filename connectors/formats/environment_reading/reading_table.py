"""Hourly values and samples as CSV, XLSX or JSON rows."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from connectors.formats.environment_reading.parameter import factor_of, parameter_of
from connectors.formats.field import FLAG, MOMENT, NUMBER, TEXT, WHOLE, choice, field
from connectors.formats.findings import Findings, shown
from connectors.formats.flat import Built, RecordMap, flat_format, order_of, reporter_of
from connectors.formats.format import Context

FEED = "environment.reading"
_STATUSES = {
    "00": "measuring",
    "01": "calibrating",
    "02": "fault",
    "Đang đo": "measuring",
    "Hiệu chuẩn": "calibrating",
    "Lỗi thiết bị": "fault",
}
_MEDIA = {
    "Không khí": "air",
    "Nước mặt": "surface_water",
    "Nước biển": "sea_water",
    "Nước thải": "wastewater",
    "Khí thải": "stack",
    "Khí tượng": "weather",
}
FIELDS = (
    field("reporter", "station|ma_tram|mã trạm", TEXT, note="by the crosswalk; else --reporter"),
    field("medium", "medium|moi_truong|môi trường", choice(_MEDIA), note="else the register's"),
    field("param", "param|parameter|thong_so|thông số", TEXT, required=True),
    field("at", "measured_at|thoi_gian|thời gian", MOMENT, required=True),
    field("value", "value|gia_tri|giá trị", NUMBER),
    field("unit", "unit|don_vi|đơn vị", TEXT, required=True),
    field("status", "status|trang_thai|trạng thái", choice(_STATUSES)),
    field("exceeded", "exceeded|vuot_nguong|vượt ngưỡng", FLAG),
    field("updated_at", "updated_at|cap_nhat_luc", MOMENT),
    field("revision", "revision|phien_ban", WHOLE),
)


def _build(values: dict[str, Any], findings: Findings, context: Context) -> Built:
    reporter = reporter_of(values, FEED, findings, context)
    medium = values.get("medium") or context.crosswalk.attribute(FEED, reporter, "medium")
    if medium is None:
        findings.missing("medium")
    findings.settle()
    param = parameter_of(values["param"], str(medium))
    factor = factor_of(values["unit"], param, str(medium)) if param else None
    if param is None:
        findings.refuse(
            "param", "parameter", f"không đo trong {medium}", f"is not kept of {medium}", shown(values["param"])
        )
    elif factor is None:
        findings.refuse(
            "unit", "unit", f"không rõ đơn vị của {param}", f"no such unit of {param}", shown(values["unit"])
        )
    findings.settle()
    value = values.get("value")
    fields = {
        "medium": medium,
        "param": param,
        "measured_at": values["at"],
        "status": values.get("status", "measuring"),
        "value": None if value is None or factor is None else float(round(Decimal(str(value)) * factor, 9)),
        "exceeded": values.get("exceeded"),
    }
    return Built(reporter, fields, *order_of(values, context))


FORMAT = flat_format(
    "reading_table",
    RecordMap(FEED, FIELDS, ("param", "at", "value", "unit"), _build),
    title_vi="số liệu quan trắc theo giờ, mẫu: CSV, XLSX, JSON",
    title_en="hourly readings and samples: CSV, XLSX, JSON",
)
