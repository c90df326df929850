"""Panels with statuses of indicators and areas; shared by the boards that show them."""

from __future__ import annotations

from grafana_foundation_sdk.builders import geomap, stat, table

from grafana.boards.frame import AREA, INDICATOR, Frame
from grafana.boards.panel import Columns, column_widths, default_geomap, default_table, link_column, nth_tile, tile_stat
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


def status_stats(frame: Frame) -> list[stat.Panel]:
    """How many indicators stand how: what is judged, and what cannot be or is not.

    Two panels beside each other, since seven tiles do not fit the width of a phone. Without titles: the tiles say it.
    """
    judged, unknown = ("lagging", "at_risk", "on_track"), ("stale", "incomplete", "no_data", "no_target")
    return [
        tile_stat(f"status/{key}", "", frame.scope.target("status_tile", wanted=wanted), sizes=(12, 18))
        .span(12)
        .height(2)
        for key, wanted in (("judged", judged), ("unknown", unknown))
    ]


def sector_stats(frame: Frame) -> list[stat.Panel]:
    """A panel a sector, worst first; the first one asks for all of them."""
    scope = frame.scope
    link = sector_link(frame, "${__field.labels.sector}")
    # English names of sectors are longer: "Environment and hydrometeorology" met its counts.
    sizes = (12, 13) if scope.language == "vi" else (11, 12)
    keys = [f"sector/{number}" for number in range(1, len(scope.catalogue.sectors) + 1)]
    tiles = [tile_stat(key, "", scope.target("sector_tile"), link=link, sizes=sizes).height(2) for key in keys]
    return [nth_tile(tile, number, keys[0] if number > 1 else "") for number, tile in enumerate(tiles, 1)]


def worst_table(frame: Frame) -> table.Panel:
    """The ten that lag most, with pace, forecast and cause. The lag comes first: a phone shows only two columns."""
    columns: Columns = {
        "lag": LAG,
        "indicator": INDICATOR_NAME,
        "value": VALUE,
        "expected": EXPECTED,
        "forecast": Text("Dự báo đến hạn", "Forecast"),
        "cause": Text("Nguyên nhân", "Cause"),
        "status": STATUS,
    }
    title = frame.scope.say("Mười chỉ tiêu chậm nhất", "The ten that lag most")
    panel = default_table("worst", title, frame.scope, columns, ("code", "sector"))
    panel = panel.with_target(frame.scope.target("worst_lag"))
    panel = column_widths(
        panel, {"indicator": 330, "value": 95, "expected": 130, "lag": 105, "forecast": 120, "status": 115}
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
    panel = column_widths(panel, {"area": 190})
    return link_column(panel, "area", frame.link(AREA, area="${__data.fields.area_id}"))
