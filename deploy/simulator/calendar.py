"""The simulated clock: October 2024 in Vietnam, an hour a tick."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone

HOURS = 24
# Vietnam has had one offset since 1975; a fixed one keeps the simulator free of time-zone data.
VIETNAM = timezone(timedelta(hours=7))

# Four whole weeks from a Friday, so that a short demo sees a weekend. Afterwards the month begins again.
FIRST_DAY = date(2024, 10, 4)
DAYS = 28


def day_of(tick: int) -> date:
    """Business date of an hour's tick."""
    return FIRST_DAY + timedelta(days=tick // HOURS % DAYS)


def hour_of(tick: int) -> int:
    """Hour of the day, 0 to 23."""
    return tick % HOURS


def moment_of(tick: int, second: int) -> datetime:
    """A moment within the tick; `second` from 0 to 3599."""
    start = datetime.combine(day_of(tick), time(hour_of(tick)), tzinfo=VIETNAM)
    return start + timedelta(seconds=second)


def is_weekend(day: date) -> bool:
    """Whether the night that follows is one of the two that fill the beaches."""
    return day.weekday() in (4, 5)
