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
class FetchedRecords:
    """Looks to Faust like one record of Kafka; `value` holds the records of the fetch, `offset` is the last one's."""

    topic: str
    partition: int
    offset: int
    value: list[RawRecord]
    timestamp: int
    timestamp_type: int = 0
    headers: tuple[tuple[str, bytes], ...] = ()
    key: bytes | None = None
    checksum: int | None = None
    serialized_key_size: int = 0
    serialized_value_size: int = field(default=0)


def _as_one(tp: TP, records: list[RawRecord]) -> FetchedRecords:
    last = records[-1]
    return FetchedRecords(tp.topic, tp.partition, last.offset, records, last.timestamp)


class WholeFetchScheduler(DefaultSchedulingStrategy):
    """Yields one message a partition and fetch."""

    def iterate(self, records: Mapping[TP, list[RawRecord]]) -> Iterator[tuple[TP, FetchedRecords]]:
        """Yield each partition's records as one message."""
        for tp, fetched in records.items():
            if fetched:
                yield tp, _as_one(tp, fetched)


class SingleRecordScheduler(DefaultSchedulingStrategy):
    """Stock delivery, record by record, in the same shape: lists of one."""

    def iterate(self, records: Mapping[TP, list[RawRecord]]) -> Iterator[tuple[TP, FetchedRecords]]:
        """Yield the records in Faust's own order, round-robin between partitions."""
        for tp, record in super().iterate(records):
            yield tp, _as_one(tp, [record])


class RawSchema(faust.Schema[bytes, list[RawRecord]]):
    """Hands the value on unread: an error in a decoder would end the agent silently."""

    def compile(self, app: AppT, **_: Any) -> Callable[..., Awaitable[EventT[Any]]]:
        """Return a decoder that only wraps the message."""
        create_event = app.create_event

        async def decode(message: Message, *, propagate: bool = False) -> EventT[Any]:
            return create_event(message.key, message.value, message.headers, message)

        return decode
