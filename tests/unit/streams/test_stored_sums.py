"""Sums of the year so far, added up from cells that were read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import cast

import numpy as np
import polars as pl
import psycopg
import pytest

from ioc.period import CLOSING
from streams.rollup.stored_sums import StoredSums, added_up, day_codes
from streams.rules.fold import Cells, matrix_of

MOST = 2**63 - 1


@pytest.mark.parametrize(
    ("rows", "starts", "expected"),
    [
        ([[1, 2], [3, 4], [5, 6]], [0, 2], [[4, 6], [5, 6]]),
        # What runs over on the way, and fits in the end.
        ([[MOST], [1], [-1]], [0], [[MOST]]),
        ([[-MOST], [MOST]], [0, 1], [[-MOST], [MOST]]),
    ],
)
def test_runs_are_added_up(rows: Sequence[Sequence[int]], starts: Sequence[int], expected: list[list[int]]) -> None:
    assert added_up(np.array(rows, dtype=np.int64), np.array(starts, dtype=np.int64)).tolist() == expected


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(OverflowError, match="does not fit eight bytes"):
        added_up(np.array([[MOST], [1]], dtype=np.int64), np.array([0], dtype=np.int64))


class _Stored:
    """Stands for a connection: running totals as the database has them, and what was asked for."""

    def __init__(self, totals: dict[tuple[int, date], list[int]]) -> None:
        self.totals = totals
        self.asked: list[tuple[int, date, date]] = []

    def cursor(self, row_factory: object) -> _Stored:
        return self

    def execute(self, query: str, asked: dict[str, list[object]], *, binary: bool) -> _Stored:
        self.asked += zip(asked["areas"], asked["firsts"], asked["lasts"], strict=True)  # type: ignore[arg-type]
        return self

    def fetchall(self) -> list[object]:
        rows = []
        for area, first, last in self.asked:
            days = sorted(day for key, day in self.totals if key == area)
            standing = [day for day in days if day <= first][-1:]
            within = [day for day in days if first < day <= last]
            rows += [_Row(area, day, self.totals[area, day]) for day in standing + within]
        return rows


class _Row:
    def __init__(self, area_id: int, bucket: date, sums: list[int]) -> None:
        self.area_id, self.bucket, self.sums = area_id, bucket, sums


@pytest.mark.parametrize("moved_from", range(5))
def test_totals_that_a_fold_has_moved_are_not_read_again(moved_from: int) -> None:
    """What is kept of area 2 begins on any day; before it, and for area 1, the database is asked."""
    days = [date(2024, 9, 29) + timedelta(days=number) for number in range(4)]
    totals = {(area, day): [100 * area + number] for area in (1, 2) for number, day in enumerate(days)}
    kept = [day for number, day in enumerate(days) if number >= moved_from]
    stored = _Stored(totals)
    sums = StoredSums(cast(psycopg.Connection, stored), {7: 1}, [1])
    schema = {"period": pl.String(), "area_id": pl.Int32(), "bucket": pl.Date()}
    keys = pl.DataFrame([(CLOSING, 2, day) for day in kept], schema=schema, orient="row")
    sums.keep_totals(7, Cells(keys, matrix_of([totals[2, day] for day in kept], 1)))
    wanted = [(area, days[0] + timedelta(days=number)) for area in (1, 2) for number in range(-1, 6)]
    frame = pl.DataFrame(wanted, schema={"area_id": pl.Int32(), "day": pl.Date()}, orient="row")
    found = sums.running_totals(7, CLOSING, day_codes(frame, "day"))
    expected = [max([totals[area, d] for d in days if d <= day], default=[0]) for area, day in wanted]
    assert found.tolist() == expected
    assert all(area == 1 or first < days[moved_from] for area, first, _ in stored.asked if moved_from < len(days))
