"""The frame of every board: header and notice, and where links go."""

from __future__ import annotations

from dataclasses import dataclass

from grafana_foundation_sdk.builders.dashboard import Dashboard

from grafana.boards.board import Annotation, Folder, Json, MapView, TimeRange, board_uid, default_board
from grafana.boards.panel import markdown_text, text_stat
from grafana.boards.scope import Scope
from grafana.query.binding import Value
from grafana.text import Text

OVERVIEW, INDICATOR, AREA = "overview", "indicator", "area"
QUALITY, PIPELINE, INCIDENT = "quality", "pipeline", "incident"
GENERAL_FOLDER = Folder("ioc-folder-general", Text("IOC - Tổng quan", "IOC - Overview"))
# Of marks on lines: a colour that means no status.
_MARK = "#9aa5b1"
SYSTEM_FOLDER = Folder("ioc-folder-pipeline", Text("IOC - Hệ thống", "IOC - System"))


@dataclass(frozen=True)
class Board:
    """A finished board and where it lies."""

    folder: Folder
    model: Json

    @property
    def uid(self) -> str:
        """Its identity in Grafana."""
        return str(self.model["uid"])


@dataclass(frozen=True)
class Frame:
    """What the boards of one language have in common. notice: what readers must know of the data; may be empty."""

    scope: Scope
    notice: Text
    shown: TimeRange
    view: MapView

    def board(self, key: str, title: Text, *, moment: bool = False, code: Value = "") -> Dashboard:
        """Return a board with its header: title (of an indicator its name), area and day, or (`moment`) title and
        time."""
        scope = self.scope
        query = scope.target("moment_header" if moment else "header", title=title.of(scope.language), code=code)
        shown = TimeRange("now-3h", "now") if moment else self.shown
        notice = self.notice.of(scope.language)
        built = default_board(key, title, scope.language, scope.timezone, shown)
        built = built.with_panel(text_stat("header", query).span(16 if notice else 24))
        return built.with_panel(markdown_text("notice", f"**{notice}**").span(8)) if notice else built

    def link(self, key: str, **variables: str) -> str:
        """Return a link to another board that keeps the time range; `variables` are set as they are written."""
        chosen = "".join(f"&var-{name}={value}" for name, value in variables.items())
        return f"/d/{board_uid(key, self.scope.language)}?${{__url_time_range}}{chosen}"

    def annotations(self, code: Value = "") -> list[Annotation]:
        """Return what is marked on lines: incidents, reforms, what was computed anew, corrections.

        code: the indicator that the board shows; none = what concerns its sectors.
        """
        names = {
            "incident": Text("Sự việc", "Incidents"),
            "reform": Text("Sắp xếp đơn vị hành chính", "Reforms"),
            "rebuild": Text("Tính lại", "Rebuilds"),
            "correction": Text("Sửa số liệu", "Corrections"),
        }
        return [Annotation(name, self.scope.sql(f"annotation_{key}", code=code), _MARK) for key, name in names.items()]
