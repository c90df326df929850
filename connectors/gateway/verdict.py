"""Judges events one by one and packs those that pass into Kafka records."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic_core import to_json

from connectors.gateway.answer import EventResult
from ioc.errors import Reason, RejectedError
from ioc.feeds.event import Envelope
from ioc.feeds.feed import Feed
from ioc.feeds.plausibility import Now, check_plausible
from ioc.feeds.validation import TOO_MANY_ATTRIBUTES, check_envelope, mask, may_be_repeated, read_event
from ioc.messaging.record import PLACES_HEADER, TOKEN_HEADER, OutgoingRecord, record_of
from ioc.web.tokens import Token

MAX_RECORD_BYTES = 512 * 1024
MAX_RECORD_EVENTS = 500
_MOST_ATTRIBUTES = 64
_MOST_FIELDS = 256  # of data: more than any record has

_EventBytes = tuple[int, bytes, str | None]
# Extension attributes do not reach Kafka.
_WRITTEN = set(Envelope.model_fields)


@dataclass(frozen=True, slots=True)
class Verdict:
    """An event's result; `feed` where its type is known, `reporter` and `event` (as JSON) where it was accepted.

    place: its place in an uploaded file.
    """

    result: EventResult
    feed: Feed | None = None
    reporter: str = ""
    event: bytes = b""
    place: str | None = None


def judge(feeds: Mapping[str, Feed], token: Token, index: int, event: Any, *, now: Now) -> Verdict:
    """Decide on the event at `index` of a request; `feeds` are by event type, `now` says what is plausible.

    What the token may not do is refused with 403, a broken envelope with 400, wrong data with 422.
    """
    event_id, event_type = (event.get("id"), event.get("type")) if isinstance(event, dict) else (None, None)
    shown_id = event_id if isinstance(event_id, str) and may_be_repeated(event_id) else None
    feed = feeds.get(event_type) if isinstance(event_type, str) else None
    if feed is None:
        return Verdict(_refused(index, shown_id, 400, [_unknown_type(event, event_type)]))
    if feed.key not in token.feeds:
        return Verdict(_refused(index, shown_id, 403, [_foreign_feed(feed)]), feed)
    try:
        _check_size(event)
        # Back to JSON, so that the agents and the gateway read an event in one way.
        envelope = read_event(feed, to_json(event, inf_nan_mode="constants"))
    except RejectedError as error:
        return Verdict(_by_reasons(index, shown_id, error.reasons), feed)
    if not token.allows_reporter(envelope.reporter):
        return Verdict(_refused(index, shown_id, 403, [_foreign_reporter(envelope)]), feed)
    if reasons := check_envelope(feed, envelope) or check_plausible(feed, envelope, now):
        return Verdict(_by_reasons(index, shown_id, reasons), feed)
    written = feed.envelope.dump_json(envelope, exclude_unset=True, include=_WRITTEN)
    return accepted(index, shown_id, feed, envelope.reporter, written)


def accepted(index: int, shown_id: str | None, feed: Feed, reporter: str, event: bytes) -> Verdict:
    """Return the verdict of an event that is written to Kafka as it is here."""
    return Verdict(EventResult(index=index, id=shown_id, status="accepted"), feed, reporter, event)


@dataclass(frozen=True, slots=True)
class Packed:
    """A record, and which of the verdicts it holds, by their numbers."""

    record: OutgoingRecord
    verdicts: tuple[int, ...]


def pack(
    verdicts: Iterable[Verdict],
    topic_prefix: str,
    token_id: str,
    max_bytes: int = MAX_RECORD_BYTES,
    max_events: int = MAX_RECORD_EVENTS,
) -> list[Packed]:
    """Return the accepted events as records of one feed and reporter each, in the order in which they came.

    What is written is what was validated: attributes that no feed declares do not reach Kafka. A record holds
    at most `max_events` and about `max_bytes`, or a single event that is larger.
    """
    groups: dict[tuple[str, str], list[list[_EventBytes]]] = {}
    sizes: dict[tuple[str, str], int] = {}
    for number, verdict in enumerate(verdicts):
        feed, event = verdict.feed, verdict.event
        if feed is None or not event:
            continue
        key = (feed.topic(topic_prefix), verdict.reporter)
        chunks = groups.setdefault(key, [[]])
        size = sizes.get(key, 0) + len(event) + 1
        if chunks[-1] and (size > max_bytes or len(chunks[-1]) >= max_events):
            chunks.append([])
            size = len(event) + 1
        chunks[-1].append((number, event, verdict.place))
        sizes[key] = size
    return [
        Packed(_record(topic, reporter, token_id, chunk), tuple(number for number, _, _ in chunk))
        for (topic, reporter), chunks in groups.items()
        for chunk in chunks
    ]


def too_large(verdict: Verdict) -> Verdict:
    """Return the verdict of an event that its topic does not take: the event by itself is too large."""
    result = verdict.result
    reason = Reason(
        field="",
        rule="record_too_large",
        message_vi="sự kiện lớn hơn mức mà topic của nguồn này nhận; các sự kiện khác của yêu cầu không bị ảnh hưởng",
        message_en="the event is larger than its topic takes; the other events of the request are not concerned",
    )
    return Verdict(_refused(result.index, result.id, 413, [reason]), verdict.feed, place=verdict.place)


def _record(topic: str, reporter: str, token_id: str, packed: list[_EventBytes]) -> OutgoingRecord:
    """Make a record of one event, or of an array of several."""
    events = [event for _, event, _ in packed]
    places = [place for _, _, place in packed if place is not None]
    told = [(PLACES_HEADER, zlib.compress(to_json(places)))] if places else []
    return record_of(topic, reporter, events, (TOKEN_HEADER, token_id.encode()), *told)


def _check_size(event: dict[str, Any]) -> None:
    """Raise RejectedError for an event with more fields than any event has, before each costs an error of its own."""
    if len(event) > _MOST_ATTRIBUTES:
        raise RejectedError([TOO_MANY_ATTRIBUTES])
    data = event.get("data")
    if isinstance(data, dict) and len(data) > _MOST_FIELDS:
        raise RejectedError([_TOO_MANY_FIELDS])


def _by_reasons(index: int, event_id: str | None, reasons: Sequence[Reason]) -> EventResult:
    """Refuse: a fault of the data alone is 422, any fault of the envelope 400."""
    about_data = all(reason.field.partition(".")[0] == "data" for reason in reasons)
    return _refused(index, event_id, 422 if about_data else 400, reasons)


def _refused(
    index: int, event_id: str | None, code: Literal[400, 403, 413, 422], reasons: Sequence[Reason]
) -> EventResult:
    return EventResult(index=index, id=event_id, status="refused", code=code, reasons=list(reasons))


def _unknown_type(event: object, event_type: object) -> Reason:
    if not isinstance(event, dict):
        return Reason(
            field="",
            rule="model_type",
            message_vi="một sự kiện phải là một đối tượng JSON",
            message_en="an event must be a JSON object",
        )
    return Reason(
        field="type",
        rule="unknown_type",
        value=mask(event_type),
        message_vi="thiếu hoặc không có loại sự kiện này; các loại được nhận: GET /v1/schemas",
        message_en="missing or not a type of event that is taken here; GET /v1/schemas lists them",
    )


def _foreign_feed(feed: Feed) -> Reason:
    return Reason(
        field="type",
        rule="feed_forbidden",
        value=feed.event_type,
        message_vi=f"mã truy cập này không được gửi {feed.name_vi.lower()} ({feed.key})",
        message_en=f"this token may not publish {feed.key}",
    )


def _foreign_reporter(envelope: Envelope) -> Reason:
    return Reason(
        field="source",
        rule="reporter_forbidden",
        value=mask(envelope.reporter),
        message_vi="mã truy cập này không được gửi thay cho đơn vị báo cáo này",
        message_en="this token may not publish for this reporter",
    )


_TOO_MANY_FIELDS = Reason(
    field="data",
    rule="too_many_fields",
    message_vi="data có quá nhiều trường; hãy đối chiếu với cấu trúc ở GET /v1/schemas",
    message_en="data has more fields than any record; compare it with its schema at GET /v1/schemas",
)
