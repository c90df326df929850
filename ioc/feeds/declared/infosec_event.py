"""Alerts and incidents of the security operations centre (SOC).

An alert is a record of its own; an incident is one record that a later revision resolves. The reporter is the centre.
Hosts, addresses, accounts and whatever else would help an attacker stay there.
Source: grading of incidents after QĐ 05/2017/QĐ-TTg and TT 20/2017/TT-BTTTT; SOC model of QĐ 922/QĐ-BTTTT.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, JsonValue, StringConstraints, model_validator

from ioc.feeds.bounds import Day
from ioc.feeds.event import Record
from ioc.feeds.feed import Feed
from ioc.feeds.kind import check_kind, shape

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

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        check_kind(self, KINDS)
        if (self.resolved_on is None) != (self.resolution_min is None):
            raise ValueError(
                "resolved_on and resolution_min go together", "resolved_on và resolution_min phải đi cùng nhau"
            )
        if self.resolved_on is not None and self.resolved_on < self.occurred_on:
            raise ValueError("resolved_on lies before occurred_on", "resolved_on sớm hơn occurred_on")
        return self

    def record_key(self) -> str:
        return f"{self.kind}/{self.item_id}"


FEED = Feed(
    key="infosec.event",
    model=InfosecEvent,
    effective="occurred_on",
    cadence=timedelta(minutes=15),
    name_vi="Cảnh báo và sự cố an toàn thông tin",
    name_en="Security alerts and incidents",
    quality_source="soc_event",
)
