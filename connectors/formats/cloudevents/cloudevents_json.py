"""Canonical events in a file: CloudEvents 1.0 JSON of any feed, one, an array, or one a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from connectors.formats.carrier import json_object
from connectors.formats.findings import refused, shown
from connectors.formats.format import Context, Event, Format, Item, attempt
from connectors.formats.readers.json import JsonFile
from ioc.errors import RejectedError
from ioc.feeds.feed import load_feeds
from ioc.feeds.validation import check_envelope, read_event


def _read(document: JsonFile, context: Context) -> Iterator[Item]:
    types = {feed.event_type: feed.key for feed in context.feeds.values()}
    for place, value in document.items():
        where = f"{context.file}{place}"
        yield from attempt(where, _event(value, types, where, context))


def _event(value: Any, types: dict[str, str], where: str, context: Context) -> Iterator[Event]:
    if isinstance(value, RejectedError):
        raise value
    told = value.get("type") if isinstance(value, dict) else None
    key = types.get(told) if isinstance(told, str) else None
    if key is None:
        raise refused(
            "type",
            "event_type",
            "type không phải sự kiện của nguồn dữ liệu nào (vn.ioc.<ngành>.<bản ghi>.v1)",
            "type is the event of no feed (vn.ioc.<sector>.<record>.v1)",
            shown(str(told)),
        )
    feed = context.feeds[key]
    parsed = read_event(feed, json.dumps(value).encode())
    reasons = check_envelope(feed, parsed)
    if reasons:
        raise RejectedError(reasons)
    yield Event(feed.key, value, where, parsed=parsed)


FORMAT = Format(
    name="cloudevents_json",
    feeds=tuple(load_feeds()),
    title_vi="sự kiện chuẩn CloudEvents JSON (mọi nguồn dữ liệu)",
    title_en="canonical CloudEvents JSON (every feed)",
    carriers=(json_object("specversion", "type", "source"),),
    versions=("CloudEvents 1.0",),
    read=_read,
    notes_vi=("Định danh phải đã là bút danh; xem trang của nguồn dữ liệu và lược đồ.",),
    notes_en=("Identifiers must be pseudonyms already; see the feed's page and schema.",),
)
