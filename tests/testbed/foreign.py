"""Batches of Kafka records as clients of other languages may write them."""

from __future__ import annotations

import io
from collections.abc import Sequence

from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from aiokafka.record.default_records import _DefaultRecordBatchPy as Batch

CODECS = {"none": 0, "gzip": Batch.CODEC_GZIP, "snappy": Batch.CODEC_SNAPPY, "lz4": Batch.CODEC_LZ4, "zstd": 4}

Header = tuple[bytes, bytes | None]
Record = tuple[bytes | None, bytes | None, Sequence[Header]]


class RawName(str):
    """A header's name that is written as given bytes."""

    __slots__ = ("raw",)

    raw: bytes

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return self.raw


def named(raw: bytes) -> RawName:
    """A name of these bytes."""
    name = RawName(raw.decode("latin-1"))
    name.raw = raw
    return name


def foreign_batch(records: Sequence[Record], compression: str = "none") -> bytes:
    """A batch of (key, value, headers) in message format v2, offsets from 0."""
    builder = _DefaultRecordBatchBuilderPy(
        magic=2,
        compression_type=CODECS[compression],
        is_transactional=False,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=64 * 1024 * 1024,
    )
    for offset, (key, value, headers) in enumerate(records):
        builder.append(offset, 1_730_000_000_000, key, value, [(named(name), content) for name, content in headers])
    out = io.BytesIO()
    out.write(builder.build())
    return out.getvalue()
