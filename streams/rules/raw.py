"""Records as the Kafka client delivers them, and the single events in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from pydantic_core import from_json, to_json

from ioc.feeds.event import CONTENT_TYPE_BATCH, CONTENT_TYPE_EVENT, attribute_value

_BATCH_TYPE = CONTENT_TYPE_BATCH.encode()
_BATCH_HEADER = ("content-type", _BATCH_TYPE)
_ATTRIBUTE = "ce_"
_EVENT_HEADER = ("content-type", CONTENT_TYPE_EVENT.encode())


class RawRecord(Protocol):
    """What is read of a Kafka record."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


def is_batch(record: RawRecord) -> bool:
    """Tell whether a record's value is a JSON array of events, however its content type is written.

    Case does not matter, and a parameter may follow: `Application/CloudEvents-Batch+JSON; charset=UTF-8`.
    """
    if _EVENT_HEADER in record.headers:  # as the gateway writes them, which is nearly always
        return False
    if _BATCH_HEADER in record.headers:
        return True
    return any(
        name.lower() == "content-type" and value.partition(b";")[0].strip().lower() == _BATCH_TYPE
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
        if name.startswith(_ATTRIBUTE)
    }
    if "specversion" not in event:
        return record.value
    if record.value:
        try:
            event["data"] = from_json(record.value)
        except ValueError:
            return record.value
    return to_json(event, inf_nan_mode="constants")


class Payloads:
    """Finds the events of a fetch again, for the few that are refused; each record is read once at most."""

    def __init__(self, records: Sequence[RawRecord]) -> None:
        self._records = records
        self._opened: dict[int, list[bytes]] = {}

    def of(self, offset: int, position: int) -> bytes:
        """Return an event as it came."""
        if offset not in self._opened:
            record = next(record for record in self._records if record.offset == offset)
            value = value_of(record) or b""
            self._opened[offset] = [to_json(item) for item in from_json(value)] if is_batch(record) else [value]
        return self._opened[offset][position]
