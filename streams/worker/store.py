"""Writing one parsed batch: records, contributions, rejections and the position, in one transaction.

The position in the database is the truth: what lies below it is dropped, a batch that starts above it is a gap, and
it moves in the same transaction that writes the batch. A crash at any moment therefore leaves either all of a batch
or nothing of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

import polars as pl
import psycopg
from psycopg import sql as pg
from psycopg.rows import scalar_row

from ioc.catalogue.expression import SHARED_COLUMNS
from ioc.catalogue.store import read_epoch
from ioc.database.array_text import array_expr, array_of_keys
from ioc.database.connection import translated_errors
from ioc.errors import CatalogueChangedError, ConcurrentWriteError, FatalError, PositionGapError, Reason
from ioc.feeds.feed import Feed
from ioc.feeds.record_table import BASE_COLUMNS, RECORD_COLUMNS
from ioc.feeds.validation import mask
from sql import load_queries
from streams.process.faultpoint import FaultPoint, no_fault
from streams.rules.classify import HISTORY_SCHEMA, STORED_SCHEMA, Classified, classify
from streams.rules.contribute import Contributor
from streams.rules.parse import ParsedBatch
from streams.rules.position import missing
from streams.rules.refuse import Rejection
from streams.rules.span import BatchCounts, Span, account, cut

HISTORY_COLUMNS = ("key", "revision", "content_hash", "record", "superseded", "reporter")
LogStart = Callable[[str, int], int]


def whole_log(topic: str, partition: int) -> int:
    """Know of nothing that Kafka has deleted."""
    return 0


class RecordStore:
    """Applies batches of one feed over a connection that the caller keeps; one thread at a time."""

    def __init__(
        self, feed: Feed, feed_id: int, contributor: Contributor, *, epoch: int, fault: FaultPoint = no_fault
    ) -> None:
        """
        epoch: of the catalogue, areas and reporters that the process has loaded (`ioc.catalogue.store.read_epoch`).
        """
        self.feed = feed
        self._epoch = epoch
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
        self._record_schema = {column.name: column.dtype for column in (*BASE_COLUMNS, *feed.columns)}

    def apply(
        self,
        connection: psycopg.Connection,
        batches: Sequence[ParsedBatch],
        *,
        log_start: LogStart = whole_log,
        keep: bool = True,
    ) -> BatchCounts:
        """Write what of `batches` is not yet written, and move the positions, in one transaction.

        batches:   of one topic, those of a partition in their order.
        log_start: gives the first offset that Kafka still keeps of a partition. Offsets that are missing between a
                   batch and the one before are passed and recorded: deleted below it, above it what the log never
                   showed (transaction markers, what compaction has removed).
        keep:      False takes everything back in the end, to see whether it could be written.
        Returns the counts of what was written. Raises PositionGapError, ConcurrentWriteError,
        DatabaseUnavailableError, or one of `DATA_FAULTS`; nothing is written then.
        """
        with translated_errors(), connection.transaction():
            spans = self._spans(connection, batches, log_start)
            counts = self._write(connection, spans) if spans else BatchCounts()
            if not keep:
                raise psycopg.Rollback
            self._fault("before_commit")
        if keep:
            self._fault("after_commit")
        return counts

    def _spans(self, connection: psycopg.Connection, batches: Sequence[ParsedBatch], log_start: LogStart) -> list[Span]:
        """Lock the positions and return what lies at or above them, a span a partition."""
        by_partition: dict[int, list[ParsedBatch]] = {}
        for batch in batches:
            by_partition.setdefault(batch.partition, []).append(batch)
        spans = []
        for partition in sorted(by_partition):  # always in this order, so that two workers cannot wait for each other
            position = self._lock(connection, batches[0].topic, partition)
            parts: list[ParsedBatch] = []
            start = position
            for batch in by_partition[partition]:
                if position >= batch.next_offset:
                    continue
                if position < batch.first_offset:
                    self._skip_gap(connection, batch, position, log_start)
                    start = batch.first_offset if not parts else start
                parts.append(cut(batch, position))
                position = batch.next_offset
            if parts:
                spans.append(Span(batches[0].topic, partition, start, tuple(parts)))
        # After the lock, by a statement of its own: one that waited for a load would still see what was before it.
        if read_epoch(connection) != self._epoch:
            raise CatalogueChangedError(
                f"{self.feed.key}: catalogue, areas or reporters have changed; the worker starts again with them"
            )
        return spans

    def _lock(self, connection: psycopg.Connection, topic: str, partition: int) -> int:
        cursor = connection.cursor(row_factory=scalar_row)
        position = cursor.execute(self._queries["lock_position"], [topic, partition]).fetchone()
        if position is None:
            raise FatalError(f"no position is stored for {topic} partition {partition}; restart the worker")
        return int(position)

    def _skip_gap(self, connection: psycopg.Connection, batch: ParsedBatch, position: int, log_start: LogStart) -> None:
        if position < batch.begins_at:
            raise PositionGapError(
                f"{batch.topic} partition {batch.partition}: the batch starts at {batch.first_offset}, "
                f"the database expects {position}; the worker restarts at the stored position"
            )
        kept_from = log_start(batch.topic, batch.partition)
        for start, end, kind in missing(position, batch.first_offset, kept_from):
            connection.execute(self._queries["insert_gap"], [batch.topic, batch.partition, start, end, kind])
        self._move(connection, batch.topic, batch.partition, position, batch.first_offset)

    def _move(
        self, connection: psycopg.Connection, topic: str, partition: int, start: int, end: int, mark: str | None = None
    ) -> None:
        moved = connection.execute(
            self._queries["move_position"],
            {
                "topic": topic,
                "partition": partition,
                "from": start,
                "to": end,
                "mark": mark,
                "mark_offset": None if mark is None else end - 1,
            },
        ).rowcount
        if moved != 1:
            raise PositionGapError(f"{topic} partition {partition}: another worker moved the position")

    def _write(self, connection: psycopg.Connection, spans: list[Span]) -> BatchCounts:
        events = pl.concat(
            part.events.with_columns(partition=pl.lit(part.partition, pl.Int32))
            for span in spans
            for part in span.parts
        )
        result = self._classify(connection, events)
        conflicts: dict[int, list[Rejection]] = {}
        for row in result.conflicts.iter_rows(named=True):
            conflicts.setdefault(row["partition"], []).append(self._conflict(row, _payload(spans, row)))
        old = self._take_back_old(connection, result.winners)
        self._write_identities(connection, result.winners)
        present = result.winners.filter(~pl.col("voided"))
        self._copy(connection, self._copy_records, present.select(self._record_names))
        self._write_history(connection, result, old)
        self._write_contributions(connection, present, old)
        total = BatchCounts()
        for span in spans:
            refused = [*span.rejections, *conflicts.get(span.partition, [])]
            self._write_rejections(connection, span, refused)
            counts = account(span, result.outcomes, len(refused))
            self._account(connection, span, counts)
            total += counts
        self._fault("after_copy")
        for span in spans:
            self._move(connection, span.topic, span.partition, span.first_offset, span.next_offset, span.mark)
        return total

    def _account(self, connection: psycopg.Connection, span: Span, counts: BatchCounts) -> None:
        connection.execute(
            self._queries["insert_batch"],
            {
                "feed_id": self._feed_id,
                "topic": span.topic,
                "partition": span.partition,
                "first_offset": span.first_offset,
                "next_offset": span.next_offset,
                "oldest_received_at": span.parts[0].oldest_received_at,
                "newest_received_at": span.parts[-1].newest_received_at,
                **vars(counts),
            },
        )

    def _classify(self, connection: psycopg.Connection, events: pl.DataFrame) -> Classified:
        """Look up what is known of the batch's records, and compare."""
        keys = array_of_keys(events["key"].unique())
        known = connection.execute(self._queries["select_identities"], [keys], binary=True).fetchall()
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
            fresh.select("key", pl.lit(self._feed_id).alias("feed_id"), "revision", "content_hash", _effective_time()),
        )
        known = winners.filter(pl.col("stored_revision").is_not_null())
        if known.height:
            columns = known.select("key", "stored_revision", "revision", "content_hash", _effective_time())
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
            replaced.join(old.select("key", record=content), on="key", how="left").with_columns(
                superseded=pl.lit(value=False), reporter=pl.lit(None, pl.String)
            ),
            result.superseded.select(
                "key",
                "revision",
                "content_hash",
                "reporter",
                record=pl.when(~pl.col("voided")).then(content),
                superseded=pl.lit(value=True),
            ),
        ]
        history = pl.concat(part.select(HISTORY_COLUMNS) for part in parts).select(
            "key",
            "revision",
            pl.lit(self._feed_id).alias("feed_id"),
            *HISTORY_COLUMNS[2:],
        )
        self._copy(connection, self._queries["copy_revisions"], history)

    def _write_contributions(self, connection: psycopg.Connection, present: pl.DataFrame, old: pl.DataFrame) -> None:
        columns = ["area_id", *SHARED_COLUMNS, *self._content]
        signed = present.select(*columns, sign=pl.lit(1, pl.Int64))
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
                array_expr(pl.col("sums")).alias("sums"),
            ),
        )
        self._copy(connection, self._queries["copy_members"], self._contributor.members(signed))

    def _write_rejections(self, connection: psycopg.Connection, span: Span, rejections: list[Rejection]) -> None:
        if not rejections:
            return
        with connection.cursor().copy(self._queries["copy_rejections"]) as copy:
            for rejection in rejections:
                copy.write_row(
                    (
                        self._feed_id,
                        span.topic,
                        span.partition,
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

    def _conflict(self, row: dict[str, object], payload: bytes) -> Rejection:
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
            payload=payload,
        )

    def _copy(self, connection: psycopg.Connection, statement: str | pg.Composed, frame: pl.DataFrame) -> None:
        if frame.height:
            with connection.cursor().copy(statement) as copy:
                copy.write(frame.write_csv(include_header=False, datetime_format="%Y-%m-%d %H:%M:%S%.6f%z").encode())


def _payload(spans: Sequence[Span], row: Mapping[str, object]) -> bytes:
    """Return an event as it came."""
    offset = _int(row["record_offset"])
    parts = (part for span in spans if span.partition == row["partition"] for part in span.parts)
    return next(part for part in parts if offset in part.consumed).payloads.of(offset, _int(row["position"]))


def _effective_time() -> pl.Expr:
    """Return where the record lies from now on; null for a void."""
    return pl.when(~pl.col("voided")).then(pl.col("effective_at")).alias("effective_at")


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value


def _text(value: str | None) -> str | None:
    """Return text without the one character that PostgreSQL's text cannot hold."""
    return value.replace("\x00", "?") if value is not None else None
