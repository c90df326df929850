"""Stored positions beside Kafka's logs: which may be read on, which are halted, what was passed without an event."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple
from uuid import UUID

import psycopg
import structlog
from psycopg.rows import class_row

from ioc.database.connection import connect
from ioc.settings import Settings
from sql import load_queries
from streams.rules.position import LogState, StoredPosition, fault_of, missing
from streams.worker.halt import Halts, PartitionId
from streams.worker.log_mark import LogMarks, ReadMarks

log = structlog.get_logger(__name__)


class _PositionRow(NamedTuple):
    topic: str
    partition: int
    next_offset: int
    topic_id: UUID | None
    leader_epoch: int | None
    mark_offset: int | None
    mark: UUID | None


class _HaltRow(NamedTuple):
    topic: str
    partition: int
    kind: str


def read_positions(connection: psycopg.Connection, topics: Collection[str]) -> dict[PartitionId, StoredPosition]:
    """Return the stored positions of topics."""
    cursor = connection.cursor(row_factory=class_row(_PositionRow))
    rows = cursor.execute(load_queries("stream")["select_positions"], [sorted(topics)])
    return {
        (row.topic, row.partition): StoredPosition(
            row.next_offset,
            row.topic_id,
            row.leader_epoch,
            None if row.mark is None or row.mark_offset is None else (row.mark_offset, row.mark.hex),
        )
        for row in rows
    }


def read_halts(connection: psycopg.Connection, topics: Collection[str]) -> dict[PartitionId, str]:
    """Return the kind of each halt that is recorded for partitions of topics."""
    cursor = connection.cursor(row_factory=class_row(_HaltRow))
    rows = cursor.execute(load_queries("stream")["select_halts"], [sorted(topics)])
    return {(row.topic, row.partition): row.kind for row in rows}


def judge(
    connection: psycopg.Connection,
    stored: Mapping[PartitionId, StoredPosition],
    logs: Mapping[PartitionId, LogState],
    halts: Halts,
    marks: LogMarks,
    read: ReadMarks,
) -> set[PartitionId]:
    """Halt the partitions whose position does not belong to their log, and return all that are halted in the database.

    A halt is recorded, and stays until an operator lets the reading go on (`ioc position accept`). Reads Kafka where a
    partition has another leader epoch than when it was last looked at.
    """
    queries = load_queries("stream")
    topics = sorted({topic for topic, _ in logs})
    kinds = {
        partition_id: kind
        for partition_id in logs
        if partition_id in stored and (kind := fault_of(stored[partition_id], logs[partition_id]))
    }
    unsure = {
        partition_id: one
        for partition_id, one in stored.items()
        if partition_id not in kinds and not halts.holds(*partition_id)
    }
    cut, same = marks.compare(unsure, logs, read)
    kinds |= dict.fromkeys(cut, "truncated")
    for (topic, partition), epoch in same.items():
        connection.execute(queries["set_leader_epoch"], [epoch, topic, partition])
    for partition_id, state in logs.items():
        kind = kinds.get(partition_id)
        if kind is not None:
            topic, partition = partition_id
            where = {"topic": topic, "partition": partition, "position": stored[partition_id].next_offset}
            where |= {"log_start": state.start, "log_end": state.end}
            connection.execute(queries["insert_halt"], {**where, "kind": kind})
            if halts.halt(partition_id, kind):
                log.critical(
                    "the stored position does not belong to this log; nothing of the partition is stored until an "
                    "operator has looked: `ioc position list`, `ioc position accept`",
                    kind=kind,
                    **where,
                )
    for topic in topics:
        ids = {state.topic_id for (name, _), state in logs.items() if name == topic and state.topic_id is not None}
        if len(ids) == 1:
            connection.execute(queries["set_topic_id"], {"topic": topic, "topic_id": ids.pop()})
    halted = read_halts(connection, topics)
    for partition_id, recorded in halted.items():
        halts.halt(partition_id, recorded)
    return set(halted)


def pass_over(
    settings: Settings, passed: Iterable[tuple[str, int, int, int]], log_starts: Mapping[PartitionId, int]
) -> list[PartitionId]:
    """Move positions over what the log never showed (topic, partition, from, to), recording it; return those moved.

    A position that is not at `from` is left: something of the partition is still being written.
    """
    queries = load_queries("stream")
    moved = []
    with connect(settings, "worker") as connection:
        for topic, partition, start, end in sorted(passed):
            position = {"topic": topic, "partition": partition, "from": start, "to": end}
            position |= {"mark": None, "mark_offset": None}
            if connection.execute(queries["move_position"], position).rowcount == 1:
                for first, following, kind in missing(start, end, log_starts.get((topic, partition), 0)):
                    connection.execute(queries["insert_gap"], [topic, partition, first, following, kind])
                moved.append((topic, partition))
    return moved
