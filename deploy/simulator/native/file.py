"""A file in a sector system's format, and the records that it means by the writer's own arithmetic.

Writers know nothing of the readers in `connectors/formats`: what a format cannot carry is left out of `told`, and what
a reader must derive (a pseudonym, a band of ages, a mean) is derived here a second time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zlib import crc32

from deploy.simulator.ledger import Data
from deploy.simulator.record import Life

# (domain, identifier, day of the record) -> pseudonym.
ToPseudonym = Callable[[str, str, date | None], str]


@dataclass(frozen=True)
class ToldRecord:
    """A record that a file means: of whom, and its content as the feed's model takes it; None = it is void."""

    feed: str
    reporter: str
    data: Data | None


@dataclass(frozen=True)
class NativeFile:
    """A file as a system exports it.

    establishment: where the format does not name the lodging establishment.
    refused:       how many records in it are broken, beside those that are told.
    is_later:      it is not the first of its records.
    """

    name: str
    content: bytes
    told: tuple[ToldRecord, ...]
    establishment: str = ""
    refused: int = 0
    is_later: bool = False


@dataclass(frozen=True)
class Desk:
    """Where files are written: when (a local time), and how identifiers become pseudonyms.

    first, before: of a later file of the same records, when the first was written, and how many records it had.
    """

    now: datetime
    pseudonymise: ToPseudonym
    first: datetime | None = None
    before: int = 0

    @property
    def today(self) -> date:
        """The day of writing."""
        return self.now.date()

    def first_told(self, number: int) -> datetime:
        """When a record was first written, by its place among the records."""
        return self.first if self.first is not None and number < self.before else self.now

    def days_ago(self, days: int) -> date:
        """A day before today."""
        return self.today - timedelta(days=days)


NativeWriter = Callable[[Sequence[Life], Desk], NativeFile]


def citizen_number(token: str) -> str:
    """A citizen's number of nobody: no province has the code 000."""
    return f"000{crc32(token.encode()) % 10**9:09d}"


def born_before(years: int, on: date) -> date:
    """The first of January on which somebody was born who is so many years old."""
    return date(on.year - years, 1, 1)


def slashed(day: date) -> str:
    """A day as people write it: 05/10/2024."""
    return f"{day:%d/%m/%Y}"


def present(**fields: Any) -> Data:
    """The fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}
