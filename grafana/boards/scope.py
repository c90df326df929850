"""What all panels of one board share: its language, and the words that its queries put beside the figures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from grafana.query.binding import SqlTarget, Value, bind
from grafana.text import BREAKDOWNS, Language, Text
from ioc.catalogue import Catalogue
from ioc.province.duty import CENTRE, CENTRE_EN

STATUSES: dict[str, Text] = {
    "lagging": Text("Chậm tiến độ", "Lagging"),
    "at_risk": Text("Có nguy cơ", "At risk"),
    "stale": Text("Số liệu cũ", "Stale"),
    "incomplete": Text("Thiếu báo cáo", "Incomplete"),
    "no_data": Text("Chưa có số liệu", "No figures"),
    "on_track": Text("Đúng tiến độ", "On track"),
    "no_target": Text("Không giao chỉ tiêu", "No target"),
}
SHORT: dict[str, Text] = {
    "lagging": Text("chậm", "lagging"),
    "at_risk": Text("nguy cơ", "at risk"),
    "stale": Text("cũ", "stale"),
    "incomplete": Text("thiếu", "incomplete"),
    "no_data": Text("chưa có", "no figures"),
    "on_track": Text("đạt", "on track"),
    "no_target": Text("theo dõi", "watched"),
}
# Colours mean status and nothing else: what is not known is grey, what nothing is asked of is neutral.
COLORS: dict[str, str] = {
    "lagging": "#e0434b",
    "at_risk": "#e8a33d",
    "stale": "#8e8e8e",
    "incomplete": "#8e8e8e",
    "no_data": "#8e8e8e",
    "on_track": "#4ea85a",
    "no_target": "#7f93b2",
    "": "#5f6672",
}
MEASURES: dict[str, Text] = {
    "correct": Text("Đúng", "Correct"),
    "complete": Text("Đủ", "Complete"),
    "clean": Text("Sạch", "Clean"),
    "live": Text("Sống", "Live"),
}
SEVERITIES: dict[str, Text] = {
    "critical": Text("Nghiêm trọng", "Critical"),
    "warning": Text("Cảnh báo", "Warning"),
    "info": Text("Thông tin", "Information"),
}
FRESHNESS: dict[str, Text] = {
    "live": Text("Đang gửi", "Live"),
    "silent": Text("Im lặng quá chu kỳ", "Silent"),
    "never": Text("Chưa gửi lần nào", "Never sent"),
}
_KINDS: dict[str, Text] = {
    "flow": Text("Phát sinh trong kỳ", "Flow: counted in the period"),
    "stock": Text("Số hiện có", "Stock: what exists"),
    "distinct": Text("Số đối tượng khác nhau", "Distinct subjects"),
    "ratio": Text("Tỷ lệ", "Ratio"),
    "average": Text("Bình quân", "Average"),
    "reported": Text("Cơ quan báo cáo", "Reported by an agency"),
}
_CHANGES: dict[str, Text] = {
    "opened": Text("Mở", "Opened"),
    "changed": Text("Thay đổi", "Changed"),
    "reopened": Text("Mở lại", "Reopened"),
    "closed": Text("Kết thúc", "Closed"),
    "escalated": Text("Báo cấp trên", "Escalated"),
    "acknowledged": Text("Đã tiếp nhận", "Acknowledged"),
    "silenced": Text("Tạm dừng nhắc", "Silenced"),
    "unsilenced": Text("Nhắc lại", "No longer silenced"),
    "assigned": Text("Giao xử lý", "Assigned"),
}
_LABELS: dict[str, Text] = {
    "expected": Text("kỳ vọng", "expected"),
    "expected_now": Text("Kỳ vọng đến nay", "Expected by now"),
    "week_before": Text("tuần trước", "week before"),
    "before": Text("kỳ trước", "before"),
    "value": Text("Giá trị", "Value"),
    "hidden": Text("ẩn (số nhỏ)", "hidden (small)"),
    "own_breakdown": Text("phân tổ của hệ thống", "the system's own breakdown"),
    "past": Text("Cùng kỳ năm trước", "Year before"),
    "asked": Text("Tiến độ được giao", "Asked"),
    "status": Text("Tình trạng", "Status"),
    "period": Text("Kỳ", "Period"),
    "target": Text("Chỉ tiêu giao", "Target"),
    "lag": Text("Mức chậm", "Lag"),
    "forecast": Text("Dự báo đến hạn", "Forecast"),
    "needed": Text("Cần mỗi tuần", "Needed a week"),
    "reported": Text("Đơn vị đã báo cáo", "Reporters in"),
    "thousand": Text("nghìn ", "thousand "),
    "million": Text("triệu ", "million "),
    "billion": Text("tỷ ", "billion "),
    "code": Text("Mã", "Code"),
    "name": Text("Tên", "Name"),
    "unit": Text("Đơn vị tính", "Unit"),
    "kind": Text("Loại", "Kind"),
    "formula": Text("Công thức", "Formula"),
    "feed": Text("Nguồn dữ liệu", "Feed"),
    "counted": Text("Cách tính (giá trị | điều kiện)", "Counted (value | where)"),
    "owner": Text("Cơ quan chủ trì", "Owner"),
    "basis": Text("Căn cứ", "Basis"),
    "source": Text("Nguồn chỉ tiêu giao", "Source of the target"),
    "explain": Text("Trang giải thích số liệu", "Page that explains the figure"),
    "all_feeds": Text("Tất cả nguồn", "All feeds"),
    "furthest": Text("Chậm nhất: ", "Furthest behind: "),
    "behind": Text("chậm", "behind"),
    "silenced_until": Text("tạm dừng nhắc đến ", "silenced until "),
    "begun": Text("Bắt đầu: ", "Begun: "),
    "ended": Text("Kết thúc: ", "Over: "),
    "beyond": Text("Vì sao ngoài 0–100 % (*)", "Why beyond 0–100% (*)"),
    "beyond_share": Text(
        "Tử số và mẫu số được đếm riêng trong cùng kỳ, không phải cùng một nhóm: mũi sau có thể nhiều hơn mũi trước,"
        " người được phục vụ có thể nhiều hơn số đã đăng ký. Kỳ có ít sự kiện lệch nhiều hơn.",
        "Numerator and denominator are counted apart in the same period and are not one group: later doses may"
        " outnumber first ones, those served may outnumber those registered. A period with few events deviates more.",
    ),
    "beyond_index": Text(
        "Chỉ số so với kỳ gốc bằng 100, hoặc tốc độ tăng; không phải tỷ trọng.",
        "An index over a base period of 100, or a rate of growth; no share of a whole.",
    ),
    "all_targets": Text("Chỉ tiêu chuyển đổi số hoàn thành", "Digital-transformation targets done"),
    "critical": Text("Nghiêm trọng", "Critical"),
    "warning": Text("Cảnh báo", "Warnings"),
    "waiting": Text("Chưa tiếp nhận", "Not acknowledged"),
    "reform": Text("Sắp xếp đơn vị hành chính, số đơn vị kết thúc: ", "Administrative reform, units that ended: "),
    "rebuild": Text("Tính lại theo danh mục mới: ", "Computed anew: "),
    "correction": Text("Sự kiện sửa số liệu cũ: ", "Events that correct older ones: "),
    "day_events": Text("Sự kiện hôm nay", "Events today"),
    "minute_events": Text("Sự kiện trong 1 phút", "Events in a minute"),
    "newest_event": Text("Sự kiện mới nhất cách đây", "Newest event, ago"),
    "received": Text("Nhận", "Received"),
    "accepted": Text("Chấp nhận", "Accepted"),
    "rejected": Text("Từ chối", "Rejected"),
    "duplicate": Text("Trùng lặp", "Duplicate"),
    "corrected": Text("Sửa đổi", "Corrected"),
    "pending_delta": Text("Chờ tổng hợp", "Waiting for the roll-up"),
    "pending_relay": Text("Chờ chuyển vào hàng lỗi", "Waiting for the dead letters"),
    "lost": Text("Bản ghi Kafka bị mất", "Kafka records lost"),
    "scheduler": Text("Lần theo dõi gần nhất cách đây", "Last check of statuses, ago"),
}


@dataclass(frozen=True)
class Scope:
    """Language, time zone and catalogue; `sectors`: those that the board shows; `pages`: address of the web pages.

    posts: names of the posts of the duty ladders, by code.
    """

    language: Language
    timezone: str
    catalogue: Catalogue
    sectors: tuple[str, ...]
    pages: str
    posts: Mapping[str, Text] = field(default_factory=dict)

    def say(self, vi: str, en: str) -> str:
        """Return one of two texts."""
        return vi if self.language == "vi" else en

    def sector_name(self, sector: str) -> str:
        """Return a sector's name."""
        found = self.catalogue.sectors[sector]
        return self.say(found.name_vi, found.name_en)

    def target(self, query: str, ref_id: str = "A", *, series: bool = False, **values: Value) -> SqlTarget:
        """Return a target with one of the board's queries."""
        return SqlTarget(self.sql(query, **values), "time_series" if series else "table", ref_id)

    def sql(self, query: str, **values: Value) -> str:
        """Return one of the board's queries, bound."""
        return bind("board", query, **{**self._shared, **values})

    @cached_property
    def _shared(self) -> Mapping[str, Value]:
        english = self.language == "en"
        return {
            "language": self.language,
            "timezone": self.timezone,
            "chosen": self.sectors,
            "pages": self.pages,
            "units": _json(self.catalogue.units if english else {}),
            "owners": _json({CENTRE: CENTRE_EN, **self.catalogue.owners} if english else {}),
            "sectors": _json({sector: self.sector_name(sector) for sector in self.catalogue.sectors}),
            "words": self._words(STATUSES),
            "short": self._words(SHORT),
            "measures": self._words(MEASURES),
            "severities": self._words(SEVERITIES),
            "freshness": self._words(FRESHNESS),
            "labels": self._words(_LABELS),
            "kinds": self._words(_KINDS),
            "changes": self._words(_CHANGES),
            "dimensions": self._words({**BREAKDOWNS, "": Text("Toàn bộ", "As a whole")}),
            "colors": _json(COLORS),
            "posts": self._words(self.posts),
        }

    def _words(self, texts: Mapping[str, Text]) -> str:
        return _json({key: text.of(self.language) for key, text in texts.items()})


def _json(value: Mapping[str, str]) -> str:
    return json.dumps(dict(value), ensure_ascii=False, separators=(",", ":"))
