"""Panels of the pipeline board: what came in, what became of it, how fast, and what stands still."""

from __future__ import annotations

from collections.abc import Sequence

from grafana_foundation_sdk.builders import bargauge, common, stat, table, timeseries
from grafana_foundation_sdk.models import common as look

from grafana.panel import (
    GREEN,
    RED,
    YELLOW,
    default_bargauge,
    default_stat,
    default_table,
    default_timeseries,
    fixed_color,
    named,
    thresholds,
)
from grafana.query import SqlTarget, bind
from grafana.text import Language, Text

OUTCOMES = {
    "received": (Text("Nhận", "Received"), "blue"),
    "accepted": (Text("Chấp nhận", "Accepted"), "green"),
    "rejected": (Text("Từ chối", "Rejected"), "red"),
    "duplicate": (Text("Trùng lặp", "Duplicate"), "yellow"),
    "corrected": (Text("Sửa đổi", "Corrected"), "purple"),
}
FEED = Text("Nguồn dữ liệu", "Feed")
_FINEST = "10s"  # one roll-up and a few batches; finer steps show the batches, not the rate


def outcome_stat(language: Language) -> stat.Panel:
    """Events of the time range by outcome."""
    panel = (
        default_stat("outcome/total", Text("Sự kiện trong khoảng thời gian", "Events in the time range").of(language))
        .span(24)
        .unit("locale")
        .orientation(look.VizOrientation.VERTICAL)
        .text_mode(look.BigValueTextMode.VALUE_AND_NAME)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).fields("/.*/"))
        .with_target(SqlTarget(bind("board", "event_total")))
    )
    for column, (name, color) in OUTCOMES.items():
        panel = named(panel, column, name, language, color=fixed_color(color).build())
    return panel


def outcome_timeseries(language: Language) -> timeseries.Panel:
    """Events a second by outcome."""
    panel = (
        default_timeseries("outcome/rate", Text("Tốc độ theo kết quả xử lý", "Rate by outcome").of(language))
        .span(12)
        .unit("eps")
        .interval(_FINEST)
        .with_target(SqlTarget(bind("board", "event_rate"), "time_series"))
    )
    for column, (name, color) in OUTCOMES.items():
        panel = named(panel, column, name, language, color=fixed_color(color).build())
    return panel


def feed_timeseries(language: Language) -> timeseries.Panel:
    """Events a second by feed."""
    return (
        default_timeseries("feed/rate", Text("Tốc độ nhận theo nguồn", "Received by feed").of(language))
        .span(12)
        .unit("eps")
        .interval(_FINEST)
        .with_target(SqlTarget(bind("board", "feed_rate", language=language), "time_series"))
    )


def feed_table(language: Language) -> table.Panel:
    """Events of the time range by feed and outcome, and the share that is clean."""
    panel = default_table("feed/total", Text("Theo nguồn dữ liệu", "By feed").of(language)).with_target(
        SqlTarget(bind("board", "feed_table", language=language))
    )
    panel = named(panel, "feed", FEED, language)
    for column, (name, _) in OUTCOMES.items():
        panel = named(panel, column, name, language, unit="locale")
    panel = named(panel, "voided", Text("Hủy bỏ", "Voided"), language, unit="locale")
    panel = named(panel, "superseded", Text("Đến sau bản mới hơn", "Superseded"), language, unit="locale")
    return named(panel, "clean", Text("Sạch", "Clean"), language, unit="percent", decimals=2)


def freshness_table(language: Language, feeds: Sequence[str]) -> table.Panel:
    """Age of each feed's newest batch beside its cadence."""
    title = Text("Độ tươi của dữ liệu", "Freshness of the data").of(language)
    panel = default_table("freshness", title).with_target(
        SqlTarget(bind("board", "feed_freshness", language=language, feeds=feeds))
    )
    panel = named(panel, "feed", FEED, language)
    panel = named(panel, "committed_at", Text("Lô mới nhất", "Newest batch"), language)
    panel = named(panel, "age", Text("Cách đây", "Age"), language, unit="s")
    panel = named(panel, "cadence", Text("Chu kỳ cho phép", "Cadence"), language, unit="s")
    return named(
        panel,
        "overdue",
        Text("Cách đây / chu kỳ", "Age / cadence"),
        language,
        unit="percentunit",
        thresholds=thresholds((None, GREEN), (0.8, YELLOW), (1.0, RED)).build(),
        **{"custom.cellOptions": {"type": "color-text"}},
    )


def latency_timeseries(language: Language) -> timeseries.Panel:
    """From Kafka to the commit, the oldest event of each batch."""
    title = Text("Độ trễ từ khi nhận đến khi ghi", "Latency from received to committed").of(language)
    panel = (
        default_timeseries("latency", title)
        .span(12)
        .unit("s")
        .interval(_FINEST)
        .with_target(SqlTarget(bind("board", "latency_series"), "time_series"))
    )
    for percent in ("50", "95", "99"):
        panel = named(panel, f"p{percent}", Text(f"{percent}% nhanh hơn", f"p{percent}"), language)
    return panel


def rejection_timeseries(language: Language) -> timeseries.Panel:
    """Rejected events by rule."""
    return (
        default_timeseries(
            "rejection/series", Text("Sự kiện bị từ chối theo quy tắc", "Rejections by rule").of(language)
        )
        .span(12)
        .unit("locale")
        .draw_style(look.GraphDrawStyle.BARS)
        .stacking(common.StackingConfig().mode(look.StackingMode.NORMAL))
        .interval(_FINEST)
        .with_target(SqlTarget(bind("board", "rejection_series"), "time_series"))
    )


def rejection_table(language: Language) -> table.Panel:
    """Rejections by feed and rule with the newest example's message."""
    title = Text("Nguyên nhân từ chối", "Causes of rejection").of(language)
    panel = default_table("rejection/rules", title).with_target(
        SqlTarget(bind("board", "rejection_rule", language=language))
    )
    names = {
        "feed": FEED,
        "rule": Text("Quy tắc", "Rule"),
        "newest_at": Text("Mới nhất lúc", "Newest"),
        "example": Text("Ví dụ", "Example"),
    }
    for column, name in names.items():
        panel = named(panel, column, name, language)
    return named(panel, "events", Text("Số sự kiện", "Events"), language, unit="locale")


def pending_stat(language: Language, query: str, title: Text) -> stat.Panel:
    """How much waits, and how long the oldest has waited; red from a minute on."""
    panel = (
        default_stat(query, title.of(language))
        .span(8)
        .orientation(look.VizOrientation.VERTICAL)
        .text_mode(look.BigValueTextMode.VALUE_AND_NAME)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).fields("/.*/"))
        .with_target(SqlTarget(bind("board", query)))
    )
    panel = named(panel, "pending", Text("Đang chờ", "Waiting"), language, unit="locale")
    limits = thresholds((None, GREEN), (10, YELLOW), (60, RED)).build()
    return named(panel, "age", Text("Lâu nhất", "Oldest"), language, unit="s", thresholds=limits)


def gap_stat(language: Language) -> stat.Panel:
    """Kafka records that were deleted before they were read; anything but 0 is a loss."""
    return (
        default_stat("gap/total", Text("Bản ghi Kafka bị mất", "Kafka records lost").of(language))
        .span(8)
        .unit("locale")
        .thresholds(thresholds((None, GREEN), (1, RED)))
        .with_target(SqlTarget(bind("board", "gap_total")))
    )


def gap_table(language: Language) -> table.Panel:
    """Where records were lost."""
    panel = (
        default_table("gap/list", Text("Khoảng bị mất", "Gaps").of(language))
        .span(12)
        .with_target(SqlTarget(bind("board", "gap_table")))
    )
    names = {
        "found_at": Text("Phát hiện lúc", "Found"),
        "topic": Text("Chủ đề Kafka", "Topic"),
        "partition": Text("Phân vùng", "Partition"),
        "from_offset": Text("Từ vị trí", "From offset"),
        "to_offset": Text("Đến vị trí", "To offset"),
        "lost": Text("Số bản ghi mất", "Records lost"),
    }
    for column, name in names.items():
        panel = named(panel, column, name, language)
    return panel


def position_table(language: Language) -> table.Panel:
    """The stored position of each partition and when it last moved."""
    panel = (
        default_table("position", Text("Vị trí đọc đã ghi", "Stored positions").of(language))
        .span(12)
        .with_target(SqlTarget(bind("board", "position_table")))
    )
    names = {
        "topic": Text("Chủ đề Kafka", "Topic"),
        "partition": Text("Phân vùng", "Partition"),
        "next_offset": Text("Vị trí tiếp theo", "Next offset"),
        "updated_at": Text("Cập nhật lúc", "Moved"),
    }
    for column, name in names.items():
        panel = named(panel, column, name, language)
    return named(panel, "age", Text("Cách đây", "Age"), language, unit="s")


def overdue_bargauge(language: Language, feeds: Sequence[str]) -> bargauge.Panel:
    """The same as a bar for each feed: full and red when it is stale."""
    title = Text("Đã dùng bao nhiêu chu kỳ", "Share of the cadence used up").of(language)
    return (
        default_bargauge("freshness/bar", title)
        .span(24)
        .height(6)
        .unit("percentunit")
        .max(1)
        .thresholds(thresholds((None, GREEN), (0.8, YELLOW), (1.0, RED)))
        .reduce_options(common.ReduceDataOptions().values(True).limit(100).fields("/^overdue$/"))
        .with_target(SqlTarget(bind("board", "feed_freshness", language=language, feeds=feeds)))
    )
