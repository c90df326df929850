"""Moving contributions from the logs of deltas into the cells, exactly once: taken and added in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import psycopg
from psycopg.rows import class_row

from ioc.catalogue import StoredMeasure
from ioc.database.array_text import array_texts
from ioc.period import CARRIED, CLOSING
from ioc.territory.area import AreaTree
from ioc.territory.placement import carry_overs_frame, placements_frame
from sql import load_queries
from streams.rollup.members import MemberFold
from streams.rollup.report_carry import KEY_SCHEMA, ReportCarry, by_area
from streams.rollup.waiting import Contribution, Delta, MemberDelta, Waiting
from streams.rules.fold import (
    CELL_KEY,
    Cells,
    Matrix,
    changed,
    fold_running,
    fold_sums,
    matrix_of,
    relocate,
    running_totals,
)

_MEMBERS = 80_000  # most members of one fold


class _RunningTotals(NamedTuple):
    area_id: int
    bucket: date
    sums: list[int]


class _OpenDay(NamedTuple):
    feed_id: int
    day: date


@dataclass
class Touched:
    """What a fold changed.

    cells:          feed key -> cells (`KEY_SCHEMA`) and what was added to their sums.
    turned:         feed key -> days on which it began to count somewhere, or counts nowhere any more.
    running_totals: feed key -> areas and days, and what was added to their running totals from that day on.
    totals:         feed key -> running totals (and what is carried) as they are now, of the areas whose running totals
                    changed: all of them from the first day of a change on.
    turnings:       feed key -> areas (`area_id`) and days (`bucket`) on which members appeared or disappeared: two who
                    change places leave the day's count as it was, and may change that of the month.
    """

    cells: dict[str, Cells] = field(default_factory=dict)
    turned: dict[str, list[date]] = field(default_factory=dict)
    running_totals: dict[str, Cells] = field(default_factory=dict)
    totals: Mapping[str, Cells] = field(default_factory=dict)
    turnings: Mapping[str, pl.DataFrame] = field(default_factory=dict)


class CellFold:
    """Folds what is waiting; one at a time in a database (the caller holds the lock)."""

    def __init__(
        self,
        measures: Sequence[StoredMeasure],
        feed_ids: dict[str, int],
        areas: AreaTree,
        stock_feeds: frozenset[str],
        foretelling: frozenset[str] = frozenset(),
        reports: Mapping[str, Sequence[tuple[int, int]]] | None = None,
    ) -> None:
        """
        stock_feeds: feeds whose running totals are kept, because a stock that is counted is read from them.
        foretelling: feeds whose records say ahead on which day they stop counting: it opens no period.
        reports:     by feed, the columns of amounts that are carried to the next report, each with that of the
                     number of its reports.
        """
        self._queries = load_queries("rollup")
        self._feed_ids = feed_ids
        self._feeds = {feed_id: key for key, feed_id in feed_ids.items()}
        self._chains = areas.chains()
        self._placements = placements_frame(areas)
        self._members = MemberFold(measures, areas)
        self._carry_overs = carry_overs_frame(areas)
        self._roots = [area.area_id for area in areas.areas if area.parent_id is None]
        self._foretelling = foretelling
        self._opening = load_queries("opening")
        self._by_id = {stored.measure_id: stored for stored in measures}
        self._local = {
            key: sorted({stored.slot - 1 for stored in measures if stored.measure.feed == key and stored.measure.local})
            for key in feed_ids
        }
        self._width = {
            key: max((stored.slot for stored in measures if stored.measure.feed == key), default=1) for key in feed_ids
        }
        self._stock_feeds = stock_feeds
        self._carries = {
            feed: ReportCarry(feed_ids[feed], areas, columns, self._local[feed], self._width[feed])
            for feed, columns in (reports or {}).items()
        }

    def take(self, connection: psycopg.Connection, most: int) -> Waiting:
        """Take what is waiting, at most so many deltas: this and the bound of members keep a fold's memory small."""
        deltas = connection.cursor(row_factory=class_row(Delta))
        members = connection.cursor(row_factory=class_row(MemberDelta))
        return Waiting(
            deltas.execute(self._queries["take_deltas"], [most], binary=True).fetchall(),
            members.execute(self._queries["take_members"], [_MEMBERS], binary=True).fetchall(),
        )

    def fold(self, connection: psycopg.Connection, waiting: Waiting) -> Touched:
        """Add what was taken to the cells; return what changed. Raises one of `DATA_FAULTS` where that cannot be."""
        connection.execute(self._queries["create_staging"])
        counted = self._members.fold(connection, waiting.members)
        touched = Touched(turnings=counted.turnings)
        running: dict[str, Cells] = {}
        named: dict[str, tuple[pl.DataFrame, Matrix]] = {}
        for feed_id, feed in self._feeds.items():
            rows = [row for row in waiting.deltas if row.feed_id == feed_id]
            if not rows and feed not in counted.changes:
                continue
            if rows and feed in self._carries:
                named[feed] = _days_of(rows), matrix_of([row.sums for row in rows], self._width[feed])
            days, sums = self._placed(feed, rows)
            cells = fold_sums(days, sums, self._chains, self._local[feed])
            cells = changed(_with_counts(cells, counted.changes.get(feed), self._width[feed]))
            if cells.keys.height:
                touched.cells[feed] = cells
                if feed in self._stock_feeds:
                    running[feed] = changed(fold_running(days, sums, self._carry_overs, self._local[feed]))
        self._add(connection, touched.cells)
        touched.turned = self._turn(connection, touched.cells, self._arrivals(waiting))
        touched.running_totals = {feed: cells for feed, cells in running.items() if cells.keys.height}
        totals = self._move_running_totals(connection, CLOSING, touched.running_totals)
        for feed, (days, sums) in named.items():
            changes, carried = self.carry(connection, feed, days, sums)
            if changes.keys.height:
                touched.running_totals[feed] = _together(touched.running_totals.get(feed), changes)
                totals[feed] = _together(totals.get(feed), carried)
        touched.totals = totals
        return touched

    def carry(self, connection: psycopg.Connection, feed: str, days: pl.DataFrame, sums: Matrix) -> tuple[Cells, Cells]:
        """Carry sums of reports (areas and days as records name them) forward, and up to all areas above.

        Returns what they add to the level `carried`, by area and day, and its totals as they are then.
        """
        moved = self._carries[feed].move(connection, days, sums)
        if moved.own.keys.height:
            self._stage(connection, {feed: moved.own})
            connection.execute(self._queries["set_staged_cells"])
        changes = {feed: moved.changes} if moved.changes.keys.height else {}
        return moved.changes, self._move_running_totals(connection, CARRIED, changes).get(feed, moved.changes)

    def feed_of(self, contribution: Contribution) -> str:
        """Return the feed that a contribution belongs to."""
        if isinstance(contribution, Delta):
            return self._feeds[contribution.feed_id]
        return self._by_id[contribution.measure_id].measure.feed

    def _placed(self, feed: str, rows: list[Delta]) -> tuple[pl.DataFrame, Matrix]:
        """Return a feed's deltas (`area_id`, `bucket`) and their sums, where they count."""
        days: list[pl.DataFrame] = []
        sums: list[Matrix] = []
        for done in (False, True):
            chosen = [row for row in rows if row.placed == done]
            if days and not chosen:
                continue
            frame = _days_of(chosen)
            matrix = matrix_of([row.sums for row in chosen], self._width[feed])
            if not done:
                frame, matrix = relocate(frame, matrix, self._placements, self._local[feed])
            days.append(frame)
            sums.append(matrix)
        return pl.concat(days), np.concatenate(sums)

    def _arrivals(self, waiting: Waiting) -> dict[_OpenDay, tuple[datetime, datetime]]:
        """Return by feed and day when the first and the last of the contributions came."""
        found: dict[_OpenDay, tuple[datetime, datetime]] = {}
        contributions: list[Contribution] = [*waiting.deltas, *waiting.members]
        for one in contributions:
            open_day = _OpenDay(self._feed_ids[self.feed_of(one)], one.bucket)
            first, last = found.get(open_day, (one.appended_at, one.appended_at))
            found[open_day] = min(first, one.appended_at), max(last, one.appended_at)
        return found

    def _turn(
        self,
        connection: psycopg.Connection,
        touched: Mapping[str, Cells],
        arrivals: Mapping[_OpenDay, tuple[datetime, datetime]],
    ) -> dict[str, list[date]]:
        """Keep the feeds' open days, and when they changed; return by feed those that opened or shut."""
        asked: set[_OpenDay] = set()
        for feed, cells in touched.items():
            days = cells.keys.filter((pl.col("period") == "day") & pl.col("area_id").is_in(self._roots))["bucket"]
            asked |= {_OpenDay(self._feed_ids[feed], day) for day in days.unique()}
        if not asked:
            return {}
        foretelling = {self._feed_ids[feed] for feed in self._foretelling}
        sought = {
            **_columns(asked),
            "foretells": [one.feed_id in foretelling for one in asked],
            "roots": self._roots,
            "first": min(one.day for one in asked),
            "last": max(one.day for one in asked),
        }
        cursor = connection.cursor(row_factory=class_row(_OpenDay))
        some = sorted(cursor.execute(self._opening["select_counted_days"], sought))
        rest = sorted(asked - set(some))
        opening = {**_columns(some), "first_at": [arrivals[one][0] for one in some]}
        opened = cursor.execute(self._opening["open_days"], opening).fetchall()
        shutting = {**_columns(rest), "last_at": [arrivals[one][1] for one in rest]}
        shut = cursor.execute(self._opening["shut_days"], shutting).fetchall()
        turned: dict[str, list[date]] = {}
        for row in sorted((*opened, *shut)):
            turned.setdefault(self._feeds[row.feed_id], []).append(row.day)
        return turned

    def _add(self, connection: psycopg.Connection, touched: Mapping[str, Cells]) -> None:
        """Add to the stored cells.

        A cell that came back to nothing is removed: what stands then depends on the records alone, not on what was
        counted and taken back in between.
        """
        self._stage(connection, touched)
        connection.execute(self._queries["add_staged_cells"])
        if any((cells.sums < 0).any() for cells in touched.values()):
            connection.execute(self._queries["remove_emptied_cells"])

    def _stage(self, connection: psycopg.Connection, by_feed: Mapping[str, Cells]) -> None:
        connection.execute(self._queries["clear_staged_cells"])
        frames = [
            cells.keys.select(
                pl.lit(self._feed_ids[feed]).alias("feed_id"),
                *CELL_KEY,
                pl.Series("sums", array_texts(cells.sums.tolist()), dtype=pl.String),
            )
            for feed, cells in by_feed.items()
        ]
        if frames:
            with connection.cursor().copy(self._queries["copy_staged_cells"]) as copy:
                copy.write(pl.concat(frames).write_csv(include_header=False).encode())

    def _move_running_totals(
        self, connection: psycopg.Connection, level: str, changes: Mapping[str, Cells]
    ) -> dict[str, Cells]:
        """Carry changes into the running totals of a level; return all that moved, as they are now."""
        moved = {feed: self._moved_totals(connection, feed, level, cells) for feed, cells in changes.items()}
        if moved:
            self._stage(connection, moved)
            connection.execute(self._queries["set_staged_cells"])
        return moved

    def _moved_totals(self, connection: psycopg.Connection, feed: str, level: str, cells: Cells) -> Cells:
        """Return the running totals that changes move, as they are with them."""
        feed_id = self._feed_ids[feed]
        changes = by_area(cells)
        since = {area_id: days[0][0] for area_id, days in changes.items()}
        known: dict[int, list[tuple[date, list[int]]]] = {}
        asked = {"feed_id": feed_id, "level": level, "areas": list(since), "since": list(since.values())}
        stored = connection.cursor(row_factory=class_row(_RunningTotals))
        for row in stored.execute(self._queries["select_running_totals"], asked, binary=True):
            known.setdefault(row.area_id, []).append((row.bucket, row.sums))
        width = self._width[feed]
        keys: list[tuple[str, int, date]] = []
        totals: list[list[int]] = []
        for area_id, days in changes.items():
            found = running_totals(sorted(known.get(area_id, [])), days, width)
            keys += [(level, area_id, day) for day, _ in found]
            totals += [sums for _, sums in found]
        return Cells(pl.DataFrame(keys, schema=KEY_SCHEMA, orient="row"), matrix_of(totals, width))


def _columns(days: Iterable[_OpenDay]) -> dict[str, Any]:
    """Return feeds and days as lists, in one order."""
    ordered = list(days)
    return {"feed_ids": [one.feed_id for one in ordered], "days": [one.day for one in ordered]}


def _days_of(rows: Sequence[Delta]) -> pl.DataFrame:
    """Return the areas and days of deltas."""
    return pl.DataFrame(
        {"area_id": [row.area_id for row in rows], "bucket": [row.bucket for row in rows]},
        schema={"area_id": pl.Int32, "bucket": pl.Date},
    )


def _together(one: Cells | None, other: Cells) -> Cells:
    """Return the cells of both."""
    if one is None:
        return other
    return Cells(pl.concat([one.keys, other.keys]), np.concatenate([one.sums, other.sums]))


def _with_counts(cells: Cells, changes: pl.DataFrame | None, width: int) -> Cells:
    """Return the cells with the changes of distinct counts (`MemberFold.fold`) in their slots."""
    if changes is None:
        return cells
    keys = pl.concat([cells.keys.select(CELL_KEY), changes.select(CELL_KEY)]).unique(maintain_order=True)
    sums: Matrix = np.zeros((keys.height, width), dtype=np.int64)
    sums[: cells.keys.height] = cells.sums
    at = changes.join(keys.with_row_index("at"), on=CELL_KEY, how="left", maintain_order="left")
    sums[at["at"].to_numpy(), at["slot"].to_numpy() - 1] += at["change"].to_numpy()
    return Cells(keys, sums)
