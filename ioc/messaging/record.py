"""A record of Kafka as this project writes it: events of one feed and reporter, one alone or an array of several.

Source: CloudEvents 1.0.2, Kafka protocol binding: the header `content-type` says whether it is one event or a batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ioc.feeds.event import CONTENT_TYPE_BATCH, CONTENT_TYPE_EVENT

TOKEN_HEADER = "ioc-token"  # noqa: S105 - a header's name
PLACES_HEADER = "ioc-places"  # the events' places in an uploaded file: a JSON array, deflated


@dataclass(frozen=True, slots=True, order=True)
class RecordOffset:
    """Where in Kafka a record lies: its offset in a partition of a topic."""

    topic: str
    partition: int
    offset: int


class OutgoingRecord(NamedTuple):
    """One Kafka record; its key decides the partition."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


def record_of(topic: str, reporter: str, events: Sequence[bytes], *headers: tuple[str, bytes]) -> OutgoingRecord:
    """Return the record of a reporter's events, each as JSON; `headers` follow the content type."""
    alone = len(events) == 1
    content_type = CONTENT_TYPE_EVENT if alone else CONTENT_TYPE_BATCH
    return OutgoingRecord(
        topic,
        reporter.encode(),
        events[0] if alone else b"[" + b",".join(events) + b"]",
        (("content-type", content_type.encode()), *headers),
    )


def content_type_of(payload: bytes) -> str:
    """Return how a payload travels again: what begins as an array, even one that could not be read, as a batch."""
    return CONTENT_TYPE_BATCH if payload.lstrip()[:1] == b"[" else CONTENT_TYPE_EVENT
