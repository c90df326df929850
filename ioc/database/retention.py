"""Retention: what is kept for how long, by table; one job prunes all of them.

Records, sums and figures are kept without end. So are revisions unless a setting says otherwise: what a past figure
was, and why, rests on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from psycopg import sql as pg

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
}


@dataclass(frozen=True)
class Pruned:
    """What became of a table; `before` is None where it is kept without end.

    rows: those that were older, and were removed unless it was a dry run; of a hypertable, whole chunks go.
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
    with connect(settings, "owner", autocommit=True) as connection, translated_errors():
        if dry_run:
            query = pg.SQL("SELECT count(*) FROM {table} WHERE {column} < %s").format(**names)
            row = connection.execute(query, [before]).fetchone()
            return Pruned(table, days, before, row[0] if row else 0)
        rows = 0
        if kept.hypertable:
            # Whole chunks first: that costs nothing, however many rows they hold.
            chunks = connection.execute(load_queries("retention")["count_chunks"], [table, before]).fetchall()
            rows += sum(count for (count,) in chunks)
            connection.execute(load_queries("retention")["drop_chunks"], [table, before])
        delete = pg.SQL(
            "DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {table} WHERE {column} < %s LIMIT %s))"
        ).format(**names)
        # Row by row where tables are not cut by time, in small transactions: nobody waits for them.
        while not kept.hypertable and (removed := connection.execute(delete, [before, _BATCH]).rowcount):
            rows += removed
    return Pruned(table, days, before, rows)
