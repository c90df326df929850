"""By when a period's reports are due: `deadlines.csv` of a profile, by feed, cadence and reporter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from zoneinfo import ZoneInfo

from ioc.catalogue.indicator import CADENCES, REPORT_PERIODS
from ioc.feeds.feed import Feed
from ioc.period import end_of, start_of
from ioc.province.calendar import BusinessCalendar
from ioc.table import Problems, is_there, read_rows

ANY = "*"
_COLUMNS = ("feed", "cadence", "reporter", "duty", "days", "working", "due_at", "basis")
_LONGEST = timedelta(days=2 * 366)
# Cadences shorter than a day: their figures are kept by the day.
_PERIODS: Mapping[str, str] = {**REPORT_PERIODS, "realtime": "day", "hourly": "day"}


_BY_LENGTH = (
    ("yearly", timedelta(days=300)),
    ("quarterly", timedelta(days=80)),
    ("monthly", timedelta(days=25)),
    ("weekly", timedelta(days=6)),
    ("daily", timedelta(hours=12)),
    ("hourly", timedelta(0)),
)


@dataclass(frozen=True)
class Deadline:
    """One row. `duty`: each registered reporter of the feed must report each period, even where it has nothing to say.

    `days` after the period's last day, at `due_at` local time; of business days where `working`.
    """

    feed: str
    cadence: str
    reporter: str
    duty: bool
    days: int
    working: bool
    due_at: time
    basis: str


# What holds where deadlines.csv says nothing: figures of a day by the next morning, of a longer period soon after it.
_DEFAULTS = (
    *(Deadline(ANY, cadence, ANY, False, 1, False, time(2), "default") for cadence in ("realtime", "hourly", "daily")),
    Deadline(ANY, "weekly", ANY, False, 3, True, time(17), "default"),
    Deadline(ANY, "monthly", ANY, False, 6, False, time(17), "default"),
    Deadline(ANY, "quarterly", ANY, False, 6, False, time(17), "default"),
    Deadline(ANY, "yearly", ANY, False, 90, False, time(17), "default"),
)


class Deadlines:
    """All rows; the most exact one that fits counts: reporter before feed before cadence alone.

    Of two patterns that fit a reporter, the one that names more of it: `A-1` before `A-*`.
    """

    def __init__(self, rows: Iterable[Deadline], calendar: BusinessCalendar, zone: ZoneInfo) -> None:
        self.rows = tuple(rows)
        self._all = (*self.rows, *_DEFAULTS)
        self._calendar = calendar
        self._zone = zone

    def find(self, feed: str, cadence: str, reporter: str = ANY) -> Deadline:
        """Return the row that holds for a feed's reports of a cadence by one reporter."""
        fitting = [
            row
            for row in self._all
            if row.cadence == cadence and row.feed in (feed, ANY) and fnmatchcase(reporter, row.reporter)
        ]
        return max(fitting, key=lambda row: (row.reporter != ANY, len(row.reporter.replace(ANY, "")), row.feed != ANY))

    def due(self, row: Deadline, bucket: date) -> datetime:
        """Return by when the reports of the period that begins on `bucket` are due."""
        last = end_of(_PERIODS[row.cadence], bucket)
        return datetime.combine(self._calendar.add(last, row.days, working=row.working), row.due_at, self._zone)

    def of_reporter(self, feed: str, reporter: str, cadence: timedelta) -> tuple[Deadline, ...]:
        """Return the rows that hold for a reporter of a feed, a row a cadence that the profile tells of this feed.

        Where it tells none, the default of the feed's own cadence.
        """
        told = dict.fromkeys(row.cadence for row in self.rows if row.feed == feed)
        cadences = [*told] or [next(name for name, least in _BY_LENGTH if cadence >= least)]
        return tuple(self.find(feed, name, reporter) for name in cadences)

    def next_due(self, row: Deadline, now: datetime) -> datetime:
        """Return the first moment after `now` at which reports of a row are due."""
        period = _PERIODS[row.cadence]
        # A report is due long after its period at most: 366 days, and the holidays among business days.
        bucket = start_of(period, (now - _LONGEST).astimezone(self._zone).date())
        while (due := self.due(row, bucket)) <= now:
            bucket = end_of(period, bucket) + timedelta(days=1)
        return due

    def duties(self, feed: str) -> tuple[Deadline, ...]:
        """Return the rows by which each registered reporter of a feed must report."""
        return tuple(row for row in self.rows if row.feed == feed and row.duty)

    def rests_on_holidays(self, feed: str) -> bool:
        """Whether the feed comes on business days only: its silence over a weekend, or Tết, says nothing."""
        return any(row.feed == feed and row.working for row in self.rows)


def load_deadlines(profile: Path, feeds: Mapping[str, Feed], calendar: BusinessCalendar, zone: ZoneInfo) -> Deadlines:
    """Read a profile's `deadlines.csv`; where there is none, only defaults hold.

    Raises ConfigError naming file, row and column.
    """
    path = profile / "deadlines.csv"
    problems = Problems()
    rows: list[Deadline] = []
    seen: set[tuple[str, str, str]] = set()
    if is_there(path):
        for row in read_rows(path, _COLUMNS, problems):
            feed = row.choice("feed", (ANY, *feeds))
            key = (feed, row.choice("cadence", CADENCES), row.required("reporter"))
            if key in seen:
                row.complain(
                    "feed",
                    "có hai dòng cùng cadence và reporter; giữ một · is there twice with this cadence and reporter",
                )
            seen.add(key)
            duty, working = (row.choice(column, ("yes", "no")) == "yes" for column in ("duty", "working"))
            if duty and feed == ANY:
                row.complain(
                    "duty",
                    "phải là no khi feed là * · must be no where feed is *: a duty to report is that of one feed",
                )
            days = row.integer("days")
            if days is None or not 0 <= days <= 366:
                row.complain("days", "phải là số từ 0 đến 366 · must be a number from 0 to 366")
            try:
                due_at = time.fromisoformat(row.text("due_at"))
            except ValueError:
                row.complain(
                    "due_at", f"{row.text('due_at')!r} không phải giờ; viết 17:00 · is not a time; write it as 17:00"
                )
                due_at = time()
            rows.append(Deadline(*key, duty, days or 0, working, due_at, row.required("basis")))
    problems.raise_if_any()
    return Deadlines(rows, calendar, zone)
