"""Keeping the statuses current: a full pass from time to time, and in between only what events have changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg

from ioc.catalogue.store import load_editions, load_measures, read_epoch
from ioc.errors import CatalogueChangedError
from ioc.feeds.feed import Feed
from ioc.province.calendar import load_calendar
from ioc.province.deadline import load_deadlines
from ioc.province.profile import Profile
from ioc.province.target_store import load_in_force
from ioc.reading.business_day import business_now
from ioc.settings import Settings
from sql import load_queries
from streams.status.cases import CaseCounter
from streams.status.cells import FigureReader
from streams.status.evaluate import Evaluator
from streams.status.feeds import FeedReader, FeedState, Missing, days_to_call, silent_feeds
from streams.status.judged import PassMoment, RollCall
from streams.status.plan import ground_of, sectors_served
from streams.status.store import StatusStore, Written

_FULL = timedelta(minutes=5)  # deadlines pass, history is corrected, targets are set: all that no batch tells
_AGAIN = timedelta(seconds=20)  # a batch is folded a moment after it is stored, so that its sectors are looked at again
_FORGET = timedelta(hours=6)


@dataclass
class PassResult:
    """What a pass did."""

    written: Written
    sectors: frozenset[str] | None  # None = all
    moment: PassMoment
    states: Mapping[str, FeedState]
    missing: Mapping[tuple[str, date], tuple[Missing, ...]] = field(default_factory=dict)


class StatusService:
    """Statuses over a connection that the caller keeps, in autocommit mode; the clock is passed in."""

    def __init__(
        self, connection: psycopg.Connection, settings: Settings, profile: Profile, feeds: Mapping[str, Feed]
    ) -> None:
        self._connection = connection
        self._settings = settings
        self.profile = profile
        self.zone = ZoneInfo(profile.timezone)
        self.calendar = load_calendar(settings.profile)
        self.deadlines = load_deadlines(settings.profile, feeds, self.calendar, self.zone)
        self.editions = load_editions(connection)
        self.sectors = sectors_served(self.editions.live, feeds)
        self.feeds = FeedReader(connection, feeds, profile.areas)
        self.store = StatusStore(connection)
        self._evaluator: Evaluator | None = None
        self._day: date | None = None
        self._silent: frozenset[str] = frozenset()
        self._calls: dict[tuple[str, date], RollCall] = {}
        self._missing: dict[tuple[str, date], tuple[Missing, ...]] = {}
        self._full_at: datetime | None = None
        self._forgotten_at: datetime | None = None
        self._followed_at: datetime | None = None

    @property
    def evaluator(self) -> Evaluator:
        """What computes; there is one after the first pass."""
        assert self._evaluator is not None
        return self._evaluator

    def roll_calls(self) -> tuple[dict[tuple[str, date], RollCall], dict[tuple[str, date], tuple[Missing, ...]]]:
        """Return the roll-calls of the last pass, and who was missing."""
        return dict(self._calls), dict(self._missing)

    def business_now(self, now: datetime) -> datetime:
        """Return the clock as the province's business sees it."""
        return business_now(self._connection, self._settings, self.profile, now)

    def full(self, now: datetime, business_now: datetime | None = None, *, held: Collection[str] = ()) -> PassResult:
        """Judge everything anew."""
        return self._run(now, business_now or self.business_now(now), None, held)

    def follow(self, now: datetime, *, held: Collection[str] = ()) -> PassResult:
        """Judge what the events since the last pass have touched; everything, where time alone has changed something.

        held: feeds whose silence says nothing, because the pipeline behind them stands still.
        """
        business_now = self.business_now(now)
        day = business_now.astimezone(self.zone).date()
        if self._full_at is None or now - self._full_at >= _FULL or day != self._day or self._targets_changed():
            return self._run(now, business_now, None, held)
        assert self._followed_at is not None
        since = self._followed_at - _AGAIN
        rows = self._connection.execute(load_queries("status")["select_touched_feeds"], {"since": since}).fetchall()
        return self._run(now, business_now, frozenset(key for (key,) in rows), held)

    def _targets_changed(self) -> bool:
        return tuple(load_in_force(self._connection)) != self.evaluator.targets

    def _run(
        self, now: datetime, business_now: datetime, touched: frozenset[str] | None, held: Collection[str]
    ) -> PassResult:
        if read_epoch(self._connection) != self.editions.epoch:
            raise CatalogueChangedError("the catalogue has changed; the scheduler starts again with it")
        today = business_now.astimezone(self.zone).date()
        self._prepare(today, now, full=touched is None)
        states = self.feeds.states(now)
        silent = silent_feeds(states.values(), now, self.calendar, self.deadlines, self.zone) - frozenset(held)
        if held:
            silent |= self._silent & frozenset(held)  # what was silent before stays so
        self._call(today, touched)
        reader = FigureReader(self._connection, self.evaluator.ground)
        moment = PassMoment(now, business_now, today, silent, dict(self._calls), reader.last_reports(today))
        sectors = None if touched is None else self._sectors(touched | (silent ^ self._silent))
        written = Written()
        with self._connection.transaction():
            for block, frame in self.evaluator.run(reader, moment, sectors):
                self.store.write(block, frame, now, written)
            if touched is None:
                self.store.remove_gone(self.evaluator.ground.ids)
        self._silent, self._followed_at = silent, now
        if touched is None:
            self._full_at = now
        return PassResult(written, sectors, moment, states, dict(self._missing))

    def _prepare(self, today: date, now: datetime, *, full: bool) -> None:
        """Make the evaluator anew where day or targets have changed, and forget what it keeps of the past in time."""
        if full and (self._evaluator is None or today != self._day or self._targets_changed()):
            ground = ground_of(self.profile.areas, today)
            targets = load_in_force(self._connection)
            cases = CaseCounter(
                self.editions.live,
                load_measures(self._connection),
                {target.code for target in targets},
                self.profile.min_cases,
            )
            self._evaluator = Evaluator(self.editions.live, targets, ground, self.deadlines, self.calendar, cases)
            self._day, self._forgotten_at = today, now
        elif full and self._forgotten_at is not None and now - self._forgotten_at >= _FORGET:
            self.evaluator.forget_past()
            self._forgotten_at = now

    def _call(self, today: date, touched: frozenset[str] | None) -> None:
        """Call the roll of the last days, of the feeds that have moved."""
        days = days_to_call(today)
        if touched is None:
            self._calls.clear()
            self._missing.clear()
        for feed in sorted({row.feed for row in self.deadlines.rows if row.duty}):
            if touched is None or feed in touched:
                for day in days:
                    called = self.feeds.roll_call(feed, day, self.deadlines, self.evaluator.ground)
                    if called is not None:
                        self._calls[feed, day], self._missing[feed, day] = called

    def _sectors(self, feeds: frozenset[str]) -> frozenset[str]:
        """Return the sectors with figures that are computed from feeds."""
        return frozenset(
            block.sector
            for block in self.evaluator.blocks
            if any(not feeds.isdisjoint(member.feeds) for member in block.members)
        )
