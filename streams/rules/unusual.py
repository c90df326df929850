"""Whether a figure lies far from its own past: the same weekday in the weeks before, and in the same season last year.

Robust: the median, and the median of the absolute deviations from it, which a few wild days do not move (Hampel 1974,
doi:10.1080/01621459.1974.10482962). A day off is not compared: low figures at Tết are usual. Weeks and months that hold
Tết, which moves between January and February, are compared with one another and with no others.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from ioc.period import end_of

Values = NDArray[np.float64]

LIMIT = 5.0  # robust standard deviations; 1 in 1.7 million of a normal past, and figures are not normal
LEAST = 6  # fewer known values are no past
LEAST_TET = 3  # of weeks and months with Tết, of which a year has one or two
_NORMAL = 1.4826
_RELATIVE = 0.05  # of the median: less is never far
_LEAST_POINTS = 0.2  # of a percentage whose past is 0: five times as much, one point, is far
_WEEKS_BEFORE = 8
_WEEKS_AROUND = 2
_YEAR = 364  # whole weeks, so that weekdays agree
_TET_RUN = 5  # public holidays in a row, in January or February, are Tết; 30 April and 1 May can be as many
_FEBRUARY = 2  # the lunar year begins between 21 January and 20 February
_TET_DAYS = 3  # of Tết in a week or a month make it one with Tết; its eve on 31 January does not
_TET_YEARS = 6  # so far back periods with Tết are looked for
# Of three to five values the median deviation is too small by so much (Croux and Rousseeuw 1992,
# doi:10.1007/978-3-662-26811-7_58: 1.495 of three).
_FEW = 1.5


@dataclass(frozen=True)
class Usual:
    """The past of a block of figures: median and scale, NaN where there is too little of it."""

    median: Values
    scale: Values

    def score(self, values: Values) -> Values:
        """Return the signed distance of figures from their past, in robust standard deviations."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray((values - self.median) / self.scale)


def past_buckets(period: str, bucket: date, is_off: Callable[[date], bool] = lambda _: False) -> list[date]:
    """Return the periods that a period is compared with, newest first; none for a day off.

    day, week: the eight before on the same weekday, and five around the same week a year ago, without days off;
    month, quarter, year: those of the same season in the three years before, and as many before as make a year.
    A week or month with Tết is compared with those with Tết of six years, any other with those without. Every first
    quarter and every year holds Tết.
    """
    if period == "day" and is_off(bucket):
        return []
    if holds_tet(period, bucket, is_off):
        return [one for one in _of_years_before(period, bucket) if holds_tet(period, one, is_off)]
    if period in ("day", "week"):
        before = [bucket - timedelta(weeks=n) for n in range(1, _WEEKS_BEFORE + 1)]
        last_year = bucket - timedelta(days=_YEAR)
        around = [last_year + timedelta(weeks=n) for n in range(_WEEKS_AROUND, -_WEEKS_AROUND - 1, -1)]
        found = before + around
        return [one for one in found if not (is_off(one) if period == "day" else holds_tet(period, one, is_off))]
    months = {"month": 1, "quarter": 3, "year": 12}[period]
    steps = {"month": 12, "quarter": 4, "year": 6}[period]
    chosen = {_months_before(bucket, months * n) for n in range(1, steps + 1)}
    chosen |= {_months_before(bucket, 12 * years) for years in (1, 2, 3)}
    return sorted((one for one in chosen if not holds_tet(period, one, is_off)), reverse=True)


def holds_tet(period: str, bucket: date, is_off: Callable[[date], bool]) -> bool:
    """Whether a week or month holds Tết: three days or more of five or more public holidays in a row, by February.

    In 2023 Tết was in January, in 2024 in February. Of Tết 2022, from 31 January to 4 February, January holds a day:
    it is a month without Tết.
    """
    if period not in ("week", "month"):
        return False
    length = (end_of(period, bucket) - bucket).days + 1
    days = (bucket + timedelta(days=n) for n in range(length))
    return sum(day.month <= _FEBRUARY and is_off(day) and _run(day, is_off) >= _TET_RUN for day in days) >= _TET_DAYS


def _run(day: date, is_off: Callable[[date], bool]) -> int:
    """Return how many days off in a row a day off is one of."""
    length = 1
    for step in (timedelta(days=-1), timedelta(days=1)):
        following = day + step
        while is_off(following) and length < _TET_RUN:
            length += 1
            following += step
    return length


def _of_years_before(period: str, bucket: date) -> list[date]:
    """Return the periods before one, newest first, as far back as Tết is looked for."""
    if period == "week":
        return [bucket - timedelta(weeks=n) for n in range(1, 53 * _TET_YEARS)]
    return [_months_before(bucket, n) for n in range(1, 12 * _TET_YEARS + 2)]


def usual_of(
    past: Values, *, counts: NDArray[np.bool_], percentages: NDArray[np.bool_] | None = None, least: int = LEAST
) -> Usual:
    """Return the past of a block.

    past:   periods x areas x indicators, NaN where there was no figure.
    counts: by indicator, whether it is a count: a count of 4 is as near to 2 as chance brings it, so that no count's
            scale is below the root of its median.
    percentages: by indicator, whether it is one: after weeks of 0 %, 0.1 % is not far.
    least:  so many known values are a past. Of fewer than six the deviations are taken half as large again.
    """
    known = np.isfinite(past).sum(axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # all NaN where nothing is known
        median = np.nanmedian(past, axis=0)
        spread = _NORMAL * np.nanmedian(np.abs(past - median), axis=0)
    spread = np.where(known < LEAST, _FEW * spread, spread)
    near = np.where(counts, np.sqrt(np.maximum(np.abs(median), 1.0)), 1e-9)
    if percentages is not None:
        near = np.where(percentages & (median == 0), np.maximum(near, _LEAST_POINTS), near)
    floor = np.maximum(_RELATIVE * np.abs(median), near)
    scale = np.maximum(spread, floor)
    enough = known >= least
    return Usual(np.where(enough, median, np.nan), np.where(enough, scale, np.nan))


def is_unusual(score: Values) -> NDArray[np.bool_]:
    """Return where a score lies beyond the limit."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.abs(score) >= LIMIT)


def _months_before(bucket: date, months: int) -> date:
    at = bucket.year * 12 + bucket.month - 1 - months
    return date(at // 12, at % 12 + 1, 1)
