"""What agencies report, carried forward anew from the records: after a rebuild, and where it was never kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import NamedTuple

import polars as pl
import psycopg
from psycopg import sql
from psycopg.rows import class_row, scalar_row

from ioc.catalogue import StoredMeasure
from ioc.catalogue.composition import joined
from ioc.feeds.feed import Feed
from ioc.recompute.day_sum import column_of, day_sums_sql
from sql import load_queries
from streams.rules.fold import Matrix, matrix_of

# Carries sums of areas and days, as records name them, forward: `CellFold.carry` of one feed.
Carry = Callable[[pl.DataFrame, Matrix], object]


class _NamedDayRow(NamedTuple):
    day: date
    sums: list[int]


def lacks_levels(connection: psycopg.Connection, feed_id: int) -> bool:
    """Return whether reports of a feed are carried forward as versions before this one did, without levels of areas."""
    cursor = connection.cursor(row_factory=scalar_row)
    return bool(cursor.execute(load_queries("report_carry")["select_lacking"], {"feed_id": feed_id}).fetchone())


def rewrite_levels(
    connection: psycopg.Connection, feed: Feed, feed_id: int, measures: Sequence[StoredMeasure], carry: Carry
) -> None:
    """Write the levels anew; the caller's transaction holds the roll-up's lock.

    measures: those of the feed that no older records are missing from. What waits to be folded is left out: it is added
              when it is folded.
    """
    queries = load_queries("report_carry")
    connection.execute(queries["remove_levels"], [feed_id])
    sums = [stored for stored in measures if stored.measure.kind == "sum"]
    if not sums:
        return
    width = max(stored.slot for stored in sums)
    by_slot = {stored.slot: stored for stored in sums}
    part = {name: sql.SQL(queries[name]) for name in ("recorded", "waiting", "nothing", "total")}
    slots = range(1, width + 1)
    statement = sql.SQL(queries["select_named_days"]).format(
        day_sums=day_sums_sql(feed, sums),
        recorded=joined([part["recorded"].format(name=column_of(stored)) for stored in sums], ""),
        waiting=joined(
            [part["waiting"].format(name=column_of(stored), slot=sql.Literal(stored.slot)) for stored in sums], ""
        ),
        totals=joined(
            [
                part["total"].format(name=column_of(by_slot[slot])) if slot in by_slot else part["nothing"]
                for slot in slots
            ],
            ", ",
        ),
    )
    areas = connection.cursor(row_factory=scalar_row).execute(
        sql.SQL(queries["select_named_areas"]).format(table=sql.Identifier(feed.table)), {"feed_id": feed_id}
    )
    for area_id in areas.fetchall():
        cursor = connection.cursor(row_factory=class_row(_NamedDayRow))
        rows = cursor.execute(statement, {"feed_id": feed_id, "area_id": area_id}, prepare=False).fetchall()
        days = pl.DataFrame(
            {"area_id": [area_id] * len(rows), "bucket": [row.day for row in rows]},
            schema={"area_id": pl.Int32, "bucket": pl.Date},
        )
        carry(days, matrix_of([row.sums for row in rows], width))
