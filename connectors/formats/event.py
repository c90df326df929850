"""Builds canonical envelopes; each is validated by its feed before it leaves.

An event's id is a digest of what it says, so that reading the same file again gives the same ids.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_json

from connectors.formats.format import Event
from ioc.errors import Reason, RejectedError
from ioc.feeds.event import Envelope, event_json
from ioc.feeds.feed import Feed
from ioc.feeds.validation import read_event, reasons_of


@dataclass(frozen=True)
class Stamp:
    """An event's place in the file, when it happened, its revision (None = milliseconds of `time`)."""

    where: str
    time: datetime
    revision: int | None = None


def record_event(
    feed: Feed,
    reporter: str,
    fields: Mapping[str, Any],
    *,
    stamp: Stamp,
    warnings: Sequence[Reason] = (),
) -> Event:
    """Return the event of one revision of a record; raises RejectedError where `fields` do not make one."""
    try:
        # As JSON, which is how the feed's rules on types are meant.
        record = feed.model.model_validate_json(to_json(fields))
    except ValidationError as error:
        raise RejectedError(reasons_of(error)) from None
    data = record.model_dump(mode="json", exclude_none=True)
    envelope, parsed = _envelope(feed, reporter, record.record_key(), stamp, data)
    return Event(feed.key, envelope, stamp.where, tuple(warnings), parsed)


def void_event(feed: Feed, reporter: str, record_key: str, *, stamp: Stamp) -> Event:
    """Return the event that removes a record."""
    envelope, parsed = _envelope(feed, reporter, record_key, stamp, None)
    return Event(feed.key, envelope, stamp.where, parsed=parsed)


def _envelope(
    feed: Feed, reporter: str, record_key: str, stamp: Stamp, data: Mapping[str, Any] | None
) -> tuple[dict[str, Any], Envelope]:
    time = stamp.time.astimezone(UTC).isoformat(timespec="milliseconds")
    envelope = event_json(feed.event_type, f"{reporter}/{record_key}", time, revision=stamp.revision, data=data)
    # A void has no data that a model has cleaned; only `json.dumps` writes whatever text there is.
    return envelope, read_event(feed, json.dumps(envelope).encode() if data is None else to_json(envelope))
