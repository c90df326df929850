"""Panels as every board shows them: one look for each kind, ids that do not move, colours that mean a status."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

from grafana_foundation_sdk.builders import bargauge, common, geomap, stat, table, text, timeseries
from grafana_foundation_sdk.builders.dashboard import DashboardLink, FieldColor, Row, ThresholdsConfig
from grafana_foundation_sdk.models import common as look
from grafana_foundation_sdk.models.dashboard import (
    DataTransformerConfig,
    DynamicConfigValue,
    FieldColorModeId,
    MatcherConfig,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
)
from grafana_foundation_sdk.models.text import TextMode

from grafana.boards.scope import COLORS, STATUSES, Scope
from grafana.query.binding import AnswerOf, SqlTarget, datasource
from grafana.text import Text

NEUTRAL = "#7f93b2"
# Pixels of a column without a width: Grafana's own 150 push the last columns out of a panel of half a board. Names get
# more, so that they can be told apart on a phone.
COLUMN_WIDTH, NAME_WIDTH = 100, 180
NAMES = frozenset({"indicator", "title", "reporter"})
Columns = Mapping[str, Text]


def panel_id(key: str) -> int:
    """Return an id made of the panel's own name, so that a new panel does not renumber its neighbours."""
    return 1 + zlib.crc32(key.encode()) % 1_000_000_000


def default_row(key: str, title: str) -> Row:
    """A row heading."""
    return Row(title).id(panel_id(f"row/{key}"))


def tile_stat(
    key: str, title: str, target: SqlTarget, *, link: str = "", sizes: tuple[int, int] = (14, 26)
) -> stat.Panel:
    """A tile for each row of the answer: columns `name`, `shown` (text) and `color`, all others for links.

    sizes: of name and figure in pixels; Grafana's own choice is too small where there are many.
    """
    panel = (
        stat.Panel()
        .id(panel_id(key))
        .title(title)
        .datasource(datasource())
        .with_target(target)
        .with_transformation(
            DataTransformerConfig(
                "rowsToFields",
                options={
                    "mappings": [
                        {"fieldName": "name", "handlerKey": "field.name"},
                        {"fieldName": "shown", "handlerKey": "field.value"},
                        {"fieldName": "color", "handlerKey": "color"},
                        {"fieldName": "code", "handlerKey": "field.label"},
                        {"fieldName": "sector", "handlerKey": "field.label"},
                        {"fieldName": "page", "handlerKey": "field.label"},
                    ]
                },
            )
        )
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).fields("/.*/"))
        .graph_mode(look.BigValueGraphMode.NONE)
        .color_mode(look.BigValueColorMode.BACKGROUND)
        .text_mode(look.BigValueTextMode.VALUE_AND_NAME)
        .justify_mode(look.BigValueJustifyMode.AUTO)
        .text(common.VizTextDisplayOptions().title_size(sizes[0]).value_size(sizes[1]))
        # The name alone: labels serve the links.
        .display_name("${__field.name}")
        # Of a tile without a row, which no column gives a colour: Grafana's own is green.
        .color_scheme(fixed_color(COLORS[""]))
        .no_value("–")
    )
    return panel.data_links([DashboardLink("").url(link)]) if link else panel


def nth_tile(tile: stat.Panel, number: int, source: str = "") -> stat.Panel:
    """Show only the row whose `rank` is `number`.

    source: key of the panel on the same board whose answer is read; empty = the panel asks by itself. So a list gets a
    panel for each row with one query: beside each other on a wall, each over the whole width on a phone.
    """
    chosen = DataTransformerConfig(
        "filterByValue",
        options={
            "type": "include",
            "match": "any",
            "filters": [{"fieldName": "rank", "config": {"id": "equal", "options": {"value": number}}}],
        },
    )
    model = tile.build()
    tile = tile.transformations([chosen, *(model.transformations or [])])
    if source:
        tile = tile.datasource(AnswerOf.datasource()).targets([AnswerOf(panel_id(source))])
    return tile


def text_stat(key: str, target: SqlTarget) -> stat.Panel:
    """One line of text from the database over the board's width, large enough to be read on a wall."""
    return (
        stat.Panel()
        .id(panel_id(key))
        .datasource(datasource())
        .transparent(True)
        .span(16)
        .height(2)
        .with_target(target)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).fields("/^shown$/"))
        .graph_mode(look.BigValueGraphMode.NONE)
        .color_mode(look.BigValueColorMode.VALUE)
        .text_mode(look.BigValueTextMode.VALUE)
        .justify_mode(look.BigValueJustifyMode.AUTO)
        .text(common.VizTextDisplayOptions().value_size(17))
        .color_scheme(fixed_color("text"))
        .no_value("–")
    )


def markdown_text(key: str, markdown: str) -> text.Panel:
    """A few words on the board itself."""
    return text.Panel().id(panel_id(key)).mode(TextMode.MARKDOWN).content(markdown).transparent(True).height(2)


def default_timeseries(key: str, title: str) -> timeseries.Panel:
    """Lines over time, broken where nothing is known, from 0; a third of the board's width.

    Axes and tooltips show whole numbers: Grafana writes a decimal sign as it likes, so the queries scale.
    """
    return (
        timeseries.Panel()
        .id(panel_id(key))
        .title(title)
        .datasource(datasource())
        .span(8)
        .height(8)
        .unit("none")
        .decimals(0)
        .axis_soft_min(0)
        .line_width(2)
        .fill_opacity(6)
        .span_nulls(False)
        .no_value("–")
        .show_points(look.VisibilityMode.AUTO)
        .legend(
            common.VizLegendOptions()
            .display_mode(look.LegendDisplayMode.LIST)
            .placement(look.LegendPlacement.BOTTOM)
            .show_legend(True)
        )
        .tooltip(common.VizTooltipOptions().mode(look.TooltipDisplayMode.MULTI).sort(look.SortOrder.NONE))
    )


def default_bargauge(key: str, title: str) -> bargauge.Panel:
    """One horizontal bar a row, in the answer's order; the first column holds name and figure as text."""
    return (
        bargauge.Panel()
        .id(panel_id(key))
        .title(title)
        .datasource(datasource())
        .span(8)
        .height(9)
        .orientation(look.VizOrientation.HORIZONTAL)
        .display_mode(look.BarGaugeDisplayMode.BASIC)
        .value_mode(look.BarGaugeValueMode.HIDDEN)
        .reduce_options(common.ReduceDataOptions().values(True).limit(60))
        .thresholds(thresholds((None, NEUTRAL)))
        .min(0)
        .no_value("–")
    )


def default_table(key: str, title: str, scope: Scope, columns: Columns, hidden: Sequence[str] = ()) -> table.Panel:
    """A table over the whole width. `columns`: those that people read, by name; `hidden`: those that links need.

    A column `status` is coloured by its words.
    """
    panel = (
        table.Panel()
        .id(panel_id(key))
        .title(title)
        .datasource(datasource())
        .span(24)
        .height(9)
        .cell_height(look.TableCellHeight.SM)
        .color_scheme(fixed_color("text"))
        .no_value("–")
    )
    for column, name in columns.items():
        properties = [
            DynamicConfigValue("displayName", name.of(scope.language)),
            DynamicConfigValue("custom.minWidth", NAME_WIDTH if column in NAMES else COLUMN_WIDTH),
        ]
        if column == "status":
            properties += [
                DynamicConfigValue("mappings", [status_mapping(scope)]),
                DynamicConfigValue("custom.displayMode", "color-text"),
                DynamicConfigValue("custom.cellOptions", {"type": "color-text"}),
            ]
        panel = panel.with_override(MatcherConfig("byName", column), properties)
    for column in hidden:
        panel = panel.with_override(MatcherConfig("byName", column), [DynamicConfigValue("custom.hidden", True)])
    return panel


def default_geomap(key: str, title: str, tooltip: str) -> geomap.Panel:
    """The areas of the answer on a map: columns latitude, longitude, and `rank` for the colour; named by `tooltip`."""
    colors = [COLORS[status] for status in STATUSES]
    style = {
        "color": {"field": "rank", "fixed": NEUTRAL},
        "opacity": 0.9,
        "size": {"fixed": 9, "min": 2, "max": 15},
        "symbol": {"fixed": "img/icons/marker/circle.svg", "mode": "fixed"},
        "text": {"field": tooltip, "fixed": "", "mode": "field"},
        "textConfig": {"fontSize": 11, "offsetX": 0, "offsetY": 16, "textAlign": "center", "textBaseline": "middle"},
    }
    layer = (
        common.MapLayerOptions()
        .type("markers")
        .name(title)
        .config({"showLegend": False, "style": style})
        .location(
            common.FrameGeometrySource()
            .mode(look.FrameGeometrySourceMode.COORDS)
            .latitude("latitude")
            .longitude("longitude")
        )
        .tooltip(True)
    )
    # rank is 1 for the first status.
    steps = ((None, colors[0]), *((index + 0.5, color) for index, color in enumerate(colors[1:], 1)))
    return (
        geomap.Panel()
        .id(panel_id(key))
        .title(title)
        .datasource(datasource())
        .span(9)
        .height(14)
        .thresholds(thresholds(*steps))
        .color_scheme(FieldColor().mode(FieldColorModeId.THRESHOLDS))
        # Where the province lies is set when the board is finished: 9.4 does not fit a map to its data.
        .view(geomap.MapViewConfig().id("coords"))
        .controls(geomap.ControlsOptions().show_zoom(True).mouse_wheel_zoom(False).show_attribution(True))
        .layers([layer])
    )


def thresholds(*steps: tuple[float | None, str]) -> ThresholdsConfig:
    """Return colours from each value on; the first step's value is None."""
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps([Threshold(value, color) for value, color in steps])


def status_mapping(scope: Scope) -> ValueMap:
    """Return the colours of the words of all statuses."""
    words = {text.of(scope.language): COLORS[status] for status, text in STATUSES.items()}
    return ValueMap({word: ValueMappingResult(text=word, color=color) for word, color in words.items()})


def fixed_color(color: str) -> FieldColor:
    """Return one colour for a field."""
    return FieldColor().mode(FieldColorModeId.FIXED).fixed_color(color)


def line_colors(panel: timeseries.Panel, scope: Scope) -> timeseries.Panel:
    """Give the lines of `series` their looks: the value plain, the year before thin, what is asked dashed."""
    dashes = {"fill": "dash", "dash": [8, 8]}
    looks: dict[str, dict[str, object]] = {
        scope.say("Giá trị", "Value"): {"color": fixed_color("#8ab8ff").build()},
        scope.say("Cùng kỳ năm trước", "Year before"): {"color": fixed_color("#6b7280").build(), "custom.lineWidth": 1},
        scope.say("Tiến độ được giao", "Asked"): {"color": fixed_color("text").build(), "custom.lineStyle": dashes},
    }
    for name, properties in looks.items():
        if "Giá" not in name and name != "Value":
            properties |= {"custom.fillOpacity": 0, "custom.showPoints": "never"}
        values = [DynamicConfigValue(key, value) for key, value in properties.items()]
        panel = panel.with_override(MatcherConfig("byRegexp", f"/^{name}/"), values)
    return panel


def link_column(panel: table.Panel, column: str, url: str) -> table.Panel:
    """Make the cells of a column links; `${__data.fields.x}` in the address is that row's."""
    return panel.with_override(
        MatcherConfig("byName", column),
        [DynamicConfigValue("links", [{"title": "", "url": url, "targetBlank": False}])],
    )


def column_widths(panel: table.Panel, widths: Mapping[str, int]) -> table.Panel:
    """Give columns a width in pixels."""
    for column, width in widths.items():
        panel = panel.with_override(MatcherConfig("byName", column), [DynamicConfigValue("custom.width", width)])
    return panel
