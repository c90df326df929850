"""Every system of the roster: valid whatever it does, the same by seed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date

import pytest
from testbed.simulated import Month, event_of, parsed

from deploy.simulator.calendar import FIRST_DAY
from deploy.simulator.ledger import ExpectedOutcome
from deploy.simulator.province import Province
from deploy.simulator.record import System
from deploy.simulator.roster import FEEDS, PUBLISHERS, ROSTER
from ioc.feeds.feed import Feed
from ioc.feeds.validation import check_envelope
from ioc.province.profile import Profile, load_profile
from ioc.province.reporter import REGISTER_FEED
from ioc.settings import Settings

Build = Callable[[str, int], System]
RECORDS = 1500
MANY = 6000
BY_CHANCE = {entry.feed for entry in ROSTER if entry.share}
DAILY = {"tourism.daily_report", "environment.reading"}
PROFILES = Settings(_env_file=None).profile.parent
# Days of what is planned or promised.
AHEAD = ("due_on", "planned_check_out_on")


def test_the_roster_holds_every_feed_once(feeds: Mapping[str, Feed]) -> None:
    assert sorted(FEEDS) == sorted(feeds.keys() - {REGISTER_FEED})
    assert sorted(feed for sent in PUBLISHERS.values() for feed in sent) == sorted(feeds)
    assert all(entry.share >= 0 for entry in ROSTER)


@pytest.fixture(scope="module")
def months(build: Build) -> Mapping[str, Month]:
    return {feed: Month(build(feed, 3)).run(RECORDS if feed in BY_CHANCE else 0) for feed in FEEDS}


@pytest.mark.parametrize("name", FEEDS)
def test_every_revision_passes_its_feed(name: str, months: Mapping[str, Month], feeds: Mapping[str, Feed]) -> None:
    feed, month = feeds[name], months[name]
    assert month.lives
    for event in month.events[:MANY]:
        assert check_envelope(feed, feed.envelope.validate_python(event)) == []


@pytest.mark.parametrize("name", FEEDS)
def test_no_date_of_what_has_happened_lies_ahead(name: str, months: Mapping[str, Month]) -> None:
    month = months[name]
    for event, day in zip(month.events, month.days, strict=True):
        for field, value in event["data"].items():
            if value is not None and field.endswith(("_on", "_at", "_start")) and field not in AHEAD:
                assert value[:10] <= day, (event, field)


@pytest.mark.parametrize("name", FEEDS)
def test_a_mend_is_valid_and_says_something_else(
    name: str, months: Mapping[str, Month], feeds: Mapping[str, Feed]
) -> None:
    feed, month = feeds[name], months[name]
    for life in month.lives[:RECORDS]:
        once = life.with_data(month.system.mend(life))
        twice = once.with_data(month.system.mend(once))
        assert life.data != once.data != twice.data
        for mended in (once, twice):
            assert check_envelope(feed, feed.envelope.validate_python(event_of(name, mended))) == []


@pytest.mark.parametrize("name", FEEDS)
def test_strangers_and_other_centuries_are_valid_and_refused_by_rule(
    name: str, months: Mapping[str, Month], feeds: Mapping[str, Feed], profile: Profile
) -> None:
    feed, month = feeds[name], months[name]
    lives = month.lives[:RECORDS]
    wrong = {
        "unknown_reporter": [month.system.estrange(life) for life in lives],
        "implausible_date": [month.system.misdate(life, year) for life in lives for year in (1900, 2099)],
    }
    for rule, changed in wrong.items():
        refused = parsed(feed, profile, changed).rejections
        assert [rejection.reasons[0].rule for rejection in refused] == [rule] * len(changed)


@pytest.mark.parametrize("name", FEEDS)
def test_a_leap_day_is_moved_to_a_day_that_there_is(name: str, months: Mapping[str, Month]) -> None:
    """1900 and 2099 have no 29 February."""
    system, life = months[name].system, months[name].lives[0]
    leap = {
        field: re.sub(r"^\d{4}-\d{2}-\d{2}", "2024-02-29", value) if isinstance(value, str) else value
        for field, value in life.data.items()
    }
    for year in (1900, 2099):
        moved = system.misdate(life.with_data(leap), year).data
        days = [value[:10] for value in moved.values() if isinstance(value, str) and value.startswith(f"{year}-")]
        assert days and all(date.fromisoformat(day).year == year for day in days)


@pytest.mark.parametrize("name", FEEDS)
def test_the_same_seed_makes_the_same_month(name: str, build: Build) -> None:
    first, again, other = (
        Month(build(name, seed)).run(300 if name in BY_CHANCE else 0, days=5).events for seed in (5, 5, 6)
    )
    assert first == again
    assert first != other


def test_late_records_count_on_their_own_day(build: Build, feeds: Mapping[str, Feed]) -> None:
    for name in FEEDS:
        feed, system = feeds[name], build(name, 4)
        for tick in range(0, 48, 3):
            life = system.create(date(2024, 9, 27), tick)
            assert check_envelope(feed, feed.envelope.validate_python(event_of(name, life))) == []
            while (step := system.follow(life, FIRST_DAY)) is not None:
                data = step.change(life, FIRST_DAY)
                if data is None:
                    break
                life.data, life.revision = data, life.revision + 1
                assert check_envelope(feed, feed.envelope.validate_python(event_of(name, life))) == []


def test_a_province_of_few_feeds_is_simulated_by_its_data_alone(feeds: Mapping[str, Feed]) -> None:
    profile = load_profile(PROFILES / "bac_lieu")
    province = Province(profile)
    events = [*province.register(), *(one for _ in range(30) for one in province.tick(60))]
    assert {one.feed for one in events} - {REGISTER_FEED} == {r.feed for r in profile.reporters} & (BY_CHANCE | DAILY)
    for one in events:
        if one.outcome is not ExpectedOutcome.REJECTED:
            assert check_envelope(feeds[one.feed], feeds[one.feed].envelope.validate_python(one.event)) == []
