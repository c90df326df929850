"""The two seams of Faust that whole fetches pass through, without Faust's app around them."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP
from testbed.feed_event import KafkaRecord, record, stay

from streams.worker.delivery import Fetch, FetchedRecords, RawSchema, SingleRecordScheduler, WholeFetchScheduler

P0, P1 = TP("ioc.tourism.stay.v1", 0), TP("ioc.tourism.stay.v1", 1)


def fetched(*offsets: int) -> list[KafkaRecord]:
    return [record(offset, stay(guest=offset), timestamp=1000 + offset) for offset in offsets]


def test_a_whole_fetch_is_one_message_a_partition() -> None:
    zero, one = fetched(5, 6, 7), fetched(1)
    messages = list(WholeFetchScheduler().iterate({P0: zero, P1: one}))
    assert [tp for tp, _ in messages] == [P0, P1]
    assert messages[0][1].value.records is zero
    assert messages[0][1].offset == 7  # acknowledging the message acknowledges its last record
    assert messages[0][1].timestamp == 1007
    assert messages[1][1].value.records is one


def test_an_empty_fetch_is_no_message() -> None:
    assert list(WholeFetchScheduler().iterate({P0: [], P1: fetched(3)})) == [
        (P1, FetchedRecords(P1.topic, 1, 3, Fetch(fetched(3), 3), 1003))
    ]


def test_a_message_begins_where_the_one_before_it_ended() -> None:
    """Offsets have holes; only what Faust has lost is a gap."""
    scheduler = WholeFetchScheduler()

    def begins(*offsets: int) -> list[int]:
        return [message.value.begins_at for _, message in scheduler.iterate({P0: fetched(*offsets)})]

    scheduler.begin({P0: 3})
    assert begins(5, 7) == [3]
    assert begins(9) == [8]
    assert begins(0) == [0]  # sent back by the broker: the log does not hold what it held
    scheduler.begin({P0: 0})
    assert begins(4) == [0]


def test_stock_delivery_has_the_same_shape() -> None:
    messages = list(SingleRecordScheduler().iterate({P0: fetched(5, 6), P1: fetched(1)}))
    assert sorted((tp, message.offset, len(message.value.records)) for tp, message in messages) == [
        (P0, 5, 1),
        (P0, 6, 1),
        (P1, 1, 1),
    ]
    # In Faust's own order: no partition waits for another's whole fetch.
    assert {tp for tp, _ in messages[:2]} == {P0, P1}


@pytest.mark.parametrize("scheduler", [WholeFetchScheduler, SingleRecordScheduler])
def test_a_message_looks_like_one_of_fausts(scheduler: Any) -> None:
    """What Faust reads of a message is there, under its names."""
    _, message = next(iter(scheduler().iterate({P0: fetched(5, 6)})))
    read = (
        "topic partition offset timestamp timestamp_type headers key value checksum serialized_key_size "
        "serialized_value_size"
    )
    assert set(read.split()) <= set(dir(message))


def test_the_schema_passes_the_value_on_unread() -> None:
    """What no decoder could read arrives as it was."""
    made: list[tuple[object, ...]] = []

    def create_event(*arguments: object) -> str:
        made.append(arguments)
        return "event"

    app = SimpleNamespace(create_event=create_event)
    value = [record(0, b"\xff\x00")]
    message = SimpleNamespace(key=b"\xff", value=value, headers=())
    decode = RawSchema().compile(app)  # type: ignore[arg-type]  # all that it uses of an app
    event: Any = asyncio.run(decode(message))  # type: ignore[arg-type]
    assert event == "event"
    assert made == [(b"\xff", value, (), message)]
