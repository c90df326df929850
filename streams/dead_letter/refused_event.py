"""A refused event as `rejected_event` keeps it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ioc.feeds.event import REPORTER_URN
from ioc.messaging.record import OutgoingRecord, content_type_of


@dataclass(frozen=True)
class RefusedEvent:
    """An event that was refused, and where it stood in its log."""

    feed: str
    recorded_at: datetime
    topic: str
    partition: int
    record_offset: int
    position: int
    reporter: str | None
    payload: bytes | None
    event_id: str | None = None
    reasons: Sequence[Mapping[str, str]] = ()

    @property
    def place(self) -> tuple[datetime, str, int, int, int]:
        """What identifies it in the table, in the order of the statements that mark it."""
        return self.recorded_at, self.topic, self.partition, self.record_offset, self.position


def record_of(topic: str, payload: bytes, reporter: str | None = None) -> OutgoingRecord:
    """Return the record that sends an event to its feed; `reporter` is its key where the event names none."""
    return OutgoingRecord(
        topic, _reporter_of(payload, reporter), payload, [("content-type", content_type_of(payload).encode())]
    )


def _reporter_of(payload: bytes, reporter: str | None) -> bytes | None:
    """Return the Kafka key: the reporter as the event names it, so that its order of events is kept."""
    try:
        source = json.loads(payload).get("source", "")
    except (ValueError, AttributeError):
        source = ""
    if isinstance(source, str) and source.startswith(REPORTER_URN):
        return source.removeprefix(REPORTER_URN).encode()
    return reporter.encode() if reporter else None
