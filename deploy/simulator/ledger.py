"""What should become of every event: the simulator's own account, which does not use agents or tables."""

from __future__ import annotations

import hashlib
import marshal
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from ioc.feeds.event import Record
from ioc.feeds.feed import Feed

Data = dict[str, Any]
EventJson = dict[str, Any]
Witness = Callable[[Data], Mapping[str, int]]


class ExpectedOutcome(StrEnum):
    """What becomes of an event if the rules of revisions are kept; see `Judge`."""

    NEW = "new"
    CORRECTED = "corrected"
    VOIDED = "voided"
    SUPERSEDED = "superseded"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


ACCEPTED = (ExpectedOutcome.NEW, ExpectedOutcome.CORRECTED, ExpectedOutcome.VOIDED, ExpectedOutcome.SUPERSEDED)
_CHANGES = (ExpectedOutcome.NEW, ExpectedOutcome.CORRECTED, ExpectedOutcome.VOIDED)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An event ready to be sent. Events of one reporter must arrive in the order in which they were made."""

    feed: str
    reporter: str
    event: EventJson
    outcome: ExpectedOutcome


class Judge:
    """The rules of revisions, written a second time: the highest revision wins, equal ones must have equal content.

    transport: by event type, the fields that tell how a record was sent and are no content.
    """

    def __init__(self, transport: Mapping[str, Collection[str]] | None = None) -> None:
        self._transport = transport or {}
        self._seen: dict[str, dict[int, bytes]] = {}

    def knows(self, subject: str) -> bool:
        """Whether any revision of the record was judged before."""
        return subject in self._seen

    def judge(self, event: EventJson) -> ExpectedOutcome:
        """Take the next valid event of a record and say what becomes of it."""
        revisions = self._seen.setdefault(event["subject"], {})
        revision: int = event["revision"]
        sending, data = self._transport.get(event.get("type", ""), ()), event.get("data")
        content = _digest_of_json(data and [one for one in data.items() if one[0] not in sending])
        if revision in revisions:
            return ExpectedOutcome.DUPLICATE if revisions[revision] == content else ExpectedOutcome.REJECTED
        highest = max(revisions, default=None)
        revisions[revision] = content
        if highest is not None and revision < highest:
            return ExpectedOutcome.SUPERSEDED
        if event.get("voided"):
            return ExpectedOutcome.VOIDED
        return ExpectedOutcome.NEW if highest is None else ExpectedOutcome.CORRECTED


@dataclass(frozen=True, slots=True)
class WinningRevision:
    """The revision that should stand of a record: a digest of its columns, and its witness figures."""

    revision: int
    content: bytes
    figures: tuple[tuple[str, int], ...]


@dataclass
class FeedTally:
    """What was published of one feed.

    published: events whose answer is known, whether taken or refused by the gateway.
    refused:   those that the gateway refused.
    unknown:   sendings without an answer; each may have arrived or not, and was sent again.
    expected:  what should have become of the published events.
    """

    published: int = 0
    refused: int = 0
    unknown: int = 0
    expected: Counter[ExpectedOutcome] = field(default_factory=Counter)


class Ledger:
    """Tallies and winning revisions, entered when an event's answer is known.

    Of a record only a digest and a few figures are kept. Not thread-safe: callers hold a lock.

    witnesses: by feed, what a winning revision adds to indicators that the simulator can foretell, by their codes.
    """

    def __init__(self, feeds: Mapping[str, Feed], witnesses: Mapping[str, Witness]) -> None:
        self._feeds = feeds
        self._witnesses = witnesses
        self.tallies: dict[str, FeedTally] = {}
        self.winning: dict[str, dict[str, WinningRevision]] = {}
        self.surprises: list[str] = []

    def settle(self, outgoing: Outgoing, *, taken: bool) -> None:
        """Enter an event that the gateway took, or refused."""
        tally = self.tallies.setdefault(outgoing.feed, FeedTally())
        tally.published += 1
        tally.refused += not taken
        tally.expected[outgoing.outcome] += 1
        if outgoing.outcome in _CHANGES and taken:
            self._stand(outgoing)
        elif outgoing.outcome is not ExpectedOutcome.REJECTED and not taken:
            self.surprises.append(f"{outgoing.feed} {outgoing.event['id']}: refused, but it is a valid event")

    def lose(self, outgoing: Iterable[Outgoing]) -> None:
        """Enter a sending whose answer never came; it may have arrived."""
        for one in outgoing:
            self.tallies.setdefault(one.feed, FeedTally()).unknown += 1

    def witnesses(self) -> Counter[str]:
        """Sums of the winning revisions' witness figures: what some indicators of the province must show."""
        total: Counter[str] = Counter()
        for records in self.winning.values():
            for record in records.values():
                total.update(dict(record.figures))
        return total

    def _stand(self, outgoing: Outgoing) -> None:
        records = self.winning.setdefault(outgoing.feed, {})
        event = outgoing.event
        if outgoing.outcome is ExpectedOutcome.VOIDED:
            records.pop(event["subject"], None)
            return
        record = self._feeds[outgoing.feed].model.model_validate(event["data"])
        records[event["subject"]] = WinningRevision(
            event["revision"],
            digest_of(self._feeds[outgoing.feed], record),
            tuple(self._witnesses.get(outgoing.feed, no_witness)(event["data"]).items()),
        )


def digest_of(feed: Feed, record: Record | Mapping[str, Any]) -> bytes:
    """Digest of a record's own columns, the same for a model and for a row of its table."""
    values = record.__dict__ if isinstance(record, Record) else record
    return digest([_comparable(values[column.name]) for column in feed.model_columns])


def digest(content: object) -> bytes:
    """96 bits of a digest of plain data, in the order in which it was made."""
    return hashlib.blake2b(repr(content).encode(), digest_size=12).digest()


def _digest_of_json(content: Any) -> bytes:
    """96 bits of a digest of JSON, in a fifth of the time; version 2 of the format writes equal values equally."""
    return hashlib.blake2b(marshal.dumps(content, 2), digest_size=12).digest()


def no_witness(_: Data) -> Mapping[str, int]:
    """Of a feed of which the simulator foretells no figure."""
    return {}


def _comparable(value: object) -> object:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
