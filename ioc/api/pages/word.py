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
# Statuses that mean: not known.
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
    "areas_total": "số địa bàn chậm",
    "bootstrap": "máy chủ Kafka",
    "breakdowns": "thành phần",
    "cadence": "chu kỳ",
    "cadence_minutes": "chu kỳ (phút)",
    "change": "thay đổi",
    "code": "mã",
    "consumed": "nhận được",
    "contributions": "phần đóng góp",
    "day": "ngày",
    "days": "các ngày",
    "due": "phải báo cáo",
    "events": "sự kiện",
    "expected": "phải đạt",
    "feed": "nguồn",
    "feeds": "các nguồn",
    "field": "trường",
    "first_on": "từ ngày",
    "indicators": "chỉ tiêu",
    "kind": "loại",
    "lag": "chậm",
    "lag_in": "đơn vị chậm",
    "last_on": "đến ngày",
    "message_en": "lý do (tiếng Anh)",
    "message_vi": "lý do",
    "missing": "chưa báo cáo",
    "missing_total": "số đơn vị chưa báo cáo",
    "month": "tháng",
    "name": "tên",
    "named": "gồm",
    "needed_per_week": "cần mỗi tuần",
    "newest_accepted_at": "bản ghi hợp lệ gần nhất",
    "newest_at": "bản ghi gần nhất",
    "part": "bộ phận",
    "partitions": "số phân vùng",
    "parts": "bộ phận",
    "periods": "các kỳ",
    "positions": "vị trí",
    "profile_loaded_at": "danh mục nạp lúc",
    "reason": "lý do",
    "records": "bản ghi",
    "records_said": "đơn vị báo (bản ghi)",
    "records_stored": "hệ thống có (bản ghi)",
    "refused_last_hour": "bị từ chối trong 1 giờ qua",
    "rejected": "bị từ chối",
    "reported": "đã báo cáo",
    "reporter": "đơn vị",
    "reporters": "số đơn vị",
    "rule": "quy tắc",
    "rules": "quy tắc",
    "share": "tỷ lệ (%)",
    "shortfall": "còn thiếu",
    "since": "từ",
    "summed": "cột cộng",
    "sums": "số cộng bị lệch",
    "target": "mục tiêu",
    "target_on": "hạn",
    "told_at": "báo lúc",
    "topic": "topic",
    "total": "tổng số",
    "total_said": "đơn vị báo (tổng)",
    "total_stored": "hệ thống có (tổng)",
    "until": "đến",
    "usual": "bình thường",
    "usual_share": "bình thường (%)",
    "value": "giá trị",
    "waiting": "đang chờ",
    "waiting_since": "chờ từ",
    "windows": "các tháng",
}
# Fields for programs: a name beside them, or the figures, say the same.
HIDDEN_EVIDENCE = ("area_id", "lag_in")


def field_name(name: str) -> str:
    """Return what a field of evidence is called."""
    return _EVIDENCE.get(name, name.replace("_", " "))
