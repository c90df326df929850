"""Which message goes to whom, and how often: the notification policy, one for the whole server."""

from __future__ import annotations

from collections.abc import Mapping

from grafana.alerting.contact import WATCH, receiver, recipients
from grafana.boards.board import Json
from ioc.province.contact import OPERATORS, Contact

# One group is one incident and step of its ladder: one cause, one message. What changes of it within a day is told
# with the next day's reminder; a new step is a new group, and told at once. A shorter
# interval has a gain and a price. Gain: Grafana tries a failed delivery again after an interval. Price: while the
# database is away, the rule's query fails and Grafana ends its alerts after a minute; if the interval ends before the
# database is back, Grafana notes that nothing is wrong any more, and later sends every open incident again.
_INCIDENT = {
    "group_by": ["alertname", "incident", "step"],
    "group_wait": "10s",
    "group_interval": "1d",
    "repeat_interval": "1d",
}
_WATCH = {"group_by": ["alertname"], "group_wait": "30s", "group_interval": "5m", "repeat_interval": "4h"}


def notification_policy(contacts: Mapping[str, Contact]) -> Json:
    """Return the policy: what Grafana cannot read and what stands still to the operators, an incident to its
    recipient."""
    watch = [
        _WATCH
        | {"receiver": receiver(WATCH), "object_matchers": [["alertname", "=~", "DatasourceError|DatasourceNoData"]]},
        _WATCH | {"receiver": receiver(WATCH), "object_matchers": [["event", "=", "watch"]]},
    ]
    told = [{"receiver": receiver(n), "object_matchers": [["recipient", "=", n]]} for n in recipients(contacts)]
    return {"receiver": receiver(OPERATORS), **_INCIDENT, "routes": [*watch, *told]}
