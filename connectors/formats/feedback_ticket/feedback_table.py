"""Tickets of a feedback system as JSON, CSV or XLSX: one row with the ticket's present state."""

from __future__ import annotations

from typing import Any

from connectors.formats.field import DAY, MOMENT, TEXT, WHOLE, choice, dropped, field
from connectors.formats.findings import Findings
from connectors.formats.flat import Built, RecordMap, flat_format, order_of, reporter_of
from connectors.formats.format import Context

FEED = "feedback.ticket"
_CATEGORIES = {
    "Môi trường": "environment",
    "Giao thông": "road",
    "Đường sá": "road",
    "Chiếu sáng": "lighting",
    "Trật tự đô thị": "urban_order",
    "Đô thị": "urban_order",
    "Xây dựng": "construction",
    "An ninh trật tự": "security",
    "Cấp điện, nước": "water_power",
    "Điện": "water_power",
    "Nước": "water_power",
    "An toàn thực phẩm": "food",
    "Thủ tục hành chính": "procedure",
    "Khác": "other",
}
_CHANNELS = {
    "Ứng dụng": "app",
    "App": "app",
    "Zalo": "app",
    "Cổng thông tin": "web",
    "Web": "web",
    "Tổng đài": "hotline",
    "1022": "hotline",
    "Trực tiếp": "direct",
}
# The states of the 1022 systems, and those of the record.
_STATES = {
    "new": "open",
    "verified": "open",
    "assigned": "open",
    "processing": "open",
    "transferred": "open",
    "reopened": "open",
    "open": "open",
    "answered": "resolved",
    "closed": "resolved",
    "resolved": "resolved",
    "rejected": "rejected",
    "duplicate": "rejected",
    "Mới": "open",
    "Đang xử lý": "open",
    "Đã xử lý": "resolved",
    "Đã trả lời": "resolved",
    "Từ chối": "rejected",
}

FIELDS = (
    field(
        "reporter", "system|source_system|he_thong|channel_system", TEXT, note="the portal's own id; else --reporter"
    ),
    field("ticket", "ticket_id|id|ma_phan_anh|mã phản ánh", TEXT, required=True, personal="keyed HMAC"),
    field("area", "area_code|commune_code|ma_xa|mã xã", TEXT, required=True, personal="area only"),
    field("category", "category|linh_vuc|lĩnh vực", choice(_CATEGORIES), required=True),
    field("channel", "channel|kenh|kênh tiếp nhận", choice(_CHANNELS), required=True),
    field("received", "received_at|ngay_tiep_nhan|ngày tiếp nhận", MOMENT, required=True),
    field("due", "due_at|due_on|han_xu_ly|hạn xử lý", DAY, required=True),
    field("state", "status|state|trang_thai|trạng thái", choice(_STATES), required=True),
    field("closed", "closed_at|ngay_xu_ly|ngày xử lý xong", MOMENT),
    field("reopened", "reopened_at|ngay_mo_lai", DAY),
    field("rated_on", "rated_at|ngay_danh_gia", DAY),
    field("rating", "satisfaction|rating|danh_gia|mức hài lòng", WHOLE, note="1 to 5"),
    field("updated_at", "updated_at|cap_nhat_luc|thời điểm cập nhật", MOMENT),
    field("revision", "revision|phien_ban", WHOLE),
    dropped("reporter_name|ho_ten|nguoi_gui"),
    dropped("phone|dien_thoai|so_dien_thoai"),
    dropped("email"),
    dropped("text|content|noi_dung"),
    dropped("lat|latitude"),
    dropped("lon|longitude"),
    dropped("address|dia_chi"),
    dropped("photos|hinh_anh"),
)


def _build(values: dict[str, Any], findings: Findings, context: Context) -> Built:
    reporter = reporter_of(values, FEED, findings, context)
    received = values["received"]
    received_on = received.astimezone(context.timezone).date()
    closed, state = values.get("closed"), values["state"]
    if state != "open" and closed is None:
        findings.missing("closed_at")
    if state == "open" and closed is not None:
        # Reopened: what closed it before is history.
        closed = None
    closed_on = closed.astimezone(context.timezone).date() if closed else None
    today = context.received_at.astimezone(context.timezone).date()
    due = values["due"]
    fields = {
        "ticket_id": context.pseudonymise("ticket", values["ticket"], received_on),
        "area_code": values["area"],
        "category": values["category"],
        "channel": values["channel"],
        "received_on": received_on,
        "due_on": due,
        "overdue": (closed_on or today) > due,
        "state": state,
        "closed_on": closed_on,
        "handling_h": max(0, int((closed - received).total_seconds() // 3600))
        if closed and state == "resolved"
        else None,
        "reopened_on": values.get("reopened"),
        "rated_on": values.get("rated_on"),
        "rating": values.get("rating"),
    }
    return Built(reporter, fields, *order_of(values, context))


FORMAT = flat_format(
    "feedback_table",
    RecordMap(FEED, FIELDS, ("ticket", "category", "received", "state"), _build),
    title_vi="phản ánh, kiến nghị: JSON, CSV, XLSX",
    title_en="citizens' feedback: JSON, CSV, XLSX",
    notes_vi=("Tên, số điện thoại, nội dung, ảnh và toạ độ không rời đầu nối.",),
    notes_en=("Name, phone, text, pictures and coordinates do not leave the connector.",),
)
