"""Within a simulated month of modest volume, every event-driven indicator of a feed has something to count."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl
import pytest
from testbed.simulated import Month, parsed, parsed_events, winning

from deploy.simulator.calendar import DAYS, HOURS
from deploy.simulator.ledger import Outgoing
from deploy.simulator.province import Province
from deploy.simulator.record import System
from deploy.simulator.roster import ROSTER
from ioc.catalogue import Compiled, Measure, contribution_expr, member_expr
from ioc.feeds.feed import Feed
from ioc.province.profile import Profile
from ioc.province.reporter import REGISTER_FEED
from streams.rules.batch import ParsedBatch

# These show everything only where things go wrong: guests declared late, notices of errors.
FAULTY = ("tourism.stay", "tax.einvoice", REGISTER_FEED)
HOURLY = 12

# Records of the month that chance makes, beside what systems send by their calendar.
RECORDS = 1000
MORE_RECORDS = {
    "health.checkout": 2500,
    "vaccination.dose": 2500,
    "dossier.event": 3000,
    "feedback.ticket": 2000,
    "document.flow": 3000,
    "infosec.event": 2000,
    "app.usage": 2000,
}
VOLUMES = {
    entry.feed: MORE_RECORDS.get(entry.feed, RECORDS) if entry.share else 0
    for entry in ROSTER
    if entry.feed not in FAULTY
}


@pytest.fixture(scope="module")
def faulty_month(profile: Profile) -> list[Outgoing]:
    province = Province(profile, feeds=FAULTY)
    return province.register() + [one for _ in range(DAYS * HOURS) for one in province.tick(HOURLY)]


@pytest.mark.parametrize("name", FAULTY)
def test_every_measure_of_a_month_with_faults_counts_something(
    name: str, faulty_month: list[Outgoing], feeds: Mapping[str, Feed], profile: Profile, compiled: Compiled
) -> None:
    batch = parsed_events(feeds[name], profile, winning(one for one in faulty_month if one.feed == name))
    assert batch.rejections == ()
    assert idle(name, batch, compiled) == []


@pytest.mark.parametrize("feed", VOLUMES)
def test_every_measure_of_a_month_counts_something(
    feed: str, build: Callable[[str, int], System], feeds: Mapping[str, Feed], profile: Profile, compiled: Compiled
) -> None:
    month = Month(build(feed, 1)).run(VOLUMES[feed])
    batch = parsed(feeds[feed], profile, month.lives)
    assert batch.rejections == ()
    assert idle(feed, batch, compiled) == []


def idle(feed: str, batch: ParsedBatch, compiled: Compiled) -> list[Measure]:
    """Measures of a feed to which no record adds; raises AssertionError where the feed has none at all."""
    measures = compiled.of_feed(feed)
    assert measures
    return [measure for measure in measures if not counts(measure, batch.events)]


def counts(measure: Measure, events: pl.DataFrame) -> bool:
    """Whether any record adds to a measure."""
    if measure.kind == "distinct":
        return events.select(member_expr(measure)).to_series().is_not_null().any()
    return (events.select(contribution_expr(measure)).to_series() != 0).any()
