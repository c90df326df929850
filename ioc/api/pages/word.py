"""What the pages call statuses, causes and fields of evidence."""

from __future__ import annotations

from collections.abc import Mapping

STATUSES: Mapping[str, str] = {
    "lagging": "Chậm tiến độ",
    "at_risk": "Có nguy cơ chậm",
    "on_track": "Đúng tiến độ",
    "stale": "Mất cập nhật",
    "incomplete": "Chưa đủ báo cáo",
    "no_data": "Chưa có số liệu",
    "no_target": "Không có mục tiêu",
}
# What nobody can say how it stands.
UNKNOWN = ("stale", "incomplete", "no_data")
BEHIND = ("lagging", "at_risk")
SEVERITIES: Mapping[str, str] = {"critical": "Nghiêm trọng", "warning": "Cảnh báo", "info": "Thông tin"}
KINDS: Mapping[str, str] = {
    "pipeline_stopped": "Hệ thống xử lý dừng",
    "feed_silent": "Nguồn mất dữ liệu",
    "reporter_missing": "Đơn vị chưa báo cáo",
    "rejections_up": "Dữ liệu bị từ chối tăng",
    "control_total": "Lệch số kiểm soát",
    "events_set_aside": "Sự kiện bị gác lại",
    "figures_differ": "Số liệu tính lại bị lệch",
    "lagging": "Chậm tiến độ",
}
CHANGES: Mapping[str, str] = {
    "opened": "Mở sự cố",
    "changed": "Cập nhật",
    "reopened": "Mở lại",
    "closed": "Kết thúc",
    "escalated": "Báo lên cấp trên",
    "acknowledged": "Đã nhận xử lý",
    "silenced": "Tạm dừng báo",
    "unsilenced": "Báo trở lại",
    "assigned": "Giao xử lý",
}
STEPS = ("đơn vị phụ trách", "cấp phó", "thủ trưởng đơn vị", "lãnh đạo tỉnh")
SETTLEMENTS: Mapping[str, str] = {"provisional": "tạm tính", "settled": "đã chốt", "revised": "đã điều chỉnh"}
PERIODS: Mapping[str, str] = {"day": "Ngày", "week": "Tuần", "month": "Tháng", "quarter": "Quý", "year": "Năm"}
KINDS_OF_INDICATOR: Mapping[str, str] = {
    "flow": "số phát sinh trong kỳ",
    "stock": "số hiện có cuối kỳ",
    "distinct": "số không trùng lặp",
    "ratio": "tỷ lệ",
    "average": "bình quân",
    "reported": "số cơ quan báo cáo",
}
CHANNELS: Mapping[str, str] = {"email": "thư điện tử", "webhook": "webhook", "telegram": "Telegram", "zalo": "Zalo"}
# Fields of evidence; one that is not listed is shown by its own name.
_EVIDENCE: Mapping[str, str] = {
    "agency": "cơ quan",
    "areas": "địa bàn",
    "breakdowns": "thành phần",
    "cadence": "chu kỳ",
    "change": "thay đổi",
    "code": "mã",
    "consumed": "nhận được",
    "day": "ngày",
    "due": "phải báo cáo",
    "events": "sự kiện",
    "expected": "phải đạt",
    "feed": "nguồn",
    "field": "trường",
    "indicators": "chỉ tiêu",
    "lag": "chậm",
    "message_en": "lý do (tiếng Anh)",
    "message_vi": "lý do",
    "missing": "chưa báo cáo",
    "name": "tên",
    "newest_at": "bản ghi gần nhất",
    "part": "bộ phận",
    "parts": "bộ phận",
    "profile_loaded_at": "danh mục nạp lúc",
    "rejected": "bị từ chối",
    "reported": "đã báo cáo",
    "reporter": "đơn vị",
    "reporters": "số đơn vị",
    "rule": "quy tắc",
    "rules": "quy tắc",
    "share": "tỷ lệ (%)",
    "since": "từ",
    "total": "tổng số",
    "usual": "bình thường",
    "value": "giá trị",
}


def field_name(name: str) -> str:
    """Return what a field of evidence is called."""
    return _EVIDENCE.get(name, name.replace("_", " "))
