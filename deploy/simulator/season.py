"""What the days of a year do to a sector: the lunar New Year, summer, holidays, outbreaks; October is usual.

Shares are plausible, no measured figures. Dates of Tết: the Vietnamese lunar calendar.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

_TET = {
    2022: date(2022, 2, 1), 2023: date(2023, 1, 22), 2024: date(2024, 2, 10), 2025: date(2025, 1, 29),
    2026: date(2026, 2, 17), 2027: date(2027, 2, 6), 2028: date(2028, 1, 26),
}  # fmt: skip
# The free days: the eve and the five days after it; workers travel home for a week before.
_TET_FREE, _TET_BEFORE = (-1, 5), (-14, -2)
_HOLIDAYS = {(1, 1), (4, 30), (5, 1), (9, 2), (9, 3)}


@dataclass(frozen=True)
class Season:
    """How busy a sector is on a day, beside a usual one; 1 = as in October.

    by_month: January to December. tet: on the free days; before_tet: in the fortnight before. holiday: other holidays.
    """

    by_month: tuple[float, ...]
    tet: float
    before_tet: float
    holiday: float

    def of(self, day: date) -> float:
        """Return the share of a day."""
        usual = self.by_month[day.month - 1]
        since = (day - _TET[day.year]).days if day.year in _TET else None
        if since is not None and _TET_FREE[0] <= since <= _TET_FREE[1]:
            return usual * self.tet
        if since is not None and _TET_BEFORE[0] <= since <= _TET_BEFORE[1]:
            return usual * self.before_tet
        return usual * (self.holiday if (day.month, day.day) in _HOLIDAYS else 1.0)


_BEACH = Season((0.9, 1.1, 1.0, 1.15, 1.2, 1.5, 1.6, 1.35, 1.1, 1.0, 0.9, 1.0), tet=1.9, before_tet=0.6, holiday=1.8)
_TRADE = Season(
    (1.05, 0.95, 1.0, 1.0, 1.0, 1.05, 1.05, 1.0, 1.0, 1.0, 1.05, 1.2), tet=0.35, before_tet=1.35, holiday=0.8
)
_OFFICE = Season(
    (1.0, 0.8, 1.05, 1.0, 1.05, 1.05, 1.0, 1.0, 1.0, 1.0, 1.05, 1.15), tet=0.03, before_tet=0.9, holiday=0.05
)
_CLINIC = Season((1.05, 0.9, 1.0, 1.0, 1.0, 1.05, 1.1, 1.15, 1.1, 1.0, 1.05, 1.1), tet=0.4, before_tet=0.9, holiday=0.5)
_STEADY = Season((1.0,) * 12, tet=1.2, before_tet=1.0, holiday=1.1)
SEASONS: Mapping[str, Season] = {
    "tourism.stay": _BEACH,
    "tax.einvoice": _TRADE,
    "dossier.event": _OFFICE,
    "document.flow": _OFFICE,
    "feedback.ticket": _OFFICE,
    "health.checkout": _CLINIC,
    "health.record": _CLINIC,
    "vaccination.dose": _CLINIC,
}


def season_of(feed: str, day: date) -> float:
    """Return how busy a feed is on a day, beside a usual one."""
    return SEASONS.get(feed, _STEADY).of(day)


@dataclass(frozen=True)
class Outbreak:
    """Many come with one disease: `share` of all visits at its height, half as many in its first and last third."""

    disease: str
    first: date
    days: int
    share: float

    def of(self, day: date) -> float:
        """Return which share of a day's visits it makes."""
        since = (day - self.first).days
        if not 0 <= since < self.days:
            return 0.0
        return self.share if self.days <= 3 * since < 2 * self.days else self.share / 2


def outbreaks_of(first: date, days: int) -> tuple[Outbreak, ...]:
    """Return the outbreaks of the years that a span touches: measles in spring, dengue in the rains, and others."""
    return tuple(
        outbreak
        for year in range(first.year, (first + timedelta(days=days)).year + 1)
        for outbreak in (
            Outbreak("measles", date(year, 3, 11), 42, 0.03),
            Outbreak("hfmd", date(year, 5, 6), 49, 0.04),
            Outbreak("dengue", date(year, 7, 8), 84, 0.09),
            Outbreak("influenza", date(year, 12, 2), 28, 0.05),
        )
    )
