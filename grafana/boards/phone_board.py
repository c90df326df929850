"""The overview for a phone: the same answers one below the other, each readable at a width of 390 pixels."""

from __future__ import annotations

from grafana_foundation_sdk.models.common import VizOrientation

from grafana.boards.board import Json, finished
from grafana.boards.frame import PHONE, QUALITY, Frame
from grafana.boards.panel import tile_stat
from grafana.boards.status_panel import indicator_link, sector_link
from grafana.boards.variable import area_variable
from grafana.text import Text


def phone_board(frame: Frame) -> Json:
    """Compose the board: tiles over the whole width, since their words wrap and those of a table do not."""
    scope = frame.scope
    status = tile_stat(
        "status/total",
        scope.say("Số chỉ tiêu theo tình trạng", "Indicators by status"),
        scope.target("status_tile"),
        sizes=(12, 20),
    )
    worst = tile_stat(
        "phone/worst",
        scope.say("Mười chỉ tiêu chậm nhất", "The ten that lag most"),
        scope.target("worst_tile"),
        link=indicator_link(frame, "${__field.labels.code}", "${__field.labels.sector}"),
        sizes=(13, 16),
    )
    sectors = tile_stat(
        "phone/sectors",
        scope.say("Các ngành, đáng lo trước", "Sectors, worst first"),
        scope.target("sector_tile"),
        link=sector_link(frame, "${__field.labels.sector}"),
        sizes=(13, 14),
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
        .with_panel(status.span(24).height(8))
        .with_panel(worst.orientation(VizOrientation.HORIZONTAL).span(24).height(19))
        .with_panel(sectors.orientation(VizOrientation.HORIZONTAL).span(24).height(44))
        .with_panel(quality.span(24).height(6))
    )
    return finished(built, (), scope.language, frame.view)
