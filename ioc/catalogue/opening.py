"""Which periods are open, and how far they go; no other module decides this.

A day is open where a feed has counted anything on it, anywhere in the province (`open_day`). A period is open where
one of its days is, for a sector that reads the feed. Where a sector has stocks, they are carried forward through
periods in which nothing happened: a running total of 7 in July is 7 in August. Days and weeks are carried for 7 days
after an open one, longer periods for as long as anything happens anywhere.

`streams.proof` has its own implementation of this rule, in SQL.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping
from datetime import date, timedelta
from functools import cached_property
from typing import NamedTuple

import psycopg
from psycopg.rows import class_row, scalar_row

from ioc.period import PERIODS, end_of, start_of
from sql import load_queries

CARRIED_DAYS = 7  # days and weeks without any event that still show stocks

Bucket = tuple[str, date]


class _FeedDay(NamedTuple):
    feed: str
    day: date


class OpenPeriods:
    """The periods of one sector in which there are figures.

    days:  the open days of the feeds that open its periods.
    until: the last day to which what stands is carried on; None where the sector has no stocks.
    """

    def __init__(self, days: Iterable[date], until: date | None = None) -> None:
        self.days = sorted(set(days))
        self._until = until if self.days else None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OpenPeriods) and (self.days, self._until) == (other.days, other._until)

    def __hash__(self) -> int:
        return hash((*self.days, self._until))

    @property
    def horizon(self) -> date:
        """The last business day that the sector knows of: its open periods go as far as that."""
        return self.days[-1] if self.days else date.min

    @property
    def carried_to(self) -> date:
        """The last day of all: of carried periods too."""
        return max(self.horizon, self._until) if self._until is not None else self.horizon

    @cached_property
    def buckets(self) -> frozenset[Bucket]:
        """Every period that has figures: its name and first day."""
        return buckets_of(self.days).union(self._carried())

    def end(self, period: str, bucket: date) -> date:
        """Return the last day that a period's figures speak of."""
        return min(end_of(period, bucket), self.horizon if bucket <= self.horizon else self.carried_to)

    def holds(self, period: str, bucket: date) -> bool:
        """Return whether a period has figures."""
        return (period, bucket) in self.buckets

    def _carried(self) -> Iterable[Bucket]:
        if self._until is None:
            return
        for period in PERIODS:
            bucket = start_of(period, self.days[0])
            while bucket <= self.carried_to:
                end = end_of(period, bucket)
                if period not in ("day", "week") or self._is_near(bucket):
                    yield period, bucket
                bucket = end + timedelta(days=1)

    def _is_near(self, bucket: date) -> bool:
        """Return whether a day or week begins so soon after an open day that it is carried."""
        before = bisect_right(self.days, bucket)
        return before > 0 and (bucket - self.days[before - 1]).days <= CARRIED_DAYS


def buckets_of(days: Iterable[date]) -> frozenset[Bucket]:
    """Return the periods in which days lie."""
    return frozenset((period, start_of(period, day)) for day in set(days) for period in PERIODS)


def changed_buckets(before: OpenPeriods, after: OpenPeriods, *, ends: bool) -> frozenset[Bucket]:
    """Return the periods that opened or shut, and with `ends` those whose last day moved."""
    if before is after:
        return frozenset()
    changed = before.buckets ^ after.buckets
    if not ends or (before.horizon, before.carried_to) == (after.horizon, after.carried_to):
        return changed
    moved = [day for one in (before, after) for day in (one.horizon, one.carried_to) if day != date.min]
    first, last = min(moved, default=date.max), max(moved, default=date.min)
    near = {
        (period, bucket)
        for period, bucket in before.buckets & after.buckets
        if bucket <= last
        and end_of(period, bucket) >= first
        and before.end(period, bucket) != after.end(period, bucket)
    }
    return changed | near


class OpenDays:
    """Reads the open days over a connection; with `turned`, also as they were before a fold."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._queries = load_queries("opening")

    def of(self, feeds: Collection[str]) -> list[date]:
        """Return the open days of feeds, in order."""
        return [day for (day,) in self._connection.execute(self._queries["select_open_days"], [sorted(feeds)])]

    def last(self) -> date | None:
        """Return the last open day of any feed."""
        cursor = self._connection.cursor(row_factory=scalar_row)
        last: date | None = cursor.execute(self._queries["select_last_day"]).fetchone()
        return last

    def by_feed(self, feeds: Collection[str]) -> dict[str, set[date]]:
        """Return the open days of each feed."""
        found: dict[str, set[date]] = {}
        cursor = self._connection.cursor(row_factory=class_row(_FeedDay))
        for row in cursor.execute(self._queries["select_days_by_feed"], {"feeds": sorted(feeds)}):
            found.setdefault(row.feed, set()).add(row.day)
        return found

    def before(self, feeds: Collection[str], turned: Mapping[str, Collection[date]]) -> set[date]:
        """Return the open days of feeds as they were before some days opened or shut."""
        now = self.by_feed(feeds)
        return set[date]().union(*(now.get(feed, set()) ^ set(turned.get(feed, ())) for feed in feeds))

    def last_before(self, turned: Mapping[str, Collection[date]]) -> date | None:
        """Return the last open day of any feed as it was before some days opened or shut."""
        pairs = [(feed, day) for feed, days in turned.items() for day in days]
        asked = {"feeds": [feed for feed, _ in pairs], "days": [day for _, day in pairs]}
        cursor = self._connection.cursor(row_factory=scalar_row)
        kept: date | None = cursor.execute(self._queries["select_last_but"], asked).fetchone()
        now = self.by_feed(turned)
        gone = [day for feed, day in pairs if day not in now.get(feed, set())]
        return max([*gone, *([kept] if kept else [])], default=None)

    def periods(self, opening: Collection[str], *, carries: bool) -> OpenPeriods:
        """Return a sector's open periods: of the feeds that open them, carried on where it has stocks."""
        return OpenPeriods(self.of(opening), self.last() if carries else None)
