"""The register of reporters as a feed of its own: establishments, petrol shops, stations, facilities.

Their numbers, rooms and beds are stocks: a place counts from `opened_on` until `closed_on`. The agency that keeps a
register publishes it; the platform's own profile is published by `ioc registry publish`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field, JsonValue, StringConstraints

from ioc.feeds.bounds import Day
from ioc.feeds.event import Record, ReporterCode
from ioc.feeds.feed import Feed
from ioc.feeds.rule import RecordRule, Term, joined, named

Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]


_EXAMPLE: dict[str, JsonValue] = {
    "registry": "lodging",
    "place_id": "77-747-0001",
    "area_code": "26506",
    "type": "hotel",
    "star": 4,
    "rooms": 120,
    "beds": 210,
    "opened_on": "2019-04-30",
}


class RegistryReporter(Record):
    """One entry of one register; `registry` is lodging, petrol, health_station, health_facility, ..."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    registry: Word
    place_id: ReporterCode
    area_code: Annotated[str, StringConstraints(pattern=r"^\d{2,5}$")]
    type: Word | None = None
    star: Annotated[int, Field(ge=0, le=5)] | None = None
    rooms: Annotated[int, Field(ge=0, le=100_000)] | None = None
    beds: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    opened_on: Day
    closed_on: Day | None = None

    KEY: ClassVar[Term] = joined(named("registry"), "/", named("place_id"))
    RULES: ClassVar[tuple[RecordRule, ...]] = (
        RecordRule(
            named("closed_on") < named("opened_on"),
            "closed_on lies before opened_on",
            "ngày đóng cửa trước ngày hoạt động",
        ),
    )


FEED = Feed(
    key="registry.reporter",
    model=RegistryReporter,
    effective="opened_on",
    cadence=timedelta(days=35),
    name_vi="Danh bạ đơn vị báo cáo",
    name_en="Register of reporters",
    by_agencies=True,
    located=True,
)
