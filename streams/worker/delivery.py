"""Delivery of a partition's whole fetch as one Faust message.

Faust spends about 55 µs on each record it hands to an agent, whatever is in it. The client beneath it delivers a
partition's fetch as one list, and two seams of Faust let that list through: `ConsumerScheduler` decides what a message
is, `Schema` how it is decoded. `docs/decisions/0002-whole-fetch.md` holds the measurement. With `stock` delivery the
same agent receives lists of one record.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import faust
from faust.transport.utils import DefaultSchedulingStrategy
from faust.types import TP, AppT, EventT, Message

from streams.rules.raw import RawRecord


@dataclass(frozen=True, slots=True)
class Fetch:
    """Records of one partition, and the client's position before them: offsets in between have no record."""

    records: list[RawRecord]
    begins_at: int


@dataclass(frozen=True, slots=True)
class FetchedRecords:
    """Looks to Faust like one record of Kafka; `value` holds the fetch, `offset` is its last record's."""

    topic: str
    partition: int
    offset: int
    value: Fetch
    timestamp: int
    timestamp_type: int = 0
    headers: tuple[tuple[str, bytes], ...] = ()
    key: bytes | None = None
    checksum: int | None = None
    serialized_key_size: int = 0
    serialized_value_size: int = field(default=0)


class Following(DefaultSchedulingStrategy):
    """Knows where each partition's next message has to begin.

    Offsets have holes: markers of transactions, what compaction has removed, what was deleted. The client passes them,
    so a message says where the one before it ended; a hole between them was never an event, and is recorded. Only a
    message that Faust has lost leaves a gap that no message covers, and that ends the worker.
    """

    def __init__(self) -> None:
        self.stands: dict[TP, int] = {}

    def begin(self, positions: Mapping[TP, int]) -> None:
        """Start over after an assignment: each partition goes on at its stored position."""
        self.stands = dict(positions)

    def _as_one(self, tp: TP, records: list[RawRecord]) -> FetchedRecords:
        last = records[-1]
        # Below its last position: the client was sent back, because the log no longer holds that offset.
        begins_at = min(self.stands.get(tp, records[0].offset), records[0].offset)
        self.stands[tp] = last.offset + 1
        return FetchedRecords(tp.topic, tp.partition, last.offset, Fetch(records, begins_at), last.timestamp)


class WholeFetchScheduler(Following):
    """Yields one message a partition and fetch."""

    def iterate(self, records: Mapping[TP, list[RawRecord]]) -> Iterator[tuple[TP, FetchedRecords]]:
        """Return each partition's records as one message."""
        # All at once: what is still to be handed on must not look as if the log did not show it.
        return iter([(tp, self._as_one(tp, fetched)) for tp, fetched in records.items() if fetched])


class SingleRecordScheduler(Following):
    """Stock delivery, record by record, in the same shape: lists of one."""

    def iterate(self, records: Mapping[TP, list[RawRecord]]) -> Iterator[tuple[TP, FetchedRecords]]:
        """Return the records in Faust's own order, round-robin between partitions."""
        return iter([(tp, self._as_one(tp, [record])) for tp, record in super().iterate(records)])


class RawSchema(faust.Schema[bytes, Fetch]):
    """Hands the value on unread: an error in a decoder would end the agent silently."""

    def compile(self, app: AppT, **_: Any) -> Callable[..., Awaitable[EventT[Any]]]:
        """Return a decoder that only wraps the message."""
        create_event = app.create_event

        async def decode(message: Message, *, propagate: bool = False) -> EventT[Any]:
            return create_event(message.key, message.value, message.headers, message)

        return decode
