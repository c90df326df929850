"""What all boards share: identity, folder, header, links between them, time range, and their JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from grafana_foundation_sdk.builders.dashboard import Dashboard, DashboardLink, TimePicker
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, DashboardLinkType

from grafana.query.binding import DATASOURCE_TYPE, DATASOURCE_UID
from grafana.text import Language, Text

Json = dict[str, Any]
# What tells the project's boards from those that people save beside them.
OWN_TAG = "ioc"
# Of the smallest map: that of the overview on a phone.
_MAP_PIXELS, _TILE_PIXELS = (350, 400), 256


@dataclass(frozen=True)
class Folder:
    """A folder of boards or rules; its uid never changes, its title may."""

    uid: str
    title: Text

    @property
    def name(self) -> str:
        """Its title as Grafana shows it; one folder holds the boards of both languages."""
        return f"{self.title.vi} · {self.title.en.removeprefix('IOC - ')}"


@dataclass(frozen=True)
class TimeRange:
    """What a board shows when it is opened: Grafana's times, absolute or such as `now-30d`."""

    start: str = "now-30d"
    end: str = "now"


@dataclass(frozen=True)
class MapView:
    """The middle of a map in degrees, and how far it is zoomed in."""

    latitude: float = 16.0
    longitude: float = 107.0
    zoom: float = 5.0

    @classmethod
    def around(cls, places: Iterable[tuple[float, float]]) -> MapView:
        """Return the view of nearly all places (latitude, longitude): an island far off must not shrink the rest."""
        points = list(places)
        if not points:
            return cls()
        (south, north), (west, east) = (_middle(side) for side in zip(*points, strict=True))
        # A name below a marker is wider than it is high.
        tall, wide = max(north - south, 0.05) * 1.3, max(east - west, 0.05) * 1.4
        zoom = math.log2(360 / _TILE_PIXELS * min(_MAP_PIXELS[1] / tall, _MAP_PIXELS[0] / wide))
        return cls(round((south + north) / 2, 4), round((west + east) / 2, 4), math.floor(10 * zoom) / 10)


def _middle(side: Iterable[float]) -> tuple[float, float]:
    """Return the ends of a coordinate without what lies far off, such as an island.

    Far off is further from the median than four times the median distance from it.
    """
    ordered = sorted(side)
    middle = median(ordered)
    reach = 4 * median(abs(value - middle) for value in ordered)
    near = [value for value in ordered if abs(value - middle) <= reach]
    return near[0], near[-1]


@dataclass(frozen=True)
class Annotation:
    """Moments that are marked on the lines of a board: a query with `time` and `text`."""

    name: Text
    sql: str
    color: str


def board_uid(key: str, language: Language) -> str:
    """Return a board's uid; the Vietnamese board is the one that alerts link to."""
    return f"ioc-{key}" if language == "vi" else f"ioc-{key}-{language}"


def default_board(key: str, title: Text, language: Language, timezone: str, shown: TimeRange) -> Dashboard:
    """Return an empty board with identity, time range and links to the others of its language."""
    links = (
        DashboardLink(Text("Bảng điều khiển khác", "Other boards").of(language))
        .type(DashboardLinkType.DASHBOARDS)
        .tags([OWN_TAG, language])
        .as_dropdown(True)
        .keep_time(True)
        .include_vars(True)
    )
    return (
        Dashboard(title.of(language))
        .uid(board_uid(key, language))
        .tags([OWN_TAG, language])
        .readonly()
        .timezone(timezone)
        .week_start("monday")
        .time(shown.start, shown.end)
        .timepicker(TimePicker().refresh_intervals(["5s", "10s", "30s", "1m", "5m", "1h"]))
        .refresh("1m")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .link(links)
    )


def finished(built: Dashboard, annotations: Sequence[Annotation], language: Language, view: MapView) -> Json:
    """Return the board's JSON with its annotations, for which the SDK has no SQL builder, and its maps at their
    place."""
    model: Json = to_json(built.build())
    for panel in model["panels"]:
        if panel["type"] == "geomap":
            panel["options"]["view"] = {"id": "coords", "lat": view.latitude, "lon": view.longitude, "zoom": view.zoom}
    model["annotations"] = {
        "list": [
            {
                "datasource": {"type": DATASOURCE_TYPE, "uid": DATASOURCE_UID},
                "enable": True,
                "iconColor": annotation.color,
                "name": annotation.name.of(language),
                "target": {
                    "editorMode": "code",
                    "format": "table",
                    "rawQuery": True,
                    "rawSql": annotation.sql,
                    "refId": "Anno",
                },
            }
            for annotation in annotations
        ]
    }
    return model


def to_json(value: object) -> Any:
    """Return plain JSON values of anything the SDK builds."""
    return json.loads(json.dumps(value, cls=JSONEncoder))


def to_text(value: object) -> str:
    """Return sorted, indented JSON: a change of a board is a readable diff."""
    return json.dumps(value, cls=JSONEncoder, sort_keys=True, indent=2, ensure_ascii=False) + "\n"
