"""What Kafka can give again after a restore, what it no longer holds, and whether figures are right afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from kafka import KafkaConsumer, TopicPartition
from psycopg.rows import class_row

from ioc.database.connection import connect, translated_errors
from ioc.feeds.feed import Feed
from ioc.messaging.client import client_options
from ioc.messaging.client import translated_errors as kafka_errors
from ioc.settings import Settings
from sql import load_queries
from streams.proof.reconcile import ReconcileResult, reconcile
from streams.worker.acceptance import list_positions

_POLL_SECONDS = 0.5
_READ_SECONDS = 10.0


@dataclass(frozen=True)
class MissingSpan:
    """Offsets of a partition that are in no database and no longer in Kafka.

    events came between `after` (the newest that is stored before) and `until` (the oldest that Kafka holds behind).
    passed: a worker has read on behind them already.
    """

    feed: str
    topic: str
    partition: int
    from_offset: int
    to_offset: int
    records: int
    after: datetime | None
    until: datetime | None
    passed: bool


@dataclass(frozen=True)
class Healing:
    """waiting: records that Kafka holds and that are not stored yet; halted: partitions that need a decision."""

    waiting: int
    halted: tuple[str, ...]
    missing: tuple[MissingSpan, ...]
    proof: ReconcileResult | None = None


class _StoredUntil(NamedTuple):
    topic: str
    partition: int
    stored_until: datetime | None


class _PassedGap(NamedTuple):
    topic: str
    partition: int
    from_offset: int
    to_offset: int
    found_at: datetime


def survey(settings: Settings, feeds: Mapping[str, Feed], *, within: str = "1 day") -> Healing:
    """Compare positions with Kafka's logs. within: how far back gaps are told that workers have passed already."""
    rows = list_positions(settings, feeds.values())
    names = {feed.topic(settings.topic_prefix): feed.key for feed in feeds.values()}
    queries = load_queries("backup")
    with connect(settings, "owner", autocommit=True) as connection, translated_errors():
        cursor = connection.cursor(row_factory=class_row(_StoredUntil))
        stored = cursor.execute(queries["select_stored_until"], [list(names)]).fetchall()
        asked = {"topics": list(names), "within": within}
        gaps = connection.cursor(row_factory=class_row(_PassedGap)).execute(queries["select_gaps"], asked).fetchall()
    until = {(one.topic, one.partition): one.stored_until for one in stored}
    behind = [row for row in rows if row["log_start"] is not None and row["log_start"] > (row["position"] or 0)]
    oldest = _oldest_times(settings, [(row["topic"], row["partition"]) for row in behind])
    missing = [
        _span(names, row["topic"], row["partition"], (row["position"] or 0, row["log_start"]), until, oldest)
        for row in behind
    ]
    for gap in gaps:
        key = gap.topic, gap.partition
        span = (gap.from_offset, gap.to_offset)
        missing.append(_span(names, *key, span, {}, {key: gap.found_at}, passed=True))
    halted = tuple(f"{row['topic']}-{row['partition']}: {row['halted']}" for row in rows if row["halted"])
    return Healing(sum(row["lag"] or 0 for row in rows), halted, tuple(missing))


def heal(
    settings: Settings,
    feeds: Mapping[str, Feed],
    *,
    seconds: float,
    within: str = "1 day",
    watch: Callable[[int], None] = lambda _: None,
) -> Healing:
    """Wait until the workers have read what Kafka still holds, at most so long; then prove every figure.

    Without a proof in the answer, events were still waiting when the time was over.
    """
    deadline = time.monotonic() + seconds
    while True:
        found = survey(settings, feeds, within=within)
        watch(found.waiting)
        if not found.waiting:
            break
        if time.monotonic() >= deadline:
            return found
        time.sleep(_POLL_SECONDS)
    patience = max(deadline - time.monotonic(), 1.0)
    return Healing(found.waiting, found.halted, found.missing, reconcile(settings, patience=patience))


def _span(
    names: Mapping[str, str],
    topic: str,
    partition: int,
    offsets: tuple[int, int],
    after: Mapping[tuple[str, int], datetime | None],
    until: Mapping[tuple[str, int], datetime | None],
    *,
    passed: bool = False,
) -> MissingSpan:
    start, end = offsets
    key = topic, partition
    return MissingSpan(names[topic], topic, partition, start, end, end - start, after.get(key), until.get(key), passed)


def _oldest_times(settings: Settings, partitions: list[tuple[str, int]]) -> dict[tuple[str, int], datetime | None]:
    """Return by partition when Kafka appended the oldest record that it still holds; nothing for an empty log."""
    if not partitions:
        return {}
    wanted = [TopicPartition(topic, partition) for topic, partition in partitions]
    found: dict[tuple[str, int], datetime | None] = {}
    with kafka_errors(settings):
        consumer: Any = KafkaConsumer(
            **client_options(settings, 10.0), enable_auto_commit=False, max_partition_fetch_bytes=65_536
        )
        try:
            consumer.assign(wanted)
            starts, ends = consumer.beginning_offsets(wanted), consumer.end_offsets(wanted)
            held = [one for one in wanted if starts[one] < ends[one]]
            consumer.assign(held)
            for one in held:
                consumer.seek(one, starts[one])
            deadline = time.monotonic() + _READ_SECONDS
            while held and len(found) < len(held) and time.monotonic() < deadline:
                for one, records in consumer.poll(timeout_ms=500).items():
                    moment = datetime.fromtimestamp(records[0].timestamp / 1000, UTC)
                    found.setdefault((one.topic, one.partition), moment)
        finally:
            consumer.close()
    return found
