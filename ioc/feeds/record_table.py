"""The table of a feed's records: the columns that all feeds share, the feed's own, and how it is made.

A record table is a hypertable over `effective_at`. Its unique index holds the record's key, a 128-bit hash.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from ioc.feeds.feed import UTC_TIME, Column, Feed

# What every record has, in the order of its table: identity, envelope, where and when it counts.
BASE_COLUMNS = (
    Column("key", pl.String()),
    Column("record_key", pl.String()),
    Column("revision", pl.Int64()),
    Column("event_id", pl.String()),
    Column("reporter", pl.String()),
    Column("area_code", pl.String()),
    Column("area_id", pl.Int32()),
    Column("effective_at", UTC_TIME),
    Column("effective_on", pl.Date()),
    Column("received_at", UTC_TIME),
)
RECORD_COLUMNS = tuple(column.name for column in BASE_COLUMNS)
_SQL_TYPES = {"key": "uuid", "area_id": "integer"}
_RECORDED = ("recorded_at", "timestamptz")


def table_columns(feed: Feed) -> dict[str, str]:
    """Return the columns that the feed's table must have, in order: name -> PostgreSQL's type."""
    shared = {column.name: _SQL_TYPES.get(column.name) or column.sql_type for column in BASE_COLUMNS}
    own = {column.name: column.sql_type for column in feed.columns}
    return {**shared, _RECORDED[0]: _RECORDED[1], **own}


def table_defects(feed: Feed, found: Mapping[str, str]) -> list[str]:
    """Compare a table with what the feed needs; return a sentence for each defect, none where all is well.

    found: the table's columns, name -> PostgreSQL's type; empty when there is no such table.
    """
    if not found:
        return [f"there is no table {feed.table}"]
    wanted = table_columns(feed)
    missing = [f"{name} {kind}" for name, kind in wanted.items() if name not in found]
    defects = [f"table {feed.table} has no column {', '.join(missing)}"] if missing else []
    defects += [
        f"column {feed.table}.{name} is {found[name]}, not {kind}"
        for name, kind in wanted.items()
        if name in found and found[name] != kind
    ]
    surplus = [name for name in found if name not in wanted]
    if surplus:
        defects.append(f"table {feed.table} has columns that the feed does not: {', '.join(surplus)}")
    return defects


def create_statements(feed: Feed) -> str:
    """Return the statements of a migration that makes the feed's table, with the rights of writers and readers."""
    shared = table_columns(feed)
    width = max(map(len, shared)) + 1
    not_null = {*RECORD_COLUMNS}
    lines = [
        f"    {name:<{width}} {kind}{' NOT NULL' if name in not_null else ''}"
        f"{' NOT NULL DEFAULT now()' if name == _RECORDED[0] else ''}"
        for name, kind in shared.items()
    ]
    body = ",\n".join(lines)
    return (
        f"CREATE TABLE {feed.table} (\n{body}\n);\n"
        f"SELECT create_hypertable('{feed.table}', 'effective_at', chunk_time_interval => interval '1 month');\n"
        f"CREATE UNIQUE INDEX {feed.table}_key ON {feed.table} (key, effective_at);\n"
    )
