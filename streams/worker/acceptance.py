"""What an operator sees of the positions, and decides about those that do not belong to their log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ioc.database.connection import connect, translated_errors
from ioc.errors import ConfigError
from ioc.feeds.feed import Feed
from ioc.messaging.client import translated_errors as kafka_errors
from ioc.settings import Settings
from sql import load_queries
from streams.rules.position import LogState
from streams.worker.log_state import LogStates


def list_positions(settings: Settings, feeds: Iterable[Feed]) -> list[dict[str, Any]]:
    """Return a row a partition: where it stands, what Kafka holds, how far behind, and why it is halted."""
    topics = [feed.topic(settings.topic_prefix) for feed in feeds]
    with connect(settings, "owner") as connection, translated_errors():
        stored = {
            (row[0], row[1]): row[2:]
            for row in connection.execute(load_queries("stream")["list_positions"], [topics]).fetchall()
        }
    logs = _logs(settings, topics)
    rows = []
    for topic, partition in sorted(stored.keys() | logs.keys()):
        position, topic_id, updated_at, kind, found_at = stored.get((topic, partition), (None,) * 5)
        log = logs.get((topic, partition))
        rows.append(
            {
                "topic": topic,
                "partition": partition,
                "position": position,
                "log_start": log and log.start,
                "log_end": log and log.end,
                "lag": log and max(log.end - (log.start if position is None else position), 0),
                "halted": kind,
                "since": found_at,
                "updated_at": updated_at,
                "topic_id": str(topic_id) if topic_id else None,
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
        halted = [number for name, number, _ in connection.execute(queries["select_halts"], [[topic]]).fetchall()]
        for partition in sorted(halted):
            if partitions and partition not in partitions:
                continue
            log = logs.get((topic, partition))
            if log is None:
                raise ConfigError(f"Kafka has no partition {partition} of {topic}; create the topic first")
            to = log.start if at == "start" else log.end if at == "end" else int(at)
            if not log.start <= to <= log.end:
                raise ConfigError(f"{topic} partition {partition} holds the offsets {log.start} to {log.end}, not {to}")
            place = {"topic": topic, "partition": partition}
            deleted = connection.execute(queries["delete_halt"], place).fetchone()
            assert deleted is not None
            kind, position = deleted
            connection.execute(queries["insert_gap"], [topic, partition, position, to, kind])
            connection.execute(queries["accept_position"], {**place, "to": to, "topic_id": log.topic_id})
            rows.append({**place, "was": kind, "position_before": position, "position": to})
    return rows


def _logs(settings: Settings, topics: Sequence[str]) -> dict[tuple[str, int], LogState]:
    states = LogStates(settings)
    try:
        with kafka_errors(settings):
            return states(topics)
    finally:
        states.close()
