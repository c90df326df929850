"""A receipt: which Kafka records a request became, so that its sender can ask later what became of each event.

Its id holds the records' offsets and nothing else, so that every gateway can answer for every other, after a restart
too, for as long as Kafka keeps the records. It needs no signature: each record names the token that wrote it, and only
that token is answered.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import BaseModel

from ioc.errors import Reason, RejectedError
from ioc.messaging.record import RecordOffset

MAX_RECORDS = 2000
# A request's head may have 16 KiB.
_MAX_ID = 12_000
_MAX_TEXT = 64 * 1024
_PAIR = re.compile(r"([0-9]{1,6}):([0-9]{1,18})")

Fate = Literal["waiting", "stored", "duplicate", "superseded", "rejected", "unknown"]


class EventFate(BaseModel):
    """What became of one event.

    waiting:    Kafka has it, the agents have not read it yet.
    stored:     it is the winning revision, or it voided its record.
    duplicate:  the same revision with the same content had been stored before.
    superseded: a later revision of its record won.
    rejected:   refused by the agents; `reasons` say why.
    unknown:    Kafka does not keep it any more, and it is not the winning revision.
    place:      its place in an uploaded file.
    """

    id: str | None
    feed: str
    fate: Fate
    place: str | None = None
    reasons: list[Reason] = []


class Receipt(BaseModel):
    """The fates of a request's accepted events; `complete` once none waits."""

    complete: bool
    counts: dict[Fate, int]
    events: list[EventFate]


def receipt_id(record_offsets: Iterable[RecordOffset], topic_prefix: str) -> str | None:
    """Return the id of a request that became these records, None where there are none, or too many for an id."""
    by_topic: dict[str, list[str]] = {}
    for record_offset in record_offsets:
        found = by_topic.setdefault(record_offset.topic.removeprefix(f"{topic_prefix}."), [])
        found.append(f"{record_offset.partition}:{record_offset.offset}")
    if not by_topic:
        return None
    text = ";".join(f"{topic}={','.join(found)}" for topic, found in by_topic.items())
    coded = base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).rstrip(b"=").decode()
    return coded if len(coded) <= _MAX_ID else None


def record_offsets_of(coded: str, topic_prefix: str, topics: Sequence[str]) -> list[RecordOffset]:
    """Return the offsets that an id holds; raises RejectedError for what is no id of `topics`."""
    record_offsets = list(_record_offsets(_text(coded), topic_prefix))
    if (
        not record_offsets
        or len(record_offsets) > MAX_RECORDS
        or any(record_offset.topic not in topics for record_offset in record_offsets)
    ):
        raise RejectedError([_NO_RECEIPT])
    return record_offsets


def _text(coded: str) -> str:
    try:
        packed = base64.b64decode(coded + "=" * (-len(coded) % 4), altchars=b"-_", validate=True)
        text = zlib.decompressobj().decompress(packed, _MAX_TEXT)
        return text.decode("ascii")
    except (ValueError, binascii.Error, zlib.error):
        raise RejectedError([_NO_RECEIPT]) from None


def _record_offsets(text: str, topic_prefix: str) -> Iterable[RecordOffset]:
    for part in text.split(";"):
        topic, _, pairs = part.partition("=")
        for pair in pairs.split(","):
            found = _PAIR.fullmatch(pair)
            if found is None:
                raise RejectedError([_NO_RECEIPT])
            yield RecordOffset(f"{topic_prefix}.{topic}", int(found[1]), int(found[2]))


_NO_RECEIPT = Reason(
    field="receipt",
    rule="receipt_unknown",
    message_vi="không có biên nhận này; hãy dùng giá trị receipt mà cổng đã trả lời",
    message_en="there is no such receipt; use the value of `receipt` that the gateway answered",
)
