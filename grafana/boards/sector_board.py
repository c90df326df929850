"""The board of a sector: one design for all; the data decide which indicators are at its head."""

from __future__ import annotations

from grafana_foundation_sdk.builders import bargauge, stat, table, timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard

from grafana.boards.board import Folder, Json, finished
from grafana.boards.breakdown import Breakdown, breakdowns
from grafana.boards.frame import Frame
from grafana.boards.panel import (
    Columns,
    column_widths,
    default_bargauge,
    default_row,
    default_table,
    default_timeseries,
    line_colors,
    link_column,
    nth_tile,
    tile_stat,
)
from grafana.boards.status_panel import (
    EXPECTED,
    INDICATOR_NAME,
    LAG,
    OWNER,
    PERIOD,
    STATUS,
    VALUE,
    area_geomap,
    area_table,
    indicator_link,
    status_stats,
)
from grafana.boards.variable import area_variable, head_variable, period_variable
from grafana.query.binding import Variable
from grafana.text import Text, breakdown_name, short_labels, within
from ioc.catalogue import Catalogue

_HEADS = 6  # as many as the queries `indicator_tile` and `head_choice` give


def sector_key(sector: str) -> str:
    """Return the key of a sector's board."""
    return f"sector-{sector}"


def sector_folder(sector: str, catalogue: Catalogue) -> Folder:
    """Return a sector's folder: permissions are given by folder."""
    found = catalogue.sectors[sector]
    return Folder(f"ioc-folder-{sector.replace('_', '-')}", Text(f"IOC - {found.name_vi}", f"IOC - {found.name_en}"))


def sector_board(frame: Frame, sector: str) -> Json:
    """Compose the board of a sector in one language."""
    scope, found = frame.scope, frame.scope.catalogue.sectors[sector]
    judged, unknown = status_stats(frame)
    built = (
        frame.board(sector_key(sector), Text(found.name_vi, found.name_en))
        .with_variable(area_variable(scope))
        .with_variable(period_variable(scope))
        .with_variable(head_variable(scope, sector))
        .with_panel(judged)
        .with_panel(unknown)
    )
    for panel in _head_stats(frame, sector):
        built = built.with_panel(panel)
    built = (
        built.with_panel(_indicator_table(frame, sector).height(13))
        .with_row(default_row("trend", scope.say("Diễn biến", "Trend")))
        .with_panel(_head_timeseries(frame))
        .with_row(default_row("areas", scope.say("Theo địa bàn", "By area")))
        .with_panel(area_table(frame).span(14).height(12))
        .with_panel(area_geomap(frame, "area_status").span(10).height(12))
    )
    _add_breakdowns(built, frame, sector)
    return finished(built, frame.annotations(), scope.language, frame.view)


def _head_stats(frame: Frame, sector: str) -> list[stat.Panel]:
    """The head figures of the newest period that is over, a panel each: on a phone each has the whole width."""
    link = indicator_link(frame, "${__field.labels.code}", sector)
    many = min(_HEADS, len(frame.scope.catalogue.of_sector(sector)))
    keys = [f"head/{number}" for number in range(1, many + 1)]
    target = frame.scope.target("indicator_tile", sector=sector)
    tiles = [tile_stat(key, "", target, link=link, sizes=(12, 20)).span(24 // _HEADS).height(4) for key in keys]
    return [nth_tile(tile, number, keys[0] if number > 1 else "") for number, tile in enumerate(tiles, 1)]


def _indicator_table(frame: Frame, sector: str) -> table.Panel:
    scope = frame.scope
    columns: Columns = {
        "indicator": INDICATOR_NAME,
        "status": STATUS,
        "value": VALUE,
        "period": PERIOD,
        "expected": EXPECTED,
        "lag": LAG,
        "change": Text("So với trước", "Change"),
        "running": Text("Đang chạy", "Running day"),
        "owner": OWNER,
    }
    title = scope.say(
        "Tất cả chỉ tiêu, đáng lo trước (* ngoài 0–100 %: bấm để xem vì sao)",
        "All indicators, worst first (* beyond 0–100%: click to see why)",
    )
    panel = default_table("indicators", title, scope, columns, ("code",))
    panel = panel.with_target(scope.target("indicator_table", sector=sector))
    widths = {"status": 150, "value": 130, "period": 155, "expected": 140, "lag": 95, "change": 115, "running": 100}
    panel = column_widths(panel, widths | {"owner": 140})
    return link_column(panel, "indicator", indicator_link(frame, "${__data.fields.code}", sector))


def _head_timeseries(frame: Frame) -> timeseries.Panel:
    """A panel for each head figure: Grafana repeats it over the variable."""
    scope = frame.scope
    panel = default_timeseries("head/series", "${head:text}").repeat("head").repeat_direction("h")
    return line_colors(panel.with_target(scope.target("series", series=True, code=Variable("head"))), scope)


def _add_breakdowns(built: Dashboard, frame: Frame, sector: str) -> None:
    """Add a folded row a dimension: Grafana asks for its panels only once it is opened."""
    scope = frame.scope
    for dimension, found in breakdowns(scope.catalogue.of_sector(sector)).items():
        name = breakdown_name(dimension)
        row = default_row(f"by/{dimension}", scope.say(f"Phân tổ: {within(name.vi)}", f"Breakdown: {within(name.en)}"))
        for breakdown in found:
            row.with_panel(_breakdown_bargauge(frame, breakdown))
        built.with_row(row)


def _breakdown_bargauge(frame: Frame, breakdown: Breakdown) -> bargauge.Panel:
    """The parts of a measure in the newest period that is over, largest first."""
    scope = frame.scope
    labels = short_labels([scope.say(part.name_vi, part.name_en) for part in breakdown.parts])
    name, dimension = breakdown.name.of(scope.language), within(breakdown_name(breakdown.dimension).of(scope.language))
    title = scope.say(f"{name} theo {dimension}", f"{name} by {dimension}")
    codes = [part.code for part in breakdown.parts]
    return default_bargauge(f"parts/{breakdown.measure}/{breakdown.dimension}", title).with_target(
        scope.target("part_latest", codes=codes, labels_of=labels)
    )
