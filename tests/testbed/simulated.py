"""A month of one simulated system by itself: records at the month's pace, what it does with them, and no faults."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from deploy.simulator.calendar import DAYS, HOURS, day_of, hour_of
from deploy.simulator.ledger import ExpectedOutcome, Outgoing
from deploy.simulator.record import Life, System
from ioc.feeds.feed import Feed
from ioc.province.profile import Profile
from streams.rules.batch import ParsedBatch
from testbed import feed_event
from testbed.pipeline import make_parser

_NOW = datetime(2024, 11, 1, tzinfo=UTC)


@dataclass
class Month:
    """A simulated month.

    lives:  the records as they stand at its end.
    events: all revisions, in order, and in `days` the day on which each was made.
    """

    system: System
    lives: list[Life] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    days: list[str] = field(default_factory=list)
    _due: list[tuple[int, int, Life, Any]] = field(default_factory=list)
    _waiting: int = 0

    def run(self, records: int, days: int = DAYS) -> Month:
        """Make as many records, and whatever the system sends by its calendar, and follow each to the last day."""
        loads = [self.system.habit.of(tick) for tick in range(days * HOURS)]
        made = 0.0
        for tick, load in enumerate(loads):
            if hour_of(tick) == 0:
                for hour, make in self.system.schedule(day_of(tick)):
                    self._put(tick + hour, None, make)
            while self._due and self._due[0][0] <= tick:
                _, _, life, make = heapq.heappop(self._due)
                if life is None:
                    self._enter(make(), tick)
                elif (data := make(life, day_of(tick))) is not None:
                    self._revise(life, data, tick)
            before, made = int(made), made + records * load / sum(loads)
            for _ in range(int(made) - before):
                self._enter(self.system.create(day_of(tick), tick), tick)
        return self

    def _enter(self, life: Life, tick: int) -> None:
        self.lives.append(life)
        self._revise(life, life.data, tick)

    def _revise(self, life: Life, data: dict[str, Any], tick: int) -> None:
        life.revision, life.data = life.revision + 1, data
        self.events.append(event_of(self.system.feed, life))
        self.days.append(day_of(tick).isoformat())
        if (step := self.system.follow(life, day_of(tick))) is not None:
            self._put(tick + step.hours, life, step.change)

    def _put(self, tick: int, life: Life | None, make: Any) -> None:
        self._waiting += 1
        heapq.heappush(self._due, (tick, self._waiting, life, make))


def winning(outgoing: Iterable[Outgoing]) -> list[dict[str, Any]]:
    """The events that stand when all of a province's have arrived: of each record the highest revision, voids gone."""
    last: dict[str, dict[str, Any]] = {}
    for one in outgoing:
        if one.outcome in (ExpectedOutcome.NEW, ExpectedOutcome.CORRECTED):
            last[one.event["subject"]] = one.event
        elif one.outcome is ExpectedOutcome.VOIDED:
            last.pop(one.event["subject"], None)
    return list(last.values())


def event_of(feed: str, life: Life) -> dict[str, Any]:
    """The event of a record as it stands."""
    return feed_event.event(feed, life.reporter, life.key, max(1, life.revision), life.data)


def parsed(feed: Feed, profile: Profile, lives: Iterable[Life]) -> ParsedBatch:
    """The records as an agent reads them on the day after the month: enriched, derived, or refused."""
    return parsed_events(feed, profile, (event_of(feed.key, life) for life in lives))


def parsed_events(feed: Feed, profile: Profile, events: Iterable[dict[str, Any]]) -> ParsedBatch:
    """The same of events."""
    return make_parser(feed, profile).parse(feed.topic(), 0, feed_event.records(events), now=_NOW)
