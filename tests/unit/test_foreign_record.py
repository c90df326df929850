"""Records that clients of other languages write: both Kafka clients of the platform read every one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from kafka.record.memory_records import MemoryRecords
from testbed.foreign import CODECS, Record, foreign_batch

from ioc.messaging.foreign_record import read_foreign_records
from streams.worker.foreign_record import ForeignRecords

Read = Callable[[bytes], list[tuple[object, ...]]]
RECORDS = st.lists(
    st.tuples(
        st.none() | st.binary(max_size=40),
        st.none() | st.binary(max_size=200),
        st.lists(st.tuples(st.binary(max_size=12), st.none() | st.binary(max_size=40)), max_size=4),
    ),
    min_size=1,
    max_size=6,
)
BAD = (b"\xff\xfe", b"x")
# Key and value hold what the name holds: only the name is mended.
TRICKY: list[Record] = [
    (b"good", b"1", [(b"content-type", b"a/b")]),
    (b"\xff\xfe", b"a\xff\xfeb" * 50, [(b"ok", b"\xff\xfe"), BAD, (b"", None), ("tên".encode(), b"")]),
    (None, None, [BAD]),
]


def by_worker(data: bytes) -> list[tuple[object, ...]]:
    """As the worker's client reads them: over again from a batch's first record, what it had is passed over."""
    records = ForeignRecords(data)
    found: list[tuple[object, ...]] = []
    while records.has_next():
        batch = records.next_batch()
        assert batch.validate_crc()
        for record in batch:
            if record.offset >= len(found):
                found.append((record.offset, record.key, record.value, list(record.headers)))
    return found


def by_others(data: bytes) -> list[tuple[object, ...]]:
    """As kafka-python reads them."""
    read_foreign_records()
    return [(one.offset, one.key, one.value, list(one.headers)) for one in _others(MemoryRecords(data))]


def _others(records: MemoryRecords) -> Iterator[object]:
    while records.has_next():
        yield from records.next_batch()


def shown(name: bytes) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError:
        return "".join(chr(byte) if byte < 0x80 else "?" for byte in name)


@pytest.mark.parametrize("read", [by_worker, by_others])
@pytest.mark.parametrize("compression", CODECS)
@settings(max_examples=60, derandomize=True, deadline=None, database=None)
@example(records=TRICKY)
@given(records=RECORDS)
def test_every_record_is_read_as_it_was_written(read: Read, compression: str, records: list[Record]) -> None:
    expected = [
        (offset, key, value, [(shown(name), content) for name, content in headers])
        for offset, (key, value, headers) in enumerate(records)
    ]
    assert read(foreign_batch(records, compression)) == expected


@pytest.mark.parametrize("read", [by_worker, by_others])
@pytest.mark.parametrize("compression", CODECS)
def test_a_large_batch_is_read(read: Read, compression: str) -> None:
    records: list[Record] = [(b"k", b"\x00" * 3_000_000, [BAD])]
    ((_, _, value, _),) = read(foreign_batch(records, compression))
    assert value == records[0][1]
