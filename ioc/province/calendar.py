"""Business days of the province: weekends, public holidays, Tết, and weekends that are worked in exchange.

The days come from the library `holidays` (Bộ luật Lao động 2019, Điều 112, and each year's decision on days that are
exchanged); a profile's `holidays.csv` adds what the province knows better.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import holidays

from ioc.table import Problems, is_there, read_rows

COUNTRY = "VN"
YEARS = range(2015, 2041)
OFFICE_OPENS, OFFICE_CLOSES = time(7, 30), time(17, 0)
_COLUMNS = ("day", "worked", "name_vi", "name_en", "source")
_SATURDAY = 5


@dataclass(frozen=True)
class Holiday:
    """A day that is not as its weekday says; `worked`: a weekend day that is worked in exchange for another."""

    day: date
    worked: bool
    name_vi: str
    name_en: str
    source: str


class BusinessCalendar:
    """Which days are worked."""

    def __init__(self, days: Iterable[Holiday] = ()) -> None:
        self.days: Mapping[date, Holiday] = {holiday.day: holiday for holiday in days}

    def is_holiday(self, day: date) -> bool:
        """Whether a day is a public holiday, or off in exchange for a weekend; a plain weekend is none."""
        found = self.days.get(day)
        return found is not None and not found.worked

    def is_working(self, day: date) -> bool:
        """Whether offices work on a day."""
        found = self.days.get(day)
        return found.worked if found is not None else day.weekday() < _SATURDAY

    def add(self, day: date, days: int, *, working: bool) -> date:
        """Return the day that lies `days` days, or business days, after `day`; of 0 business days, the next one worked.

        Friday and 1 business day is Monday; a Saturday and 0 business days is Monday too.
        """
        if not working:
            return day + timedelta(days=days)
        found = day
        left = days
        while left or not self.is_working(found):
            found += timedelta(days=1)
            left -= left > 0 and self.is_working(found)
        return found

    def worked_between(self, start: datetime, end: datetime, zone: ZoneInfo) -> timedelta:
        """Return how much office time (07:30 to 17:00 of business days) lies between two moments."""
        total = timedelta()
        day = start.astimezone(zone).date()
        while day <= end.astimezone(zone).date():
            if self.is_working(day):
                opens = datetime.combine(day, OFFICE_OPENS, zone)
                closes = datetime.combine(day, OFFICE_CLOSES, zone)
                total += max(min(end, closes) - max(start, opens), timedelta())
            day += timedelta(days=1)
        return total

    def business_time(self, start: datetime, end: datetime, zone: ZoneInfo) -> timedelta:
        """Return how much of the time between two moments lies on business days, all 24 hours of them."""
        total = timedelta()
        moment = start
        while moment < end:
            day = moment.astimezone(zone).date()
            following = min(datetime.combine(day + timedelta(days=1), time(), zone), end)
            if self.is_working(day):
                total += following - moment
            moment = following
        return total


def load_calendar(profile: Path, problems: Problems | None = None) -> BusinessCalendar:
    """Return the country's days, with those of a profile's `holidays.csv` in their place where there is one.

    Raises ConfigError naming file, row and column.
    """
    vietnamese = holidays.country_holidays(COUNTRY, years=YEARS, language="vi")
    english = holidays.country_holidays(COUNTRY, years=YEARS, language="en_US")
    source = "holidays (PyPI)"
    days = {day: Holiday(day, False, name, english.get(day) or name, source) for day, name in vietnamese.items()}
    for day in getattr(vietnamese, "weekend_workdays", ()):
        days[day] = Holiday(day, True, "Làm bù", "Worked in exchange for a day off", source)
    path = profile / "holidays.csv"
    own = problems or Problems()
    if is_there(path):
        for row in read_rows(path, _COLUMNS, own):
            row.required("day")
            worked = row.choice("worked", ("yes", "no")) == "yes"
            found = row.day("day")
            if found is not None:
                names = (row.required("name_vi"), row.required("name_en"), row.required("source"))
                days[found] = Holiday(found, worked, *names)
    if problems is None:
        own.raise_if_any()
    return BusinessCalendar(days[day] for day in sorted(days))
