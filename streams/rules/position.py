"""What a stored position means beside the log as Kafka has it now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

GapKind = Literal["deleted", "skipped", "remade", "truncated"]


@dataclass(frozen=True)
class LogState:
    """A partition in Kafka: its topic's id, the first offset that is kept, its end, and its leader's epoch."""

    topic_id: UUID | None
    start: int
    end: int
    leader_epoch: int | None = None


@dataclass(frozen=True)
class StoredPosition:
    """The next offset, and the id of the topic that it belongs to; None before that was known.

    leader_epoch: under which the log was last known to be the one that was read.
    mark:         offset and mark (`streams.rules.raw.mark_of`) of the last record that was stored.
    """

    next_offset: int
    topic_id: UUID | None = None
    leader_epoch: int | None = None
    mark: tuple[int, str] | None = None


def fault_of(stored: StoredPosition, log: LogState) -> Literal["remade", "truncated"] | None:
    """Return why a position does not belong to a log, or None.

    A topic that was deleted and made again has another id; where a log was cut (an unclean election, a rebuilt
    broker), its end lies below the position. Offsets then mean other events than those that were counted.
    """
    if not stored.next_offset:
        return None
    if stored.topic_id is not None and log.topic_id is not None and stored.topic_id != log.topic_id:
        return "remade"
    return "truncated" if log.end < stored.next_offset else None


def missing(position: int, begin: int, kept_from: int) -> Iterator[tuple[int, int, GapKind]]:
    """Yield the offsets (from, to, kind) that lie between a position and the next record that came."""
    deleted_to = min(max(kept_from, position), begin)
    if position < deleted_to:
        yield position, deleted_to, "deleted"
    if deleted_to < begin:
        yield deleted_to, begin, "skipped"
