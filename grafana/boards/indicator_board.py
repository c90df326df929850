"""The board of one indicator, and that of one area."""

from __future__ import annotations

from grafana_foundation_sdk.builders import table

from grafana.boards.board import Json, finished
from grafana.boards.frame import AREA, INDICATOR, Frame
from grafana.boards.panel import (
    Columns,
    column_widths,
    default_row,
    default_table,
    default_timeseries,
    line_colors,
    link_column,
    tile_stat,
)
from grafana.boards.status_panel import (
    AREA_NAME,
    EXPECTED,
    INDICATOR_NAME,
    LAG,
    PERIOD,
    STATUS,
    VALUE,
    area_geomap,
    area_table,
    indicator_link,
    status_stats,
)
from grafana.boards.variable import (
    area_variable,
    as_of_variable,
    indicator_variable,
    period_variable,
    sector_variable,
)
from grafana.query.binding import Variable
from grafana.text import Text

_CHOSEN = Variable("indicator")


def indicator_board(frame: Frame) -> Json:
    """Compose the board of the indicator that is chosen above it."""
    scope = frame.scope
    figures = tile_stat(
        "figures",
        "${indicator:text}",
        scope.target("figure_tile", code=_CHOSEN),
        link="${__field.labels.page}",
        sizes=(12, 16),
    )
    course = default_timeseries("course", "${indicator:text}").span(24).height(10)
    course = line_colors(course.with_target(scope.target("series", series=True, code=_CHOSEN)), scope)
    built = (
        frame.board(INDICATOR, Text("Chỉ tiêu", "Indicator"), code=_CHOSEN)
        .with_variable(sector_variable(scope))
        .with_variable(indicator_variable(scope))
        .with_variable(area_variable(scope))
        .with_variable(period_variable(scope))
        .with_variable(as_of_variable(scope))
        .with_panel(figures.span(24).height(5))
        .with_panel(course)
        .with_row(default_row("areas", scope.say("Theo địa bàn", "By area")))
        .with_panel(_areas_table(frame).span(14).height(11))
        .with_panel(area_geomap(frame, "indicator_area", code=_CHOSEN).span(10).height(11))
        .with_row(default_row("parts", scope.say("Phân tổ và định nghĩa", "Breakdowns and definition")))
        .with_panel(_parts_table(frame).span(14).height(11))
        .with_panel(_definition_table(frame).span(10).height(11))
        .with_panel(_changes_table(frame))
        .with_panel(_then_table(frame))
    )
    return finished(built, frame.annotations(_CHOSEN), scope.language, frame.view)


def area_board(frame: Frame) -> Json:
    """Compose the board of the area that is chosen above it, beside the others."""
    scope = frame.scope
    columns: Columns = {
        "status": STATUS,
        "indicator": INDICATOR_NAME,
        "value": VALUE,
        "above": Text("Cấp trên", "Unit above"),
        "expected": EXPECTED,
        "lag": LAG,
        "period": PERIOD,
        "sector_name": Text("Ngành", "Sector"),
    }
    title = scope.say("Chỉ tiêu được giao của địa bàn, đáng lo trước", "Indicators with a target here, worst first")
    indicators = default_table("area/indicators", title, scope, columns, ("code", "sector"))
    indicators = indicators.with_target(scope.target("area_indicator")).height(14)
    indicators = column_widths(
        indicators,
        {"sector_name": 205, "status": 125, "value": 120, "above": 115, "expected": 140, "lag": 100, "period": 195},
    )
    link = indicator_link(frame, "${__data.fields.code}", "${__data.fields.sector}")
    judged, unknown = status_stats(frame)
    built = (
        frame.board(AREA, Text("Địa bàn", "Area"))
        .with_variable(area_variable(scope))
        .with_panel(judged)
        .with_panel(unknown)
        .with_panel(link_column(indicators, "indicator", link))
        .with_panel(area_table(frame).span(14).height(12))
        .with_panel(area_geomap(frame, "area_status").span(10).height(12))
    )
    return finished(built, (), scope.language, frame.view)


def _areas_table(frame: Frame) -> table.Panel:
    columns: Columns = {"area": AREA_NAME, "value": VALUE, "expected": EXPECTED, "lag": LAG, "status": STATUS}
    title = frame.scope.say("Các địa bàn, đáng lo trước", "Areas, worst first")
    hidden = ("rank", "latitude", "longitude", "area_id")
    panel = default_table("indicator/areas", title, frame.scope, columns, hidden)
    panel = panel.with_target(frame.scope.target("indicator_area", code=_CHOSEN))
    panel = column_widths(panel, {"area": 180, "expected": 140, "lag": 105, "status": 150})
    return link_column(panel, "area", frame.link(AREA, area="${__data.fields.area_id}"))


def _parts_table(frame: Frame) -> table.Panel:
    columns: Columns = {
        "dimension": Text("Phân tổ theo", "Broken down by"),
        "indicator": INDICATOR_NAME,
        "value": VALUE,
        "period": PERIOD,
        "status": STATUS,
    }
    title = frame.scope.say("Toàn bộ và các phần", "The whole and its parts")
    panel = default_table("indicator/parts", title, frame.scope, columns, ("code",))
    panel = panel.with_target(frame.scope.target("indicator_part", code=_CHOSEN))
    panel = column_widths(panel, {"dimension": 105, "value": 110, "period": 135, "status": 145})
    return link_column(panel, "indicator", indicator_link(frame, "${__data.fields.code}", "${sector:raw}"))


def _definition_table(frame: Frame) -> table.Panel:
    columns: Columns = {"name": Text("Mục", "Item"), "shown": Text("Nội dung", "Content")}
    title = frame.scope.say("Định nghĩa, nguồn, cơ quan chủ trì", "Definition, source, owner")
    panel = default_table("indicator/definition", title, frame.scope, columns)
    return column_widths(panel, {"name": 200}).with_target(frame.scope.target("indicator_definition", code=_CHOSEN))


def _changes_table(frame: Frame) -> table.Panel:
    columns: Columns = {
        "changed": Text("Lúc", "At"),
        "before": Text("Trước đó", "Before"),
        "status": STATUS,
        "period": PERIOD,
        "value": VALUE,
        "expected": EXPECTED,
    }
    title = frame.scope.say("Các lần đổi tình trạng", "Changes of status")
    panel = default_table("indicator/changes", title, frame.scope, columns).height(7)
    return panel.with_target(frame.scope.target("indicator_change", code=_CHOSEN))


def _then_table(frame: Frame) -> table.Panel:
    columns: Columns = {
        "period": PERIOD,
        "then_known": Text("Khi đó", "Then"),
        "now_known": Text("Hiện nay", "Now"),
        "difference": Text("Chênh lệch", "Difference"),
    }
    title = frame.scope.say(
        "Như đã biết đến hết ngày ${as_of:text}, và hiện nay", "As known at the end of ${as_of:text}, and now"
    )
    panel = default_table("indicator/then", title, frame.scope, columns, ("page",)).height(9)
    panel = panel.with_target(frame.scope.target("figure_then", code=_CHOSEN))
    return link_column(panel, "period", "${__data.fields.page}")
