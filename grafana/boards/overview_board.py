"""The board that leaders open: statuses by sector, what lags, where, and whether the data can be trusted."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import GridPos

from grafana.boards.board import Json, finished
from grafana.boards.frame import OVERVIEW, QUALITY, Frame
from grafana.boards.panel import tile_stat
from grafana.boards.status_panel import area_geomap, indicator_link, sector_link, status_stat, worst_table
from grafana.boards.variable import area_variable
from grafana.text import Text

OVERVIEW_TITLE = Text("Tổng quan điều hành", "Overview")


def overview_board(frame: Frame) -> Json:
    """Compose the board; without scrolling on a wall of 1080 lines."""
    scope = frame.scope
    sectors = tile_stat(
        "sectors",
        scope.say("Các ngành, đáng lo trước", "Sectors, worst first"),
        scope.target("sector_tile"),
        link=sector_link(frame, "${__field.labels.sector}"),
        sizes=(12, 14),
    )
    programme = tile_stat(
        "programme",
        scope.say("Chương trình chuyển đổi số", "Digital-transformation programme"),
        scope.target("programme_tile"),
        link=indicator_link(frame, "${__field.labels.code}", "dti"),
        sizes=(12, 24),
    )
    quality = tile_stat(
        "quality",
        scope.say("Chất lượng dữ liệu", "Quality of the data"),
        scope.target("quality_tile"),
        link=frame.link(QUALITY),
    )
    live = tile_stat("live", scope.say("Dữ liệu đang chảy", "Data coming in"), scope.target("live_tile"))
    has_programme = any(code.startswith("dti.targets_done.") for code in scope.catalogue.indicators)
    built = (
        frame.board(OVERVIEW, OVERVIEW_TITLE)
        .refresh("5s")
        .with_variable(area_variable(scope))
        .with_panel(status_stat(frame).grid_pos(GridPos(x=0, y=2, w=24, h=3)))
        .with_panel(sectors.grid_pos(GridPos(x=0, y=5, w=16, h=11)))
        .with_panel(area_geomap(frame, "area_status").grid_pos(GridPos(x=16, y=5, w=8, h=9 if has_programme else 14)))
        .with_panel(worst_table(frame).grid_pos(GridPos(x=0, y=16, w=16, h=12)))
        .with_panel(quality.grid_pos(GridPos(x=16, y=19, w=8, h=5)))
        .with_panel(live.grid_pos(GridPos(x=16, y=24, w=8, h=4)))
    )
    if has_programme:
        built = built.with_panel(programme.grid_pos(GridPos(x=16, y=14, w=8, h=5)))
    return finished(built, (), scope.language, frame.view)
