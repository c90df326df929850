"""Lodging stays: one guest in one establishment from check-in to check-out.

Source: residence notification (Luật Cư trú 2020, TT 55/2021/TT-BCA), guest counts as TT 18/2021/TT-BVHTTDL defines
them: a guest is one arrival of one person in one establishment; guest-nights are max(1, nights) of overnight stays.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import ConfigDict, Field, JsonValue, StringConstraints

from ioc.feeds.bounds import Day, Moment
from ioc.feeds.event import Record, ReporterCode
from ioc.feeds.feed import Ahead, Feed
from ioc.feeds.rule import RecordRule, Term, joined, named
from ioc.pseudonym import PSEUDONYM_PATTERN

_EXAMPLE: dict[str, JsonValue] = {
    "establishment_id": "77-747-0001",
    "guest_id": "k1:0123456789abcdef0123456789abcdef",
    "origin": "international",
    "nationality": "KOR",
    "sex": "female",
    "age_years": 34,
    "purpose": "leisure",
    "doc_type": "passport",
    "check_in_on": "2024-10-05",
    "planned_check_out_on": "2024-10-08",
    "declared_at": "2024-10-05T14:10:00+07:00",
}


class TourismStay(Record):
    """A stay; check-out or extension is a new revision of the same stay, a cancelled stay is voided.

    `check_out_estimated`: the source cannot tell a check-out, so that the planned day is used once it is over.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    establishment_id: ReporterCode
    guest_id: Annotated[str, StringConstraints(pattern=PSEUDONYM_PATTERN)]
    origin: Literal["domestic", "international"]
    nationality: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    sex: Literal["male", "female"]
    age_years: Annotated[int, Field(ge=0, le=130)]
    purpose: Literal["leisure", "mice", "business", "expert", "other"]
    doc_type: Literal["cccd", "vneid", "passport", "other"]
    home_region: Literal["hcmc", "southeast", "mekong", "hanoi", "north", "central", "local"] | None = None
    check_in_on: Day
    planned_check_out_on: Day
    check_out_on: Day | None = None
    check_out_estimated: bool = False
    overnight: bool = True
    declared_at: Moment
    declared_late: bool = False

    KEY: ClassVar[Term] = joined(named("guest_id"), "/", named("check_in_on").text())
    RULES: ClassVar[tuple[RecordRule, ...]] = (
        RecordRule(
            named("planned_check_out_on") < named("check_in_on"),
            "planned_check_out_on lies before check_in_on",
            "ngày đi dự kiến (planned_check_out_on) trước ngày đến",
        ),
        RecordRule(
            named("check_out_on") < named("check_in_on"),
            "check_out_on lies before check_in_on",
            "ngày trả phòng (check_out_on) trước ngày đến",
        ),
        RecordRule(
            named("origin").equals("domestic").differs_from(named("home_region").is_set()),
            "home_region is for domestic guests, and they must have one",
            "khách trong nước phải có vùng cư trú (home_region), khách quốc tế thì không",
        ),
    )


_NIGHTS = (pl.col("check_out_on") - pl.col("check_in_on")).dt.total_days()
_PLANNED = (pl.col("planned_check_out_on") - pl.col("check_in_on")).dt.total_days().clip(lower_bound=1)

FEED = Feed(
    key="tourism.stay",
    model=TourismStay,
    effective="check_in_on",
    reporter="establishment_id",
    cadence=timedelta(minutes=15),
    name_vi="Lượt khách lưu trú",
    name_en="Lodging stays",
    quality_source="lodging_stay",
    transport=("declared_at", "declared_late"),
    estimated={"check_out_on": "check_out_estimated"},
    enrich={"lodging_type": ("type", pl.String()), "star": ("star", pl.Int64())},
    derive={
        "nights": (
            pl.Int64(),
            pl.when(pl.col("check_out_on").is_null())
            .then(None)
            .when(pl.col("overnight"))
            .then(_NIGHTS.clip(lower_bound=1))
            .otherwise(0),
        ),
        "stay_class": (
            pl.String(),
            pl.when(_PLANNED <= 1)
            .then(pl.lit("1n"))
            .when(_PLANNED <= 3)
            .then(pl.lit("2_3n"))
            .when(_PLANNED <= 7)
            .then(pl.lit("4_7n"))
            .otherwise(pl.lit("8n_plus")),
        ),
    },
    ahead={"planned_check_out_on": Ahead(timedelta(days=731))},
)
