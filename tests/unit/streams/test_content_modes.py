"""How a Kafka record carries events: structured, in a batch, in binary mode, however its content type is written."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from testbed.feed_event import HOTEL, NOW, KafkaRecord, record, stay, void_stay
from testbed.pipeline import make_parser

from ioc.feeds.feed import Feed
from ioc.province.profile import Profile
from streams.rules.parse import BatchParser

EVENT, BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"


@pytest.fixture(scope="module")
def parser(feeds: dict[str, Feed], profile: Profile) -> BatchParser:
    return make_parser(feeds["tourism.stay"], profile)


def content(kind: str, name: str = "content-type") -> tuple[tuple[str, bytes], ...]:
    return ((name, kind.encode()),)


@pytest.mark.parametrize(
    "kind", [BATCH, f"{BATCH}; charset=utf-8", f"{BATCH};charset=UTF-8", "Application/CloudEvents-Batch+JSON"]
)
@pytest.mark.parametrize("name", ["content-type", "Content-Type"])
def test_a_batch_is_a_batch_however_it_is_labelled(parser: BatchParser, kind: str, name: str) -> None:
    value = json.dumps([stay(guest=1), stay(guest=2), stay(guest=3, sex="?")]).encode()
    parsed = parser.parse("t", 0, [KafkaRecord(0, value, content(kind, name))], now=NOW)
    assert (parsed.events.height, len(parsed.rejections), parsed.consumed) == (2, 1, {0: 3})


@pytest.mark.parametrize("kind", [EVENT, f"{EVENT}; charset=utf-8", "Application/CloudEvents+JSON", "application/json"])
def test_an_event_is_an_event_however_it_is_labelled(parser: BatchParser, kind: str) -> None:
    parsed = parser.parse("t", 0, [KafkaRecord(0, json.dumps(stay()).encode(), content(kind))], now=NOW)
    assert (parsed.events.height, parsed.rejections) == (1, ())


def binary(event: dict[str, object], **changes: str) -> tuple[tuple[str, bytes], ...]:
    attributes = {name: str(value) for name, value in event.items() if name != "data"} | changes
    return (*content("application/json"), *((f"ce_{name}", value.encode()) for name, value in attributes.items()))


def test_binary_mode_is_the_event_that_headers_and_value_make(parser: BatchParser) -> None:
    structured, made = stay(revision=7), stay(revision=7)
    fetched = [
        record(0, structured),
        KafkaRecord(1, json.dumps(made["data"]).encode(), binary(made)),
        KafkaRecord(2, None, binary(void_stay())),
    ]
    parsed = parser.parse("t", 0, fetched, now=NOW)
    assert parsed.rejections == ()
    columns = ["reporter", "record_key", "revision", "content_hash", "voided"]
    first, second, third = parsed.events.select(columns).rows()
    assert first == second
    assert third[-1] is True


@pytest.mark.parametrize(
    ("value", "changes", "field"),
    [
        (b"{", {}, ""),
        (b"[]", {}, "data"),
        (json.dumps(stay()["data"]).encode(), {"revision": "1.0"}, "revision"),
        (json.dumps(stay()["data"]).encode(), {"time": "1522949460"}, "time"),
        (json.dumps(stay()["data"]).encode(), {"id": ""}, "id"),
        (json.dumps(stay() | {"data": 1}).encode(), {}, "data.specversion"),
    ],
)
def test_what_is_wrong_in_binary_mode_is_refused(
    parser: BatchParser, value: bytes, changes: dict[str, str], field: str
) -> None:
    parsed = parser.parse("t", 0, [KafkaRecord(0, value, binary(stay(), **changes))], now=NOW)
    assert parsed.events.is_empty()
    (refused,) = parsed.rejections
    assert refused.payload is not None
    if field and not field.endswith("specversion"):
        assert field in {reason.field for reason in refused.reasons}


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        (HOTEL.encode(), HOTEL),
        (b"079012345678", "############"),
        ("Nguyễn Văn A".encode(), "Ng*********A"),
        (b"\xff\x00", "\ufffd*"),
        (None, None),
    ],
)
def test_a_key_is_shown_masked_unless_it_is_a_reporter(
    parser: BatchParser, key: bytes | None, shown: str | None
) -> None:
    parsed = parser.parse("t", 0, [KafkaRecord(0, b"{", content(EVENT), key)], now=NOW)
    assert [refused.reporter for refused in parsed.rejections] == [shown]


NAMES = st.sampled_from(
    ["content-type", "Content-Type", "ce_specversion", "ce_id", "ce_type", "ce_data", "ce_data_base64", "ce_", "", "x"]
)
VALUES = st.none() | st.sampled_from([b"1.0", EVENT.encode(), BATCH.encode(), b"null", b"[]"]) | st.binary(max_size=9)
BODIES = (
    st.none() | st.binary(max_size=9) | st.sampled_from([b"[[]]", b"{}", b"[null, 1]", json.dumps(stay()).encode()])
)


@settings(max_examples=400, derandomize=True, deadline=None, database=None)
@example(headers=[("content-type", None)], body=json.dumps(stay()).encode())
@example(headers=[("ce_specversion", b"1.0"), ("ce_id", None)], body=None)
@example(headers=[("ce_specversion", b"1.0"), ("ce_data_base64", b"\xff")], body=b"{}")
@given(headers=st.lists(st.tuples(NAMES, VALUES), max_size=6), body=BODIES)
def test_no_header_and_no_value_stops_a_feed(
    parser: BatchParser, headers: list[tuple[str, bytes | None]], body: bytes | None
) -> None:
    """Kafka lets a header have no value, and come twice."""
    good = record(1, stay(guest=9))
    parsed = parser.parse("t", 0, [KafkaRecord(0, body, headers), good], now=NOW)
    assert sum(parsed.consumed.values()) == parsed.events.height + len(parsed.rejections)
    assert parsed.consumed[1] == 1 and 1 in parsed.events["record_offset"]
    assert all(one.reasons[0].rule != "unstorable" for one in parsed.rejections)


class Odd(KafkaRecord):
    """A record at which the code that reads it fails, in a way that nobody foresaw."""

    @property
    def headers(self) -> Any:
        raise AttributeError("no such thing")


def test_a_record_that_nobody_foresaw_is_set_aside_and_its_feed_goes_on(parser: BatchParser) -> None:
    odd = object.__new__(Odd)
    told = {"offset": 1, "value": b"as it came", "key": None, "timestamp": 1, "timestamp_type": 1}
    for name, value in told.items():
        object.__setattr__(odd, name, value)
    parsed = parser.parse("t", 0, [record(0, stay(guest=1)), odd, record(2, stay(guest=2))], now=NOW)
    assert parsed.events["record_offset"].to_list() == [0, 2]
    (letter,) = parsed.rejections
    assert (letter.record_offset, letter.payload, letter.reasons[0].rule) == (1, b"as it came", "unstorable")
    assert parsed.consumed == {0: 1, 1: 1, 2: 1}


def test_an_event_of_a_batch_that_nobody_foresaw_costs_none_of_its_neighbours(
    feeds: dict[str, Feed], profile: Profile
) -> None:
    feed = feeds["tourism.stay"]

    class OddStay(feed.model):  # type: ignore[name-defined,misc]
        def record_key(self) -> str:
            key: str = super().record_key()
            if self.age_years == 77:
                raise LookupError("not foreseen")
            return key

    parser = make_parser(replace(feed, model=OddStay), profile)
    batch = [stay(guest=1), stay(guest=2, age_years=77), stay(guest=3)]
    parsed = parser.parse("t", 0, [KafkaRecord(0, json.dumps(batch).encode(), content(BATCH))], now=NOW)
    assert parsed.events["position"].to_list() == [0, 2]
    assert [(one.position, one.reasons[0].rule) for one in parsed.rejections] == [(1, "unstorable")]
    assert json.loads(parsed.rejections[0].payload or b"")["data"]["age_years"] == 77
