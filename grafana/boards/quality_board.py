"""The board of the data's quality: correct, complete, clean, live; by feed and day, and the missing by name."""

from __future__ import annotations

from grafana_foundation_sdk.builders import common, statushistory, table
from grafana_foundation_sdk.builders.dashboard import FieldColor
from grafana_foundation_sdk.models import common as look
from grafana_foundation_sdk.models.dashboard import FieldColorModeId

from grafana.boards.board import Json, finished
from grafana.boards.frame import QUALITY, Frame
from grafana.boards.panel import Columns, column_widths, default_table, panel_id, thresholds, tile_stat
from grafana.boards.scope import COLORS, MEASURES
from grafana.boards.variable import area_variable, measure_variable
from grafana.query.binding import datasource
from grafana.text import Text

_FEED = Text("Nguồn dữ liệu", "Feed")


def quality_board(frame: Frame) -> Json:
    """Compose the board."""
    scope = frame.scope
    seal = tile_stat(
        "quality",
        scope.say("Đúng, đủ, sạch, sống: ngày đo gần nhất", "Correct, complete, clean, live: newest day measured"),
        scope.target("quality_tile"),
        sizes=(14, 20),
    )
    built = (
        frame.board(QUALITY, Text("Chất lượng dữ liệu", "Quality of the data"))
        .with_variable(area_variable(scope))
        .with_variable(measure_variable(scope))
        .with_panel(seal.span(24).height(5))
        .with_panel(_heat_map(frame))
        .with_panel(_feed_table(frame).height(17))
        .with_panel(_roll_call(frame).height(13))
    )
    return finished(built, (), scope.language, frame.view)


def _heat_map(frame: Frame) -> statushistory.Panel:
    """A cell a feed and day, in the colour of its share."""
    return (
        statushistory.Panel()
        .id(panel_id("quality/days"))
        .title(
            frame.scope.say(
                "${measure:text}: từng nguồn, từng ngày (%; quá 120 ngày: từng 7 ngày)",
                "${measure:text}: each feed, each day (%; beyond 120 days: each 7 days)",
            )
        )
        .datasource(datasource())
        .with_target(frame.scope.target("quality_day", series=True))
        .span(24)
        .height(13)
        .unit("none")
        .decimals(0)
        .show_value(look.VisibilityMode.AUTO)
        .no_value("–")
        .row_height(0.9)
        .col_width(0.95)
        .thresholds(thresholds((None, COLORS["lagging"]), (80, COLORS["at_risk"]), (95, COLORS["on_track"])))
        .color_scheme(FieldColor().mode(FieldColorModeId.THRESHOLDS))
        .legend(
            common.VizLegendOptions()
            .show_legend(False)
            .display_mode(look.LegendDisplayMode.HIDDEN)
            .placement(look.LegendPlacement.BOTTOM)
        )
    )


def _feed_table(frame: Frame) -> table.Panel:
    columns: Columns = {
        "feed": _FEED,
        **MEASURES,
        "superseded": Text("Đến sau bản mới hơn", "Superseded"),
        "complete_on": Text("Đủ: ngày", "Complete: day"),
        "measured_on": Text("Đo ngày", "Measured on"),
    }
    title = frame.scope.say("Từng nguồn, kém nhất trước", "Each feed, worst first")
    panel = default_table("quality/feeds", title, frame.scope, columns, ("key",))
    panel = column_widths(
        panel, {**dict.fromkeys(MEASURES, 90), "superseded": 160, "complete_on": 120, "measured_on": 120}
    )
    return panel.with_target(frame.scope.target("quality_table"))


def _roll_call(frame: Frame) -> table.Panel:
    columns: Columns = {
        "reporter": Text("Đơn vị chưa báo cáo", "Has not reported"),
        "feed": _FEED,
        "day": Text("Ngày", "Day"),
        "reported": Text("Đã báo cáo", "Reported"),
    }
    title = frame.scope.say("Điểm danh: đơn vị còn thiếu", "Roll-call: who is missing")
    panel = default_table("quality/missing", title, frame.scope, columns)
    panel = column_widths(panel, {"feed": 340, "day": 120, "reported": 110})
    return panel.with_target(frame.scope.target("roll_call"))
