"""The state of the feeds, and which of the reporters that are due on a day have reported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import psycopg
from psycopg import sql
from psycopg.rows import class_row, dict_row

from ioc.feeds.feed import Feed
from ioc.province.calendar import BusinessCalendar
from ioc.province.deadline import Deadlines
from ioc.territory.area import AreaTree
from sql import load_queries
from streams.status.judged import RollCall
from streams.status.plan import JudgedUnits


class _Registered(NamedTuple):
    code: str
    name: str
    area_code: str


@dataclass(frozen=True)
class FeedState:
    """A feed at a moment: when its newest accepted record was received, and its account of the last hour and week."""

    key: str
    sector: str
    name_vi: str
    name_en: str
    cadence: timedelta
    newest_at: datetime | None
    consumed: int
    accepted: int
    rejected: int
    week_consumed: int
    week_rejected: int
    last_at: datetime | None

    def silence(
        self, now: datetime, calendar: BusinessCalendar, deadlines: Deadlines, zone: ZoneInfo
    ) -> timedelta | None:
        """Return for how long nothing usable has come, without days off where the feed has none; None = never.

        Rejected events are none: a feed that sends only those is silent.
        """
        if self.newest_at is None:
            return None
        if deadlines.rests_on_holidays(self.key):
            return calendar.business_time(self.newest_at, now, zone)
        return now - self.newest_at

    @property
    def is_begun(self) -> bool:
        """Whether anything has ever come, accepted or not."""
        return self.last_at is not None


@dataclass(frozen=True)
class Missing:
    """A reporter that has not reported a day."""

    code: str
    name: str
    area_id: int


class FeedReader:
    """Reads over a connection that the caller keeps."""

    def __init__(self, connection: psycopg.Connection, feeds: Mapping[str, Feed], areas: AreaTree) -> None:
        self._connection = connection
        self._feeds = feeds
        self._areas = areas
        self._queries = load_queries("status")

    def states(self, now: datetime) -> dict[str, FeedState]:
        """Return all feeds by key."""
        cursor = self._connection.cursor(row_factory=class_row(FeedState))
        rows = cursor.execute(self._queries["select_feed_states"].encode(), {"now": now}).fetchall()
        return {state.key: state for state in rows}

    def rejections(self, feed: str, now: datetime) -> list[dict[str, Any]]:
        """Return the rules that a feed's events of the last hour broke, most frequent first."""
        cursor = self._connection.cursor(row_factory=dict_row)
        statement = self._queries["select_rejection_rules"].encode()
        return cursor.execute(statement, {"feed": feed, "now": now}).fetchall()

    def roll_call(
        self, feed: str, day: date, deadlines: Deadlines, ground: JudgedUnits
    ) -> tuple[RollCall, tuple[Missing, ...]] | None:
        """Return who is due and who has reported a day, by area, and the missing by name; None if none is due."""
        duties = deadlines.duties(feed)
        cursor = self._connection.cursor(row_factory=class_row(_Registered))
        rows = cursor.execute(self._queries["select_registered"], {"feed": feed, "day": day})
        due = [row for row in rows if any(fnmatchcase(row.code, duty.reporter) for duty in duties)]
        if not due:
            return None
        said = self._said(self._feeds[feed], day)
        counts = np.zeros((2, len(ground.areas)), dtype=np.int32)
        missing = []
        for reporter in due:
            area = self._areas.find(reporter.area_code, day)
            if area is None:
                continue
            rows_of = [ground.index[one] for one in self._areas.chain(area.area_id) if one in ground.index]
            counts[0, rows_of] += 1
            if reporter.code in said:
                counts[1, rows_of] += 1
            else:
                missing.append(Missing(reporter.code, reporter.name, area.area_id))
        return RollCall(counts[0], counts[1]), tuple(missing)

    def _said(self, feed: Feed, day: date) -> frozenset[str]:
        """Return the reporters with a record of the day in force; only chunks around the day are read."""
        statement = sql.SQL(
            "SELECT DISTINCT reporter FROM {table} WHERE effective_on = %(day)s "
            "AND effective_at >= %(day)s::date - 1 AND effective_at < %(day)s::date + 2"
        ).format(table=sql.Identifier(feed.table))
        return frozenset(code for (code,) in self._connection.execute(statement, {"day": day}).fetchall())


def silent_feeds(
    states: Iterable[FeedState], now: datetime, calendar: BusinessCalendar, deadlines: Deadlines, zone: ZoneInfo
) -> frozenset[str]:
    """Return the feeds that have been silent for longer than their cadence, or have never sent anything usable."""
    found = set()
    for state in states:
        silence = state.silence(now, calendar, deadlines, zone)
        if silence is None or silence > state.cadence:
            found.add(state.key)
    return frozenset(found)


def days_to_call(today: date) -> Sequence[date]:
    """Return the days whose roll-call can still matter for what is judged."""
    return [today - timedelta(days=n) for n in (1, 2)]
