"""Lets the worker's Kafka client read records that have a header whose name is no UTF-8.

The client's reader is compiled and raises in the middle of a batch; every worker that reads the partition would end so.
Such a batch is read again by the client's own reader in Python, its names mended (`ioc/messaging/foreign_record.py`).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

from ioc.messaging.foreign_record import mend_header_names

# What lies before a batch's length, and with it: base offset, length.
_LENGTH_AT, _HEAD = 8, 12


class ForeignRecords:
    """The batches of one fetch of a partition, as the client reads them."""

    def __init__(self, data: bytes) -> None:
        self._records: Any = MemoryRecords(data)
        self._data = data
        self._position = 0

    def size_in_bytes(self) -> int:
        """Return the size of all batches."""
        return int(self._records.size_in_bytes())

    def has_next(self) -> bool:
        """Whether there is a whole batch more."""
        return bool(self._records.has_next())

    def next_batch(self) -> Any:
        """Return the next batch."""
        (length,) = struct.unpack_from(">i", self._data, self._position + _LENGTH_AT)
        begin, self._position = self._position, self._position + _HEAD + length
        batch: Any = self._records.next_batch()
        # Markers of transactions, and batches of the formats before headers, have none.
        if not hasattr(batch, "next_offset") or batch.is_control_batch:
            return batch
        return _ReadAgain(batch, memoryview(self._data)[begin : self._position])


class _ReadAgain:
    """A batch; all but its records is the client's own."""

    def __init__(self, batch: Any, data: memoryview) -> None:
        self._batch = batch
        self._data = data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __iter__(self) -> Iterator[Any]:
        try:
            yield from self._batch
        except UnicodeDecodeError:
            # From the first record on: the client passes over what it has had already.
            batch: Any = _DefaultRecordBatchPy(self._data)
            batch._maybe_uncompress()
            mend_header_names(batch._buffer, batch._pos, batch._num_records)
            yield from batch


def read_foreign_records() -> None:
    """Let the client of this process read such records."""
    fetcher.MemoryRecords = ForeignRecords
