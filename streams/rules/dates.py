"""Dates and times of events in a frame: read from JSON, and checked against what is plausible."""

from __future__ import annotations

import polars as pl

from ioc.feeds.feed import Column, Feed
from ioc.feeds.plausibility import Now, latest_of


def date_from_json(column: Column) -> pl.Expr:
    """Return the expression that reads a date or a time as pydantic writes it: ISO 8601, times with their offset."""
    text = pl.col(column.name).str
    if column.dtype == pl.Date():
        return text.to_date("%Y-%m-%d")
    return text.to_datetime("%+", time_unit="us", time_zone="UTC")


def implausible_dates(feed: Feed, now: Now) -> list[pl.Expr]:
    """Return an expression a date or time, derived ones too: its name where it is not plausible, or null."""
    found: list[pl.Expr] = []
    for column in feed.columns:
        if not column.dtype.is_temporal():
            continue
        day = pl.col(column.name)
        if column.dtype != pl.Date():
            day = day.dt.convert_time_zone(str(now.timezone)).dt.date()
        latest = pl.lit(latest_of(feed, column.name, now.latest, passed=False))
        ahead = feed.ahead.get(column.name)
        if ahead is not None and ahead.unless is not None:
            passed = latest_of(feed, column.name, now.latest, passed=True)
            latest = pl.when(ahead.unless).then(pl.lit(passed)).otherwise(latest)
        found.append(pl.when((day < now.earliest) | (day > latest)).then(pl.lit(column.name)))
    return found
