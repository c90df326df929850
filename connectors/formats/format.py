"""What a format is, and the registry of them.

A format is declared: a name, the feeds it gives, how to recognise it, and how to read one file. Reading
yields an `Event` for each canonical event and a `BadRecord` for each record that is refused; one bad record
never costs its neighbours.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic_core import to_json

from ioc.errors import ConfigError, Reason, RejectedError
from ioc.feeds.feed import Feed
from ioc.feeds.plausibility import Now, check_plausible


@dataclass(frozen=True)
class Context:
    """What a format needs beside the bytes.

    file:          the file's name, for messages.
    received_at:   when the file arrived; it orders the revisions of records that have no number of their own.
    pseudonymise:  (domain, identifier) -> pseudonym.
    timezone:      of dates and clock times that name none.
    home_province: name of the province whose residents are `local` guests.
    now:           what is plausible when the file is read.
    establishment: code of the lodging establishment, for templates that do not name it; empty = not known.
    """

    file: str
    received_at: datetime
    feeds: Mapping[str, Feed]
    pseudonymise: Callable[[str, str], str]
    timezone: ZoneInfo
    home_province: str
    now: Now
    establishment: str = ""


@dataclass(frozen=True)
class Event:
    """A canonical event: a CloudEvents envelope as a dict ready for JSON, and where in the file it stands.

    `warnings` tell what looks wrong in the record without making it unusable.
    """

    feed: str
    envelope: Mapping[str, Any]
    where: str
    warnings: tuple[Reason, ...] = ()


@dataclass(frozen=True)
class BadRecord:
    """A record (or a whole file) that is refused, where it stands, and why; `reasons` is never empty."""

    where: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Format:
    """A format.

    name:      the module's name.
    feeds:     keys of the feeds its events belong to.
    recognise: whether a file's bytes look like it; may raise RejectedError for a container it must not open.
    read:      yields events and bad records in the file's order; raises RejectedError where the whole file
               cannot be read.
    """

    name: str
    feeds: tuple[str, ...]
    title_vi: str
    title_en: str
    recognise: Callable[[bytes], bool]
    read: Callable[[bytes, Context], Iterator[Event | BadRecord]]


def load_formats() -> dict[str, Format]:
    """Return all formats by name."""
    package = importlib.import_module("connectors.formats")
    formats: dict[str, Format] = {}
    for module_info in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"connectors.formats.{module_info.name}")
        declared: Format | None = getattr(module, "FORMAT", None)
        if declared is None:
            continue
        if declared.name != module_info.name:
            raise ConfigError(
                f"connectors/formats/{module_info.name}.py declares {declared.name!r}; use the module's name"
            )
        formats[declared.name] = declared
    return formats


def recognise(data: bytes, formats: Mapping[str, Format]) -> Format:
    """Return the format that a file's bytes are in; raises RejectedError where none recognises them."""
    for candidate in formats.values():
        if candidate.recognise(data):
            return candidate
    known_vi = "; ".join(candidate.title_vi for candidate in formats.values())
    known_en = "; ".join(candidate.title_en for candidate in formats.values())
    raise RejectedError(
        [
            Reason(
                field="",
                rule="unknown_format",
                message_vi=f"không nhận ra định dạng tệp; các định dạng đọc được: {known_vi}",
                message_en=f"the file is in no known format; known are: {known_en}",
            )
        ]
    )


def read(data: bytes, context: Context, source: Format) -> Iterator[Event | BadRecord]:
    """Yield what a file holds; a file that cannot be read as a whole is one bad record.

    What cannot be true now (a stay that ended in 2099) is refused here, as the gateway and the agents would.
    """
    try:
        for item in source.read(data, context):
            reasons = _implausible(item, context) if isinstance(item, Event) else ()
            yield BadRecord(item.where, reasons) if reasons else item
    except RejectedError as error:
        yield BadRecord(context.file, error.reasons)


def attempt(where: str, events: Iterator[Event]) -> Iterator[Event | BadRecord]:
    """Yield all events of one record, or the record as a bad one where reading it raises RejectedError."""
    try:
        yield from tuple(events)
    except RejectedError as error:
        yield BadRecord(where, error.reasons)


def _implausible(event: Event, context: Context) -> tuple[Reason, ...]:
    feed = context.feeds[event.feed]
    return tuple(check_plausible(feed, feed.envelope.validate_json(to_json(event.envelope)), context.now))
