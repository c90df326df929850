"""What an operator sees of the positions, and decides about those that do not belong to their log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg.rows import class_row

from ioc.command.act import note_change
from ioc.database.connection import connect, translated_errors
from ioc.errors import ConfigError
from ioc.feeds.feed import Feed
from ioc.messaging.client import translated_errors as kafka_errors
from ioc.settings import Settings
from sql import load_queries
from streams.rules.position import LogState
from streams.worker.log_state import LogStates
from streams.worker.stored_position import read_halts


class _ListedPosition(NamedTuple):
    topic: str
    partition: int
    next_offset: int
    topic_id: UUID | None
    updated_at: datetime
    kind: str | None
    found_at: datetime | None


class _DeletedHalt(NamedTuple):
    kind: str
    position: int


def list_positions(settings: Settings, feeds: Iterable[Feed]) -> list[dict[str, Any]]:
    """Return a row a partition: its position, what Kafka holds, how far behind, and why it is halted."""
    topics = [feed.topic(settings.topic_prefix) for feed in feeds]
    with connect(settings, "owner") as connection, translated_errors():
        cursor = connection.cursor(row_factory=class_row(_ListedPosition))
        found = cursor.execute(load_queries("stream")["list_positions"], [topics])
        stored = {(row.topic, row.partition): row for row in found}
    logs = _logs(settings, topics)
    rows = []
    for topic, partition in sorted(stored.keys() | logs.keys()):
        known = stored.get((topic, partition))
        position = known and known.next_offset
        log = logs.get((topic, partition))
        rows.append(
            {
                "topic": topic,
                "partition": partition,
                "position": position,
                "log_start": log and log.start,
                "log_end": log and log.end,
                "lag": log and max(log.end - (log.start if position is None else position), 0),
                "halted": known and known.kind,
                "since": known and known.found_at,
                "updated_at": known and known.updated_at,
                "topic_id": str(known.topic_id) if known and known.topic_id else None,
            }
        )
    return rows


def accept_positions(settings: Settings, topic: str, partitions: Sequence[int] | None, at: str) -> list[dict[str, Any]]:
    """Let halted partitions of a topic go on at the `start` or `end` of the log that is there now, or at an offset.

    The move is recorded as a gap. Raises ConfigError where the log does not hold the offset.
    """
    logs = _logs(settings, [topic])
    queries = load_queries("stream")
    rows = []
    with connect(settings, "owner") as connection, translated_errors():
        for _, partition in sorted(read_halts(connection, [topic])):
            if partitions and partition not in partitions:
                continue
            log = logs.get((topic, partition))
            if log is None:
                raise ConfigError(f"Kafka has no partition {partition} of {topic}; create the topic first")
            following = log.start if at == "start" else log.end if at == "end" else int(at)
            if not log.start <= following <= log.end:
                raise ConfigError(
                    f"{topic} partition {partition} holds the offsets {log.start} to {log.end}, not {following}"
                )
            place = {"topic": topic, "partition": partition}
            cursor = connection.cursor(row_factory=class_row(_DeletedHalt))
            halt = cursor.execute(queries["delete_halt"], place).fetchone()
            assert halt is not None
            connection.execute(queries["insert_gap"], [topic, partition, halt.position, following, halt.kind])
            connection.execute(queries["accept_position"], {**place, "to": following, "topic_id": log.topic_id})
            rows.append({**place, "was": halt.kind, "position_before": halt.position, "position": following})
    note_change(subject=topic, after=rows)
    return rows


def _logs(settings: Settings, topics: Sequence[str]) -> dict[tuple[str, int], LogState]:
    states = LogStates(settings)
    try:
        with kafka_errors(settings):
            return states(topics)
    finally:
        states.close()
