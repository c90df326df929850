"""The frame of every board: header and notice, and where links go."""

from __future__ import annotations

from dataclasses import dataclass

from grafana_foundation_sdk.builders.dashboard import Dashboard

from grafana.boards.board import Annotation, Folder, Json, MapView, TimeRange, board_uid, default_board
from grafana.boards.panel import notice_text, text_stat
from grafana.boards.scope import Scope
from grafana.query.binding import Value
from grafana.text import Text

OVERVIEW, PHONE, INDICATOR, AREA = "overview", "phone", "indicator", "area"
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
        header = text_stat("header", query).span(16 if notice or self._other_size(key) else 24)
        built = built.with_panel(header)
        said = " · ".join(part for part in (f"**{notice}**" if notice else "", self._other_size(key)) if part)
        return built.with_panel(notice_text("notice", said)) if said else built

    def _other_size(self, key: str) -> str:
        """Return a link from the wall's overview to the phone's and back: no layout of Grafana serves both."""
        if key == OVERVIEW:
            return f"[{self.scope.say('Bản cho điện thoại', 'For a phone')}]({self.link(PHONE, area='${area:raw}')})"
        if key == PHONE:
            return (
                f"[{self.scope.say('Bản cho màn hình lớn', 'For a wall')}]({self.link(OVERVIEW, area='${area:raw}')})"
            )
        return ""

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
