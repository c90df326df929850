"""The simulated clock in Vietnam, an hour a tick: October 2024, or the days that are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone

HOURS = 24
# Vietnam has had one offset since 1975; a fixed one keeps the simulator free of time-zone data.
VIETNAM = timezone(timedelta(hours=7))

# Four whole weeks from a Friday, so that a short demo sees a weekend. Afterwards the month begins again.
FIRST_DAY = date(2024, 10, 4)
DAYS = 28


@dataclass(frozen=True)
class SimulatedSpan:
    """The days that are simulated; after the last one the first begins again."""

    first: date = FIRST_DAY
    days: int = DAYS

    def clock(self, hours: int) -> int:
        """Return the tick that it is when so many hours have passed."""
        return (self.first - FIRST_DAY).days * HOURS + hours % (self.days * HOURS)

    @property
    def end(self) -> date:
        """The day after the last."""
        return self.first + timedelta(days=self.days)


LIVE = SimulatedSpan()


def day_of(tick: int) -> date:
    """Business date of an hour's tick; tick 0 is the first hour of FIRST_DAY."""
    return FIRST_DAY + timedelta(days=tick // HOURS)


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
