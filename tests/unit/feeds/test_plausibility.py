"""Every field of every feed has bounds; what cannot be true now is refused by gateway, formats and agents alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from pydantic import BaseModel, ValidationError
from testbed.feed_event import stay

from ioc.errors import ConfigError
from ioc.feeds.bounds import Day, bounds_of
from ioc.feeds.event import Record
from ioc.feeds.feed import Feed, load_feeds
from ioc.feeds.plausibility import Calendar, check_plausible
from ioc.settings import Settings

FEEDS = load_feeds()
CALENDAR = Calendar.of(Settings(_env_file=None), "Asia/Ho_Chi_Minh")
NOW = datetime(2024, 11, 1, 3, tzinfo=UTC)


def rules(event: dict[str, object], feed: str = "tourism.stay") -> list[tuple[str, str]]:
    """(field, rule) of what is not plausible in an event."""
    envelope = FEEDS[feed].envelope.validate_python(event)
    return [(reason.field, reason.rule) for reason in check_plausible(FEEDS[feed], envelope, CALENDAR.at(NOW))]


@pytest.mark.parametrize("key", FEEDS)
def test_every_date_time_and_number_of_every_feed_has_bounds(key: str) -> None:
    for column in FEEDS[key].model_columns:
        if column.dtype.is_numeric() or column.dtype.is_temporal():
            assert column.bounds is not None, column.name
            low, high = column.bounds
            assert low < high
            if column.dtype.is_numeric():
                assert low > -(2**53) and high < 2**53


@pytest.mark.parametrize("key", FEEDS)
def test_what_may_lie_ahead_is_a_date_of_the_feed(key: str) -> None:
    feed = FEEDS[key]
    dated = {column.name for column in feed.columns if column.dtype == pl.Date()}
    assert feed.ahead.keys() <= dated
    assert {ahead.unless for ahead in feed.ahead.values()} <= {None, *feed.model.model_fields}
    assert feed.effective not in feed.ahead


def test_a_feed_with_an_unbounded_field_is_refused() -> None:
    class Unbounded(Record):
        day: date

        def record_key(self) -> str:
            return ""

    feed = replace(FEEDS["tourism.stay"], model=Unbounded, effective="day", derive={}, ahead={})
    with pytest.raises(ConfigError, match="field day has no bounds"):
        _ = feed.columns


def test_bounds_are_read_from_annotations() -> None:
    class Model(BaseModel):
        day: Day | None = None

    field = Model.model_fields["day"]
    assert bounds_of(field.annotation, field.metadata) == (date(1900, 1, 1), date(2199, 12, 31))
    assert bounds_of(int) is None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        (
            {"check_out_on": "2042-10-05", "planned_check_out_on": "2024-10-06"},
            [("data.check_out_on", "implausible_date")],
        ),
        ({"declared_at": "2024-11-03T00:00:00+07:00"}, [("data.declared_at", "implausible_date")]),
        ({"declared_at": "2024-11-02T23:59:59+07:00"}, []),
        ({"planned_check_out_on": "2026-01-01"}, []),
        ({"planned_check_out_on": "2027-01-01"}, [("data.planned_check_out_on", "implausible_date")]),
    ],
)
def test_dates_of_a_stay(changes: dict[str, str], expected: list[tuple[str, str]]) -> None:
    event = stay()
    event["data"] |= changes
    assert rules(event) == expected


def test_a_due_date_may_lie_ahead_unless_it_has_passed() -> None:
    data = dict(FEEDS["feedback.ticket"].model.model_config["json_schema_extra"]["examples"][0])  # type: ignore[index,call-overload]
    data |= {"due_on": "2025-10-14"}
    event = {**stay(), "type": "vn.ioc.feedback.ticket.v1", "subject": f"77-747-0001/{data['ticket_id']}", "data": data}
    assert rules(event, "feedback.ticket") == []
    for name in ("closed_on", "handling_h", "rated_on", "rating"):
        data.pop(name)
    data |= {"state": "open", "overdue": True}
    assert rules(event, "feedback.ticket") == [("data.due_on", "implausible_date")]
    data["due_on"] = "2024-11-01"
    assert rules(event, "feedback.ticket") == []


@pytest.mark.parametrize("ahead", [timedelta(seconds=599), timedelta(seconds=601), timedelta(days=365)])
def test_a_clock_may_be_a_little_fast(ahead: timedelta) -> None:
    allowed = ahead < timedelta(seconds=600)
    sent = NOW + ahead
    by_time = stay(revision=None) | {"time": sent.isoformat()}
    by_revision = stay(revision=int(sent.timestamp() * 1000))
    assert rules(by_time) == ([] if allowed else [("time", "implausible_time")])
    assert rules(by_revision) == ([] if allowed else [("revision", "implausible_revision")])


def test_a_revision_is_never_negative() -> None:
    feed: Feed = FEEDS["tourism.stay"]
    with pytest.raises(ValidationError, match="time"):
        feed.envelope.validate_python(stay(revision=None) | {"time": "1969-12-31T23:59:59.999Z"})
    earliest = feed.envelope.validate_python(stay(revision=None) | {"time": "1970-01-01T00:00:00Z"})
    assert earliest.effective_revision == 0
