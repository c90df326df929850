"""Which period of each indicator is judged, whether it is too old, and whether its reports are in."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from ioc.catalogue import Indicator
from ioc.catalogue.edition import Edition
from ioc.catalogue.indicator import REPORT_FEED
from ioc.period import end_of, start_of
from ioc.province.calendar import BusinessCalendar
from ioc.province.deadline import Deadlines
from streams.rules.quality import LIMITS
from streams.rules.status import is_outdated
from streams.status.plan import Member

# How far back the newest figure is looked for, in days.
LOOK_BACK: Mapping[str, int] = {"day": 45, "week": 100, "month": 430, "quarter": 560, "year": 1100}
_EARLIER = 3  # periods that may still wait for their deadline

Counts = NDArray[np.int32]


@dataclass(frozen=True)
class RollCall:
    """Of one feed and day: by area (rows of the ground) how many reporters are due, and how many have reported."""

    due: Counts
    reported: Counts

    @property
    def is_complete(self) -> bool:
        """Whether everybody in the province has reported."""
        return bool(self.due[0] > 0 and self.reported[0] >= self.due[0])


@dataclass(frozen=True)
class PassMoment:
    """What a pass knows beside figures, all of it passed in.

    now:     the clock.
    business_now: the same as the province's business sees it; a simulated province has it in the past.
    today:   its day.
    silent:  feeds whose newest accepted record is older than their cadence, or that have never sent.
    calls:   (feed, day) -> roll-call, of feeds whose reporters must report.
    reports: indicator -> newest period that an agency has reported, and the agency.
    """

    now: datetime
    business_now: datetime
    today: date
    silent: Collection[str] = frozenset()
    calls: Mapping[tuple[str, date], RollCall] = field(default_factory=dict)
    reports: Mapping[str, tuple[date, str]] = field(default_factory=dict)


class PeriodJudge:
    """Says of each indicator which period counts; one for a pass."""

    def __init__(self, edition: Edition, deadlines: Deadlines, calendar: BusinessCalendar, moment: PassMoment) -> None:
        self._calendar = calendar
        self._edition = edition
        self._deadlines = deadlines
        self._moment = moment
        self._now = moment.business_now
        self._buckets: dict[tuple[str, tuple[str, ...], str], date] = {}

    def newest_over(self, period: str) -> date:
        """Return the newest period that is over."""
        return start_of(period, start_of(period, self._moment.today) - timedelta(days=1))

    def bucket(self, member: Member, period: str) -> date:
        """Return the newest period that is over, and whose reports are all in or overdue."""
        indicator = member.indicator
        key = (indicator.cadence, member.feeds, period)
        found = self._buckets.get(key)
        if found is None:
            found = self.newest_over(period)
            for _ in range(_EARLIER):
                if self._is_past(indicator, member.feeds, period, found) or self._is_in(member.feeds, found, period):
                    break
                found = start_of(period, found - timedelta(days=1))
            self._buckets[key] = found
        return found

    def _is_past(self, indicator: Indicator, feeds: tuple[str, ...], period: str, bucket: date) -> bool:
        """Whether the deadlines of all feeds have passed."""
        rows = [self._deadlines.find(feed, indicator.cadence) for feed in feeds]
        return all(self._deadlines.due(row, bucket) <= self._now for row in rows)

    def _is_in(self, feeds: tuple[str, ...], bucket: date, period: str) -> bool:
        """Whether each feed has a complete roll-call of the period."""
        calls = [self._moment.calls.get((feed, bucket)) for feed in feeds]
        return period == "day" and bool(calls) and all(call is not None and call.is_complete for call in calls)

    def silent_feed(self, member: Member) -> str | None:
        """Return a silent feed that the indicator is computed from; what agencies report is asked one by one."""
        return next((feed for feed in member.feeds if feed in self._moment.silent and feed != REPORT_FEED), None)

    def reports(self, member: Member) -> tuple[int, int, str | None]:
        """Return how many of the reports that the figure needs are in, of how many, and the agency at fault.

        A yearly number of inhabitants beneath a monthly rate is asked for by its own year.
        """
        missing: str | None = None
        reported = 0
        for code in member.reported:
            indicator = self._edition.indicators[code]
            period = LIMITS[indicator.cadence].period
            own = Member(indicator, 0, (REPORT_FEED,), (code,))
            last = self._moment.reports.get(code)
            if last is not None and last[0] >= self.bucket(own, period):
                reported += 1
            else:
                missing = f"{REPORT_FEED}:{last[1] if last else indicator.owners[0]}"
        return reported, len(member.reported), missing

    def is_report_outdated(self, member: Member) -> bool:
        """Whether a report that the figure needs is older than its cadence allows."""
        for code in member.reported:
            indicator = self._edition.indicators[code]
            last = self._moment.reports.get(code)
            period = LIMITS[indicator.cadence].period
            if last is None or self._is_old(indicator, (REPORT_FEED,), period, last[0]):
                return True
        return False

    def is_outdated(self, member: Member, period: str, bucket: date) -> bool:
        """Whether the newest figure is older than its cadence allows."""
        return self._is_old(member.indicator, member.feeds, period, bucket)

    def _is_old(self, indicator: Indicator, feeds: tuple[str, ...], period: str, bucket: date) -> bool:
        rests = any(self._deadlines.rests_on_holidays(feed) for feed in feeds)
        return is_outdated(indicator.cadence, period, bucket, self._moment.today, self._calendar, rests=rests)

    def call(self, member: Member, bucket: date, period: str) -> RollCall | None:
        """Return the roll-calls of the figure's feeds together; None where no reporter is expected by name."""
        if period != "day":
            return None
        calls = [call for feed in member.feeds if (call := self._moment.calls.get((feed, bucket))) is not None]
        if not calls:
            return None
        return RollCall(
            np.sum([call.due for call in calls], axis=0, dtype=np.int32),
            np.sum([call.reported for call in calls], axis=0, dtype=np.int32),
        )


def oldest_looked_at(period: str, today: date) -> date:
    """Return the oldest period in which a newest figure is looked for."""
    return start_of(period, today - timedelta(days=LOOK_BACK[period]))


def last_day(period: str, bucket: date, today: date) -> date:
    """Return the last business day that the figure of a period holds."""
    return min(end_of(period, bucket), today - timedelta(days=1))
