"""Periods of business time: day, week (from Monday, ISO 8601), month, quarter and year."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

PERIODS = ("day", "week", "month", "quarter", "year")
# Running totals at a day's end; stocks are read from them. Not a period that is shown.
CLOSING = "closing"
# The same of what agencies report: of the last day on which a report was in force. Reported stocks are read from them.
CARRIED = "carried"
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
    months = {"month": 1, "quarter": 3, "year": 12}[period]
    following = bucket.year * 12 + bucket.month - 1 + months
    return date(following // 12, following % 12 + 1, 1) - timedelta(days=1)
