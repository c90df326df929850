"""What a format is, and the registry of them.

A format is declared: a name, the feeds it gives, the carriers that it comes in and how each is recognised, its field
map, and how to read one file. Reading yields an `Event` for each canonical event, a `BadRecord` for each record that
is refused, and a `Remark` for what is wrong with the file beside its records; one bad record never costs its
neighbours.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from connectors.formats.crosswalk import CodeCrosswalk
from connectors.formats.field import Field
from connectors.formats.fuels import Fuels, shipped_fuels
from connectors.formats.memory import Memory
from connectors.formats.readers.json import JsonFile
from connectors.formats.readers.lines import LinesFile
from connectors.formats.readers.table import Table
from connectors.formats.readers.xml import XmlFile
from ioc.errors import ConfigError, Reason, RejectedError
from ioc.feeds.event import Envelope
from ioc.feeds.feed import Feed
from ioc.feeds.plausibility import Now

Document = XmlFile | JsonFile | Table | LinesFile


class Pseudonymise(Protocol):
    """(domain, identifier, day of the record) -> pseudonym; the day chooses the key while keys rotate."""

    def __call__(self, domain: str, identifier: str, on: date | None = None) -> str: ...


@dataclass(frozen=True)
class Context:
    """What a format needs beside the bytes.

    file:          the file's path, for messages.
    received_at:   when the file arrived; it orders the revisions of records that have no number of their own.
    timezone:      of dates and clock times that name none.
    home_province: name of the province whose residents are `local` guests.
    now:           what is plausible when the file is read.
    establishment: code of the lodging establishment, for templates that do not name it; empty = not known.
    reporter:      code of the reporter, for any other file that does not name it; empty = not known.
    crosswalk:     from the sector system's codes to the register's.
    fuels:         which names on invoices mean which fuel.
    memory:        what earlier files told: first versions, and values of hours that are not over.
    """

    file: str
    received_at: datetime
    feeds: Mapping[str, Feed]
    pseudonymise: Pseudonymise
    timezone: ZoneInfo
    home_province: str
    now: Now
    establishment: str = ""
    reporter: str = ""
    crosswalk: CodeCrosswalk = field(default_factory=CodeCrosswalk)
    fuels: Fuels = field(default_factory=shipped_fuels)
    memory: Memory = field(default_factory=Memory)


@dataclass(frozen=True)
class Event:
    """A canonical event: a CloudEvents envelope as a dict ready for JSON, and its place in the file.

    `warnings` tell what looks wrong in the record without making it unusable; `parsed` is the envelope as its feed
    reads it.
    """

    feed: str
    envelope: Mapping[str, Any]
    where: str
    warnings: tuple[Reason, ...] = ()
    parsed: Envelope | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class BadRecord:
    """A record (or a whole file) that is refused, its place, and why; `reasons` is never empty."""

    where: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Remark:
    """What looks wrong in a file beside its records, such as a sheet that no format reads; nothing is refused."""

    where: str
    warning: Reason


Item = Event | BadRecord | Remark


@dataclass(frozen=True)
class Carrier:
    """One kind of file that a format comes in.

    kind:       xml, json, sheet (of a workbook), table (CSV, or a sheet recognised by its headings) or lines.
    says:       how it is recognised, for the list of formats.
    recognise:  how surely a document is one: 0 = it is not; of several the highest wins, such as the most columns.
    needed:     of a table, the spellings of each heading that it must have.
    """

    kind: str
    says: str
    recognise: Callable[[Any], int]
    needed: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Format:
    """A format.

    name:     the module's name.
    feeds:    keys of the feeds its events belong to.
    carriers: the kinds of file it comes in.
    versions: which versions of the source's specification are read.
    fields:   the field map; empty where the code of the format is the map.
    notes_vi, notes_en: what a sender must know beside the fields, a line each.
    due:      yields what time alone brings about in records of earlier files, such as a planned day that is over.
    read:     yields what a document holds in the file's order; raises RejectedError where the whole file cannot be
              read.
    """

    name: str
    feeds: tuple[str, ...]
    title_vi: str
    title_en: str
    carriers: tuple[Carrier, ...]
    read: Callable[[Any, Context], Iterator[Item]]
    versions: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()
    notes_vi: tuple[str, ...] = ()
    notes_en: tuple[str, ...] = ()
    due: Callable[[Context], Iterator[Event]] | None = None


def load_formats() -> dict[str, Format]:
    """Return all formats by name: the modules, one directory down, that declare `FORMAT`."""
    package = importlib.import_module("connectors.formats")
    formats: dict[str, Format] = {}
    for room in pkgutil.iter_modules(package.__path__):
        if not room.ispkg or room.name == "readers":
            continue
        directory = importlib.import_module(f"connectors.formats.{room.name}")
        for module_info in pkgutil.iter_modules(directory.__path__):
            module = importlib.import_module(f"connectors.formats.{room.name}.{module_info.name}")
            declared: Format | None = getattr(module, "FORMAT", None)
            if declared is None:
                continue
            if declared.name != module_info.name or declared.name in formats:
                raise ConfigError(
                    f"connectors/formats/{room.name}/{module_info.name}.py declares {declared.name!r}; "
                    "use the module's name, and each name once"
                )
            formats[declared.name] = declared
    return formats


def attempt(where: str, events: Iterator[Event]) -> Iterator[Item]:
    """Yield all events of one record, or the record as a bad one where reading it raises RejectedError."""
    try:
        yield from tuple(events)
    except RejectedError as error:
        yield BadRecord(where, error.reasons)
