"""Whether a figure lies far from its own past: the same weekday in the weeks before, and in the same season last year.

Robust: the median, and the median of the absolute deviations from it, which a few wild days do not move (Hampel 1974,
doi:10.1080/01621459.1974.10482962). A day off is not compared: low figures at Tết are usual.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

LIMIT = 5.0  # robust standard deviations; 1 in 1.7 million of a normal past, and figures are not normal
LEAST = 6  # fewer known values are no past
_NORMAL = 1.4826
_RELATIVE = 0.05  # of the median: less is never far
_LEAST_POINTS = 0.2  # of a percentage whose past is 0: five times as much, one point, is far
_WEEKS_BEFORE = 8
_WEEKS_AROUND = 2
_YEAR = 364  # whole weeks, so that weekdays agree


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
    """
    if period in ("day", "week"):
        if period == "day" and is_off(bucket):
            return []
        before = [bucket - timedelta(weeks=n) for n in range(1, _WEEKS_BEFORE + 1)]
        last_year = bucket - timedelta(days=_YEAR)
        around = [last_year + timedelta(weeks=n) for n in range(_WEEKS_AROUND, -_WEEKS_AROUND - 1, -1)]
        return [day for day in before + around if period == "week" or not is_off(day)]
    months = {"month": 1, "quarter": 3, "year": 12}[period]
    steps = {"month": 12, "quarter": 4, "year": 6}[period]
    found = {_months_before(bucket, months * n) for n in range(1, steps + 1)}
    found |= {_months_before(bucket, 12 * years) for years in (1, 2, 3)}
    return sorted(found, reverse=True)


def usual_of(past: Values, *, counts: NDArray[np.bool_], percentages: NDArray[np.bool_] | None = None) -> Usual:
    """Return the past of a block.

    past:   periods x areas x indicators, NaN where there was no figure.
    counts: by indicator, whether it is a count: a count of 4 is as near to 2 as chance brings it, so that no count's
            scale is below the root of its median.
    percentages: by indicator, whether it is one: after weeks of 0 %, 0.1 % is not far.
    """
    known = np.isfinite(past).sum(axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # all NaN where nothing is known
        median = np.nanmedian(past, axis=0)
        spread = _NORMAL * np.nanmedian(np.abs(past - median), axis=0)
    least = np.where(counts, np.sqrt(np.maximum(np.abs(median), 1.0)), 1e-9)
    if percentages is not None:
        least = np.where(percentages & (median == 0), np.maximum(least, _LEAST_POINTS), least)
    floor = np.maximum(_RELATIVE * np.abs(median), least)
    scale = np.maximum(spread, floor)
    enough = known >= LEAST
    return Usual(np.where(enough, median, np.nan), np.where(enough, scale, np.nan))


def is_unusual(score: Values) -> NDArray[np.bool_]:
    """Return where a score lies beyond the limit."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.abs(score) >= LIMIT)


def _months_before(bucket: date, months: int) -> date:
    at = bucket.year * 12 + bucket.month - 1 - months
    return date(at // 12, at % 12 + 1, 1)
