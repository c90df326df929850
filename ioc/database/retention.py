"""Retention: what is kept for how long, by table; one job prunes all of them.

Records, sums and figures are kept without end. So are revisions unless a setting says otherwise: past figures
are computed from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg import sql as pg
from psycopg.rows import scalar_row

from ioc.database.connection import connect, translated_errors
from ioc.settings import Settings
from sql import load_queries

_BATCH = 10_000


@dataclass(frozen=True)
class Kept:
    """A table that is pruned: the column that says how old a row is, and whether it is a hypertable."""

    column: str
    hypertable: bool


TABLES: Mapping[str, Kept] = {
    "rejected_event": Kept("recorded_at", hypertable=True),
    "stream_batch": Kept("committed_at", hypertable=True),
    "stream_gap": Kept("found_at", hypertable=False),
    "record_revision": Kept("recorded_at", hypertable=False),
    "indicator_status_change": Kept("changed_at", hypertable=True),
    "figure_snapshot": Kept("taken_at", hypertable=True),
    "quality_snapshot": Kept("taken_at", hypertable=True),
}


@dataclass(frozen=True)
class Pruned:
    """What became of a table; `before` is None where it is kept without end.

    rows: those that were removed, or would be. Of a hypertable whole chunks go, so that a row may stay for as long as
    its chunk spans (7 or 90 days) beyond its days.
    """

    table: str
    days: int
    before: datetime | None
    rows: int


def prune(settings: Settings, *, now: datetime | None = None, dry_run: bool = False) -> list[Pruned]:
    """Remove what is older than its table's setting `retention_<table>_days` (0 = nothing); safe to repeat."""
    moment = now or datetime.now(UTC)
    return [
        _prune(settings, table, kept, getattr(settings, f"retention_{table}_days"), moment, dry_run=dry_run)
        for table, kept in TABLES.items()
    ]


def _prune(settings: Settings, table: str, kept: Kept, days: int, moment: datetime, *, dry_run: bool) -> Pruned:
    if not days:
        return Pruned(table, 0, None, 0)
    before = moment - timedelta(days=days)
    names = {"table": pg.Identifier(table), "column": pg.Identifier(kept.column)}
    queries = load_queries("retention")
    with connect(settings, "owner", autocommit=True) as connection, translated_errors():
        if kept.hypertable:
            # Whole chunks cost nothing to drop, however many rows they hold. The edge is read first, so that what
            # is counted is what goes.
            cursor = connection.cursor(row_factory=scalar_row)
            edge = cursor.execute(queries["select_edge"], [table, before]).fetchone()
            if edge is None:
                return Pruned(table, days, before, 0)
            rows = _count(connection, names, edge)
            if not dry_run:
                connection.execute(queries["drop_chunks"], [table, edge])
            return Pruned(table, days, before, rows)
        if dry_run:
            return Pruned(table, days, before, _count(connection, names, before))
        delete = pg.SQL(
            "DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {table} WHERE {column} < %s LIMIT %s))"
        ).format(**names)
        connection.execute(queries["allow_removal"])  # of rows that are otherwise only added
        # Row by row where tables are not cut by time, in small transactions, so others do not wait for locks.
        rows = 0
        while removed := connection.execute(delete, [before, _BATCH]).rowcount:
            rows += removed
        if table == "record_revision":
            connection.execute(queries["shorten_history"], [before])
    return Pruned(table, days, before, rows)


def _count(connection: psycopg.Connection, names: Mapping[str, pg.Identifier], before: datetime) -> int:
    statement = pg.SQL("SELECT count(*) FROM {table} WHERE {column} < %s").format(**names)
    return connection.cursor(row_factory=scalar_row).execute(statement, [before]).fetchone() or 0
