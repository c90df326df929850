"""What of a partition goes into one transaction, and its account."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest

from ioc.errors import Reason
from streams.rules.batch import ParsedBatch
from streams.rules.raw import Payloads
from streams.rules.refuse import Rejection
from streams.rules.span import BatchCounts, Span, account, cut

AT = datetime(2024, 10, 5, tzinfo=UTC)
REASON = Reason(field="f", rule="r", message_vi="vi", message_en="en")


def parsed(first: int, following: int) -> ParsedBatch:
    """A batch of two events a Kafka record, the second of them refused."""
    offsets = list(range(first, following))
    return ParsedBatch(
        topic="t",
        partition=0,
        begins_at=first,
        first_offset=first,
        next_offset=following,
        oldest_received_at=AT,
        newest_received_at=AT,
        events=pl.DataFrame({"record_offset": offsets}),
        rejections=tuple(Rejection(offset, 1, (REASON,)) for offset in offsets),
        consumed=dict.fromkeys(offsets, 2),
        payloads=Payloads([]),
    )


def test_what_lies_below_the_position_is_cut_off() -> None:
    batch = cut(parsed(10, 14), 12)
    assert (batch.first_offset, batch.next_offset) == (12, 14)
    assert batch.events["record_offset"].to_list() == [12, 13]
    assert [rejection.record_offset for rejection in batch.rejections] == [12, 13]
    assert batch.consumed == {12: 2, 13: 2}


@pytest.mark.parametrize("position", [9, 10])
def test_what_lies_at_or_above_it_stays_whole(position: int) -> None:
    batch = parsed(10, 14)
    assert cut(batch, position) is batch


def test_the_account_of_a_span() -> None:
    span = Span("t", 0, 10, (parsed(10, 12), parsed(12, 13)))
    outcomes = {"new": 1, "corrected": 2, "voided": 3, "superseded": 4, "duplicate": 5}
    assert (span.consumed, span.next_offset, len(list(span.rejections))) == (6, 13, 3)
    assert account(span, outcomes, 7) == BatchCounts(
        consumed=6, accepted=10, rejected=7, duplicate=5, corrected=2, voided=3, superseded=4
    )


def test_counts_add_up() -> None:
    assert BatchCounts(1, 2, 3, 4, 5, 6, 7) + BatchCounts(10, 20, 30, 40, 50, 60, 70) == BatchCounts(
        11, 22, 33, 44, 55, 66, 77
    )
