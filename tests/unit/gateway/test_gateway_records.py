"""Events become Kafka records of one feed and reporter, bounded in size, in order."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from testbed.event import stay

from connectors.gateway.producer import InMemoryEventProducer
from connectors.gateway.verdict import Verdict, judge
from connectors.gateway.verdict import pack as pack_events
from ioc.feeds.feed import Feed, load_feeds
from ioc.feeds.plausibility import Calendar
from ioc.messaging.record import OutgoingRecord
from ioc.settings import Settings
from ioc.web.rate_limit import RateLimit
from ioc.web.tokens import Token, utc_now

FEEDS = {feed.event_type: feed for feed in load_feeds().values()}
TOKEN = Token(
    id="0" * 12,
    name="all",
    sha256="0" * 64,
    feeds=tuple(feed.key for feed in FEEDS.values()),
    reporters=("*",),
    created_at=utc_now(),
)


def report(reporter: str, day: str) -> dict[str, object]:
    """Return the event of a daily report of an empty house."""
    feed: Feed = load_feeds()["tourism.daily_report"]
    counts = dict.fromkeys(feed.model.model_fields, 0) | {"establishment_id": reporter, "report_on": day}
    event = stay(reporter, id=day)
    return {**event, "type": feed.event_type, "subject": f"{reporter}/{day}", "data": counts}


def judged(*events: object) -> list[Verdict]:
    now = Calendar.of(Settings(_env_file=None), "Asia/Ho_Chi_Minh").at(datetime.now(UTC))
    return [judge(FEEDS, TOKEN, index, event, now=now) for index, event in enumerate(events)]


def pack(verdicts: list[Verdict], prefix: str, token: str, **most: int) -> list[OutgoingRecord]:
    """The records, without what they hold."""
    return [packed.record for packed in pack_events(verdicts, prefix, token, **most)]


def test_a_record_has_one_feed_and_one_reporter() -> None:
    events = [stay("a", id="1"), stay("b", id="2"), report("a", "2024-10-05"), stay("a", id="3"), stay("c", sex="?")]
    records = pack(judged(*events), "p", TOKEN.id)
    contents = {(record.topic, record.key): json.loads(record.value) for record in records}
    assert list(contents) == [
        ("p.tourism.stay.v1", b"a"),
        ("p.tourism.stay.v1", b"b"),
        ("p.tourism.daily_report.v1", b"a"),
    ]
    assert [event["id"] for event in contents["p.tourism.stay.v1", b"a"]] == ["1", "3"]
    assert contents["p.tourism.stay.v1", b"b"] == events[1]
    types = [dict(record.headers)["content-type"] for record in records]
    assert types == [
        b"application/cloudevents-batch+json",
        b"application/cloudevents+json",
        b"application/cloudevents+json",
    ]


def test_records_are_bounded_in_events_and_bytes() -> None:
    verdicts = judged(*(stay(id=str(number)) for number in range(10)))
    by_events = pack(verdicts, "p", TOKEN.id, max_events=4)
    assert [len(json.loads(record.value)) for record in by_events] == [4, 4, 2]
    ids = [event["id"] for record in by_events for event in json.loads(record.value)]
    assert ids == [str(number) for number in range(10)]
    size = len(pack(verdicts[:1], "p", TOKEN.id)[0].value)
    by_bytes = pack(verdicts, "p", TOKEN.id, max_bytes=3 * (size + 1))
    assert [record.value.count(b"specversion") for record in by_bytes] == [3, 3, 3, 1]
    assert max(len(record.value) for record in by_bytes) <= 3 * (size + 1) + 1
    alone = pack(verdicts[:3], "p", TOKEN.id, max_bytes=10)
    assert len(alone) == 3


def test_what_was_not_sent_is_not_written() -> None:
    record = pack(judged(stay()), "p", TOKEN.id)[0]
    assert "check_out_on" not in json.loads(record.value)["data"]


@pytest.mark.parametrize(
    ("globs", "code", "allowed"),
    [
        (["77-*"], "77-0001", True),
        (["77-*"], "177-0001", False),
        (["77-*", "79-1"], "79-1", True),
        (["77-*", "79-1"], "79-12", False),
        (["77-000?"], "77-0001", True),
        (["a.b"], "axb", False),
        (["AB*"], "ab1", False),
        ([], "77-0001", False),
    ],
)
def test_globs_match_whole_codes(globs: list[str], code: str, allowed: bool) -> None:
    assert TOKEN.model_copy(update={"reporters": tuple(globs)}).allows_reporter(code) is allowed


def test_a_closed_in_memory_producer_is_away() -> None:
    producer = InMemoryEventProducer()
    producer.close()
    assert not producer.available


def test_the_bucket_never_holds_more_than_its_burst() -> None:
    now = 0.0
    limit = RateLimit(rate=10, burst=5, clock=lambda: now)
    now = 1000.0
    assert limit.take("a", 5) == 0
    assert limit.take("a", 1) == pytest.approx(0.1)
    assert limit.take("b", 1) == 0
    now += 0.1
    assert limit.wait("a") == pytest.approx(0)
