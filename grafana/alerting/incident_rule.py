"""The rules: open incidents, incidents that are over, and whether the scheduler still runs.

The incident table decides whether something is wrong; a row stays open until its cause ends. So there is no rule for
each indicator or feed, and a gap in the data resolves nothing. The end of an incident is a message of its own, made
from the row's end; Grafana's own "resolved" message is not sent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from grafana.alerting.rule import OPERATOR, AlertGroup, AlertRule
from grafana.boards.board import board_uid
from grafana.query.binding import bind
from grafana.text import Text

# Labels of a row that a message shows, as annotations of the same name.
SHOWN = (
    "title",
    "title_en",
    "summary",
    "summary_en",
    "places",
    "figure",
    "expected",
    "lag",
    "forecast",
    "period",
    "through",
    "since",
    "ended",
    "addressee",
    "notice",
)
_LINK = '{{ reReplaceAll "/+$" "" externalURL }}/d/'
_SILENT_MINUTES = 5
# No pending time: what a row says is in its labels, and with other figures it is another alert, whose time begins anew.
_HOLD = "0s"


def alert_groups(timezone: str, notice: Text, pages: str, posts: Mapping[str, Text]) -> list[AlertGroup]:
    """Return all rules.

    notice: what every message says of the data, such as that they are simulated; may be empty.
    pages:  address of the web pages; an incident's page takes it on.
    posts:  names of the posts of the duty ladders, by code.
    """
    named = json.dumps({post: name.vi for post, name in posts.items()}, ensure_ascii=False, separators=(",", ":"))
    rows = {"timezone": timezone, "notice": notice.vi or "–", "posts": named}
    shown = {name: f"{{{{ $labels.{name} }}}}" for name in SHOWN} | {
        "link": f"{_LINK}{{{{ $labels.path }}}}",
        "page": f"{pages}/incidents/{{{{ $labels.incident }}}}",
    }
    opened = AlertRule(
        key=("incident", "open"),
        title="Sự việc đang mở",
        sql=bind("alert", "incident_open", **rows),
        firing="$A > 0",
        hold=_HOLD,
        labels={},
        annotations=shown,
    )
    closed = AlertRule(
        key=("incident", "closed"),
        title="Sự việc đã kết thúc",
        sql=bind("alert", "incident_closed", **rows),
        firing="$A > 0",
        hold=_HOLD,
        labels={},
        annotations=shown,
    )
    watch = AlertRule(
        key=("watch", "scheduler"),
        title="Không còn tiến trình nào theo dõi chỉ tiêu và sự việc",
        sql=bind("alert", "scheduler_silence"),
        firing=f"$A > {_SILENT_MINUTES}",
        hold="1m",
        labels={
            "event": "watch",
            "owner": OPERATOR,
            "recipient": OPERATOR,
            "sector": "platform",
            "severity": "critical",
        },
        annotations={
            "title": "Không còn tiến trình nào theo dõi chỉ tiêu và sự việc",
            "title_en": "Nothing keeps statuses and incidents current",
            "summary": f"Tiến trình ioc scheduler không chạy xong việc nào trong hơn {_SILENT_MINUTES} phút; từ lúc đó "
            "không sự việc mới nào được phát hiện",
            "summary_en": f"No job of `ioc scheduler` has finished for more than {_SILENT_MINUTES} minutes; "
            "no new incident is found meanwhile",
            "notice": notice.vi or "–",
            "link": f"{_LINK}{board_uid('pipeline', 'vi')}",
        },
        # The query always has a row; without one the table itself is gone.
        no_data="Alerting",
    )
    return [AlertGroup("ioc-incident", 30, (opened, closed)), AlertGroup("ioc-watch", 60, (watch,))]
