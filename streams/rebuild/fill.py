"""Adding to a measure what the records hold and its sums lack.

A month is recomputed from the records, and what is stored already or waits to be folded is subtracted; the difference
is appended as a contribution like any other. All three are read in one snapshot, in which a worker's transaction or a
fold is either whole or not there at all. So workers go on meanwhile, and a month that is done twice adds nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import polars as pl
import psycopg
from psycopg import sql
from psycopg.rows import class_row, dict_row

from ioc.catalogue import StoredMeasure
from ioc.database.array_text import array_expr
from ioc.database.connection import translated_errors
from ioc.feeds.feed import Feed
from ioc.period import end_of
from ioc.recompute.day_sum import day_sums_sql, members_sql
from ioc.territory.area import AreaTree
from ioc.territory.placement import placements_frame
from sql import load_queries
from streams.rules.fold import relocate

_KEY = ("area_id", "day")


class _DayCell(NamedTuple):
    area_id: int
    day: date
    sums: list[int]


class _WaitingSums(NamedTuple):
    """Sums that wait to be folded; `placed`: in the unit where they count."""

    area_id: int
    day: date
    placed: bool
    sums: list[int]


@dataclass(frozen=True)
class Appended:
    """How many contributions a month lacked: areas and days of sums, and members."""

    sums: int = 0
    members: int = 0

    def __add__(self, other: Appended) -> Appended:
        return Appended(self.sums + other.sums, self.members + other.members)


class MeasureFill:
    """Fills measures of one feed, a month of business days at a time; one at a time in a database."""

    def __init__(self, feed: Feed, feed_id: int, measures: Sequence[StoredMeasure], areas: AreaTree) -> None:
        self.feed = feed
        self.feed_id = feed_id
        self.measures = tuple(measures)
        self._sums = [stored for stored in measures if stored.measure.kind == "sum"]
        self._distinct = [stored for stored in measures if stored.measure.kind == "distinct"]
        self._names = [f"s{stored.slot}" for stored in self._sums]
        self._parents = pl.DataFrame(
            [(area.area_id, area.parent_id) for area in areas.areas if area.parent_id is not None],
            schema={"area_id": pl.Int32, "parent_id": pl.Int32},
            orient="row",
        )
        self._placements = placements_frame(areas)
        self._local = [at for at, stored in enumerate(self._sums) if stored.measure.local]
        self._queries = load_queries("rebuild")

    @property
    def measure_ids(self) -> list[int]:
        """Ids of the measures."""
        return [stored.measure_id for stored in self.measures]

    def months(self, connection: psycopg.Connection) -> list[date]:
        """Return the first days of the months in which records count or something is stored, and are not done."""
        columns = {s.measure.at for s in self.measures} | {s.measure.until for s in self.measures if s.measure.until}
        part = sql.SQL(self._queries["record_months"])
        table = sql.Identifier(self.feed.table)
        texts = [part.format(column=sql.Identifier(column), table=table) for column in sorted(columns)]
        with translated_errors():
            found = {month for text in texts for (month,) in connection.execute(text).fetchall()}
            found |= {month for (month,) in connection.execute(self._queries["stored_months"], [self.feed_id])}
            done = connection.execute(self._queries["done_months"], [self.feed_id, self.measure_ids]).fetchall()
        return sorted(found - {month for (month,) in done})

    def fill(self, connection: psycopg.Connection, month: date) -> Appended:
        """Append what a month lacks, in one transaction, and note that it is done."""
        days = (month, end_of("month", month))
        with translated_errors(), connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            lacking = self._lacking_sums(connection, days)
            self._append(connection, lacking)
            members = self._append_members(connection, days)
            connection.execute(self._queries["note_month"], [self.feed_id, month, self.measure_ids])
        return Appended(lacking.height, members)

    def begin_anew(self, connection: psycopg.Connection) -> None:
        """Forget which months are done: all are looked at again."""
        with translated_errors():
            connection.execute(self._queries["forget_months"], [self.feed_id])

    def finish(self, connection: psycopg.Connection) -> None:
        """Mark the measures as complete; call it when every month is done."""
        with translated_errors(), connection.transaction():
            connection.execute(load_queries("catalogue")["set_complete"], [self.measure_ids])
            connection.execute(self._queries["forget_months"], [self.feed_id])

    def _lacking_sums(self, connection: psycopg.Connection, days: tuple[date, date]) -> pl.DataFrame:
        """Return (area_id, day, s<slot>, ...): recomputed - stored - waiting, where it is not nothing."""
        if not self._sums:
            return self._frame([])
        # With parameters, though there are none: psycopg reads percent signs alike in all that is composed.
        day_sums = day_sums_sql(self.feed, self._sums, within=days)
        spoken = connection.cursor(row_factory=dict_row).execute(day_sums, {}).fetchall()
        recomputed = self._placed(
            self._frame([(row["area_id"], row["day"], [int(row[name]) for name in self._names]) for row in spoken])
        )
        slots = [stored.slot for stored in self._sums]
        asked = {"feed_id": self.feed_id, "first": days[0], "last": days[1], "slots": slots}
        cells = connection.cursor(row_factory=class_row(_DayCell)).execute(self._queries["select_day_cells"], asked)
        stored = self._frame([(row.area_id, row.day, row.sums) for row in cells])
        cursor = connection.cursor(row_factory=class_row(_WaitingSums))
        rows = cursor.execute(self._queries["select_waiting_sums"], asked).fetchall()
        named, placed = (
            self._frame([(row.area_id, row.day, row.sums) for row in rows if row.placed is is_placed])
            for is_placed in (False, True)
        )
        waiting = pl.concat([self._placed(named), placed])
        # A cell holds what lies below it too, but for local measures; its own part is the cell less its children.
        local = [self._names[at] for at in self._local]
        children = (
            stored.join(self._parents, on="area_id")
            .with_columns(pl.col("parent_id").alias("area_id"))
            .drop("parent_id")
            .with_columns(pl.lit(0, pl.Int64).alias(name) for name in local)
        )
        negative = [-pl.col(name) for name in self._names]
        return (
            pl.concat([recomputed, stored.with_columns(negative), children, waiting.with_columns(negative)])
            .group_by(_KEY)
            .agg(pl.col(self._names).sum())
            .filter(pl.any_horizontal(pl.col(self._names) != 0))
            .sort(_KEY)
        )

    def _placed(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return sums in the units in which they count, as the roll-up places them."""
        days = frame.select("area_id", bucket="day")
        placed, sums = relocate(days, frame.select(self._names).to_numpy(), self._placements, self._local)
        return placed.rename({"bucket": "day"}).with_columns(
            pl.Series(name, sums[:, at]) for at, name in enumerate(self._names)
        )

    def _frame(self, rows: Sequence[tuple[int, date, Sequence[int]]]) -> pl.DataFrame:
        schema = {"area_id": pl.Int32(), "day": pl.Date(), **dict.fromkeys(self._names, pl.Int64())}
        return pl.DataFrame([(area_id, day, *sums) for area_id, day, sums in rows], schema=schema, orient="row")

    def _append(self, connection: psycopg.Connection, lacking: pl.DataFrame) -> None:
        if not lacking.height:
            return
        by_slot = {stored.slot: name for stored, name in zip(self._sums, self._names, strict=True)}
        nothing = pl.lit(0, pl.Int64)
        slots = [pl.col(by_slot[slot]) if slot in by_slot else nothing for slot in range(1, max(by_slot) + 1)]
        sums = array_expr(pl.concat_list(slots))
        rows = lacking.select(pl.lit(self.feed_id).alias("feed_id"), *_KEY, sums=sums, placed=pl.lit(True))
        with connection.cursor().copy(self._queries["copy_lacking"]) as copy:
            copy.write(rows.write_csv(include_header=False).encode())

    def _append_members(self, connection: psycopg.Connection, days: tuple[date, date]) -> int:
        """Append what members' counts lack, without taking them out of the database; return how many."""
        if not self._distinct:
            return 0
        statement = sql.SQL(self._queries["append_members"]).format(
            spoken=members_sql(self.feed, self._distinct, within=days)
        )
        asked = {
            "slots": [stored.slot for stored in self._distinct],
            "measure_ids": [stored.measure_id for stored in self._distinct],
            "first": days[0],
            "last": days[1],
        }
        return connection.execute(statement, asked).rowcount
