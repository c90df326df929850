"""What of one partition goes into one transaction, and the account of how it was taken."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import astuple, dataclass, replace

import polars as pl

from streams.rules.batch import ParsedBatch
from streams.rules.refuse import Rejection, bare_reason, unstorable

ACCEPTED = ("new", "corrected", "voided", "superseded")


@dataclass(frozen=True)
class BatchCounts:
    """How a batch was taken; `accepted + rejected + duplicate = consumed`."""

    consumed: int = 0
    accepted: int = 0
    rejected: int = 0
    duplicate: int = 0
    corrected: int = 0
    voided: int = 0
    superseded: int = 0

    def __add__(self, other: BatchCounts) -> BatchCounts:
        return BatchCounts(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))


@dataclass(frozen=True)
class Span:
    """What of one partition goes into one transaction: batches that follow each other, cut at the position."""

    topic: str
    partition: int
    first_offset: int
    parts: tuple[ParsedBatch, ...]

    @property
    def next_offset(self) -> int:
        """The position once it is written."""
        return self.parts[-1].next_offset

    @property
    def mark(self) -> str | None:
        """Mark of its last record, where that is known."""
        return self.parts[-1].mark

    @property
    def consumed(self) -> int:
        """How many events it holds."""
        return sum(sum(part.consumed.values()) for part in self.parts)

    @property
    def rejections(self) -> Iterator[Rejection]:
        """What parsing has refused."""
        return (rejection for part in self.parts for rejection in part.rejections)


def cut(batch: ParsedBatch, position: int) -> ParsedBatch:
    """Return what of a batch lies at or above a position."""
    if position <= batch.first_offset:
        return batch
    return replace(
        batch,
        first_offset=position,
        events=batch.events.filter(pl.col("record_offset") >= position),
        rejections=tuple(rejection for rejection in batch.rejections if rejection.record_offset >= position),
        consumed={offset: n for offset, n in batch.consumed.items() if offset >= position},
    )


def halves(batch: ParsedBatch) -> tuple[ParsedBatch, ParsedBatch] | None:
    """Return a batch in two parts of about as many Kafka records; None where it holds one only."""
    offsets = sorted(batch.consumed)
    if len(offsets) < 2:
        return None
    middle = offsets[len(offsets) // 2]
    head = replace(
        batch,
        next_offset=middle,
        mark=None,
        events=batch.events.filter(pl.col("record_offset") < middle),
        rejections=tuple(rejection for rejection in batch.rejections if rejection.record_offset < middle),
        consumed={offset: n for offset, n in batch.consumed.items() if offset < middle},
    )
    return head, replace(cut(batch, middle), begins_at=middle)


def refused(batch: ParsedBatch, row_numbers: Collection[int], fault: str) -> ParsedBatch:
    """Return a batch with the events in these rows of its frame refused as unstorable."""
    at = pl.int_range(pl.len()).is_in(sorted(row_numbers))
    rows = batch.events.filter(at).select("record_offset", "position", "reporter", "event_id", "record_key")
    found = tuple(unstorable(row, batch.payloads, fault) for row in rows.iter_rows(named=True))
    return replace(batch, events=batch.events.filter(~at), rejections=(*batch.rejections, *found))


def only(batch: ParsedBatch, row_numbers: Collection[int]) -> ParsedBatch:
    """Return a batch with no other events than those in these rows, to try whether they can be written."""
    at = pl.int_range(pl.len()).is_in(sorted(row_numbers))
    events = batch.events.filter(at)
    return replace(batch, events=events, rejections=(), consumed={batch.first_offset: events.height})


def bare(batch: ParsedBatch) -> ParsedBatch:
    """Return a batch whose rejections name their rule and nothing that came from outside but the payload."""
    rejections = tuple(
        Rejection(one.record_offset, one.position, (bare_reason(one.reasons[0].rule),), payload=one.payload)
        for one in batch.rejections
    )
    return replace(batch, rejections=rejections)


def account(span: Span, outcomes: Mapping[str, int], rejected: int) -> BatchCounts:
    """Return the account of one span.

    outcomes: how many of its events came to each `outcome` of `classify`.
    """
    return BatchCounts(
        consumed=span.consumed,
        accepted=sum(outcomes.get(name, 0) for name in ACCEPTED),
        rejected=rejected,
        duplicate=outcomes.get("duplicate", 0),
        corrected=outcomes.get("corrected", 0),
        voided=outcomes.get("voided", 0),
        superseded=outcomes.get("superseded", 0),
    )
