"""Writing one parsed batch: records, contributions, rejections and the position, in one transaction.

The position in the database is the truth: what lies below it is dropped, a batch that starts above it is a gap, and
it moves in the same transaction that writes the batch. A crash at any moment therefore leaves either all of a batch
or nothing of it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import polars as pl
import psycopg
from psycopg import sql as pg

from ioc.db import translated_errors
from ioc.errors import ConcurrentWriteError, FatalError, PositionGapError, Reason
from ioc.feed import Feed
from ioc.validation import mask
from sql import load_queries
from streams.faultpoint import FaultPoint, no_fault
from streams.rules.classify import HISTORY_SCHEMA, STORED_SCHEMA, Classified, classify
from streams.rules.contribute import Contributor
from streams.rules.parse import ParsedBatch, Rejection

RECORD_COLUMNS = (
    "key",
    "record_key",
    "revision",
    "event_id",
    "reporter",
    "area_code",
    "area_id",
    "effective_at",
    "effective_on",
    "received_at",
)


@dataclass(frozen=True)
class BatchCounts:
    """How a batch was taken; `accepted + rejected + duplicate = consumed`."""

    consumed: int = 0
    accepted: int = 0
    rejected: int = 0
    duplicate: int = 0
    corrected: int = 0
    voided: int = 0
    superseded: int = 0


class RecordStore:
    """Applies batches of one feed over a connection that the caller keeps; one thread at a time."""

    def __init__(self, feed: Feed, feed_id: int, contributor: Contributor, *, fault: FaultPoint = no_fault) -> None:
        self.feed = feed
        self._feed_id = feed_id
        self._contributor = contributor
        self._fault = fault
        self._queries = load_queries("stream")
        self._content = [column.name for column in feed.columns]
        table = pg.Identifier(feed.table)
        names = [*RECORD_COLUMNS, *self._content]
        columns = pg.SQL(", ").join(map(pg.Identifier, names))
        self._copy_records = pg.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(table, columns)
        # The range of times is given as constants so that only the chunks concerned are planned and searched.
        self._take_back = pg.SQL(
            "DELETE FROM {} WHERE effective_at >= {} AND effective_at <= {} AND key = ANY({}::uuid[]) RETURNING {}"
        )
        self._table = table
        self._record_names = names
        self._returning = pg.SQL(", ").join(
            pg.SQL("replace({}::text, '-', '')").format(pg.Identifier(name)) if name == "key" else pg.Identifier(name)
            for name in names
        )
        self._record_schema = {
            **{column.name: column.dtype for column in feed.columns},
            "key": pl.String(),
            "record_key": pl.String(),
            "revision": pl.Int64(),
            "event_id": pl.String(),
            "reporter": pl.String(),
            "area_code": pl.String(),
            "area_id": pl.Int32(),
            "effective_at": pl.Datetime("us", "UTC"),
            "effective_on": pl.Date(),
            "received_at": pl.Datetime("us", "UTC"),
        }

    def apply(self, connection: psycopg.Connection, batch: ParsedBatch, *, allow_gap: bool = False) -> BatchCounts:
        """Write what of `batch` is not yet written, and move the position; returns the counts of what was written.

        allow_gap: Kafka is known to have deleted what lies between the stored position and the batch; the gap is
                   recorded and skipped.
        Raises PositionGapError, ConcurrentWriteError, DatabaseUnavailableError; nothing is written then.
        """
        with translated_errors(), connection.transaction():
            position = self._lock(connection, batch)
            if position >= batch.next_offset:
                return BatchCounts()
            if position < batch.first_offset:
                self._skip_gap(connection, batch, position, allow_gap)
                position = batch.first_offset
            counts = self._write(connection, batch, position)
            self._fault("before_commit")
        self._fault("after_commit")
        return counts

    def _lock(self, connection: psycopg.Connection, batch: ParsedBatch) -> int:
        row = connection.execute(self._queries["lock_position"], [batch.topic, batch.partition]).fetchone()
        if row is None:
            raise FatalError(f"no position is stored for {batch.topic} partition {batch.partition}; restart the worker")
        return int(row[0])

    def _skip_gap(self, connection: psycopg.Connection, batch: ParsedBatch, position: int, allowed: bool) -> None:
        if not allowed:
            raise PositionGapError(
                f"{batch.topic} partition {batch.partition}: the batch starts at {batch.first_offset}, "
                f"the database expects {position}; the worker restarts at the stored position"
            )
        connection.execute(self._queries["insert_gap"], [batch.topic, batch.partition, position, batch.first_offset])
        self._move(connection, batch, position, batch.first_offset)

    def _move(self, connection: psycopg.Connection, batch: ParsedBatch, start: int, end: int) -> None:
        moved = connection.execute(
            self._queries["move_position"],
            {"topic": batch.topic, "partition": batch.partition, "from": start, "to": end},
        ).rowcount
        if moved != 1:
            raise PositionGapError(f"{batch.topic} partition {batch.partition}: another worker moved the position")

    def _write(self, connection: psycopg.Connection, batch: ParsedBatch, position: int) -> BatchCounts:
        events = batch.events
        rejections = list(batch.rejections)
        if position > batch.first_offset:
            events = events.filter(pl.col("record_offset") >= position)
            rejections = [rejection for rejection in rejections if rejection.record_offset >= position]
        result = self._classify(connection, events)
        rejections += [self._conflict(row) for row in result.conflicts.iter_rows(named=True)]
        old = self._take_back_old(connection, result.winners)
        self._write_identities(connection, result.winners)
        standing = result.winners.filter(~pl.col("voided"))
        self._copy(connection, self._copy_records, standing.select(self._record_names))
        self._write_history(connection, result, old)
        self._write_contributions(connection, standing, old)
        self._write_rejections(connection, batch, rejections)
        self._fault("after_copy")
        counts = BatchCounts(
            consumed=sum(n for offset, n in batch.consumed.items() if offset >= position),
            accepted=result.accepted,
            rejected=len(rejections),
            duplicate=result.duplicate,
            corrected=result.corrected,
            voided=result.voided,
            superseded=result.overtaken,
        )
        connection.execute(
            self._queries["insert_batch"],
            {
                "feed_id": self._feed_id,
                "topic": batch.topic,
                "partition": batch.partition,
                "first_offset": position,
                "next_offset": batch.next_offset,
                "oldest_received_at": batch.oldest_received_at,
                "newest_received_at": batch.newest_received_at,
                **vars(counts),
            },
        )
        self._move(connection, batch, position, batch.next_offset)
        return counts

    def _classify(self, connection: psycopg.Connection, events: pl.DataFrame) -> Classified:
        """Look up what is known of the batch's records, and compare."""
        keys = events["key"].unique().to_list()
        known = connection.execute(self._queries["select_identities"], [keys], binary=True).fetchall() if keys else []
        stored = pl.DataFrame(known, schema=STORED_SCHEMA, orient="row")
        older = events.join(stored, on="key").filter(pl.col("revision") < pl.col("stored_revision"))
        found = []
        if older.height:
            found = connection.execute(
                self._queries["select_history"],
                [older["key"].to_list(), older["revision"].to_list()],
                binary=True,
            ).fetchall()
        history = pl.DataFrame(found, schema=HISTORY_SCHEMA, orient="row").unique(["key", "revision"])
        return classify(events, stored, history)

    def _take_back_old(self, connection: psycopg.Connection, winners: pl.DataFrame) -> pl.DataFrame:
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
            raise ConcurrentWriteError(f"{self.feed.table}: {replaced.height - len(rows)} replaced rows were gone")
        schema = {name: self._record_schema[name] for name in self._record_names}
        return pl.DataFrame(rows, schema=schema, orient="row")

    def _write_identities(self, connection: psycopg.Connection, winners: pl.DataFrame) -> None:
        fresh = winners.filter(pl.col("stored_revision").is_null())
        self._copy(
            connection,
            self._queries["copy_identities"],
            fresh.select("key", pl.lit(self._feed_id).alias("feed_id"), "revision", "content_hash", _standing_time()),
        )
        known = winners.filter(pl.col("stored_revision").is_not_null())
        if known.height:
            columns = known.select("key", "stored_revision", "revision", "content_hash", _standing_time())
            updated = connection.execute(
                self._queries["update_identities"], [column.to_list() for column in columns.iter_columns()]
            ).rowcount
            if updated != known.height:
                raise ConcurrentWriteError(f"{self.feed.key}: another worker changed {known.height - updated} records")

    def _write_history(self, connection: psycopg.Connection, result: Classified, old: pl.DataFrame) -> None:
        """Keep what was replaced and what came too late; neither counts anywhere."""
        content = pl.struct("reporter", "area_code", "effective_on", *self._content).struct.json_encode()
        replaced = result.winners.filter(pl.col("stored_revision").is_not_null()).select(
            "key", revision="stored_revision", content_hash="stored_hash"
        )
        parts = [
            replaced.join(old.select("key", record=content), on="key", how="left"),
            result.superseded.select(
                "key", "revision", "content_hash", record=pl.when(~pl.col("voided")).then(content)
            ),
        ]
        history = pl.concat(parts).select(
            "key", "revision", pl.lit(self._feed_id).alias("feed_id"), "content_hash", "record"
        )
        self._copy(connection, self._queries["copy_revisions"], history)

    def _write_contributions(self, connection: psycopg.Connection, standing: pl.DataFrame, old: pl.DataFrame) -> None:
        columns = ["area_id", "effective_on", *self._content]
        signed = standing.select(*columns, sign=pl.lit(1, pl.Int64))
        if old.height:
            signed = pl.concat([signed, old.select(*columns, sign=pl.lit(-1, pl.Int64))])
        if not signed.height:
            return
        deltas = self._contributor.deltas(signed)
        self._copy(
            connection,
            self._queries["copy_deltas"],
            deltas.select(
                pl.lit(self._feed_id).alias("feed_id"),
                "area_id",
                "bucket",
                pl.concat_str(pl.lit("{"), pl.col("sums").cast(pl.List(pl.String)).list.join(","), pl.lit("}")).alias(
                    "sums"
                ),
            ),
        )
        self._copy(connection, self._queries["copy_members"], self._contributor.members(signed))

    def _write_rejections(
        self, connection: psycopg.Connection, batch: ParsedBatch, rejections: list[Rejection]
    ) -> None:
        if not rejections:
            return
        with connection.cursor().copy(self._queries["copy_rejections"]) as copy:
            for rejection in rejections:
                copy.write_row(
                    (
                        self._feed_id,
                        batch.topic,
                        batch.partition,
                        rejection.record_offset,
                        rejection.position,
                        rejection.reporter,
                        _text(rejection.event_id),
                        _text(rejection.subject),
                        rejection.reasons[0].rule,
                        json.dumps([reason.model_dump() for reason in rejection.reasons], ensure_ascii=False),
                        rejection.payload,
                    )
                )

    def _conflict(self, row: dict[str, object]) -> Rejection:
        reason = Reason(
            field="revision",
            rule="conflict",
            value=mask(row["revision"]),
            message_vi="đã có nội dung khác cho cùng phiên bản này; hãy gửi lại với số phiên bản (revision) cao hơn",
            message_en="other content is stored for the same revision; send the change with a higher revision",
        )
        return Rejection(
            record_offset=_int(row["record_offset"]),
            position=_int(row["position"]),
            reasons=(reason,),
            reporter=str(row["reporter"]),
            event_id=str(row["event_id"]),
            subject=str(row["record_key"]),
        )

    def _copy(self, connection: psycopg.Connection, statement: str | pg.Composed, frame: pl.DataFrame) -> None:
        if frame.height:
            with connection.cursor().copy(statement) as copy:
                copy.write(frame.write_csv(include_header=False, datetime_format="%Y-%m-%d %H:%M:%S%.6f%z").encode())


def _standing_time() -> pl.Expr:
    """Return where the record lies from now on; null for a void."""
    return pl.when(~pl.col("voided")).then(pl.col("effective_at")).alias("effective_at")


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value


def _text(value: str | None) -> str | None:
    """Return text without the one character that PostgreSQL's text cannot hold."""
    return value.replace("\x00", "?") if value is not None else None
