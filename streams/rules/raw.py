"""Records as the Kafka client delivers them, and the single events in them, byte by byte as they came."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any, Protocol

from pydantic_core import from_json, to_json

from ioc.feeds.event import CONTENT_TYPE_BATCH, CONTENT_TYPE_EVENT, attribute_value

LOG_APPEND_TIME = 1
_BATCH_TYPE = CONTENT_TYPE_BATCH.encode()
_BATCH_HEADER = ("content-type", _BATCH_TYPE)
_ATTRIBUTE = "ce_"
_EVENT_HEADER = ("content-type", CONTENT_TYPE_EVENT.encode())
_DAY_MS = 86_400_000
_FIRST_MS = 946_684_800_000  # 2000-01-01: no broker of this platform is older
# A string (with whatever is escaped in it), or what opens, closes or parts values.
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{},]', re.DOTALL)


class RawRecord(Protocol):
    """What is read of a Kafka record; `timestamp` in milliseconds, `timestamp_type` 1 = set by the broker."""

    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None

    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]:
        """Names and values; Kafka lets a header have no value at all."""


def is_batch(record: RawRecord) -> bool:
    """Tell whether a record's value is a JSON array of events, however its content type is written.

    Case does not matter, and a parameter may follow: `Application/CloudEvents-Batch+JSON; charset=UTF-8`.
    """
    if _EVENT_HEADER in record.headers:  # as the gateway writes them, which is nearly always
        return False
    if _BATCH_HEADER in record.headers:
        return True
    return any(
        name.lower() == "content-type" and (value or b"").partition(b";")[0].strip().lower() == _BATCH_TYPE
        for name, value in record.headers
    )


def value_of(record: RawRecord) -> bytes | None:
    """Return a record's events as JSON: its value, or in binary mode the event that headers and value make together.

    Source: CloudEvents 1.0.2, Kafka protocol binding §3.2: attributes are headers `ce_<name>`, the value is `data`.
    """
    if _EVENT_HEADER in record.headers or _BATCH_HEADER in record.headers:
        return record.value
    event: dict[str, Any] = {
        name[len(_ATTRIBUTE) :]: attribute_value(name[len(_ATTRIBUTE) :], value.decode("utf-8", "replace"))
        for name, value in record.headers
        if name.startswith(_ATTRIBUTE) and value is not None
    }
    if "specversion" not in event:
        return record.value
    if record.value:
        try:
            event["data"] = from_json(record.value)
        except ValueError:
            return record.value
    return to_json(event, inf_nan_mode="constants")


def received_ms(record: RawRecord, now_ms: int) -> int:
    """Return when Kafka appended a record, in milliseconds; now where only its producer says when.

    A producer's time is never trusted: it may be in microseconds, or in any year.
    """
    if record.timestamp_type == LOG_APPEND_TIME and _FIRST_MS <= record.timestamp <= now_ms + _DAY_MS:
        return record.timestamp
    return now_ms


def mark_of(record: RawRecord) -> str:
    """Return a hash (32 hexadecimal digits) that tells a record from any other that may lie at its offset one day."""
    mark = hashlib.md5(str(record.timestamp).encode(), usedforsecurity=False)
    for part in (record.key, record.value):
        # With its length: key and value must not run into each other.
        mark.update(b"-" if part is None else b"%d:" % len(part) + part)
    return mark.hexdigest()


class Payloads:
    """Finds the events of a fetch again, for the few that are refused; each record is cut up once at most."""

    def __init__(self, records: Sequence[RawRecord]) -> None:
        self._records = {record.offset: record for record in records}
        self._opened: dict[int, list[bytes]] = {}

    def of(self, offset: int, position: int) -> bytes:
        """Return an event as it came."""
        if offset not in self._opened:
            record = self._records[offset]
            value = value_of(record) or b""
            self._opened[offset] = elements(value) if is_batch(record) else [value]
        return self._opened[offset][position]


def elements(array: bytes) -> list[bytes]:
    """Return the elements of a JSON array (valid, and an array) as they are written there."""
    found = []
    depth, start = 0, 0
    for token in _TOKEN.finditer(array):
        mark = token.group()
        if mark in (b"[", b"{"):
            depth += 1
            start = token.end() if depth == 1 else start
        elif mark in (b"]", b"}") or mark == b",":
            if depth == 1 and mark != b"}":
                found.append(array[start : token.start()].strip())
                start = token.end()
            depth -= mark != b","
    return [] if found == [b""] else found
