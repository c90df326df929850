"""How much room the tables take: in all, a row, and an event; what docs/capacity.md is computed from."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.rows import class_row, scalar_row

from ioc.database.connection import connect, translated_errors
from ioc.settings import Settings
from sql import load_queries

_SECONDS = 3600


@dataclass(frozen=True)
class _StoredSize:
    name: str
    chunks: int
    table_bytes: int
    index_bytes: int
    toast_bytes: int
    total_bytes: int


@dataclass(frozen=True)
class TableSize:
    """Room of one table in bytes, with its indexes; of a hypertable, with all its chunks.

    bytes_a_row and bytes_an_event are None where there is no row, or no event has come. An event is one that was
    consumed: accepted, refused, or known already.
    """

    name: str
    rows: int
    chunks: int
    table_bytes: int
    index_bytes: int
    total_bytes: int
    bytes_a_row: float | None
    bytes_an_event: float | None


@dataclass(frozen=True)
class EventCount:
    """What workers have consumed."""

    consumed: int
    accepted: int
    rejected: int


def measure_database(settings: Settings) -> tuple[EventCount, list[TableSize]]:
    """Measure every table, as the owner; a count may take an hour. Raises DatabaseUnavailableError."""
    patient = settings.model_copy(update={"db_statement_timeout": _SECONDS})
    with connect(patient, "owner", autocommit=True) as connection, translated_errors():
        return read_sizes(connection)


def read_sizes(connection: psycopg.Connection) -> tuple[EventCount, list[TableSize]]:
    """Measure every table, the largest first; rows are counted, which reads each table once. As the owner."""
    queries = load_queries("size")
    events = connection.cursor(row_factory=class_row(EventCount)).execute(queries["select_events"]).fetchone()
    assert events is not None
    stored = connection.cursor(row_factory=class_row(_StoredSize)).execute(queries["select_sizes"]).fetchall()
    count = sql.SQL(queries["count_rows"])
    sizes = []
    for one in stored:
        cursor = connection.cursor(row_factory=scalar_row)
        rows = cursor.execute(count.format(table=sql.Identifier(one.name))).fetchone()
        assert isinstance(rows, int)
        sizes.append(
            TableSize(
                one.name,
                rows,
                one.chunks,
                one.table_bytes + one.toast_bytes,
                one.index_bytes,
                one.total_bytes,
                one.total_bytes / rows if rows else None,
                one.total_bytes / events.consumed if events.consumed else None,
            )
        )
    return events, sizes
