"""The board of the pipeline, for the operator: is everything that was sent in the numbers, and how soon."""

from __future__ import annotations

from grafana_foundation_sdk.builders import table, timeseries
from grafana_foundation_sdk.models import common as look
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue, MatcherConfig

from grafana.boards.board import Json, finished
from grafana.boards.frame import PIPELINE, Frame
from grafana.boards.panel import (
    Columns,
    column_widths,
    default_row,
    default_table,
    default_timeseries,
    fixed_color,
    tile_stat,
)
from grafana.boards.variable import feed_variable
from grafana.text import Text

# The key of the panel that the rule over the scheduler links to.
WATCH_PANEL = "pipeline/backlog"
PIPELINE_TITLE = Text("Luồng dữ liệu: nhận, kiểm tra, ghi", "Pipeline: received, checked, stored")
_FEED = Text("Nguồn dữ liệu", "Feed")
_OUTCOMES = {
    "received": Text("Nhận", "Received"),
    "accepted": Text("Chấp nhận", "Accepted"),
    "rejected": Text("Từ chối", "Rejected"),
    "duplicate": Text("Trùng lặp", "Duplicate"),
    "corrected": Text("Sửa đổi", "Corrected"),
}
_SHADES = {"accepted": "#8ab8ff", "rejected": "#c58af9", "duplicate": "#9aa5b1", "corrected": "#5f86b8"}
_TILE_SIZES = (11, 15)  # five tiles of six digits beside each other on a phone
_FINEST = "10s"  # one roll-up and a few batches; finer steps show the batches, not the rate


def pipeline_board(frame: Frame) -> Json:
    """Compose the board; its times are real ones, whatever the business dates."""
    scope = frame.scope
    totals = tile_stat(
        "outcome/total",
        scope.say("Sự kiện trong khoảng thời gian", "Events in the time range"),
        scope.target("event_tile"),
        sizes=_TILE_SIZES,
    )
    backlog = tile_stat(
        WATCH_PANEL,
        scope.say("Tồn đọng, mất mát, theo dõi", "Backlog, loss, watching"),
        scope.target("backlog_tile"),
        sizes=_TILE_SIZES,
    )
    built = (
        frame.board(PIPELINE, PIPELINE_TITLE, moment=True)
        .refresh("10s")
        .with_variable(feed_variable(scope))
        .with_panel(totals.span(24).height(4))
        .with_panel(backlog.span(24).height(4))
        .with_panel(_outcome_timeseries(frame))
        .with_panel(_latency_timeseries(frame))
        .with_panel(_freshness_table(frame).height(12))
        .with_panel(_feed_table(frame).height(12))
        .with_panel(_rejection_table(frame))
        .with_row(
            default_row("kafka", scope.say("Vị trí đọc trong Kafka", "Positions in Kafka"))
            .with_panel(_position_table(frame).span(12))
            .with_panel(_gap_table(frame).span(12))
        )
    )
    return finished(built, (), scope.language, frame.view)


def _outcome_timeseries(frame: Frame) -> timeseries.Panel:
    """Events a minute by outcome."""
    panel = (
        default_timeseries(
            "outcome/rate", frame.scope.say("Sự kiện mỗi phút theo kết quả", "Events a minute by outcome")
        )
        .span(12)
        .interval(_FINEST)
        .draw_style(look.GraphDrawStyle.BARS)
        .fill_opacity(70)
        .with_target(frame.scope.target("event_rate", series=True))
    )
    for column, shade in _SHADES.items():
        name = _OUTCOMES[column].of(frame.scope.language)
        properties = [DynamicConfigValue("displayName", name), DynamicConfigValue("color", fixed_color(shade).build())]
        panel = panel.with_override(MatcherConfig("byName", column), properties)
    return panel


def _latency_timeseries(frame: Frame) -> timeseries.Panel:
    """From Kafka to the commit, the oldest event of each batch."""
    scope = frame.scope
    panel = (
        default_timeseries(
            "latency", scope.say("Độ trễ từ khi nhận đến khi ghi (mili giây)", "Received to committed (ms)")
        )
        .span(12)
        .interval(_FINEST)
        .with_target(scope.target("latency_series", series=True))
    )
    for percent, shade in (("50", "#5f86b8"), ("95", "#8ab8ff"), ("99", "#c9dcff")):
        name = scope.say(f"{percent} % nhanh hơn", f"{percent}% are faster")
        properties = [DynamicConfigValue("displayName", name), DynamicConfigValue("color", fixed_color(shade).build())]
        panel = panel.with_override(MatcherConfig("byName", f"p{percent}"), properties)
    return panel


def _freshness_table(frame: Frame) -> table.Panel:
    columns: Columns = {
        "feed": _FEED,
        "status": Text("Tình trạng", "State"),
        "committed": Text("Lô mới nhất", "Newest batch"),
        "age": Text("Cách đây", "Age"),
        "cadence": Text("Chu kỳ cho phép", "Cadence"),
    }
    title = frame.scope.say("Độ tươi của từng nguồn, quá hạn trước", "Freshness of each feed, most overdue first")
    panel = column_widths(default_table("freshness", title, frame.scope, columns), {"feed": 360})
    return panel.with_target(frame.scope.target("feed_freshness"))


def _feed_table(frame: Frame) -> table.Panel:
    columns: Columns = {
        "feed": _FEED,
        **_OUTCOMES,
        "voided": Text("Hủy bỏ", "Voided"),
        "superseded": Text("Đến sau bản mới hơn", "Superseded"),
        "clean": Text("Sạch", "Clean"),
    }
    title = frame.scope.say("Theo nguồn, nhiều từ chối trước", "By feed, most rejected first")
    panel = default_table("feed/total", title, frame.scope, columns).with_target(frame.scope.target("feed_table"))
    return column_widths(panel, {"feed": 330, "superseded": 155})


def _rejection_table(frame: Frame) -> table.Panel:
    columns: Columns = {
        "feed": _FEED,
        "events": Text("Số sự kiện", "Events"),
        "example": Text("Lý do, ví dụ mới nhất", "Reason, newest example"),
        "newest": Text("Mới nhất lúc", "Newest"),
    }
    title = frame.scope.say("Nguyên nhân từ chối", "Causes of rejection")
    panel = default_table("rejection/rules", title, frame.scope, columns, ("rule",))
    panel = column_widths(panel, {"feed": 300, "events": 110, "newest": 170})
    return panel.with_target(frame.scope.target("rejection_rule"))


def _position_table(frame: Frame) -> table.Panel:
    columns: Columns = {
        "topic": Text("Chủ đề Kafka", "Topic"),
        "partition": Text("Phân vùng", "Partition"),
        "next_offset": Text("Vị trí tiếp theo", "Next offset"),
        "age": Text("Cập nhật cách đây", "Moved, ago"),
    }
    title = frame.scope.say("Vị trí đã ghi, lâu không đổi trước", "Stored positions, longest unmoved first")
    return default_table("position", title, frame.scope, columns).with_target(frame.scope.target("position_table"))


def _gap_table(frame: Frame) -> table.Panel:
    columns: Columns = {
        "found": Text("Phát hiện lúc", "Found"),
        "topic": Text("Chủ đề Kafka", "Topic"),
        "partition": Text("Phân vùng", "Partition"),
        "from_offset": Text("Từ vị trí", "From offset"),
        "lost": Text("Số bản ghi mất", "Records lost"),
    }
    panel = default_table("gap/list", frame.scope.say("Khoảng bị mất", "Gaps"), frame.scope, columns)
    return panel.with_target(frame.scope.target("gap_table"))
