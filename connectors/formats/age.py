"""Birth dates as sources tell them, and ages as bands: what leaves the connector in place of a birth date."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from connectors.formats.value import day_of
from ioc.period import end_of

_YEAR = re.compile(r"([0-9]{4})(?:-00-00|0000)?")
_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})(?:-00)?|([0-9]{1,2})/([0-9]{4})")
# Upper bounds (exclusive), in years.
_GROUPS = ((6, "under6"), (15, "6_14"), (25, "15_24"), (45, "25_44"), (60, "45_59"), (80, "60_79"))


@dataclass(frozen=True)
class Birth:
    """A birth date: the first and the last day that it may be, one day where it is told whole."""

    first: date
    last: date

    @property
    def exact(self) -> bool:
        """Whether the day is told."""
        return self.first == self.last

    @property
    def day(self) -> date:
        """The day, or the middle of the year or month that is told."""
        return self.first + (self.last - self.first) / 2


def birth_of(text: str, timezone: ZoneInfo) -> Birth:
    """Return the birth date that a text tells: a day, or a year or month alone (`1988`, `1988-05`, `05/1988`).

    Raises ValueError where it tells none.
    """
    if found := _YEAR.fullmatch(text):
        return Birth(date(int(found[1]), 1, 1), date(int(found[1]), 12, 31))
    if found := _MONTH.fullmatch(text):
        year, month = (found[1], found[2]) if found[1] else (found[4], found[3])
        first = date(int(year), int(month), 1)
        return Birth(first, end_of("month", first))
    day = day_of(text, timezone)
    return Birth(day, day)


def years_between(born: date, on: date) -> int:
    """Return the age in completed years on a day."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def age_group(years: int) -> str:
    """Return the band of the health feeds."""
    return next((name for below, name in _GROUPS if years < below), "80_plus")
