"""Adding contributions up: from the areas and days of records to every area above and every period around."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from ioc.period import CLOSING, PERIODS, bucket_expr
from streams.rules.contribute import check_fits

SumRow = np.ndarray[tuple[int], np.dtype[np.int64]]
Matrix = np.ndarray[tuple[int, int], np.dtype[np.int64]]
CELL_KEY = ("period", "area_id", "bucket")


@dataclass(frozen=True)
class Cells:
    """Sums of one feed: row i of `sums` belongs to row i of `keys` (period, area_id, bucket)."""

    keys: pl.DataFrame
    sums: Matrix


def matrix_of(rows: Sequence[Sequence[int]], width: int) -> Matrix:
    """Return sums of any length as rows of one width, filled with 0."""
    matrix = np.zeros((len(rows), width), dtype=np.int64)
    for row, sums in enumerate(rows):
        matrix[row, : len(sums)] = sums
    return matrix


def relocate(
    deltas: pl.DataFrame, sums: Matrix, placements: pl.DataFrame, local: Sequence[int] = ()
) -> tuple[pl.DataFrame, Matrix]:
    """Return deltas (`area_id`, `bucket`) and their sums, each in the unit in which it counts on its day.

    placements: `ioc.territory.placement.placements_frame`. What is `local` (columns of `sums`) stays with the area that
                was named.
    """
    placed = deltas.with_row_index("delta").join(placements, on="area_id")
    placed = placed.filter((pl.col("bucket") >= pl.col("since")) & (pl.col("bucket") < pl.col("until"))).sort("delta")
    moved = placed.select(pl.col("unit_id") != pl.col("area_id")).to_series().to_numpy()
    if not moved.any():
        return deltas, sums
    there = placed.select(area_id="unit_id", bucket="bucket")
    if not local:
        return there, sums
    going, staying = sums.copy(), np.zeros_like(sums[moved])
    staying[:, local] = sums[moved][:, local]
    going[np.ix_(moved, np.array(local))] = 0
    here = deltas.filter(pl.Series(moved)).select("area_id", "bucket")
    return pl.concat([there, here]), np.concatenate([going, staying])


def spread(deltas: pl.DataFrame, chains: pl.DataFrame) -> pl.DataFrame:
    """Return one row for each area of the chain and each period of each delta: `period`, `area_id`, `bucket` and rest.

    deltas: `area_id`, `bucket` (a day) and whatever else.
    chains: `origin_id`, `area_id` for each unit and each unit above it, itself included.
    """
    above = (
        deltas.rename({"area_id": "origin_id", "bucket": "day"})
        .join(chains.select("origin_id", "area_id"), on="origin_id")
        .drop("origin_id")
    )
    return pl.concat(
        above.with_columns(period=pl.lit(period), bucket=bucket_expr(period, pl.col("day"))) for period in PERIODS
    ).drop("day")


def fold_sums(deltas: pl.DataFrame, sums: Matrix, chains: pl.DataFrame, local: Sequence[int] = ()) -> Cells:
    """Return what `sums` (row i belongs to row i of `deltas`: area_id, bucket) add to the cells of all levels.

    local: columns of `sums` that count in the very area of the delta and in none above it.
    """
    origins = deltas.select("area_id", "bucket", origin="area_id").with_row_index("delta")
    return _added_up(spread(origins, chains), sums, local)


def fold_running(deltas: pl.DataFrame, sums: Matrix, carry_overs: pl.DataFrame, local: Sequence[int] = ()) -> Cells:
    """Return what `sums` change in running totals: by area, under the day from which on it counts there.

    carry_overs: `ioc.territory.placement.carry_overs_frame`; the others as in `fold_sums`.
    """
    origins = deltas.select("bucket", origin_id="area_id", origin="area_id").with_row_index("delta")
    rows = origins.join(carry_overs, on="origin_id").select(
        "delta",
        "origin",
        "area_id",
        period=pl.lit(CLOSING),
        bucket=pl.max_horizontal("bucket", "since"),
    )
    return _added_up(rows, sums, local)


def _added_up(rows: pl.DataFrame, sums: Matrix, local: Sequence[int]) -> Cells:
    """Return the sums of rows (`CELL_KEY`, `delta`, `origin`) by cell."""
    if not rows.height:
        return Cells(rows.select(CELL_KEY), sums[:0])
    rows = rows.sort(CELL_KEY)
    keys = rows.select(CELL_KEY).unique(maintain_order=True)
    starts = (
        rows.select(pl.struct(CELL_KEY).rle_id().alias("run"))
        .with_row_index("at")
        .group_by("run")
        .agg(pl.col("at").min())
        .sort("run")["at"]
    )
    amounts = sums[rows["delta"].to_numpy()]
    check_fits(sums)
    if local:
        above = rows.select(pl.col("area_id") != pl.col("origin")).to_series().to_numpy()
        amounts[np.ix_(above, np.array(local))] = 0
    folded = np.add.reduceat(amounts, starts.to_numpy(), axis=0)
    return Cells(keys, folded)


def carried_totals(totals: Matrix, reports: Sequence[tuple[int, int]], before: Sequence[int]) -> Matrix:
    """Return running totals of one area in order of days with what was reported last in place of what ended.

    reports: columns of amounts, each with that of the number of its reports.
    before:  what was carried before the first day.
    """
    carried = totals.copy()
    if not reports or not len(totals):
        return carried
    amounts, counts = (np.array(columns, dtype=np.int64) for columns in zip(*reports, strict=True))
    last = matrix_of([before], totals.shape[1])[0]
    for row in carried:
        ended = row[counts] == 0
        row[amounts] = np.where(ended, last[amounts], row[amounts])
        row[counts] = np.where(ended, last[counts], row[counts])
        last = row
    return carried


def running_totals(
    known: Sequence[tuple[date, Sequence[int]]], changes: Sequence[tuple[date, Sequence[int]]], width: int
) -> list[tuple[date, list[int]]]:
    """Return the running totals of one area that a set of changes moves.

    known:   the last total before the first change, and all totals from it on, in order of days.
    changes: what each day adds, in order of days.
    Raises OverflowError where a total would not fit eight bytes.
    """
    days = sorted({day for day, _ in changes} | {day for day, _ in known if day >= changes[0][0]})
    earlier = [sums for day, sums in known if day < changes[0][0]]
    total = matrix_of(earlier[-1:] or [[]], width)[0]
    totals = dict(known)
    added = dict(changes)
    offset = np.zeros(width, dtype=np.int64)
    result = []
    for day in days:
        if day in added:
            offset = checked_sum(offset, matrix_of([added[day]], width)[0])
        if day in totals:
            total = matrix_of([totals[day]], width)[0]
        result.append((day, checked_sum(total, offset).tolist()))
    return result


def checked_sum(a: SumRow, b: SumRow) -> SumRow:
    """Return a + b; raises OverflowError where NumPy would wrap."""
    total: SumRow = a + b
    # Two numbers of one sign whose sum has the other.
    if (((a ^ total) & (b ^ total)) < 0).any():
        raise OverflowError("a running total does not fit eight bytes")
    return total
