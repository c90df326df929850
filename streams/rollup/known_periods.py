"""Which periods are open before and after one fold."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import psycopg

from ioc.catalogue.opening import Bucket, OpenDays, OpenPeriods, buckets_of
from ioc.catalogue.sector import SectorPlan
from streams.rollup.cells import Touched


class KnownPeriods:
    """The open periods before and after one fold; each set of feeds is read once."""

    def __init__(
        self,
        connection: psycopg.Connection,
        touched: Touched,
        earlier: dict[tuple[frozenset[str], bool], OpenPeriods],
    ) -> None:
        """earlier: what was found for a fold before, by feeds and whether they carry; kept up to date here."""
        self._earlier = earlier
        self._days = OpenDays(connection)
        self._turned = touched.turned
        self._found: dict[frozenset[str], list[date]] = {}
        self._last = self._days.last()
        self._last_before = self._last
        turned = {day for days in touched.turned.values() for day in days}
        if turned and self._last is not None and max(turned) >= self._last:
            self._last_before = self._days.last_before(touched.turned)
        elif turned and self._last is None:
            self._last_before = max(turned)

    @property
    def moved(self) -> bool:
        """Whether the last day that anything is known of has moved."""
        return self._last != self._last_before

    def turns(self, plan: SectorPlan) -> bool:
        """Whether periods may have opened, shut or moved their last day for a sector."""
        return any(self._turned.get(feed) for feed in plan.flows | plan.opening) or (bool(plan.stocks) and self.moved)

    def after(self, plan: SectorPlan) -> OpenPeriods:
        """Return a sector's open periods as they are now."""
        days = self._found.get(plan.opening)
        if days is None:
            days = self._found[plan.opening] = self._days.of(plan.opening)
        # Most folds open and shut nothing: the periods of the fold before are the same, and need not be made again.
        carries = bool(plan.stocks)
        made = OpenPeriods(days, self._last if carries else None)
        known = self._earlier.get((plan.opening, carries))
        if known is None or known != made:
            known = self._earlier[plan.opening, carries] = made
        return known

    def before(self, plan: SectorPlan) -> OpenPeriods:
        """Return a sector's open periods as they were."""
        if not any(self._turned.get(feed) for feed in plan.opening) and not (plan.stocks and self.moved):
            return self.after(plan)
        return OpenPeriods(self._days.before(plan.opening, self._turned), self._last_before if plan.stocks else None)

    def turned(self, plan: SectorPlan) -> frozenset[Bucket]:
        """Return the periods in which one of a sector's feeds begins to count, or ceases: no figure becomes 0 there."""
        changed: frozenset[Bucket] = frozenset()
        for now, before in self._changes(plan):
            changed |= buckets_of(now) ^ buckets_of(before)
        return changed

    def begun(self, plan: SectorPlan) -> set[date]:
        """Return a day of each year in which the first day of one of a sector's feeds is another than before."""
        found: set[date] = set()
        for now, before in self._changes(plan):
            found |= _first_days(now) ^ _first_days(before)
        return found

    def _changes(self, plan: SectorPlan) -> Iterator[tuple[set[date], set[date]]]:
        feeds = [feed for feed in sorted(plan.flows | plan.opening) if self._turned.get(feed)]
        if not feeds:
            return
        days = self._days.by_feed(feeds)
        for feed in feeds:
            now = days.get(feed, set())
            yield now, now ^ set(self._turned[feed])


def _first_days(days: set[date]) -> set[date]:
    """Return the first of the days of each year."""
    years: dict[int, date] = {}
    for day in sorted(days):
        years.setdefault(day.year, day)
    return set(years.values())
