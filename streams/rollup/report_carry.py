"""What agencies report, carried forward: every area's last report stands until its own next one, then areas add up.

Two levels are kept of the very areas that reports name: `own_reported`, the running totals of the reports in force, and
`own_carried`, the same with what is no longer in force carried forward. What a fold changes in the second is added to
the level `carried` of every area above, and of those that took over its ground: the figures are read from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np
import polars as pl
import psycopg
from psycopg.rows import class_row, scalar_row

from ioc.period import CARRIED, OWN_CARRIED, OWN_REPORTED
from ioc.territory.area import FOREVER, AreaTree
from ioc.territory.placement import CarryOver, carry_overs_frame, takeovers
from sql import load_queries
from streams.rules.fold import Cells, Matrix, carried_totals, changed, fold_running, grouped, matrix_of, running_totals

LEVELS = (CARRIED, OWN_CARRIED, OWN_REPORTED)
KEY_SCHEMA: dict[str, pl.DataType] = {"period": pl.String(), "area_id": pl.Int32(), "bucket": pl.Date()}
Changes = Mapping[int, Sequence[tuple[date, Sequence[int]]]]
Ordinals = np.ndarray[tuple[int], np.dtype[np.int64]]
_NEVER = date.max.toordinal()
_BEFORE_ALL = -1


class _TotalsRow(NamedTuple):
    area_id: int
    bucket: date
    sums: list[int]


@dataclass(frozen=True)
class _Steps:
    """Running totals of one area by day (ordinal, rising); each row holds until the next."""

    days: Ordinals
    rows: Matrix

    def at(self, days: Ordinals) -> Matrix:
        """Return the totals at the ends of days, 0 before all."""
        place = np.searchsorted(self.days, days, side="right") - 1
        found: Matrix = np.where((place < 0)[:, None], 0, self.rows[np.maximum(place, 0)]) if len(self.days) else (
            np.zeros((len(days), self.rows.shape[1]), dtype=np.int64)
        )  # fmt: skip
        return found


@dataclass(frozen=True)
class MovedReports:
    """What a fold moves: rows that are set as they are, and what is added to the running totals of the level `carried`.

    own:     the rows of `own_reported` and `own_carried` (`KEY_SCHEMA`).
    changes: by area and day, what is added to the level `carried` from that day on.
    """

    own: Cells
    changes: Cells


class ReportCarry:
    """Moves the levels of one feed, over the fold's connection."""

    def __init__(
        self, feed_id: int, areas: AreaTree, reports: Sequence[tuple[int, int]], local: Sequence[int], width: int
    ) -> None:
        """
        reports: columns of amounts, each with that of the number of its reports.
        local:   columns that count in the very area and in none above it.
        """
        self._feed_id = feed_id
        self._reports = tuple(reports)
        self._columns = sorted({column for pair in reports for column in pair})
        self._counts = np.array([count for _, count in reports], dtype=np.int64)
        self._local = local
        self._width = width
        self._carry_overs = carry_overs_frame(areas)
        self._ends = {area.area_id: area.valid_to for area in areas.areas if area.valid_to != FOREVER}
        self._heirs: dict[int, list[CarryOver]] = {}
        self._heired: dict[int, list[CarryOver]] = {}
        for one in takeovers(areas):
            self._heirs.setdefault(one.origin_id, []).append(one)
            self._heired.setdefault(one.area_id, []).append(one)
        self._queries = load_queries("report_carry")

    def move(self, connection: psycopg.Connection, days: pl.DataFrame, sums: Matrix) -> MovedReports:
        """Return what sums of areas and days (`area_id`, `bucket`, as records name them) move in the levels."""
        named: Matrix = np.zeros((len(sums), self._width), dtype=np.int64)
        named[:, self._columns] = sums[:, self._columns]
        changes = by_area(changed(grouped(days, named)))
        if not changes:
            return self._moved([], [], [])
        since = self._since(connection, changes)
        reported = self._reported(connection, changes, since)
        carried = self._read(connection, OWN_CARRIED, since)
        keys: list[tuple[str, int, date]] = []
        totals: list[Matrix] = []
        deltas: list[tuple[int, Ordinals, Matrix]] = []
        for area_id, changed_days in changes.items():
            own = reported[area_id]
            chosen = own.days >= changed_days[0][0].toordinal()
            keys += [(OWN_REPORTED, area_id, date.fromordinal(day)) for day in own.days[chosen].tolist()]
            totals.append(own.rows[chosen])
        for area_id, first in since.items():
            own, before = reported[area_id], carried[area_id]
            replaced = self._replaced_on(area_id, reported)
            found = np.unique(np.concatenate([own.days, before.days, replaced[replaced < _NEVER]]))
            moved = found[found >= first.toordinal()]
            told = before.at(np.array([first.toordinal() - 1], dtype=np.int64))[0]
            new = carried_totals(own.at(moved), self._reports, told.tolist(), moved[:, None] >= replaced[None, :])
            keys += [(OWN_CARRIED, area_id, date.fromordinal(day)) for day in moved.tolist()]
            totals.append(new)
            deltas.append((area_id, moved, np.diff(new - before.at(moved), axis=0, prepend=0)))
        return self._moved(keys, totals, deltas)

    def _moved(
        self,
        keys: list[tuple[str, int, date]],
        totals: list[Matrix],
        deltas: list[tuple[int, Ordinals, Matrix]],
    ) -> MovedReports:
        nothing: Matrix = np.zeros((0, self._width), dtype=np.int64)
        own = Cells(pl.DataFrame(keys, schema=KEY_SCHEMA, orient="row"), np.concatenate([nothing, *totals]))
        places = [(area_id, date.fromordinal(day)) for area_id, days, _ in deltas for day in days.tolist()]
        moved = pl.DataFrame(places, schema={"area_id": pl.Int32(), "bucket": pl.Date()}, orient="row")
        amounts = np.concatenate([nothing, *(rows for _, _, rows in deltas)])
        some = (amounts != 0).any(axis=1)
        cells = changed(
            fold_running(moved.filter(pl.Series(some, dtype=pl.Boolean)), amounts[some], self._carry_overs, self._local)
        )
        # What stood in a unit when it ended is not moved by what came later.
        ends = cells.keys["area_id"].replace_strict(self._ends, default=FOREVER, return_dtype=pl.Date)
        there = cells.keys["bucket"] < ends
        return MovedReports(own, Cells(cells.keys.filter(there), cells.sums[there.to_numpy()]))

    def _since(self, connection: psycopg.Connection, changes: Changes) -> dict[int, date]:
        """Return from which day on each area has to be carried anew: those of the changes, and those they replace.

        What an ended unit reported is replaced by the first report of those that took over its ground. As soon as it
        is, their later reports do not concern it.
        """
        since = {area_id: days[0][0] for area_id, days in changes.items()}
        replaced: dict[int, date] = {}
        for area_id, days in changes.items():
            for one in self._heired.get(area_id, ()):
                day = max(one.since, days[0][0])
                replaced[one.origin_id] = min(day, replaced.get(one.origin_id, FOREVER))
        if replaced:
            touched = np.zeros(self._width, dtype=np.bool_)
            for area_id in {one.area_id for origin in replaced for one in self._heirs[origin]} & changes.keys():
                touched |= (matrix_of([sums for _, sums in changes[area_id]], self._width) != 0).any(axis=0)
            asked = {
                "feed_id": self._feed_id,
                "areas": list(replaced),
                "days": list(replaced.values()),
                "slots": [int(count) + 1 for count in self._counts if touched[count]],
            }
            cursor = connection.cursor(row_factory=scalar_row)
            for origin_id in cursor.execute(self._queries["select_carrying"], asked).fetchall():
                since[origin_id] = min(replaced[origin_id], since.get(origin_id, FOREVER))
        return since

    def _reported(
        self, connection: psycopg.Connection, changes: Changes, since: Mapping[int, date]
    ) -> dict[int, _Steps]:
        """Return the reports in force as they are with the changes: of the areas, and of those that replace them."""
        needed = dict(since)
        for area_id in since:
            for one in self._heirs.get(area_id, ()):
                needed[one.area_id] = min(one.since, needed.get(one.area_id, FOREVER))
        known = self._read(connection, OWN_REPORTED, needed)
        for area_id, days in changes.items():
            stored = known[area_id]
            rows = zip(map(date.fromordinal, stored.days.tolist()), stored.rows.tolist(), strict=True)
            earlier = stored.days < days[0][0].toordinal()
            moved = running_totals(list(rows), days, self._width)
            known[area_id] = _Steps(
                np.concatenate([stored.days[earlier], np.array([day.toordinal() for day, _ in moved], dtype=np.int64)]),
                np.concatenate([stored.rows[earlier], matrix_of([sums for _, sums in moved], self._width)]),
            )
        return known

    def _read(self, connection: psycopg.Connection, level: str, since: Mapping[int, date]) -> dict[int, _Steps]:
        """Return the stored totals of each area: the last before a day, and all from it on."""
        asked = {"feed_id": self._feed_id, "level": level, "areas": list(since), "since": list(since.values())}
        cursor = connection.cursor(row_factory=class_row(_TotalsRow))
        found: dict[int, list[_TotalsRow]] = {}
        for row in cursor.execute(load_queries("rollup")["select_running_totals"], asked, binary=True):
            found.setdefault(row.area_id, []).append(row)
        steps = {}
        for area_id in since:
            rows = sorted(found.get(area_id, ()), key=lambda row: row.bucket)
            days = np.array([row.bucket.toordinal() for row in rows], dtype=np.int64)
            steps[area_id] = _Steps(days, matrix_of([row.sums for row in rows], self._width))
        return steps

    def _replaced_on(self, area_id: int, reported: Mapping[int, _Steps]) -> Ordinals:
        """Return by pair of reports the first day on which units that took an area over have a report in force."""
        first: Ordinals = np.full(len(self._counts), _NEVER, dtype=np.int64)
        for one in self._heirs.get(area_id, ()):
            steps, begin = reported[one.area_id], one.since.toordinal()
            if not len(steps.days):
                continue
            # A row holds until the day before the next one: those that ended before the takeover do not count.
            open_to = np.append(steps.days[1:], _NEVER) > begin
            days = np.where(
                (steps.rows[:, self._counts] != 0) & open_to[:, None], np.maximum(steps.days, begin)[:, None], _NEVER
            )
            first = np.minimum(first, days.min(axis=0))
        return first


def by_area(cells: Cells) -> dict[int, list[tuple[date, list[int]]]]:
    """Return what each area adds on its days, in order of days."""
    found: dict[int, list[tuple[date, list[int]]]] = {}
    days = cells.keys.with_row_index("row").sort("area_id", "bucket")
    for row, area_id, bucket in days.select("row", "area_id", "bucket").iter_rows():
        found.setdefault(area_id, []).append((bucket, cells.sums[row].tolist()))
    return found
