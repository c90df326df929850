"""The board that leaders open: statuses by sector, what lags, where, and whether the data can be trusted.

It fills a wall of 1080 lines without scrolling. On a phone, Grafana puts panels one below the other, each as high as on
the wall and over the whole width: so a panel holds no more than fits there, and each sector has one of its own.
"""

from __future__ import annotations

from collections.abc import Iterable

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import GridPos, Panel

from grafana.boards.board import Json, finished
from grafana.boards.frame import OVERVIEW, QUALITY, Frame
from grafana.boards.panel import markdown_text, tile_stat
from grafana.boards.status_panel import (
    area_geomap,
    indicator_link,
    sector_stats,
    status_stats,
    worst_table,
)
from grafana.boards.variable import area_variable
from grafana.text import Text

OVERVIEW_TITLE = Text("Tổng quan điều hành", "Overview")
_WIDTH, _SECTOR_WIDTH, _TILE_HEIGHT = 24, 3, 2


def overview_board(frame: Frame) -> Json:
    """Compose the board."""
    scope = frame.scope
    built = frame.board(OVERVIEW, OVERVIEW_TITLE).refresh("5s").with_variable(area_variable(scope))
    for panel in status_stats(frame):
        built = built.with_panel(panel)
    said = scope.say("**Các ngành**, đáng lo trước", "**Sectors**, worst first")
    sectors = [markdown_text("sectors", said), *sector_stats(frame)]
    below = _with_tiles(built, sectors, 2 * _TILE_HEIGHT)
    built = built.with_panel(worst_table(frame).grid_pos(GridPos(x=0, y=below, w=17, h=12)))
    built = built.with_panel(area_geomap(frame, "area_status").grid_pos(GridPos(x=17, y=below, w=7, h=12)))
    programme = tile_stat(
        "programme",
        scope.say("Chương trình chuyển đổi số", "Digital-transformation programme"),
        scope.target("programme_tile"),
        link=indicator_link(frame, "${__field.labels.code}", "dti"),
        sizes=(11, 16),
    )
    quality = tile_stat(
        "quality",
        scope.say("Chất lượng dữ liệu", "Quality of the data"),
        scope.target("quality_tile"),
        link=frame.link(QUALITY),
        sizes=(12, 18),
    )
    live = tile_stat(
        "live", scope.say("Dữ liệu đang chảy", "Data coming in"), scope.target("live_tile"), sizes=(12, 18)
    )
    has_programme = any(code.startswith("dti.targets_done.") for code in scope.catalogue.indicators)
    strip = [(programme, 10), (quality, 7), (live, 7)] if has_programme else [(quality, 12), (live, 12)]
    left = 0
    for panel, width in strip:
        built = built.with_panel(panel.grid_pos(GridPos(x=left, y=below + 12, w=width, h=4)))
        left += width
    return finished(built, (), scope.language, frame.view)


def _with_tiles(built: Dashboard, tiles: Iterable[Builder[Panel]], top: int) -> int:
    """Add tiles in rows from `top` on; return where the next row would begin."""
    columns = _WIDTH // _SECTOR_WIDTH
    last = 0
    for number, tile in enumerate(tiles):
        last = top + number // columns * _TILE_HEIGHT
        at = GridPos(x=number % columns * _SECTOR_WIDTH, y=last, w=_SECTOR_WIDTH, h=_TILE_HEIGHT)
        built.with_panel(tile.grid_pos(at))  # type: ignore[attr-defined]
    return last + _TILE_HEIGHT
