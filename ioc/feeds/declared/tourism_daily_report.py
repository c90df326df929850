"""Daily report of a lodging establishment: rooms, guests and revenue of one day.

A later report replaces the whole earlier one; the highest revision wins.
Source: form 01CS/LTDL, TT 18/2021/TT-BVHTTDL; occupancy is room-nights sold over rooms available.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, ClassVar

import polars as pl
from pydantic import ConfigDict, Field, JsonValue

from ioc.feeds.bounds import Day
from ioc.feeds.event import Record, ReporterCode
from ioc.feeds.feed import Feed
from ioc.feeds.rule import RecordRule, Term, named

Count = Annotated[int, Field(ge=0, le=1_000_000)]
Dong = Annotated[int, Field(ge=0, le=10**12)]


_EXAMPLE: dict[str, JsonValue] = {
    "establishment_id": "77-747-0001",
    "report_on": "2024-10-05",
    "rooms_total": 120,
    "rooms_available": 118,
    "rooms_sold": 97,
    "beds_total": 210,
    "arrivals_domestic": 140,
    "arrivals_international": 22,
    "overnight_domestic": 231,
    "overnight_international": 41,
    "day_guests_domestic": 12,
    "day_guests_international": 0,
    "guest_nights_domestic": 231,
    "guest_nights_international": 41,
    "revenue_room": 118500000,
    "revenue_fnb": 36200000,
    "revenue_other": 4100000,
}


class TourismDailyReport(Record):
    """Counts of persons, rooms and beds; revenue in đồng."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    establishment_id: ReporterCode
    report_on: Day
    rooms_total: Count
    rooms_available: Count
    rooms_sold: Count
    beds_total: Count
    arrivals_domestic: Count
    arrivals_international: Count
    overnight_domestic: Count
    overnight_international: Count
    day_guests_domestic: Count
    day_guests_international: Count
    guest_nights_domestic: Count
    guest_nights_international: Count
    revenue_room: Dong
    revenue_fnb: Dong
    revenue_other: Dong

    KEY: ClassVar[Term] = named("report_on").text()
    RULES: ClassVar[tuple[RecordRule, ...]] = (
        RecordRule(
            named("rooms_available") > named("rooms_total"),
            "rooms_available exceeds rooms_total",
            "số buồng sẵn sàng lớn hơn tổng số buồng",
        ),
        RecordRule(
            named("rooms_sold") > named("rooms_available"),
            "rooms_sold exceeds rooms_available",
            "số buồng đã bán lớn hơn số buồng sẵn sàng",
        ),
    )


FEED = Feed(
    key="tourism.daily_report",
    model=TourismDailyReport,
    effective="report_on",
    reporter="establishment_id",
    reports_every="day",
    cadence=timedelta(hours=26),
    name_vi="Báo cáo ngày của cơ sở lưu trú",
    name_en="Daily reports of lodging establishments",
    enrich={"lodging_type": ("type", pl.String()), "star": ("star", pl.Int64())},
    derive={
        "revenue_total": (
            pl.Int64(),
            pl.col("revenue_room") + pl.col("revenue_fnb") + pl.col("revenue_other"),
        ),
    },
)
