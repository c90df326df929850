"""Panels with statuses of indicators and areas; shared by the boards that show them."""

from __future__ import annotations

from grafana_foundation_sdk.builders import geomap, stat, table

from grafana.boards.frame import AREA, INDICATOR, Frame
from grafana.boards.panel import Columns, column_widths, default_geomap, default_table, link_column, tile_stat
from grafana.query.binding import Value
from grafana.text import Text

INDICATOR_NAME = Text("Chỉ tiêu", "Indicator")
VALUE = Text("Giá trị", "Value")
EXPECTED = Text("Kỳ vọng đến nay", "Expected by now")
LAG = Text("Mức chậm", "Lag")
STATUS = Text("Tình trạng", "Status")
PERIOD = Text("Kỳ", "Period")
AREA_NAME = Text("Địa bàn", "Area")
OWNER = Text("Cơ quan chủ trì", "Owner")


def status_stat(frame: Frame) -> stat.Panel:
    """How many indicators stand how."""
    title = frame.scope.say("Số chỉ tiêu theo tình trạng", "Indicators by status")
    return tile_stat("status/total", title, frame.scope.target("status_tile"), sizes=(12, 20)).span(24).height(4)


def worst_table(frame: Frame, limit_width: bool = False) -> table.Panel:
    """The ten that lag most, with pace, forecast and cause."""
    columns: Columns = {
        "indicator": INDICATOR_NAME,
        "value": VALUE,
        "expected": EXPECTED,
        "lag": LAG,
        "forecast": Text("Dự báo đến hạn", "Forecast"),
        "cause": Text("Nguyên nhân", "Cause"),
        "status": STATUS,
    }
    title = frame.scope.say("Mười chỉ tiêu chậm nhất", "The ten that lag most")
    panel = default_table("worst", title, frame.scope, columns, ("code", "sector"))
    panel = panel.with_target(frame.scope.target("worst_lag"))
    panel = column_widths(
        panel, {"indicator": 390, "value": 95, "expected": 140, "lag": 105, "forecast": 125, "status": 115}
    )
    return link_column(panel, "indicator", indicator_link(frame, "${__data.fields.code}", "${__data.fields.sector}"))


def indicator_link(frame: Frame, code: str, sector: str) -> str:
    """Return the link to an indicator's board with the chosen area."""
    return frame.link(INDICATOR, sector=sector, indicator=code, area="${area:raw}")


def sector_link(frame: Frame, sector: str) -> str:
    """Return the link to a sector's board with the chosen area."""
    suffix = "" if frame.scope.language == "vi" else f"-{frame.scope.language}"
    return f"/d/ioc-sector-{sector}{suffix}?${{__url_time_range}}&var-area=${{area:raw}}"


def area_geomap(frame: Frame, query: str, code: Value = "") -> geomap.Panel:
    """The areas by status on a map."""
    title = frame.scope.say("Bản đồ địa bàn theo tình trạng", "Areas by status")
    return default_geomap(f"map/{query}", title, "area").with_target(frame.scope.target(query, code=code))


def area_table(frame: Frame) -> table.Panel:
    """The areas side by side, worst first."""
    columns: Columns = {
        "area": AREA_NAME,
        "lagging": Text("Chậm", "Lagging"),
        "at_risk": Text("Nguy cơ", "At risk"),
        "on_track": Text("Đúng tiến độ", "On track"),
        "unknown": Text("Chưa rõ", "Not known"),
        "watched": Text("Theo dõi", "Watched"),
    }
    title = frame.scope.say("Các địa bàn, số chỉ tiêu theo tình trạng", "Areas, indicators by status")
    hidden = ("rank", "latitude", "longitude", "area_id")
    panel = default_table("areas", title, frame.scope, columns, hidden).with_target(frame.scope.target("area_status"))
    return link_column(panel, "area", frame.link(AREA, area="${__data.fields.area_id}"))
