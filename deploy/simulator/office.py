"""Working days and hours of the administration: Monday to Friday; October has no public holiday."""

from __future__ import annotations

from datetime import date, timedelta

HOURS_A_DAY = 8
_WEEKEND = 5
_OPEN, _CLOSED = 7, 17


def is_office_day(day: date) -> bool:
    """Whether the offices are open on a day."""
    return day.weekday() < _WEEKEND


def is_office_time(day: date, hour: int) -> bool:
    """Whether the offices are open in an hour of a day."""
    return is_office_day(day) and _OPEN <= hour < _CLOSED


def after_office_days(day: date, count: int) -> date:
    """Return the day `count` working days after a day."""
    while count > 0:
        day += timedelta(days=1)
        count -= is_office_day(day)
    return day


def office_hours(first: date, last: date) -> int:
    """Return the working hours of the days after `first` up to `last`."""
    days = (first + timedelta(days=n) for n in range(1, (last - first).days + 1))
    return HOURS_A_DAY * sum(map(is_office_day, days))
