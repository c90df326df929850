"""What all boards share: identity, folder, links between them, time range, and their JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from grafana_foundation_sdk.builders import text
from grafana_foundation_sdk.builders.dashboard import Dashboard, DashboardLink, TimePicker
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, DashboardLinkType

from grafana.panel import notice_text
from grafana.text import Language, Text

Json = dict[str, Any]


@dataclass(frozen=True)
class Folder:
    """A folder of boards or rules; its uid never changes, its title may."""

    uid: str
    title: Text

    @property
    def name(self) -> str:
        """Its title as Grafana shows it; one folder holds the boards of both languages."""
        return f"{self.title.vi} · {self.title.en.removeprefix('IOC - ')}"


def board_uid(key: str, language: Language) -> str:
    """Return a board's uid; the Vietnamese board is the one that alerts link to."""
    return f"ioc-{key}" if language == "vi" else f"ioc-{key}-{language}"


def default_board(key: str, title: Text, language: Language, timezone: str) -> Dashboard:
    """Return an empty board with identity, time range and links to the others of its language."""
    links = (
        DashboardLink(Text("Bảng điều khiển khác", "Other boards").of(language))
        .type(DashboardLinkType.DASHBOARDS)
        .tags(["ioc", language])
        .as_dropdown(True)
        .keep_time(False)
    )
    return (
        Dashboard(title.of(language))
        .uid(board_uid(key, language))
        .tags(["ioc", language])
        .readonly()
        .timezone(timezone)
        .time("now-30d", "now")
        .timepicker(TimePicker().refresh_intervals(["10s", "30s", "1m", "5m", "1h"]))
        .refresh("1m")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .link(links)
    )


def simulation_notice(notice: Text, language: Language) -> text.Panel:
    """What the reader must know before reading any number on the board."""
    return notice_text("notice", notice.of(language))


def to_json(value: object) -> Any:
    """Return plain JSON values of anything the SDK builds."""
    return json.loads(json.dumps(value, cls=JSONEncoder))


def to_text(value: object) -> str:
    """Return sorted, indented JSON: a change of a board is a readable diff."""
    return json.dumps(value, cls=JSONEncoder, sort_keys=True, indent=2, ensure_ascii=False) + "\n"
