"""Periods of business time: day, week (from Monday, ISO 8601), month, quarter and year."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

Days = np.ndarray[tuple[int], np.dtype[np.int64]]
PERIODS = ("day", "week", "month", "quarter", "year")
# Running totals at a day's end; stocks are read from them. Not a period that is shown.
CLOSING = "closing"
# The same of what agencies report, where every area's last report is carried forward until its next one, and then added
# up. Reported stocks are read from them.
CARRIED = "carried"
# What `carried` is made of, of the very areas that reports name: the reports in force, and what is carried forward.
OWN_REPORTED, OWN_CARRIED = "own_reported", "own_carried"
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_EVERY = {"day": "1d", "week": "1w", "month": "1mo", "quarter": "1q", "year": "1y"}


def bucket_expr(period: str, day: pl.Expr) -> pl.Expr:
    """Return the first day of the period that holds `day`."""
    return day if period == "day" else day.dt.truncate(_EVERY[period])


def start_of(period: str, day: date) -> date:
    """Return the first day of the period that holds a day."""
    match period:
        case "week":
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)
        case "quarter":
            return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        case "year":
            return day.replace(month=1, day=1)
    return day


def end_expr(period: pl.Expr, bucket: pl.Expr) -> pl.Expr:
    """Return the last day of the period that begins on `bucket`."""
    end = bucket
    for name, every in _EVERY.items():
        end = pl.when(period == name).then(bucket.dt.offset_by(every).dt.offset_by("-1d")).otherwise(end)
    return end


def end_of(period: str, bucket: date) -> date:
    """Return the last day of the period that begins on `bucket`."""
    if period in ("day", "week"):
        return bucket + timedelta(days={"day": 1, "week": 7}[period] - 1)
    following = bucket.year * 12 + bucket.month - 1 + _MONTHS[period]
    return date(following // 12, following % 12 + 1, 1) - timedelta(days=1)


def starts_of(period: str, days: Days) -> Days:
    """Return the first days of the periods that hold days, all of them as days since 1970; as `start_of`."""
    if period == "day":
        return days
    if period == "week":
        return days - (days + 3) % 7  # 1970-01-01 was a Thursday
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return _first_of(months // _MONTHS[period] * _MONTHS[period])


def ends_of(places: Days, buckets: Days) -> Days:
    """Return the last days of periods, as `end_of`; places: of their names in `PERIODS`, buckets: days since 1970."""
    ends = buckets.copy()
    ends[places == PERIODS.index("week")] += 6
    longer = places >= PERIODS.index("month")
    months = buckets[longer].astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    lengths = np.array([_MONTHS.get(period, 0) for period in PERIODS])[places[longer]]
    ends[longer] = _first_of(months + lengths) - 1
    return ends


def _first_of(months: Days) -> Days:
    days: Days = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    return days
