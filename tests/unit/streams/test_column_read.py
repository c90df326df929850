"""Events read by the column, and the same read one by one: of every feed, the same is taken, refused and stored."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from pydantic import Field, StringConstraints, field_validator, model_validator
from testbed.edge import Edges, taken_by
from testbed.feed_event import NOW, KafkaRecord, batch, record, stay
from testbed.rewritten import REWRITTEN, VALUES
from testbed.sample import events_of

from ioc.feeds.bounds import Day
from ioc.feeds.column_check import column_check_of
from ioc.feeds.event import Record
from ioc.feeds.feed import Feed, load_feeds
from ioc.feeds.plausibility import Calendar
from ioc.feeds.rule import RecordRule, named
from ioc.province.profile import Profile
from ioc.settings import Settings
from streams.rules.batch import ParsedBatch
from streams.rules.column_read import ColumnReader
from streams.rules.parse import BatchParser
from streams.rules.register import Register

FEEDS = load_feeds()
NEVER = 1 << 40
every_feed = pytest.mark.parametrize("key", FEEDS)


def not_expected(error: BaseException) -> None:
    raise AssertionError(f"the columns could not be read: {error!r}")


@pytest.fixture(scope="module")
def pairs(profile: Profile) -> Callable[[str], tuple[BatchParser, BatchParser]]:
    """Return the parsers of a feed that read by the column always, and never."""
    made: dict[str, tuple[BatchParser, BatchParser]] = {}

    def of(key: str) -> tuple[BatchParser, BatchParser]:
        if key not in made:
            feed = FEEDS[key]
            register = Register(feed, profile.reporters, profile.areas)
            calendar = Calendar.of(Settings(_env_file=None), profile.timezone)
            # Were the whole fetch read one by one after all, both ways would agree whatever the columns say.
            always, never = (
                BatchParser(feed, register, calendar, by_column_from=limit, column_read_failed=not_expected)
                for limit in (0, NEVER)
            )
            made[key] = always, never
        return made[key]

    return of


def assert_same_answer(parsers: tuple[BatchParser, BatchParser], fetched: Sequence[KafkaRecord]) -> ParsedBatch:
    """Parse in both ways; both give one answer, which is returned."""
    by_column, one_by_one = (parser.parse("t", 0, fetched, now=NOW) for parser in parsers)
    assert_frame_equal(by_column.events, one_by_one.events)
    assert by_column.consumed == one_by_one.consumed
    assert _in_order(by_column) == _in_order(one_by_one)
    return by_column


def _in_order(parsed: ParsedBatch) -> list[Any]:
    return sorted(parsed.rejections, key=lambda one: (one.record_offset, one.position))


def passed(parser: BatchParser, fetched: Sequence[KafkaRecord]) -> int:
    """How many events the check by column lets pass."""
    calendar = Calendar.of(Settings(_env_file=None), "Asia/Ho_Chi_Minh")
    found = ColumnReader(parser.feed).read([fetched], calendar.at(NOW), int(NOW.timestamp() * 1000))
    return 0 if found is None else found.rows.height


@every_feed
def test_what_is_sent_every_day_passes_by_the_column(
    key: str, pairs: Callable[[str], tuple[BatchParser, BatchParser]]
) -> None:
    assert column_check_of(FEEDS[key]) is not None
    events = [event for event in events_of(key) if event.get("data")]
    for fetched in (
        [batch(0, events)],
        [record(offset, event) for offset, event in enumerate(events)],
        [record(offset, json.dumps(event, separators=(",", ":")).encode()) for offset, event in enumerate(events)],
    ):
        kept = assert_same_answer(pairs(key), fetched)
        assert passed(pairs(key)[0], fetched) == len(events)
        assert kept.events.height == len(events)


@every_feed
def test_both_ways_judge_alike_at_the_edges_of_every_field(
    key: str,
    profile: Profile,
    pairs: Callable[[str], tuple[BatchParser, BatchParser]],
    record_property: Callable[[str, object], None],
) -> None:
    feed = FEEDS[key]
    now = Calendar.of(Settings(_env_file=None), profile.timezone).at(NOW)
    edges = Edges(feed, now, taken_by(FEEDS, now))
    beside = list(edges.pairs())
    random.Random(key).shuffle(beside)
    tried = [*edges.alone(), *beside[:600]]
    record_property("inputs tried", len(tried))
    texts = [edge.bytes for edge in tried]
    assert_same_answer(pairs(key), [record(offset, text) for offset, text in enumerate(texts)])
    assert_same_answer(
        pairs(key), [batch(at, b"[" + b",".join(texts[at : at + 7]) + b"]") for at in range(0, len(texts), 7)]
    )


@every_feed
def test_both_ways_read_the_same_of_a_text_however_it_is_written(
    key: str, pairs: Callable[[str], tuple[BatchParser, BatchParser]]
) -> None:
    model = FEEDS[key].model
    events = [event for event in events_of(key) if event.get("data")]
    names = [*model.model_fields, "id", "type", "time", "revision", "voided", "subject", "dataschema", "traceparent"]

    @settings(max_examples=50, derandomize=True, deadline=None)
    @given(st.data())
    def agree(data: st.DataObject) -> None:
        texts = []
        for _ in range(data.draw(st.integers(1, 6))):
            text = json.dumps(data.draw(st.sampled_from(events)), separators=(",", ":"), ensure_ascii=False)
            for _ in range(data.draw(st.integers(0, 2))):
                change = REWRITTEN[data.draw(st.sampled_from(sorted(REWRITTEN)))]
                text = change(text, data.draw(st.sampled_from(names)), data.draw(st.sampled_from(VALUES)))
            texts.append(text.encode())
        parsers = pairs(key)
        assert_same_answer(parsers, [record(offset, text) for offset, text in enumerate(texts)])
        assert_same_answer(
            parsers, [batch(0, b"[" + b",".join(texts) + b"]"), batch(1, b"[" + b", ".join(texts) + b"]")]
        )

    agree()


@pytest.mark.parametrize(
    "value",
    [
        b"[]",
        b"[{}]",
        b"[{},{}]",
        b'[{"id":"a,{b"},{"id":"c"}]',
        b"[{]",
        b"[",
        b"{}",
        b"",
        b"null",
        b'[{"a":1}],[{"a":1}]',
    ],
)
def test_what_is_no_array_of_events_is_left_to_the_other_way(
    value: bytes, pairs: Callable[[str], tuple[BatchParser, BatchParser]]
) -> None:
    good = batch(1, [stay(), stay(guest=2)])
    assert assert_same_answer(pairs("tourism.stay"), [batch(0, value), good, record(2, value)]).events.height == 2


def test_the_clock_is_asked_too(pairs: Callable[[str], tuple[BatchParser, BatchParser]]) -> None:
    ahead = [NOW + timedelta(seconds=seconds) for seconds in (-1, 0, 60, 299, 300, 301, 86_400)]
    written = [moment.strftime("%Y-%m-%dT%H:%M:%S.%f+00:00").replace("+00:00", "Z") for moment in ahead]
    events = [stay(guest=number, revision=None) | {"time": text} for number, text in enumerate(written)]
    odd = datetime(2024, 10, 20, 1, 2, 3, 123_457, tzinfo=UTC)
    events += [
        stay(guest=100 + number, revision=None)
        | {"time": f"{odd + timedelta(microseconds=number):%Y-%m-%dT%H:%M:%S.%fZ}"}
        for number in range(50)
    ]
    assert_same_answer(pairs("tourism.stay"), [batch(0, events)])
    assert passed(pairs("tourism.stay")[0], [batch(0, events)]) >= 50


class _Plain(Record):
    item_id: Annotated[str, StringConstraints(pattern=r"^[a-z]+$")]
    occurred_on: Day
    size: Annotated[int, Field(ge=0, le=9)] = 0
    kind: Literal["a", "b"] | None = None

    KEY = named("item_id")


class _WithRule(_Plain):
    RULES = (RecordRule(named("size") > 5, "too large", "quá lớn"),)


class _WithValidator(_Plain):
    @model_validator(mode="after")
    def _small(self) -> _WithValidator:
        if self.size > 5:
            raise ValueError("too large")
        return self


class _WithFieldValidator(_Plain):
    @field_validator("size")
    @classmethod
    def _small(cls, size: int) -> int:
        return min(size, 5)


class _WithMultiple(_Plain):
    size: Annotated[int, Field(ge=0, le=9, multiple_of=3)] = 0


class _WithAlias(_Plain):
    size: Annotated[int, Field(ge=0, le=9, alias="Size")] = 0


class _WithKey(_Plain):
    def record_key(self) -> str:
        return self.item_id[::-1]


class _Lenient(_Plain, extra="ignore"):
    pass


class _Stripped(_Plain):
    item_id: Annotated[str, StringConstraints(pattern=r"^[a-z]+$", strip_whitespace=True)]


@pytest.mark.parametrize(
    ("model", "known"),
    [
        (_Plain, True),
        (_WithRule, True),
        (_WithValidator, False),
        (_WithFieldValidator, False),
        (_WithMultiple, False),
        (_WithAlias, False),
        (_WithKey, False),
        (_Lenient, False),
        (_Stripped, False),
    ],
)
def test_a_model_with_what_is_not_known_has_no_check_by_column(model: type[Record], known: bool) -> None:
    feed = Feed(
        key="test.item", model=model, effective="occurred_on", cadence=timedelta(hours=1), name_vi="Thử", name_en="Test"
    )
    assert (column_check_of(feed) is not None) is known


@every_feed
def test_the_shapes_of_a_feed_name_all_its_fields(key: str) -> None:
    """A field that no kind of record may carry would be foreign to all of them, for one record and for a column."""
    module = __import__(FEEDS[key].model.__module__, fromlist=["KINDS"])
    shapes = getattr(module, "KINDS", None)
    if shapes is not None:
        assert set().union(*(shape.allowed for shape in shapes.values())) == set(FEEDS[key].model.model_fields)


class _FailingReader(ColumnReader):
    def __init__(self, feed: Feed, error: BaseException) -> None:
        super().__init__(feed)
        self._error = error

    def read(self, fetches: object, now: object, now_ms: int) -> None:
        raise self._error


@pytest.mark.parametrize("error", [pl.exceptions.ComputeError("x"), OverflowError("x"), ValueError("x")])
def test_a_failure_of_the_columns_is_told_and_costs_no_event(
    error: BaseException, profile: Profile, pairs: Callable[[str], tuple[BatchParser, BatchParser]]
) -> None:
    feed = FEEDS["tourism.stay"]
    told: list[BaseException] = []
    parser = BatchParser(
        feed,
        Register(feed, profile.reporters, profile.areas),
        Calendar.of(Settings(_env_file=None), profile.timezone),
        by_column_from=0,
        reader=_FailingReader(feed, error),
        column_read_failed=told.append,
    )
    assert_same_answer((parser, pairs(feed.key)[1]), [batch(0, [stay(), stay(key="other")])])
    assert told == [error]
