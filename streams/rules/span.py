"""What of one partition goes into one transaction, and the account of how it was taken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, dataclass, replace

import polars as pl

from streams.rules.parse import ParsedBatch, Rejection

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


def account(span: Span, outcomes: pl.DataFrame, rejected: int) -> BatchCounts:
    """Return the account of one span.

    outcomes: `partition`, `outcome`, `events`, as `classify` returns them.
    """
    rows = outcomes.filter(pl.col("partition") == span.partition).select("outcome", "events")
    events: dict[str, int] = dict(rows.iter_rows())
    return BatchCounts(
        consumed=span.consumed,
        accepted=sum(events.get(name, 0) for name in ACCEPTED),
        rejected=rejected,
        duplicate=events.get("duplicate", 0),
        corrected=events.get("corrected", 0),
        voided=events.get("voided", 0),
        superseded=events.get("superseded", 0),
    )
