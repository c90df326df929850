"""Adding contributions up: from the areas and days of records to every area above and every period around."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from ioc.period import CLOSING, PERIODS, starts_of
from streams.rules.contribute import check_fits

SumRow = np.ndarray[tuple[int], np.dtype[np.int64]]
Matrix = np.ndarray[tuple[int, int], np.dtype[np.int64]]
Numbers = np.ndarray[tuple[int], np.dtype[np.int64]]
Flags = np.ndarray[tuple[int], np.dtype[np.bool_]]
CELL_KEY = ("period", "area_id", "bucket")

_NAMES = (*PERIODS, CLOSING)
_PERIOD_NAMES = pl.Series(_NAMES, dtype=pl.String)
# A cell as one number: the place of its period, its area, its day since 1970 plus as many as lie before.
_AREA_BITS, _DAY_BITS = 32, 22
_FIRST = 1 << 20


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

    placements: `ioc.territory.placement.placements_frame`, of which each day of an area has one. What is `local`
                (columns of `sums`) stays with the area that was named.
    """
    areas, days = _numbers(deltas["area_id"]), _numbers(deltas["bucket"])
    begins = _numbers(placements["area_id"]) << _DAY_BITS | _numbers(placements["since"]) + _FIRST
    order = np.argsort(begins)
    units = _numbers(placements["unit_id"])[
        order[np.searchsorted(begins[order], areas << _DAY_BITS | days + _FIRST, "right") - 1]
    ]
    moved = units != areas
    if not moved.any():
        return deltas, sums
    there = deltas.select(pl.Series("area_id", units, dtype=pl.Int32), "bucket")
    if not local:
        return there, sums
    going, staying = sums.copy(), np.zeros_like(sums[moved])
    staying[:, local] = sums[moved][:, local]
    going[np.ix_(moved, np.array(local))] = 0
    here = deltas.filter(pl.Series(moved)).select("area_id", "bucket")
    return pl.concat([there, here]), np.concatenate([going, staying])


def fold_sums(deltas: pl.DataFrame, sums: Matrix, chains: pl.DataFrame, local: Sequence[int] = ()) -> Cells:
    """Return what `sums` (row i belongs to row i of `deltas`: area_id, bucket) add to the cells of all levels.

    chains: `origin_id`, `area_id` for each unit and each unit above it, itself included.
    local:  columns of `sums` that count in the very area of the delta and in none above it.
    """
    origins, days = _numbers(deltas["area_id"]), _numbers(deltas["bucket"])
    rows, links = _matches(origins, _numbers(chains["origin_id"]))
    areas = _numbers(chains["area_id"])[links]
    above = areas != origins[rows]
    # One period after the other: a row of sums for each delta and level is all that is in memory at once.
    parts = [
        _added_up(np.full(len(rows), number), areas, starts_of(period, days)[rows], rows, above, sums, local)
        for number, period in enumerate(PERIODS)
    ]
    return Cells(pl.concat([part.keys for part in parts]), np.concatenate([part.sums for part in parts]))


def fold_running(deltas: pl.DataFrame, sums: Matrix, carry_overs: pl.DataFrame, local: Sequence[int] = ()) -> Cells:
    """Return what `sums` change in running totals: by area, under the day from which on it counts there.

    carry_overs: `ioc.territory.placement.carry_overs_frame`; the others as in `fold_sums`.
    """
    origins, days = _numbers(deltas["area_id"]), _numbers(deltas["bucket"])
    rows, links = _matches(origins, _numbers(carry_overs["origin_id"]))
    areas = _numbers(carry_overs["area_id"])[links]
    since = np.maximum(days[rows], _numbers(carry_overs["since"])[links])
    places = np.full(len(rows), _NAMES.index(CLOSING))
    return _added_up(places, areas, since, rows, areas != origins[rows], sums, local)


def grouped(deltas: pl.DataFrame, sums: Matrix) -> Cells:
    """Return what `sums` add by area and day, where the records name them: nothing is rolled up."""
    areas, days = _numbers(deltas["area_id"]), _numbers(deltas["bucket"])
    rows = np.arange(len(areas))
    places = np.full(len(rows), _NAMES.index(CLOSING))
    return _added_up(places, areas, days, rows, np.zeros(len(rows), dtype=np.bool_), sums, ())


def changed(cells: Cells) -> Cells:
    """Return the cells without those whose changes add up to 0."""
    changes = (cells.sums != 0).any(axis=1)
    if changes.all():
        return cells
    return Cells(cells.keys.filter(pl.Series(changes, dtype=pl.Boolean)), cells.sums[changes])


def _numbers(column: pl.Series) -> Numbers:
    """Return whole numbers, or days as days since 1970."""
    found: Numbers = column.to_physical().to_numpy().astype(np.int64)
    return found


def _matches(keys: Numbers, named: Numbers) -> tuple[Numbers, Numbers]:
    """Return every pair of places at which `keys` and `named` agree: an inner join."""
    order = np.argsort(named, kind="stable")
    first, last = (np.searchsorted(named[order], keys, side) for side in ("left", "right"))
    counts = last - first
    rows = np.repeat(np.arange(len(keys)), counts)
    within = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    return rows, order[np.repeat(first, counts) + within]


def _added_up(
    places: Numbers, areas: Numbers, days: Numbers, rows: Numbers, above: Flags, sums: Matrix, local: Sequence[int]
) -> Cells:
    """Return the sums of rows by cell.

    places, areas, days: the cells, the first as places of `_NAMES`. rows: whose sums (rows of `sums`) each adds.
    above:               whether the cell's area is another than that of the delta.
    """
    codes = (places << _AREA_BITS | areas) << _DAY_BITS | days + _FIRST
    order = np.argsort(codes, kind="stable")
    codes = codes[order]
    starts = np.flatnonzero(np.diff(codes, prepend=-1))
    amounts = sums[rows[order]]
    check_fits(sums)
    if local:
        amounts[np.ix_(above[order], np.array(local))] = 0
    first = order[starts]
    keys = pl.DataFrame(
        {
            "period": _PERIOD_NAMES.gather(pl.Series(places[first])),
            "area_id": pl.Series(areas[first]).cast(pl.Int32),
            "bucket": pl.Series(days[first]).cast(pl.Int32).cast(pl.Date),
        }
    )
    return Cells(keys, np.add.reduceat(amounts, starts, axis=0) if len(starts) else sums[:0])


def carried_totals(
    reported: Matrix, reports: Sequence[tuple[int, int]], before: Sequence[int], replaced: Flags | None = None
) -> Matrix:
    """Return what is carried forward in one area, in order of days: what is in force, or else what was last.

    reported: running totals of the reports in force; 12 beds by 1 report, then 0 by 0 from the end of its quarter on,
              are 12 beds by 1 report on every later day.
    reports:  columns of amounts, each with that of the number of its reports; other columns are 0.
    before:   what was carried before the first day.
    replaced: by row and pair of `reports`, whether other units report of the area's ground by that day: what is no
              longer in force is not carried on then.
    """
    carried: Matrix = np.zeros_like(reported)
    if not reports or not len(reported):
        return carried
    amounts, counts = (np.array(columns, dtype=np.int64) for columns in zip(*reports, strict=True))
    in_force = reported[:, counts] != 0
    # The last row until each in which a report was in force, by pair; -1 before all.
    last = np.maximum.accumulate(np.where(in_force, np.arange(len(reported))[:, None], -1), axis=0)
    gone = ~in_force & replaced if replaced is not None else np.zeros_like(in_force)
    earlier = matrix_of([before], reported.shape[1])[0]
    for columns in (amounts, counts):
        found = np.where(last < 0, earlier[columns], np.take_along_axis(reported[:, columns], np.maximum(last, 0), 0))
        carried[:, columns] = np.where(gone, 0, found)
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
