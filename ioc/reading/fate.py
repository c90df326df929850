"""Looks up what became of events: reads their records in Kafka, and in the database what the agents made of them."""

from __future__ import annotations

import hashlib
import time
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaTimeoutError
from psycopg import Connection
from psycopg import sql as pg
from psycopg.rows import dict_row
from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from ioc.database.connection import connect, translated_errors
from ioc.errors import Reason
from ioc.feeds.event import Envelope
from ioc.feeds.feed import Feed
from ioc.feeds.validation import may_be_repeated
from ioc.messaging.client import client_options
from ioc.messaging.client import translated_errors as kafka_errors
from ioc.messaging.record import PLACES_HEADER, TOKEN_HEADER, RecordOffset
from ioc.reading.receipt import EventFate, Fate, Receipt
from ioc.settings import Settings
from sql import load_queries

_READ_SECONDS = 10.0
_MAX_PLACES = 1024 * 1024
_PLACES = TypeAdapter(list[str])
_REASONS = TypeAdapter(list[Reason])


@dataclass(frozen=True, slots=True)
class WrittenEvent:
    """An event as it lies in Kafka; `key` is that of its record, `written_at` Kafka's time in milliseconds."""

    at: RecordOffset
    position: int
    feed: Feed
    id: str
    key: str
    revision: int
    written_at: int
    place: str | None


class FateReader(Protocol):
    """Answers for receipts."""

    def read(self, record_offsets: Sequence[RecordOffset], token_id: str) -> Receipt | None:
        """Return what became of the events at `record_offsets`; None where another token wrote one of them."""


class StoredFateReader:
    """Reads Kafka and the database; blocking."""

    def __init__(self, settings: Settings, feeds: Mapping[str, Feed]) -> None:
        self._settings = settings
        self._topics = {feed.topic(settings.topic_prefix): feed for feed in feeds.values()}
        self._queries = load_queries("receipt")

    def read(self, record_offsets: Sequence[RecordOffset], token_id: str) -> Receipt | None:
        """Return the receipt; raises KafkaUnavailableError, DatabaseUnavailableError."""
        events = self._written(record_offsets, token_id)
        if events is None:
            return None
        with connect(self._settings, "reader", autocommit=True) as connection, translated_errors():
            fates = list(self._fates(connection, record_offsets, events))
        counts = Counter(fate.fate for fate in fates)
        return Receipt(complete="waiting" not in counts, counts=dict(counts), events=fates)

    def _written(self, record_offsets: Sequence[RecordOffset], token_id: str) -> list[WrittenEvent] | None:
        """Read the records; those that Kafka has deleted are left out. None: another token wrote one."""
        events: list[WrittenEvent] = []
        for record in self._records(record_offsets):
            headers = dict(record.headers)
            if (headers.get(TOKEN_HEADER) or b"").decode("ascii", "replace") != token_id:
                return None
            events += _events(self._topics[record.topic], record, headers)
        return events

    def _records(self, record_offsets: Sequence[RecordOffset]) -> Iterator[Any]:
        """Yield the Kafka records at the offsets, in any order, within a bounded time."""
        wanted: dict[TopicPartition, set[int]] = {}
        for record_offset in record_offsets:
            wanted.setdefault(TopicPartition(record_offset.topic, record_offset.partition), set()).add(
                record_offset.offset
            )
        deadline = time.monotonic() + _READ_SECONDS
        with kafka_errors(self._settings):
            consumer = KafkaConsumer(
                **client_options(self._settings, _READ_SECONDS),
                group_id=None,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
            )
            try:
                for partition, offsets in wanted.items():
                    yield from _read_partition(consumer, partition, offsets, deadline)
            finally:
                consumer.close(autocommit=False)

    def _fates(
        self, connection: Connection, record_offsets: Sequence[RecordOffset], events: Sequence[WrittenEvent]
    ) -> Iterator[EventFate]:
        positions = self._positions(connection)
        rejections = self._rejections(connection, events)
        winning: dict[str, dict[str, Any]] = {}
        for feed in {event.feed.key: event.feed for event in events}.values():
            winning |= self._winning(connection, feed, [event.key for event in events if event.feed is feed])
        for event in events:
            reasons = rejections.get((event.at, event.position))
            if event.at.offset >= positions.get((event.at.topic, event.at.partition), 0):
                yield _fate(event, "waiting")
            elif reasons is not None:
                yield _fate(event, "rejected", reasons)
            else:
                yield _winning_fate(event, winning.get(event.key))
        read = {event.at for event in events}
        for record_offset in record_offsets:
            if record_offset not in read:
                yield EventFate(id=None, feed=self._topics[record_offset.topic].key, fate="unknown")

    def _positions(self, connection: Connection) -> dict[tuple[str, int], int]:
        rows = connection.cursor(row_factory=dict_row).execute(self._queries["select_positions"], [list(self._topics)])
        return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}

    def _rejections(
        self, connection: Connection, events: Sequence[WrittenEvent]
    ) -> dict[tuple[RecordOffset, int], list[Reason]]:
        """Return the reasons of the events that the agents refused, by the record's offset and the position in it."""
        record_offsets = sorted({event.at for event in events})
        since = min((event.written_at for event in events), default=0) / 1000
        rows = (
            connection.cursor(row_factory=dict_row)
            .execute(
                self._queries["select_rejections"],
                {
                    "topics": [record_offset.topic for record_offset in record_offsets],
                    "partitions": [record_offset.partition for record_offset in record_offsets],
                    "offsets": [record_offset.offset for record_offset in record_offsets],
                    "since": datetime.fromtimestamp(since, UTC) - timedelta(days=1),
                },
            )
            .fetchall()
        )
        return {
            (RecordOffset(row["topic"], row["partition"], row["record_offset"]), row["position"]): (
                _REASONS.validate_python(row["reasons"])
            )
            for row in rows
        }

    def _winning(self, connection: Connection, feed: Feed, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        query = pg.SQL(self._queries["select_winning"]).format(table=pg.Identifier(feed.table))
        with connection.cursor(row_factory=dict_row) as cursor:
            return {row["key"]: row for row in cursor.execute(query, [list(keys)])}


def _read_partition(
    consumer: KafkaConsumer, partition: TopicPartition, wanted: set[int], deadline: float
) -> Iterator[Any]:
    """Yield the records of a partition at the wanted offsets, but those that Kafka has deleted."""
    consumer.assign([partition])
    begin = consumer.beginning_offsets([partition])[partition]
    end = consumer.end_offsets([partition])[partition]
    left = {offset for offset in wanted if begin <= offset < end}
    if not left:
        return
    last = max(left)
    consumer.seek(partition, min(left))
    while left and consumer.position(partition) <= last:
        if time.monotonic() > deadline:
            raise KafkaTimeoutError("the records of a receipt did not come in time")
        for record in consumer.poll(timeout_ms=200).get(partition, ()):
            if record.offset in left:
                left.discard(record.offset)
                yield record


def _events(feed: Feed, record: Any, headers: Mapping[str, bytes | None]) -> Iterator[WrittenEvent]:
    """Yield the events of a record that bears the sender's token; it may be one that the gateway did not write."""
    try:
        value = from_json(record.value or b"")
    except ValueError:
        return
    places = _file_places(headers)
    for position, event in enumerate(value if isinstance(value, list) else [value]):
        try:
            envelope: Envelope = feed.envelope.validate_json(to_json(event, inf_nan_mode="constants"))
        except ValidationError:  # the feed has changed since
            continue
        yield WrittenEvent(
            at=RecordOffset(record.topic, record.partition, record.offset),
            position=position,
            feed=feed,
            id=envelope.id,
            key=hashlib.md5(f"{feed.key}/{envelope.subject}".encode(), usedforsecurity=False).hexdigest(),
            revision=envelope.effective_revision,
            written_at=record.timestamp,
            place=places[position] if position < len(places) else None,
        )


def _fate(event: WrittenEvent, fate: Fate, reasons: Sequence[Reason] = ()) -> EventFate:
    shown = event.id if may_be_repeated(event.id) else None
    return EventFate(id=shown, feed=event.feed.key, fate=fate, place=event.place, reasons=list(reasons))


def _file_places(headers: Mapping[str, bytes | None]) -> list[str]:
    """Return the places of a record's events in the file that they came in; none for CloudEvents."""
    packed = headers.get(PLACES_HEADER)
    if packed is None:
        return []
    try:
        return _PLACES.validate_json(zlib.decompressobj().decompress(packed, _MAX_PLACES))
    except (zlib.error, ValueError):
        return []


def _winning_fate(event: WrittenEvent, row: Mapping[str, Any] | None) -> EventFate:
    """Compare an event that was not refused with the winning revision of its record."""
    if row is None or row["revision"] < event.revision:
        return _fate(event, "unknown")
    if row["revision"] > event.revision:
        return _fate(event, "superseded")
    if row["event_id"] is None:  # a void won, and keeps no event
        return _fate(event, "stored")
    written = round(row["received_at"].timestamp() * 1000)
    return _fate(event, "stored" if (row["event_id"], written) == (event.id, event.written_at) else "duplicate")
