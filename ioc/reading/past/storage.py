"""How much room the history takes that past figures are read from, how fast it grows, and how far back it reaches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from ioc.settings import Settings
from sql import load_queries

# Table -> the column that says when a row came, and the setting that bounds how long rows stay (none = for ever).
_TABLES = {
    "record_revision": ("recorded_at", "retention_record_revision_days"),
    "figure_snapshot": ("taken_at", "retention_figure_snapshot_days"),
    "quality_snapshot": ("taken_at", "retention_quality_snapshot_days"),
    "indicator_status_change": ("changed_at", "retention_indicator_status_change_days"),
    "open_day_change": ("changed_at", None),
    "row_version": ("changed_at", None),
}


@dataclass(frozen=True)
class HistoryStorage:
    """A table of the history.

    bytes:         on disk, with its indexes; `per_row` and `per_day` are shares of it.
    days:          over which its rows came, at least 1; `rows_per_day` is their mean.
    kept_days:     0 = without end.
    """

    table: str
    rows: int
    bytes: int
    first: datetime | None
    days: float
    kept_days: int = 0

    @property
    def per_row(self) -> float:
        """Bytes of a row, with its part of the indexes."""
        return self.bytes / self.rows if self.rows else 0.0

    @property
    def per_day(self) -> float:
        """Bytes that a day adds; 0 before the first row."""
        return self.bytes / self.days if self.rows else 0.0


def history_storage(connection: psycopg.Connection, settings: Settings) -> list[HistoryStorage]:
    """Return what each table of the history takes, the largest first."""
    queries = load_queries("past")
    found = []
    for table, (column, setting) in _TABLES.items():
        statement = sql.SQL(queries["select_storage"]).format(
            table=sql.Identifier(table),
            name=sql.Literal(table),
            column=sql.Identifier(column),
            kept=sql.Literal(getattr(settings, setting) if setting else 0),
        )
        found += connection.cursor(row_factory=class_row(HistoryStorage)).execute(statement, {}).fetchall()
    return sorted(found, key=lambda one: -one.bytes)
