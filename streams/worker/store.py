"""Writing parsed batches: records, contributions, rejections and the positions, in one transaction.

The position in the database is authoritative: what lies below it is dropped, a batch that starts above it is a gap, and
it moves in the same transaction that writes the batch. A crash at any moment therefore leaves either all of a batch
or nothing of it. What several feeds have ready shares a transaction, and each table that they share one statement: a
transaction costs much the same whatever is in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

import polars as pl
import psycopg
from psycopg.rows import class_row

from ioc.catalogue.store import read_epoch
from ioc.database.array_text import array_of_texts
from ioc.database.connection import translated_errors
from ioc.errors import CatalogueChangedError, ConcurrentWriteError, FatalError, PositionGapError
from ioc.faultpoint import FaultPoint, no_fault
from ioc.feeds.feed import Feed
from sql import load_queries
from streams.rules.batch import ParsedBatch
from streams.rules.classify import HISTORY_SCHEMA, STORED_SCHEMA, Classified, classify
from streams.rules.contribute import Contributor
from streams.rules.position import missing
from streams.rules.refuse import Rejection
from streams.rules.span import BatchCounts, Span, account, cut
from streams.worker.record_rows import RecordRows, copy_rows
from streams.worker.rejection_row import conflict, payload_of, rejection_row

LogStart = Callable[[str, int], int]
TopicId = Callable[[str], UUID | None]
# What is compared with what is stored, of all feeds at once.
_COMPARED = ("partition", "key", "revision", "content_hash", "voided", "effective_at")


def whole_log(topic: str, partition: int) -> int:
    """Know of nothing that Kafka has deleted."""
    return 0


def any_topic(topic: str) -> UUID | None:
    """Know of no id."""
    return None


class RecordStore:
    """Applies batches of one feed over a connection that the caller keeps; one thread at a time."""

    def __init__(
        self,
        feed: Feed,
        feed_id: int,
        contributor: Contributor,
        *,
        epoch: int,
        topic_id: TopicId = any_topic,
        fault: FaultPoint = no_fault,
    ) -> None:
        """
        topic_id: gives Kafka's id of the topic that this worker was assigned; None where it is not known.
        epoch: of the catalogue, areas and reporters that the process has loaded (`ioc.catalogue.store.read_epoch`).
        """
        self.feed = feed
        self.feed_id = feed_id
        self.epoch = epoch
        self.topic_id = topic_id
        self.fault = fault
        self.rows = RecordRows(feed, feed_id, contributor)

    def apply(
        self,
        connection: psycopg.Connection,
        batches: Sequence[ParsedBatch],
        *,
        log_start: LogStart = whole_log,
        keep: bool = True,
    ) -> BatchCounts:
        """Write what of `batches` is not yet written, as `apply_together` does."""
        return apply_together(connection, [(self, batches)], log_start=log_start, keep=keep)[0]


def apply_together(
    connection: psycopg.Connection,
    work: Sequence[tuple[RecordStore, Sequence[ParsedBatch]]],
    *,
    log_start: LogStart = whole_log,
    keep: bool = True,
) -> list[BatchCounts]:
    """Write what of some feeds' batches is not yet written, and move the positions, in one transaction.

    work:      at least one feed, each once: its store, and batches of its topic, those of a partition in their order.
    log_start: gives the first offset that Kafka still keeps of a partition. Offsets that are missing between a
               batch and the one before are passed and recorded: deleted below it, above it what the log never
               showed (transaction markers, what compaction has removed).
    keep:      False takes everything back in the end, to see whether it could be written.
    Returns the counts of what was written, feed by feed. Raises PositionGapError, ConcurrentWriteError,
    DatabaseUnavailableError, or one of `DATA_FAULTS`; nothing is written then.
    """
    fault = work[0][0].fault
    with translated_errors(), connection.transaction():
        writing = _Writing(connection, [store for store, _ in work], log_start)
        writing.begin([batches for _, batches in work])
        counts = writing.write()
        if not keep:
            raise psycopg.Rollback
        fault("before_commit")
    if keep:
        fault("after_commit")
    return counts


class _Position(NamedTuple):
    topic: str
    partition: int
    next_offset: int
    topic_id: UUID | None


@dataclass(frozen=True)
class _StoreSpan:
    """A span and the store that it belongs to, by its number."""

    store: int
    span: Span


class _Writing:
    """One transaction's work."""

    def __init__(self, connection: psycopg.Connection, stores: Sequence[RecordStore], log_start: LogStart) -> None:
        self._connection = connection
        self._stores = stores
        self._log_start = log_start
        self._queries = load_queries("stream")
        self._store_spans: list[_StoreSpan] = []

    def begin(self, work: Sequence[Sequence[ParsedBatch]]) -> None:
        """Lock the positions and keep what lies at or above them, a span a partition."""
        by_partition: dict[tuple[str, int], tuple[int, list[ParsedBatch]]] = {}
        for number, batches in enumerate(work):
            for batch in batches:
                by_partition.setdefault((batch.topic, batch.partition), (number, []))[1].append(batch)
        locked = self._lock(sorted(by_partition))
        for (topic, partition), (number, batches) in sorted(by_partition.items()):
            position = locked[topic, partition]
            parts: list[ParsedBatch] = []
            start = position
            for batch in batches:
                if position >= batch.next_offset:
                    continue
                if position < batch.first_offset:
                    self._skip_gap(batch, position)
                    start = batch.first_offset if not parts else start
                parts.append(cut(batch, position))
                position = batch.next_offset
            if parts:
                self._store_spans.append(_StoreSpan(number, Span(topic, partition, start, tuple(parts))))
        # After the lock, by a statement of its own: one that waited for a load would still see what was before it.
        epoch = read_epoch(self._connection)
        for store in self._stores:
            if epoch != store.epoch:
                raise CatalogueChangedError(
                    f"{store.feed.key}: catalogue, areas or reporters have changed; the worker starts again with them"
                )

    def _lock(self, keys: Sequence[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """Lock positions, always in one order, so that two workers cannot wait for each other; return them."""
        topics, partitions = [topic for topic, _ in keys], [partition for _, partition in keys]
        cursor = self._connection.cursor(row_factory=class_row(_Position))
        rows = cursor.execute(self._queries["lock_positions"], [topics, partitions]).fetchall()
        locked = {(row.topic, row.partition): row.next_offset for row in rows}
        for topic, partition in keys:
            if (topic, partition) not in locked:
                raise FatalError(f"no position is stored for {topic} partition {partition}; restart the worker")
        for row in rows:
            # Read before the topic was made again: under the same offsets lie other events now.
            assigned = self._stores[0].topic_id(row.topic)
            if assigned is not None and row.topic_id is not None and row.topic_id != assigned:
                raise PositionGapError(f"{row.topic} was deleted and made again; the worker restarts at what is stored")
        return locked

    def _skip_gap(self, batch: ParsedBatch, position: int) -> None:
        if position < batch.begins_at:
            raise PositionGapError(
                f"{batch.topic} partition {batch.partition}: the batch starts at {batch.first_offset}, "
                f"the database expects {position}; the worker restarts at the stored position"
            )
        kept_from = self._log_start(batch.topic, batch.partition)
        for start, end, kind in missing(position, batch.first_offset, kept_from):
            self._connection.execute(self._queries["insert_gap"], [batch.topic, batch.partition, start, end, kind])
        self._move([(batch.topic, batch.partition, position, batch.first_offset, None)])

    def _move(self, moves: Sequence[tuple[str, int, int, int, str | None]]) -> None:
        """Move positions (topic, partition, from, to, mark of the last record)."""
        topics, partitions, starts, ends, marks = map(list, zip(*moves, strict=True))
        moved = self._connection.execute(
            self._queries["move_positions"], [topics, partitions, starts, ends, marks]
        ).rowcount
        if moved != len(moves):
            raise PositionGapError(f"{', '.join(sorted(set(map(str, topics))))}: another worker moved a position")

    def write(self) -> list[BatchCounts]:
        """Write everything, and move the positions last."""
        totals = [BatchCounts() for _ in self._stores]
        if not self._store_spans:
            return totals
        events = self._events()
        result = self._classify(events)
        refused = self._refused(events, result.conflicts)
        winners, superseded = _by_store(result.winners), _by_store(result.superseded)
        history, deltas, members = [], [], []
        taken: dict[int, tuple[pl.DataFrame, pl.DataFrame]] = {}
        for number in sorted({*winners, *superseded}):
            rows = self._stores[number].rows
            won = _rows(events[number], winners.get(number))
            old = rows.take_back(self._connection, won)
            taken[number] = won.filter(~pl.col("voided")), old
            late = _rows(events[number], superseded.get(number))
            if late.height or won["stored_revision"].null_count() < won.height:
                history.append(rows.history(won, late, old))
        self._write_identities(result.winners)
        for number, (present, old) in taken.items():
            rows = self._stores[number].rows
            rows.insert(self._connection, present)
            if present.height or old.height:
                sums, counted = rows.contributions(present, old)
                deltas.append(sums)
                members.append(counted)
        for query, frames in (("copy_revisions", history), ("copy_deltas", deltas), ("copy_members", members)):
            if frames:
                copy_rows(self._connection, self._queries[query], pl.concat(frames))
        if deltas:
            self._hand_traces_on()
            self._connection.execute(self._queries["tell_rollup"])
        self._write_rejections(refused)
        self._account(result.outcomes, refused, totals)
        self._stores[0].fault("after_copy")
        spans = [store_span.span for store_span in self._store_spans]
        self._move([(one.topic, one.partition, one.first_offset, one.next_offset, one.mark) for one in spans])
        return totals

    def _events(self) -> dict[int, pl.DataFrame]:
        """Return each store's events; `partition` is the number of their span."""
        parts: dict[int, list[pl.DataFrame]] = {}
        for number, store_span in enumerate(self._store_spans):
            parts.setdefault(store_span.store, []).extend(
                part.events.with_columns(partition=pl.lit(number, pl.Int32)) for part in store_span.span.parts
            )
        return {number: pl.concat(frames) for number, frames in parts.items()}

    def _classify(self, events: Mapping[int, pl.DataFrame]) -> Classified:
        """Look up what is known of all records, and compare; `store` and `at` give an event's place in `events`."""
        compared = pl.concat(
            frame.select(*_COMPARED, store=pl.lit(number, pl.Int32), at=pl.int_range(pl.len(), dtype=pl.Int64))
            for number, frame in events.items()
        )
        keys = array_of_texts(compared["key"].unique())
        known = self._connection.execute(self._queries["select_identities"], [keys], binary=True).fetchall()
        stored = pl.DataFrame(known, schema=STORED_SCHEMA, orient="row")
        found = []
        if known:
            older = compared.join(stored, on="key").filter(pl.col("revision") < pl.col("stored_revision"))
            if older.height:
                found = self._connection.execute(
                    self._queries["select_history"],
                    [older["key"].to_list(), older["revision"].to_list()],
                    binary=True,
                ).fetchall()
        history = pl.DataFrame(found, schema=HISTORY_SCHEMA, orient="row").unique(["key", "revision"])
        return classify(compared, stored, history)

    def _refused(self, events: Mapping[int, pl.DataFrame], conflicts: pl.DataFrame) -> list[list[Rejection]]:
        """Return for each span what was refused, conflicts last."""
        refused = [list(store_span.span.rejections) for store_span in self._store_spans]
        for number, store, at in conflicts.select("partition", "store", "at").iter_rows():
            row = events[store].row(at, named=True)
            refused[number].append(conflict(row, payload_of(self._store_spans[number].span, row)))
        return refused

    def _write_identities(self, winners: pl.DataFrame) -> None:
        winners = winners.with_columns(
            feed_id=pl.col("store").replace_strict(
                dict(enumerate(store.feed_id for store in self._stores)), return_dtype=pl.Int64
            ),
            # Where the record lies from now on; null for a void.
            effective_at=pl.when(~pl.col("voided")).then(pl.col("effective_at")),
        )
        fresh = pl.col("stored_revision").is_null()
        copy_rows(
            self._connection,
            self._queries["copy_identities"],
            winners.filter(fresh).select("key", "feed_id", "revision", "content_hash", "effective_at"),
        )
        known = winners.filter(~fresh)
        if known.height:
            columns = known.select("key", "stored_revision", "revision", "content_hash", "effective_at")
            updated = self._connection.execute(
                self._queries["update_identities"], [column.to_list() for column in columns.iter_columns()]
            ).rowcount
            if updated != known.height:
                raise ConcurrentWriteError(f"another worker changed {known.height - updated} records")

    def _hand_traces_on(self) -> None:
        """Let the roll-up go on with the traces of what it folds."""
        traced = {part.traceparent for one in self._store_spans for part in one.span.parts if part.traceparent}
        if traced:
            self._connection.execute(self._queries["keep_traces"], [sorted(traced)])

    def _write_rejections(self, refused: Sequence[Sequence[Rejection]]) -> None:
        if not any(refused):
            return
        with self._connection.cursor().copy(self._queries["copy_rejections"]) as copy:
            for store_span, rejections in zip(self._store_spans, refused, strict=True):
                for rejection in rejections:
                    copy.write_row((self._stores[store_span.store].feed_id, *rejection_row(store_span.span, rejection)))

    def _account(
        self, outcomes: pl.DataFrame, refused: Sequence[Sequence[Rejection]], totals: list[BatchCounts]
    ) -> None:
        """Write the account of each span, and add it to its store's total."""
        events: dict[int, dict[str, int]] = {}
        for number, outcome, count in outcomes.select("partition", "outcome", "events").iter_rows():
            events.setdefault(number, {})[outcome] = count
        rows = []
        for number, store_span in enumerate(self._store_spans):
            span = store_span.span
            counts = account(span, events.get(number, {}), len(refused[number]))
            totals[store_span.store] += counts
            rows.append(
                {
                    "feed_id": self._stores[store_span.store].feed_id,
                    "topic": span.topic,
                    "partition": span.partition,
                    "first_offset": span.first_offset,
                    "next_offset": span.next_offset,
                    **vars(counts),
                    "oldest_received_at": span.parts[0].oldest_received_at,
                    "newest_received_at": span.parts[-1].newest_received_at,
                }
            )
        copy_rows(self._connection, self._queries["copy_batches"], pl.DataFrame(rows))


def _by_store(frame: pl.DataFrame) -> dict[int, pl.DataFrame]:
    return {int(number): part for (number,), part in frame.partition_by("store", as_dict=True).items()}


def _rows(events: pl.DataFrame, chosen: pl.DataFrame | None) -> pl.DataFrame:
    """Return the chosen events whole, with what is stored of their records."""
    if chosen is None:
        none = pl.DataFrame(schema={name: dtype for name, dtype in STORED_SCHEMA.items() if name != "key"})
        return events.clear().hstack(none)
    rows = events if chosen.height == events.height else events[chosen["at"]]
    return rows.hstack(chosen.select("stored_revision", "stored_hash", "stored_at"))
