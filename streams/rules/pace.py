"""Where a target says that a figure should be by now, how far behind it is, and where it will be at the target's date.

Pure: every day is passed in. The expected value is never beyond the target. With a single known value there is no
pace: a line from a value to itself would make every figure on pace.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from ioc.catalogue.target import TargetInForce

Values = NDArray[np.float64]
DatedValue = tuple[date, float]

# Behind by no more than this (per cent of what is expected, or points) is on pace: figures are shown with one decimal.
TOLERANCE = 0.1
LEAST_POINTS = 4  # fewer known periods give no forecast
LEAST_DAYS = 14  # nor do periods that lie closer together
LEAST_OF_WAY = 0.1  # of the way that a target asks for: what moved less last year has no curve
_NORMAL = 1.4826  # times the median of absolute deviations = the standard deviation of normal errors
_NINETY = 1.645  # standard deviations of a two-sided 90 % interval
_WEEK = 7


@dataclass(frozen=True)
class Lag:
    """How far behind: `amount` >= 0 in `unit` (`%` of what is expected; `point` where the figure is a percentage)."""

    amount: float
    unit: str


@dataclass(frozen=True)
class Forecast:
    """The figure at the target's date if it goes on so, with a 90 % interval; without one where it cannot be told."""

    value: float
    low: float | None = None
    high: float | None = None


def expected_value(
    target: TargetInForce, through: date, *, first: DatedValue | None = None, curve: float | None = None
) -> float | None:
    """Return the value that the target asks for by the end of `through`; None where it cannot be known.

    first: the first known value, taken as the baseline where the target names none; one of `through` itself is none.
    curve: for a seasonal pace, the share of last year's way that had been gone by this day (`share_of_way`). It shapes
           the year before the target's date; of a pace that began earlier, the time before that year is even.
    """
    if target.due_on is None or through >= target.due_on:
        return target.value
    if target.pace == "steps":
        return _step(target, through)
    base = (target.baseline_on, target.baseline) if target.baseline_on is not None else first
    if base is None or base[0] is None or base[1] is None:
        return None
    base_on, base_value = base[0], base[1]
    if target.baseline_on is None and base_on >= through:
        return None
    if target.is_met(base_value):
        # 99.35 % where 90 % is asked: it may fall to 90, and no lower.
        return target.value
    span = (target.due_on - base_on).days
    share = (through - base_on).days / span
    begins = season_start(base_on, target.due_on)
    if target.pace == "seasonal" and curve is not None and through >= begins:
        even = (begins - base_on).days / span
        share = even + (1 - even) * min(max(curve, 0.0), 1.0)
    return base_value + (target.value - base_value) * min(max(share, 0.0), 1.0)


def season_start(base_on: date, due_on: date) -> date:
    """Return the day from which a seasonal pace follows last year's curve: a year before the target's date, or the
    baseline's day where that is later.
    """
    return max(base_on, year_before(due_on))


def year_before(day: date) -> date:
    """Return the same day of the year before; of 29 February, the 28th."""
    return day.replace(year=day.year - 1, day=min(day.day, 28) if day.month == 2 else day.day)


def share_of_way(begun: float, reached: float, ended: float, way: float) -> float | None:
    """Return which share of last year's way a level had gone by a day: from 0 to 1; None where last year is no guide.

    begun, reached, ended: the level a year before the pace begins, before the day that is judged, and before the
                           target's date.
    way: from the baseline to the target. A year that went the other way, or moved by less than a tenth of this, has a
         curve that is made of chance.
    """
    gone = ended - begun
    if not np.isfinite([begun, reached, ended]).all() or gone * way <= 0 or abs(gone) < LEAST_OF_WAY * abs(way):
        return None
    return float(min(max((reached - begun) / gone, 0.0), 1.0))


def expected_total(target: TargetInForce, start: date, through: date, *, curve: float | None = None) -> float | None:
    """Return what a total of the year that begins on `start` should have reached by the end of `through`.

    curve: the share of what last year had reached by the target's day of that year, reached by this day of it.
    """
    if target.due_on is None or through >= target.due_on:
        return target.value
    if target.pace == "steps" and target.op == "<=":
        # What may be used up by 30 June may be used from 1 April on: the step that comes next is the ceiling.
        return next((value for on, value in target.steps if on >= through), target.value)
    if target.pace == "steps":
        step = _step(target, through)
        return _within(target, 0.0) if step is None else step  # a total begins at 0
    days = (through - start).days + 1, (target.due_on - start).days + 1
    share = curve if target.pace == "seasonal" and curve is not None else days[0] / days[1]
    share = min(max(share, 0.0), 1.0)
    if target.op == "<=":  # a ceiling for the year: half of the year may have used half of it
        return target.value * share
    return min(target.value * share, target.value)


def _step(target: TargetInForce, through: date) -> float | None:
    """Return the last step that has come; before the first one, the baseline."""
    reached = [value for on, value in target.steps if on <= through]
    if not reached:
        return None if target.baseline is None else _within(target, target.baseline)
    return _within(target, reached[-1])


def _within(target: TargetInForce, value: float) -> float:
    return min(value, target.value) if target.op == ">=" else max(value, target.value)


def lag_of(target: TargetInForce, value: float, expected: float, *, percentage: bool) -> Lag:
    """Return how far a value is behind what is expected; 0 where it is not."""
    short = expected - value if target.op == ">=" else value - expected
    if short <= 0:
        return Lag(0.0, "point" if percentage else "%")
    if percentage:
        return Lag(short, "point")
    return Lag(100 * short / abs(expected) if expected else 100.0, "%")


def lag_days(
    target: TargetInForce, value: float, expected: float, through: date, base: DatedValue | None
) -> float | None:
    """Return how many days ago this value would have been on a straight pace; None where there is no such pace."""
    if target.due_on is None or target.pace == "steps":
        return None
    if target.baseline_on is not None and target.baseline is not None:
        base = (target.baseline_on, target.baseline)
    if base is None or base[0] >= target.due_on:
        return None
    if target.is_met(base[1]):
        return None  # the pace leads nowhere: it was reached before it began
    slope = (target.value - base[1]) / (target.due_on - base[0]).days
    overdue = max((through - target.due_on).days, 0)
    longest = (min(through, target.due_on) - base[0]).days + overdue
    behind = (expected - value) / slope + overdue if not target.is_met(value) else 0.0
    return float(min(max(behind, 0.0), max(longest, 0)))


def needed_per_week(target: TargetInForce, value: float, through: date) -> float | None:
    """Return the change a week that still reaches the target; None where it is met, or no time is left."""
    if target.due_on is None or through >= target.due_on or target.is_met(value):
        return None
    return (target.value - value) / ((target.due_on - through).days / _WEEK)


def forecast_values(days: Sequence[int], values: Values, horizon: int) -> tuple[Values, Values, Values]:
    """Return (value, low, high) for each row of `values`, `horizon` days after the last of `days`.

    days:   ascending, one a column of `values`; the last is the period that is judged.
    values: rows x days, NaN where a figure is not known. NaN comes back for a row with too few known values.

    Theil-Sen: the median of the slopes of all pairs of points, which a single wild period does not move
    (Sen 1968, doi:10.1080/01621459.1968.10480934); the interval is that of the residuals, wider the further it reaches.
    """
    days_before = np.asarray(days, dtype=np.float64) - days[-1]
    first, second = np.triu_indices(len(days), k=1)
    with np.errstate(invalid="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # all NaN where nothing is known
        slope = np.nanmedian(
            (values[:, second] - values[:, first]) / (days_before[second] - days_before[first]), axis=1
        )
        level = np.nanmedian(values - slope[:, None] * days_before, axis=1)
        residual = values - level[:, None] - slope[:, None] * days_before
        spread = _NORMAL * np.nanmedian(np.abs(residual), axis=1)
        known = np.isfinite(values)
        oldest = np.min(np.where(known, days_before, 0.0), axis=1)
    enough = (known.sum(axis=1) >= LEAST_POINTS) & (-oldest >= LEAST_DAYS)
    value = np.where(enough, level + slope * horizon, np.nan)
    reach = _NINETY * spread * np.sqrt(1 + horizon / np.maximum(-oldest, 1.0))
    return value, value - reach, value + reach


def forecast_total(value: float, weeks: Values, days_left: int) -> Forecast | None:
    """Return the forecast of a year's total: what is there, and a median week for each week that is left."""
    known = weeks[np.isfinite(weeks)]
    if len(known) < LEAST_POINTS:
        return None
    median = float(np.median(known))
    spread = _NORMAL * float(np.median(np.abs(known - median)))
    left = days_left / _WEEK
    reach = _NINETY * spread * left**0.5
    ahead = value + median * left
    low = ahead - reach
    if not np.any(known < 0):  # what only adds up will not fall below what is there
        low = max(low, value)
    return Forecast(ahead, low, ahead + reach)
