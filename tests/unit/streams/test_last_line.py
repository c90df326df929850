"""What no table can hold is found alone, whatever it is, however many there are, and everything else is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from testbed.feed_event import NOW, batch, record, stay
from testbed.pipeline import make_parser

from ioc.errors import UnstorableError
from ioc.feeds.feed import load_feeds
from ioc.province.profile import load_profile
from ioc.settings import Settings
from streams.rules.batch import ParsedBatch
from streams.rules.parse import BatchParser
from streams.rules.span import BatchCounts
from streams.worker.last_line import LastLine

FAULTS: list[BaseException] = [
    UnstorableError("integer out of range"),
    OverflowError("a sum"),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    pl.exceptions.ComputeError("cannot cast"),
    pl.exceptions.PanicException("out of range"),
]


@dataclass
class Table:
    """Writes what it is given, in transactions, and refuses some guests' stays."""

    bad: Callable[[list[str]], bool]
    fault: BaseException = field(default_factory=lambda: FAULTS[0])
    written: list[str] = field(default_factory=list)
    refused: list[tuple[int, int]] = field(default_factory=list)
    position: int = 0

    def write(self, batches: Sequence[ParsedBatch]) -> BatchCounts:
        self.attempt(batches)
        for one in batches:
            assert one.first_offset == self.position, "a batch out of its order"
            self.position = one.next_offset
            self.written += one.events["record_key"].to_list()
            self.refused += [(refused.record_offset, refused.position) for refused in one.rejections]
        events = sum(one.events.height for one in batches)
        rejected = sum(len(one.rejections) for one in batches)
        return BatchCounts(sum(sum(one.consumed.values()) for one in batches), events, rejected)

    def attempt(self, batches: Sequence[ParsedBatch]) -> None:
        if self.bad([key for one in batches for key in one.events["record_key"]]):
            raise self.fault


@pytest.fixture(scope="module")
def parser() -> BatchParser:
    return make_parser(load_feeds()["tourism.stay"], load_profile(Settings(_env_file=None).profile))


@given(
    sizes=st.lists(st.integers(1, 4), min_size=1, max_size=6),
    chosen=st.sets(st.integers(0, 30)),
    fault=st.sampled_from(FAULTS),
)
def test_exactly_those_at_fault_are_set_aside(
    parser: BatchParser, sizes: list[int], chosen: set[int], fault: BaseException
) -> None:
    guests = iter(range(100))
    fetched = [batch(offset, [stay(guest=next(guests)) for _ in range(size)]) for offset, size in enumerate(sizes)]
    parsed = parser.parse("t", 0, fetched, now=NOW)
    keys = parsed.events["record_key"].to_list()
    bad = {keys[place] for place in chosen if place < len(keys)}
    table = Table(lambda found: bool(bad & set(found)), fault)
    counts = LastLine("tourism.stay", table.write, table.attempt).apply([parsed])
    assert table.written == [key for key in keys if key not in bad]
    places = parsed.events.filter(pl.col("record_key").is_in(sorted(bad))).select("record_offset", "position").rows()
    assert sorted(table.refused) == sorted(places)
    assert counts == BatchCounts(len(keys), len(keys) - len(bad), len(bad))
    assert table.position == len(sizes)


def test_events_that_fail_only_together_are_parted(parser: BatchParser) -> None:
    """Two events of one Kafka record whose sum runs over: the first stays."""
    parsed = parser.parse("t", 0, [batch(0, [stay(guest=1), stay(guest=2)])], now=NOW)
    table = Table(lambda found: len(found) > 1)
    told: list[int] = []
    counts = LastLine("tourism.stay", table.write, table.attempt, told.append).apply([parsed])
    assert (len(table.written), table.refused, told) == (1, [(0, 1)], [1])
    assert counts == BatchCounts(2, 1, 1)


def test_a_dead_letter_holds_the_event_as_it_came(parser: BatchParser) -> None:
    value = b'[ {"a": 1.50} , ' + record(0, stay()).value + b" ]"  # type: ignore[operator]  # a record with a value
    parsed = parser.parse("t", 0, [batch(0, value)], now=NOW)
    assert [refused.payload for refused in parsed.rejections] == [b'{"a": 1.50}']
    assert parsed.payloads.of(0, 1) == record(0, stay()).value


def test_a_rejection_that_no_column_holds_is_kept_bare(parser: BatchParser) -> None:
    parsed = parser.parse("t", 0, [record(0, b"{")], now=NOW)
    table = Table(lambda _: False)
    failures = [UnstorableError("a name")]

    def write(batches: Sequence[ParsedBatch]) -> BatchCounts:
        if failures:
            raise failures.pop()
        return table.write(batches)

    LastLine("tourism.stay", write, table.attempt).apply([parsed])
    assert table.refused == [(0, 0)]


def test_what_is_no_fault_of_the_data_is_raised(parser: BatchParser) -> None:
    parsed = parser.parse("t", 0, [record(0, stay())], now=NOW)
    table = Table(lambda _: True, KeyError("a mistake of ours"))
    with pytest.raises(KeyError):
        LastLine("tourism.stay", table.write, table.attempt).apply([parsed])
