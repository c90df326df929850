"""The board of incidents: what is open, since when, whose it is, and who has taken it on."""

from __future__ import annotations

from grafana_foundation_sdk.builders import table

from grafana.boards.board import Json, finished
from grafana.boards.frame import INCIDENT, Frame
from grafana.boards.panel import Columns, column_widths, default_table, link_column, tile_stat
from grafana.boards.status_panel import OWNER
from grafana.text import Text

# The key of the panel that alerts link to.
OPEN_PANEL = "incident/open"
_TITLE = Text("Sự việc", "Incident")
_SINCE = Text("Từ", "Since")
_LASTS = Text("Đã mở", "Open for")
_TAKEN = Text("Người tiếp nhận", "Acknowledged")


def incident_board(frame: Frame) -> Json:
    """Compose the board; its times are real ones, whatever the business dates."""
    scope = frame.scope
    counts = tile_stat("incident/count", scope.say("Sự việc đang mở", "Open incidents"), scope.target("incident_tile"))
    built = (
        frame.board(INCIDENT, Text("Cảnh báo và sự việc", "Alerts and incidents"), moment=True)
        .refresh("10s")
        .with_panel(counts.span(24).height(4))
        .with_panel(_open_table(frame).height(13))
        .with_panel(_closed_table(frame))
        .with_panel(_change_table(frame))
    )
    return finished(built, (), scope.language, frame.view)


def _open_table(frame: Frame) -> table.Panel:
    columns: Columns = {
        "severity": Text("Mức độ", "Severity"),
        "title": _TITLE,
        "summary": Text("Nội dung", "Summary"),
        "since": _SINCE,
        "lasts": _LASTS,
        "owner": OWNER,
        "step": Text("Bậc báo", "Step"),
        "acknowledged": _TAKEN,
        "indicators": Text("Chỉ tiêu", "Indicators"),
        "areas": Text("Địa bàn", "Areas"),
    }
    title = frame.scope.say("Đang mở, nghiêm trọng trước", "Open, gravest first")
    panel = default_table(OPEN_PANEL, title, frame.scope, columns, ("incident",))
    panel = panel.with_target(frame.scope.target("incident_open_table"))
    panel = link_column(panel, "title", f"{frame.scope.pages}/incidents/${{__data.fields.incident}}")
    return column_widths(
        panel,
        {
            "severity": 115,
            "title": 340,
            "since": 150,
            "lasts": 110,
            "owner": 150,
            "step": 70,
            "acknowledged": 125,
            "indicators": 85,
            "areas": 75,
        },
    )


def _closed_table(frame: Frame) -> table.Panel:
    columns: Columns = {
        "title": _TITLE,
        "since": _SINCE,
        "ended": Text("Đến", "Until"),
        "lasts": _LASTS,
        "owner": OWNER,
        "acknowledged": _TAKEN,
    }
    panel = default_table("incident/closed", frame.scope.say("Đã kết thúc", "Over"), frame.scope, columns)
    panel = column_widths(panel, {"since": 150, "ended": 150, "lasts": 110, "owner": 220, "acknowledged": 170})
    return panel.with_target(frame.scope.target("incident_closed_table"))


def _change_table(frame: Frame) -> table.Panel:
    columns: Columns = {
        "changed": Text("Lúc", "At"),
        "title": _TITLE,
        "what": Text("Việc", "What"),
        "by": Text("Người thực hiện", "By"),
        "note": Text("Ghi chú", "Note"),
    }
    panel = default_table("incident/changes", frame.scope.say("Nhật ký", "History"), frame.scope, columns)
    panel = column_widths(panel, {"changed": 150, "what": 130, "by": 220})
    return panel.with_target(frame.scope.target("incident_change_table"))
