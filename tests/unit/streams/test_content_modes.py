"""How a Kafka record carries events: structured, in a batch, in binary mode, however its content type is written."""

from __future__ import annotations

import json

import pytest
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
