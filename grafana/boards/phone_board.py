"""The overview for a phone: the same answers one below the other, each readable at a width of 390 pixels."""

from __future__ import annotations

from grafana_foundation_sdk.builders import table
from grafana_foundation_sdk.models.dashboard import (
    DashboardRegexMapOptions,
    DynamicConfigValue,
    MatcherConfig,
    RegexMap,
    ValueMappingResult,
)

from grafana.boards.board import Json, finished
from grafana.boards.frame import PHONE, QUALITY, Frame
from grafana.boards.panel import Columns, column_widths, default_table, link_column, tile_stat
from grafana.boards.scope import COLORS, SHORT
from grafana.boards.status_panel import INDICATOR_NAME, LAG, VALUE, indicator_link
from grafana.boards.variable import area_variable
from grafana.text import Text


def phone_board(frame: Frame) -> Json:
    """Compose the board."""
    scope = frame.scope
    status = tile_stat(
        "status/total",
        scope.say("Số chỉ tiêu theo tình trạng", "Indicators by status"),
        scope.target("status_tile"),
        sizes=(12, 20),
    )
    quality = tile_stat(
        "quality",
        scope.say("Chất lượng dữ liệu", "Quality of the data"),
        scope.target("quality_tile"),
        link=frame.link(QUALITY),
        sizes=(13, 18),
    )
    built = (
        frame.board(PHONE, Text("Tổng quan trên điện thoại", "Overview on a phone"))
        .with_variable(area_variable(scope))
        .with_panel(status.span(24).height(10))
        .with_panel(_worst_table(frame).height(11))
        .with_panel(_sector_table(frame).height(18))
        .with_panel(quality.span(24).height(6))
    )
    return finished(built, (), scope.language, frame.view)


def _worst_table(frame: Frame) -> table.Panel:
    columns: Columns = {"indicator": INDICATOR_NAME, "value": VALUE, "lag": LAG}
    title = frame.scope.say("Mười chỉ tiêu chậm nhất", "The ten that lag most")
    hidden = ("expected", "forecast", "cause", "status", "code", "sector")
    panel = default_table("phone/worst", title, frame.scope, columns, hidden)
    panel = panel.with_target(frame.scope.target("worst_lag"))
    panel = column_widths(panel, {"indicator": 190, "value": 70, "lag": 80})
    return link_column(panel, "indicator", indicator_link(frame, "${__data.fields.code}", "${__data.fields.sector}"))


def _sector_table(frame: Frame) -> table.Panel:
    scope = frame.scope
    columns: Columns = {"name": Text("Ngành", "Sector"), "shown": Text("Số chỉ tiêu", "Indicators")}
    title = scope.say("Các ngành, đáng lo trước", "Sectors, worst first")
    panel = default_table("phone/sectors", title, scope, columns, ("sector", "color"))
    panel = panel.with_target(scope.target("sector_tile"))
    # The first status that a row names gives its colour: it is the worst.
    colors = [_colored(f"/^[\\d.,]+ {word.of(scope.language)}/", COLORS[status]) for status, word in SHORT.items()]
    panel = panel.with_override(
        MatcherConfig("byName", "shown"),
        [
            DynamicConfigValue("mappings", colors),
            DynamicConfigValue("custom.displayMode", "color-text"),
            DynamicConfigValue("custom.cellOptions", {"type": "color-text"}),
        ],
    )
    suffix = "" if scope.language == "vi" else f"-{scope.language}"
    url = f"/d/ioc-sector-${{__data.fields.sector}}{suffix}?${{__url_time_range}}&var-area=${{area:raw}}"
    return link_column(column_widths(panel, {"name": 190}), "name", url)


def _colored(pattern: str, color: str) -> RegexMap:
    return RegexMap(DashboardRegexMapOptions(pattern, ValueMappingResult(color=color)))
