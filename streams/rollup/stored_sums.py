"""Stored sums as one fold reads them: each cell once, whichever sectors ask for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
import polars as pl
import psycopg
from psycopg.rows import class_row

from ioc.database.array_text import array_of_texts
from ioc.period import PERIODS
from sql import load_queries
from streams.rules.fold import Cells, Matrix, matrix_of

Codes = np.ndarray[tuple[int], np.dtype[np.int64]]
Flags = np.ndarray[tuple[int], np.dtype[np.bool_]]

# A cell as one number, so that many are looked up at once: period, day and area, from the left.
_AREA_BITS, _DAY_BITS = 32, 22
_AREA = (1 << _AREA_BITS) - 1
_DAY = (1 << _DAY_BITS) - 1
_FIRST = 1 << 20  # of the days before 1970, as many as there are in years of four digits
_PLACES = {period: index for index, period in enumerate(PERIODS)}
# The column `period` as numbers: 0 for the first name of `PERIODS`, and so on.
PLACE = pl.col("period").replace_strict(_PLACES, return_dtype=pl.Int64)
_PERIOD_NAMES = np.array(PERIODS)
_EPOCH = date(1970, 1, 1)


def codes_of(frame: pl.DataFrame, *, period: str | None = None, bucket: str = "bucket") -> Codes:
    """Return the cells of a frame as numbers.

    frame:  `area_id` and `bucket`, or a column of days of another name; `period` unless all are of one.
    """
    numbers = frame.select(
        place=pl.lit(_PLACES[period], dtype=pl.Int64) if period else PLACE,
        day=pl.col(bucket).to_physical().cast(pl.Int64) + _FIRST,
        area=pl.col("area_id").cast(pl.Int64),
    )
    place, day, area = (_int64(numbers[name]) for name in ("place", "day", "area"))
    return place << (_AREA_BITS + _DAY_BITS) | day << _AREA_BITS | area


def day_codes(frame: pl.DataFrame, day: str) -> Codes:
    """Return areas and days as numbers that rise by area, then by day."""
    return _int64(frame["area_id"]) << _DAY_BITS | _int64(frame[day].to_physical()) + _FIRST


def _int64(numbers: pl.Series) -> Codes:
    found: Codes = numbers.cast(pl.Int64).to_numpy()
    return found


def _day_code(area_id: int, day: date) -> int:
    return area_id << _DAY_BITS | (day - _EPOCH).days + _FIRST


class _FoundCell(NamedTuple):
    """Its place among those asked for, from 1, and its sums."""

    place: int
    sums: list[int]


class _FoundTotals(NamedTuple):
    area_id: int
    bucket: date
    sums: list[int]


def _day_of(number: int) -> date:
    return _EPOCH + timedelta(days=number - _FIRST)


@dataclass
class _Answers:
    """What was asked for, in order, and of it what there is: row i of `sums` belongs to `found[i]`."""

    width: int
    asked: Codes = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    found: Codes = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    sums: Matrix = field(default_factory=lambda: np.empty((0, 0), dtype=np.int64))

    def __post_init__(self) -> None:
        self.sums = self.sums.reshape(len(self.found), self.width)

    def lacks(self, codes: Codes) -> Codes:
        """Return those that were not asked for yet, each once."""
        wanted = np.unique(codes)
        if not len(self.asked):
            return wanted
        at = np.minimum(np.searchsorted(self.asked, wanted), len(self.asked) - 1)
        lacking: Codes = wanted[self.asked[at] != wanted]
        return lacking

    def add(self, asked: Codes, found: Codes, sums: Matrix) -> None:
        """Keep an answer."""
        self.asked = np.union1d(self.asked, asked)
        codes = np.concatenate([self.found, found])
        order = np.argsort(codes, kind="stable")
        self.found, self.sums = codes[order], np.concatenate([self.sums, sums])[order]

    def look_up(self, codes: Codes) -> tuple[Matrix, Flags]:
        """Return a row for each, zeros where there is none, and whether there is one."""
        rows: Matrix = np.zeros((len(codes), self.width), dtype=np.int64)
        at, there = self._places(codes)
        rows[there] = self.sums[at[there]]
        return rows, there

    def holds(self, codes: Codes) -> Flags:
        """Return whether there is a row for each."""
        return self._places(codes)[1]

    def _places(self, codes: Codes) -> tuple[Codes, Flags]:
        if not len(self.found):
            return np.zeros(len(codes), dtype=np.int64), np.zeros(len(codes), dtype=np.bool_)
        at: Codes = np.minimum(np.searchsorted(self.found, codes), len(self.found) - 1)
        return at, self.found[at] == codes


def added_up(rows: Matrix, starts: Codes) -> Matrix:
    """Return the sums of runs of rows; raises OverflowError where one does not fit eight bytes."""
    if np.abs(rows.astype(np.float64)).max(initial=0.0) * len(rows) < 2.0**62:
        return np.add.reduceat(rows, starts, axis=0)
    exact = np.add.reduceat(rows.astype(object), starts, axis=0)
    if (abs(exact) >= 2**63).any():
        raise OverflowError("a sum of the year so far does not fit eight bytes")
    return exact.astype(np.int64)


class StoredSums:
    """Reads over the fold's connection, after the fold has written; good until it writes again."""

    def __init__(self, connection: psycopg.Connection, widths: Mapping[int, int], roots: Sequence[int]) -> None:
        """
        widths: by feed id, how many slots are looked at.
        """
        self._connection = connection
        self._widths = widths
        self._roots = np.array(roots, dtype=np.int64)
        self._queries = load_queries("rollup")
        self._cells: dict[int, _Answers] = {}
        self._levels: dict[tuple[int, str], _Answers] = {}
        self._kept: dict[tuple[int, str], tuple[Codes, Matrix]] = {}

    def keep_totals(self, feed_id: int, totals: Cells) -> None:
        """Take running totals that are known already: of some areas, all from the first day on that is given."""
        for level in totals.keys["period"].unique():
            chosen = (totals.keys["period"] == level).to_numpy()
            codes = day_codes(totals.keys.filter(pl.Series(chosen)), "bucket")
            order = np.argsort(codes)
            self._kept[feed_id, level] = codes[order], totals.sums[chosen][order][:, : self._widths[feed_id]]

    def totals(self, feed_id: int, codes: Codes) -> tuple[Matrix, Flags]:
        """Return the sums of cells, 0 where there are none, and whether the province has any in that period."""
        known = self._cells.setdefault(feed_id, _Answers(self._widths[feed_id]))
        provinces = [(codes & ~np.int64(_AREA)) | root for root in self._roots]
        self._read_cells(feed_id, known, known.lacks(np.concatenate([codes, *provinces])))
        rows, _ = known.look_up(codes)
        present = np.zeros(len(codes), dtype=np.bool_)
        for province in provinces:
            present |= known.holds(province)
        return rows, present

    def to_date(self, feed_id: int, spans: pl.DataFrame, columns: Sequence[int]) -> tuple[Matrix, Flags]:
        """Return the sums of the years up to days (`area_id`, `last`), in some columns, and whether there are any.

        They are those of whole months, and of the days of the last one. Raises OverflowError where one does not fit.
        """
        known = self._cells.setdefault(feed_id, _Answers(self._widths[feed_id]))
        last, numbered = pl.col("last"), spans.select("area_id", "last").with_row_index("row")
        first = last.dt.truncate("1mo")
        months = numbered.filter(last.dt.month() > 1).with_columns(
            bucket=pl.date_ranges(last.dt.truncate("1y"), first, "1mo", closed="left")
        )
        days = numbered.with_columns(bucket=pl.date_ranges(first, last, "1d"))
        parts = [(period, cells.explode("bucket")) for period, cells in (("month", months), ("day", days))]
        rows = np.concatenate([cells["row"].to_numpy() for _, cells in parts]).astype(np.int64)
        codes = np.concatenate([codes_of(cells, period=period) for period, cells in parts])
        self._read_cells(feed_id, known, known.lacks(codes))
        found, there = known.look_up(codes)
        rows, found = rows[there], found[there][:, columns]
        order = np.argsort(rows, kind="stable")
        begun, starts = np.unique(rows[order], return_index=True)
        sums: Matrix = np.zeros((spans.height, len(columns)), dtype=np.int64)
        present: Flags = np.zeros(spans.height, dtype=np.bool_)
        if len(begun):
            sums[begun] = added_up(found[order], starts)
            present[begun] = True
        return sums, present

    def running_totals(self, feed_id: int, level: str, codes: Codes) -> Matrix:
        """Return the running totals at the end of days (`day_codes`), or what is carried to them; 0 before all."""
        known = self._levels.setdefault((feed_id, level), _Answers(self._widths[feed_id]))
        lacking = known.lacks(codes)
        if (kept := self._kept.get((feed_id, level))) is not None:
            stored, sums = kept
            at = np.searchsorted(stored, lacking, side="right") - 1
            there = (at >= 0) & (stored[at] >> _DAY_BITS == lacking >> _DAY_BITS)
            known.add(lacking[there], lacking[there], sums[at[there]])
            lacking = lacking[~there]
        self._read_running_totals(feed_id, level, known, lacking)
        return known.look_up(codes)[0]

    def _read_cells(self, feed_id: int, known: _Answers, codes: Codes) -> None:
        if not len(codes):
            return
        days = (codes >> _AREA_BITS) & _DAY
        cursor = self._connection.cursor(row_factory=class_row(_FoundCell))
        found = cursor.execute(
            self._queries["select_cells"],
            {
                "feed_id": feed_id,
                "periods": array_of_texts(_PERIOD_NAMES[codes >> (_AREA_BITS + _DAY_BITS)].tolist()),
                "areas": array_of_texts(map(str, (codes & _AREA).tolist())),
                "buckets": array_of_texts((days - _FIRST).astype("datetime64[D]").astype(str).tolist()),
                "first": _day_of(int(days.min())),
                "last": _day_of(int(days.max())),
            },
            binary=True,
        ).fetchall()
        at = np.array([row.place - 1 for row in found], dtype=np.int64)
        known.add(codes, codes[at], self._matrix(feed_id, [row.sums for row in found]))

    def _read_running_totals(self, feed_id: int, level: str, known: _Answers, codes: Codes) -> None:
        if not len(codes):
            return
        # In order of areas, then of days: the first and the last of each area.
        areas, first = np.unique(codes >> _DAY_BITS, return_index=True)
        last = np.append(first[1:], len(codes)) - 1
        days = codes & _DAY
        cursor = self._connection.cursor(row_factory=class_row(_FoundTotals))
        found = cursor.execute(
            self._queries["select_running_totals_between"],
            {
                "feed_id": feed_id,
                "level": level,
                "areas": areas.tolist(),
                "firsts": [_day_of(day) for day in days[first].tolist()],
                "lasts": [_day_of(day) for day in days[last].tolist()],
            },
            binary=True,
        ).fetchall()
        sums = self._matrix(feed_id, [row.sums for row in found])
        stored = np.array([_day_code(row.area_id, row.bucket) for row in found], dtype=np.int64)
        order = np.argsort(stored)
        stored, sums = stored[order], sums[order]
        at = np.searchsorted(stored, codes, side="right") - 1
        there = at >= 0
        there[there] = (stored[at[there]] >> _DAY_BITS) == (codes[there] >> _DAY_BITS)
        known.add(codes, codes[there], sums[at[there]])

    def _matrix(self, feed_id: int, rows: Sequence[Sequence[int]]) -> Matrix:
        width = self._widths[feed_id]
        # Slots of measures that no indicator needs any more may lie behind.
        return matrix_of([row[:width] for row in rows], width)
