"""Refused events as they are stored: the row of `rejected_event`, and what a conflict with a stored revision says."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date

from ioc.errors import Reason
from ioc.feeds.validation import mask
from streams.rules.refuse import Rejection
from streams.rules.span import Span


def rejection_row(span: Span, rejection: Rejection) -> Iterable[object]:
    """Return the columns of a rejection, in the order of the query `copy_rejections`."""
    return (
        span.topic,
        span.partition,
        rejection.record_offset,
        rejection.position,
        rejection.reporter,
        _text(rejection.event_id),
        _text(rejection.subject),
        rejection.reasons[0].rule,
        json.dumps([reason.model_dump() for reason in rejection.reasons], ensure_ascii=False),
        rejection.payload,
        rejection.effective_on,
    )


def conflict(row: Mapping[str, object], payload: bytes) -> Rejection:
    """Return the rejection of an event whose revision is stored with other content; `payload` is the event."""
    reason = Reason(
        field="revision",
        rule="conflict",
        value=mask(row["revision"]),
        message_vi="đã có nội dung khác cho cùng phiên bản này; hãy gửi lại với số phiên bản (revision) cao hơn",
        message_en="other content is stored for the same revision; send the change with a higher revision",
    )
    return Rejection(
        record_offset=_int(row["record_offset"]),
        position=_int(row["position"]),
        reasons=(reason,),
        reporter=str(row["reporter"]),
        event_id=str(row["event_id"]),
        subject=str(row["record_key"]),
        payload=payload,
        effective_on=on if isinstance(on := row["effective_on"], date) else None,
    )


def payload_of(span: Span, row: Mapping[str, object]) -> bytes:
    """Return an event as it came."""
    offset = _int(row["record_offset"])
    return next(part for part in span.parts if offset in part.consumed).payloads.of(offset, _int(row["position"]))


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value


def _text(value: str | None) -> str | None:
    """Return text without the one character that PostgreSQL's text cannot hold."""
    return value.replace("\x00", "?") if value is not None else None
