"""Alerts and incidents of a SOC as JSON, CSV or XLSX."""

from __future__ import annotations

from typing import Any

from connectors.formats.field import MOMENT, TEXT, WHOLE, choice, dropped, field
from connectors.formats.findings import Findings
from connectors.formats.flat import Built, RecordMap, flat_format, order_of, reporter_of
from connectors.formats.format import Context

FEED = "infosec.event"
_TYPES = {
    "Mã độc": "malware",
    "Lừa đảo": "phishing",
    "Tấn công từ chối dịch vụ": "ddos",
    "Xâm nhập": "intrusion",
    "Thay đổi giao diện": "defacement",
    "Lộ lọt dữ liệu": "leak",
}
_SEVERITIES = {"Nghiêm trọng": "critical", "Cao": "high", "Trung bình": "medium", "Thấp": "low"}

FIELDS = (
    field("reporter", "centre|soc|system|trung_tam", TEXT, note="the centre's code; else --reporter"),
    field(
        "kind",
        "kind|loai|loại",
        choice({"alert": "alert", "incident": "incident", "Cảnh báo": "alert", "Sự cố": "incident"}),
        required=True,
    ),
    field("item", "item_id|id|ma_su_kien|mã sự kiện", TEXT, required=True),
    field(
        "occurred", "occurred_at|detected_at|occurred_on|thoi_diem_phat_hien|thời điểm phát hiện", MOMENT, required=True
    ),
    field("severity", "severity|muc_do|mức độ", choice(_SEVERITIES)),
    field("incident_type", "incident_type|type|loai_su_co|loại sự cố", choice(_TYPES)),
    field("began", "began_at|thoi_diem_bat_dau|thời điểm bắt đầu", MOMENT),
    field("detection_min", "detection_min|phut_phat_hien", WHOLE),
    field("resolved", "resolved_at|resolved_on|thoi_diem_xu_ly|thời điểm xử lý xong", MOMENT),
    field("resolution_min", "resolution_min|phut_xu_ly", WHOLE),
    field("updated_at", "updated_at|cap_nhat_luc", MOMENT),
    field("revision", "revision|phien_ban", WHOLE),
    dropped("host|may_chu"),
    dropped("ip|src_ip|dst_ip"),
    dropped("account|user|tai_khoan"),
)


def _build(values: dict[str, Any], findings: Findings, context: Context) -> Built:
    reporter = reporter_of(values, FEED, findings, context)
    occurred, began, resolved = values["occurred"], values.get("began"), values.get("resolved")
    incident = values["kind"] == "incident"
    detection = values.get("detection_min")
    if incident and detection is None and began is not None:
        detection = max(0, int((occurred - began).total_seconds() // 60))
    resolution = values.get("resolution_min")
    if incident and resolved is not None and resolution is None:
        resolution = max(0, int((resolved - occurred).total_seconds() // 60))
    fields = {
        "kind": values["kind"],
        "item_id": values["item"],
        "occurred_on": occurred.astimezone(context.timezone).date(),
        "severity": None if incident else values.get("severity"),
        "incident_type": values.get("incident_type") if incident else None,
        "detection_min": detection if incident else None,
        "resolved_on": resolved.astimezone(context.timezone).date() if incident and resolved else None,
        "resolution_min": resolution if incident else None,
    }
    return Built(reporter, fields, *order_of(values, context))


FORMAT = flat_format(
    "infosec_table",
    RecordMap(FEED, FIELDS, ("kind", "item", "occurred"), _build),
    title_vi="cảnh báo, sự cố an toàn thông tin: CSV, XLSX, JSON",
    title_en="security alerts and incidents: CSV, XLSX, JSON",
    notes_vi=("Máy, địa chỉ IP và tài khoản không rời đầu nối.",),
    notes_en=("Hosts, IP addresses and accounts do not leave the connector.",),
)
