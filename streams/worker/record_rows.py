"""The rows of one feed: its record table, the history beside it, and what records contribute to the measures."""

from __future__ import annotations

import polars as pl
import psycopg
from psycopg import sql as pg

from ioc.catalogue.expression import SHARED_COLUMNS
from ioc.database.array_text import array_expr
from ioc.errors import ConcurrentWriteError
from ioc.feeds.feed import Feed
from ioc.feeds.record_table import BASE_COLUMNS, RECORD_COLUMNS
from streams.rules.contribute import Contributor

HISTORY_COLUMNS = ("key", "revision", "feed_id", "content_hash", "record", "superseded", "reporter")


class RecordRows:
    """What a transaction writes of one feed alone; the caller keeps the connection and the transaction."""

    def __init__(self, feed: Feed, feed_id: int, contributor: Contributor) -> None:
        self._feed_id = feed_id
        self._name = feed.table
        self._contributor = contributor
        self._content = [column.name for column in feed.columns]
        self._table = pg.Identifier(feed.table)
        self._names = [*RECORD_COLUMNS, *self._content]
        columns = pg.SQL(", ").join(map(pg.Identifier, self._names))
        self._copy = pg.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(self._table, columns)
        # The range of times is given as constants so that only the chunks concerned are planned and searched.
        self._take_back = pg.SQL(
            "DELETE FROM {} WHERE effective_at >= {} AND effective_at <= {} AND key = ANY({}::uuid[]) RETURNING {}"
        )
        self._returning = pg.SQL(", ").join(
            pg.SQL("replace({}::text, '-', '')").format(pg.Identifier(name)) if name == "key" else pg.Identifier(name)
            for name in self._names
        )
        schema = {column.name: column.dtype for column in (*BASE_COLUMNS, *feed.columns)}
        self._schema = {name: schema[name] for name in self._names}

    def insert(self, connection: psycopg.Connection, present: pl.DataFrame) -> None:
        """Write the winning revisions of the records."""
        copy_rows(connection, self._copy, present.select(self._names))

    def take_back(self, connection: psycopg.Connection, winners: pl.DataFrame) -> pl.DataFrame:
        """Delete the rows that the winners replace, and return them."""
        replaced = winners.filter(pl.col("stored_at").is_not_null())
        rows: list[tuple[object, ...]] = []
        for _, group in replaced.group_by(pl.col("stored_at").dt.truncate("1mo")):
            times = group["stored_at"]
            statement = self._take_back.format(
                self._table,
                pg.Literal(times.min()),
                pg.Literal(times.max()),
                pg.Placeholder(),
                self._returning,
            )
            rows += connection.execute(statement, [group["key"].to_list()], binary=True).fetchall()
        if len(rows) != replaced.height:
            raise ConcurrentWriteError(f"{self._name}: {replaced.height - len(rows)} replaced rows were gone")
        return pl.DataFrame(rows, schema=self._schema, orient="row")

    def history(self, winners: pl.DataFrame, superseded: pl.DataFrame, old: pl.DataFrame) -> pl.DataFrame:
        """Return what was replaced and what came too late (`HISTORY_COLUMNS`); neither counts anywhere."""
        content = pl.struct("reporter", "area_code", "effective_on", *self._content).struct.json_encode()
        replaced = winners.filter(pl.col("stored_revision").is_not_null()).select(
            "key", revision="stored_revision", content_hash="stored_hash"
        )
        parts = [
            replaced.join(old.select("key", record=content), on="key", how="left").with_columns(
                superseded=pl.lit(value=False), reporter=pl.lit(None, pl.String)
            ),
            superseded.select(
                "key",
                "revision",
                "content_hash",
                "reporter",
                record=pl.when(~pl.col("voided")).then(content),
                superseded=pl.lit(value=True),
            ),
        ]
        feed_id = pl.lit(self._feed_id, pl.Int64).alias("feed_id")
        return pl.concat(part.with_columns(feed_id).select(HISTORY_COLUMNS) for part in parts)

    def contributions(self, present: pl.DataFrame, old: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return what the measures gain and lose: rows of deltas and of members, as their tables take them."""
        columns = ["area_id", *SHARED_COLUMNS, *self._content]
        signed = present.select(*columns, sign=pl.lit(1, pl.Int64))
        if old.height:
            signed = pl.concat([signed, old.select(*columns, sign=pl.lit(-1, pl.Int64))])
        deltas = self._contributor.deltas(signed).select(
            pl.lit(self._feed_id, pl.Int64).alias("feed_id"),
            "area_id",
            "bucket",
            array_expr(pl.col("sums")).alias("sums"),
        )
        return deltas, self._contributor.members(signed)


def copy_rows(connection: psycopg.Connection, statement: str | pg.Composed, frame: pl.DataFrame) -> None:
    """Send a frame's rows by COPY in CSV, its columns in the statement's order."""
    if frame.height:
        with connection.cursor().copy(statement) as copy:
            copy.write(frame.write_csv(include_header=False, datetime_format="%Y-%m-%d %H:%M:%S%.6f%z").encode())
