"""Alerts and incidents of the security operations centre (SOC).

An alert is a record of its own; an incident is one record that a later revision resolves. The reporter is the centre.
Hosts, addresses, accounts and whatever else would help an attacker stay there.
Source: grading of incidents after QĐ 05/2017/QĐ-TTg and TT 20/2017/TT-BTTTT; SOC model of QĐ 922/QĐ-BTTTT.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field, JsonValue, StringConstraints

from ioc.feeds.bounds import Day
from ioc.feeds.event import Record
from ioc.feeds.feed import Feed
from ioc.feeds.kind import kind_rules, shape
from ioc.feeds.rule import RecordRule, Term, joined, named, not_before

Minutes = Annotated[int, Field(ge=0, le=10_000_000)]
KINDS = {
    "alert": shape("item_id severity"),
    "incident": shape("item_id incident_type detection_min", "resolved_on resolution_min"),
}
_EXAMPLE: dict[str, JsonValue] = {
    "kind": "incident",
    "item_id": "INC-2024-0117",
    "occurred_on": "2024-10-07",
    "incident_type": "phishing",
    "detection_min": 95,
    "resolved_on": "2024-10-08",
    "resolution_min": 840,
}


class InfosecEvent(Record):
    """One of:

    alert:    raised on `occurred_on`.
    incident: detected on `occurred_on`, `detection_min` minutes after it began; resolved on `resolved_on`,
              `resolution_min` minutes after it was detected. An incident is of one type, the one that did the harm.

    `item_id` is the item's number or GUID in the centre's system.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    kind: Literal["alert", "incident"]
    item_id: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$")]
    occurred_on: Day
    severity: Literal["critical", "high", "medium", "low"] | None = None
    incident_type: Literal["malware", "phishing", "ddos", "intrusion", "defacement", "leak"] | None = None
    detection_min: Minutes | None = None
    resolved_on: Day | None = None
    resolution_min: Minutes | None = None

    KEY: ClassVar[Term] = joined(named("kind"), "/", named("item_id"))
    RULES: ClassVar[tuple[RecordRule, ...]] = (
        *kind_rules(KINDS),
        RecordRule(
            named("resolved_on").is_set().differs_from(named("resolution_min").is_set()),
            "resolved_on and resolution_min go together",
            "resolved_on và resolution_min phải đi cùng nhau",
        ),
        *not_before("occurred_on", "resolved_on"),
    )


FEED = Feed(
    key="infosec.event",
    model=InfosecEvent,
    effective="occurred_on",
    cadence=timedelta(minutes=15),
    name_vi="Cảnh báo và sự cố an toàn thông tin",
    name_en="Security alerts and incidents",
    quality_source="soc_event",
)
