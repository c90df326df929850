"""What makes a year beside its hours: seasons, outbreaks of diseases, reporters that fall silent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from deploy.simulator.calendar import SimulatedSpan
from deploy.simulator.season import Outbreak, outbreaks_of, season_of
from ioc.province.reporter import Reporter

# Of all reporters, how many fall silent once in the span, and for how many days.
_SILENT = 0.08
_SILENT_DAYS = (3, 21)


@dataclass(frozen=True)
class Silence:
    """A reporter of which nothing comes from `first` to `last`; what happens there meanwhile is never told."""

    feed: str
    reporter: str
    first: date
    last: date

    def covers(self, day: date) -> bool:
        """Whether nothing comes on a day."""
        return self.first <= day <= self.last


@dataclass(frozen=True)
class SimulatedYear:
    """The course of a year; without arguments every day is a usual one."""

    season: Callable[[str, date], float] = lambda feed, day: 1.0
    outbreaks: Sequence[Outbreak] = ()
    silences: Sequence[Silence] = ()


USUAL = SimulatedYear()


def plausible_year(span: SimulatedSpan, reporters: Sequence[Reporter], *, seed: int) -> SimulatedYear:
    """Return the year of a span: the same for the same seed and reporters."""
    random = Random(f"{seed}/silence")
    silences = []
    for reporter in sorted(reporters, key=lambda one: (one.feed, one.code)):
        if random.random() < _SILENT:
            days = min(random.randint(*_SILENT_DAYS), span.days)
            first = span.first + timedelta(days=random.randrange(max(1, span.days - days)))
            silences.append(Silence(reporter.feed, reporter.code, first, first + timedelta(days=days - 1)))
    return SimulatedYear(season_of, outbreaks_of(span.first, span.days), tuple(silences))
