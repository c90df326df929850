"""A refused event's business day is read however wrong the rest of it is."""

from __future__ import annotations

import json
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from ioc.feeds.feed import Feed, load_feeds
from streams.rules.refuse import day_told

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


@pytest.fixture(scope="module")
def feed() -> Feed:
    return load_feeds()["tourism.daily_report"]


@pytest.mark.parametrize(
    ("data", "day"),
    [
        ({"report_on": "2024-10-05", "rooms_sold": "many"}, date(2024, 10, 5)),
        ({"report_on": "2024-10-05T20:00:00Z"}, date(2024, 10, 6)),  # 03:00 of the next day here
        ({"report_on": "5/10/2024"}, None),
        ({"report_on": 20241005}, None),
        ({"report_on": "9999-12-31"}, None),
        ({}, None),
        (None, None),
        ([], None),
    ],
)
def test_the_day_of_a_refused_event(feed: Feed, data: object, day: date | None) -> None:
    assert day_told(feed, json.dumps({"data": data}).encode(), ZONE) == day


@pytest.mark.parametrize("event", [b"", b"{", b"[]", b"null", b"\xff", b"{}" * 600_000])
def test_what_is_no_event_has_no_day(feed: Feed, event: bytes) -> None:
    assert day_told(feed, event, ZONE) is None
