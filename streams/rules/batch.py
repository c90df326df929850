"""Fetches of Kafka records, and what is read of one: a batch that is ready for the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import polars as pl

from streams.rules.raw import Payloads, RawRecord, mark_of, received_ms
from streams.rules.refuse import Rejection


@dataclass(frozen=True)
class ParsedBatch:
    """One fetch of one partition, ready for the database.

    begins_at: where the client stood before; it lies below `first_offset` where offsets are missing in the log.
    events:   columns of `EVENT_SCHEMA` (not `fetch`), `area_code`, `area_id`, `effective_at`, `effective_on` and the
              feed's own, in the order of the log; content is null where `voided`.
    consumed: events per record offset, so that a prefix of the batch can be dropped.
    payloads: the events as they came, for those that are refused later.
    mark:     of the last record (`mark_of`); None where the batch is a part of a fetch.
    traceparent: of the span of its commit (`ioc/tracing.py`); empty where it is not traced.
    """

    topic: str
    partition: int
    begins_at: int
    first_offset: int
    next_offset: int
    oldest_received_at: datetime
    newest_received_at: datetime
    events: pl.DataFrame
    rejections: tuple[Rejection, ...]
    consumed: dict[int, int]
    payloads: Payloads
    mark: str | None = None
    traceparent: str = ""


@dataclass(frozen=True)
class Fetched:
    """One fetch of one partition: at least one record; `begins_at` as in `BatchParser.parse`."""

    topic: str
    partition: int
    records: Sequence[RawRecord]
    begins_at: int | None = None


def batch_of(
    fetched: Fetched,
    events: pl.DataFrame,
    refused: Sequence[Rejection],
    consumed: dict[int, int],
    payloads: Payloads,
    now_ms: int,
) -> ParsedBatch:
    """Return what was read of a fetch; `now_ms` stands for times that cannot be trusted."""
    first, last = fetched.records[0], fetched.records[-1]
    received = [received_ms(record, now_ms) for record in (first, last)]
    return ParsedBatch(
        topic=fetched.topic,
        partition=fetched.partition,
        begins_at=first.offset if fetched.begins_at is None else min(fetched.begins_at, first.offset),
        first_offset=first.offset,
        next_offset=last.offset + 1,
        oldest_received_at=_time_of(min(received)),
        newest_received_at=_time_of(max(received)),
        events=events,
        rejections=tuple(refused),
        consumed=consumed,
        payloads=payloads,
        mark=mark_of(last),
    )


def _time_of(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, tz=ZoneInfo("UTC"))
