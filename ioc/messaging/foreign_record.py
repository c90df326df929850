"""Kafka records that other clients write and the Python clients cannot read: one would keep a partition shut for good.

- A header's name that is no UTF-8. Kafka's protocol says that it is a string, and its broker does not check it; clients
  in C, Go or Rust write whatever bytes they are given. The Python clients raise on it. Here the bytes that are no ASCII
  are read as question marks in such a name; keys, values and all other headers stay as they are.
- Batches in Snappy or Zstandard, which kafka-python reads with libraries of its own only, the latter up to 1 MiB. Here
  it reads them with what the worker's client has.

Source: Kafka 3.9, message format v2 (`DefaultRecord.java`, `CompressionType.java`).
"""

from __future__ import annotations

from typing import Any

from aiokafka import codec
from kafka.record import memory_records

_NO_ASCII = bytes(byte if byte < 0x80 else ord("?") for byte in range(256))


def mend_header_names(buffer: bytearray, position: int, records: int) -> None:
    """Make the names of headers readable in `records` records of message format v2 from `position` on.

    The length stays, so that nothing else moves. Raises IndexError where the buffer ends early.
    """
    for _ in range(records):
        length, start = _varint(buffer, position)
        position = start
        for _ in ("attributes", "timestamp", "offset"):
            _, position = _varint(buffer, position)
        for _ in ("key", "value"):
            size, position = _varint(buffer, position)
            position += max(size, 0)
        headers, position = _varint(buffer, position)
        for _ in range(headers):
            size, position = _varint(buffer, position)
            name = bytes(buffer[position : position + size])
            if not _is_utf8(name):
                buffer[position : position + size] = name.translate(_NO_ASCII)
            position += size
            size, position = _varint(buffer, position)
            position += max(size, 0)
        position = start + length


def read_foreign_records() -> None:
    """Let kafka-python's consumers in this process read such records; once is enough, more does no harm."""
    memory_records.DefaultRecordBatch = ForeignBatch


_Batch: Any = memory_records.DefaultRecordBatch


class ForeignBatch(_Batch):  # type: ignore[misc]
    """kafka-python's batch, which reads what any client may have written."""

    __slots__ = ()

    def _maybe_uncompress(self) -> None:
        batch: Any = self
        decode = {self.CODEC_SNAPPY: codec.snappy_decode, self.CODEC_ZSTD: codec.zstd_decode}.get(self.compression_type)
        if batch._decompressed or decode is None:
            super()._maybe_uncompress()
            return
        batch._buffer = bytearray(decode(bytes(batch._buffer[batch._pos :])))
        batch._pos = 0
        batch._decompressed = True

    def _read_msg(self) -> Any:
        try:
            return super()._read_msg()
        except UnicodeDecodeError:
            # Its position moves only once a record has been read.
            mend_header_names(self._buffer, self._pos, self._num_records - self._next_record_index)
            return super()._read_msg()


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _varint(buffer: bytearray, position: int) -> tuple[int, int]:
    """Return a number in Kafka's zigzag coding, and where the next one begins."""
    number = shift = 0
    while True:
        byte = buffer[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (number >> 1) ^ -(number & 1), position
        shift += 7
