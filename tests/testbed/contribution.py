"""What records add to measures, without a database: records as frames, stocks at the end of a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import polars as pl

from ioc.catalogue import DATA, compile_measures, contribution_expr, load_catalogue
from ioc.feeds.feed import Feed, load_feeds

FEEDS = load_feeds()
CATALOGUE = load_catalogue(DATA, FEEDS)
COMPILED = compile_measures(CATALOGUE)


def frame_of(feed: Feed, records: Sequence[dict[str, Any]]) -> pl.DataFrame:
    """Return records as the agent has them, derived columns included."""
    own = {column.name: column.dtype for column in feed.columns if column.name not in feed.derive}
    frame = pl.DataFrame(records, schema={**own, "effective_on": pl.Date(), "reporter": pl.String()})
    return frame.with_columns(expr.cast(dtype).alias(name) for name, (dtype, expr) in feed.derive.items())


def added(code: str) -> pl.Expr:
    """Return what a record adds to an indicator that has one measure."""
    (measure,) = COMPILED.plans[code].measures
    return contribution_expr(measure)


def stock_at(code: str, records: Sequence[dict[str, Any]], day: date) -> int:
    """Return a stock at the end of a day, over records that travelled in this order under one key each."""
    (measure,) = COMPILED.plans[code].measures
    frame = frame_of(FEEDS[measure.feed], records)
    came = frame.filter(pl.col(measure.at) <= day).select(contribution_expr(measure).sum())[0, 0]
    went = frame.filter(pl.col(measure.until) <= day).select(contribution_expr(measure).sum())[0, 0]
    return int(came - went)
