"""Measures: what one record adds, as Polars and as PostgreSQL compute it, to the last digit the same.

A `sum` adds whole numbers in units of 10^-decimals, so sums are exact and can be taken back. A `distinct`
counts different members. A record adds to the day that its column `at` holds, to none where that is null; a
stock takes it back on the day `until`. What is `local` counts in the very area of the record and in none above it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import polars as pl


@dataclass(frozen=True)
class Measure:
    """`value` and `condition` are canonical expressions; the condition 'TRUE' counts every record."""

    feed: str
    kind: Literal["sum", "distinct"]
    value: str
    condition: str = "TRUE"
    at: str = "effective_on"
    until: str = ""
    decimals: int = 0
    local: bool = False


@dataclass(frozen=True)
class StoredMeasure:
    """A measure as the database holds it: its id, and its slot in the rows of its feed.

    complete: False while records from before it was counted are missing from its sums.
    """

    measure_id: int
    slot: int
    measure: Measure
    complete: bool = True


def contribution_expr(measure: Measure) -> pl.Expr:
    """Return what a record adds to a sum: Int64, never null, in units of 10^-decimals."""
    value = pl.sql_expr(measure.value)
    if measure.decimals:
        value = (value.cast(pl.Float64) * 10**measure.decimals).round(0, mode="half_to_even")
    return pl.when(_counts(measure)).then(value.cast(pl.Int64).fill_null(0)).otherwise(0).cast(pl.Int64)


def contribution_sql(measure: Measure) -> str:
    """Return the same as `contribution_expr`, as a PostgreSQL expression over the record table (bigint)."""
    value = measure.value
    if measure.decimals:
        # round(double precision) rounds half to even, as the Polars side does.
        value = f"round(CAST({value} AS double precision) * CAST({10**measure.decimals} AS double precision))"
    return f"CASE WHEN {_counts_sql(measure)} THEN coalesce(CAST({value} AS bigint), 0) ELSE 0 END"


def member_expr(measure: Measure) -> pl.Expr:
    """Return the member that a record speaks of: String, null where the record does not count."""
    return pl.when(_counts(measure)).then(pl.sql_expr(measure.value))


def member_sql(measure: Measure) -> str:
    """Return the same as `member_expr`, as a PostgreSQL expression over the record table (text)."""
    return f"CASE WHEN {_counts_sql(measure)} THEN {measure.value} END"


def _counts(measure: Measure) -> pl.Expr:
    return pl.col(measure.at).is_not_null() & pl.sql_expr(measure.condition)


def _counts_sql(measure: Measure) -> str:
    return f"{measure.at} IS NOT NULL AND ({measure.condition})"
