"""Dead letters: to their topic, to people, and back into their feed after a mend."""

from __future__ import annotations

import getpass
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from testbed.feed_event import HOTEL, KafkaRecord, batch, record, stay
from testbed.pipeline import Pipeline
from typer.testing import CliRunner

from deploy.cli import app
from ioc.database.connection import connect
from ioc.feeds.event import REPORTER_URN
from ioc.feeds.feed import Feed
from ioc.messaging.client import client_options, open_producer, send_all
from ioc.messaging.record import OutgoingRecord
from ioc.messaging.topic import dead_letter_topic
from ioc.settings import Settings
from streams.dead_letter.letter import DeadLetterRelay, list_causes, replay, show_events
from streams.rules.span import BatchCounts

FEED = "tourism.stay"
STRANGER = "99-999-9999"


def read(settings: Settings, topic: str) -> list[Any]:
    """Everything a topic holds, by partition and offset."""
    consumer = KafkaConsumer(**client_options(settings, 10.0), enable_auto_commit=False, group_id=None)
    try:
        places = [TopicPartition(topic, partition) for partition in range(settings.kafka_partitions)]
        consumer.assign(places)
        consumer.seek_to_beginning(*places)
        ends = consumer.end_offsets(places)
        found: list[Any] = []
        while len(found) < sum(ends.values()):
            for records in consumer.poll(timeout_ms=1000).values():
                found += records
        return sorted(found, key=lambda one: (one.partition, one.offset))
    finally:
        consumer.close()


def refuse_three(pipeline: Pipeline) -> None:
    pipeline.apply(FEED, [record(0, stay(STRANGER, 3)), batch(1, [stay(), stay(STRANGER, 2)]), record(2, b"{")])


def test_every_letter_reaches_the_topic_once_with_its_reasons(
    pipeline: Pipeline, settings: Settings, kafka_topics: list[str]
) -> None:
    refuse_three(pipeline)
    relay = DeadLetterRelay(settings)
    assert (relay.relay_once(), relay.relay_once()) == (3, 0)
    letters = read(settings, dead_letter_topic(settings.topic_prefix))
    by_place = {letter.key.decode().rpartition(f"{FEED}.v1/")[2]: letter for letter in letters}
    assert by_place.keys() == {"0/0/0", "0/1/1", "0/2/0"}
    headers = dict(by_place["0/1/1"].headers)
    assert headers["ioc-reporter"] == STRANGER.encode()
    assert json.loads(headers["ioc-reasons"])[0]["rule"] == "unknown_reporter"
    assert json.loads(by_place["0/1/1"].value)["subject"] == stay(STRANGER, 2)["subject"]
    assert by_place["0/2/0"].value == b"{"
    assert pipeline.rows("SELECT count(*) FROM rejected_event WHERE relayed_at IS NULL") == [(0,)]


def test_a_relay_that_fails_sends_again(pipeline: Pipeline, settings: Settings, kafka_topics: list[str]) -> None:
    """At least once: what was sent but not marked is sent again, under the same key."""
    refuse_three(pipeline)
    relay = DeadLetterRelay(settings)
    relay.relay_once()
    pipeline.rows("UPDATE rejected_event SET relayed_at = NULL RETURNING 1")
    assert relay.relay_once() == 3
    letters = read(settings, dead_letter_topic(settings.topic_prefix))
    assert len(letters) == 6
    assert len({letter.key for letter in letters}) == 3


def test_causes_are_grouped_and_shown(pipeline: Pipeline, settings: Settings) -> None:
    refuse_three(pipeline)
    causes = list_causes(settings, feed=FEED, within="1 day")
    assert [(c["rule"], c["events"], c["replayable"]) for c in causes] == [
        ("unknown_reporter", 2, 2),
        ("json_invalid", 1, 1),
    ]
    assert causes[0]["message_vi"] != causes[0]["message_en"]
    assert list_causes(settings, feed="tax.einvoice", within="1 day") == []
    shown = show_events(settings, feed=None, rule="json_invalid", within="1 day", limit=5)
    assert [(event["record_offset"], event["payload_bytes"]) for event in shown] == [(2, 1)]
    assert "payload" not in shown[0]


def test_a_replay_after_a_mend_counts_once(
    pipeline: Pipeline, settings: Settings, kafka_topics: list[str], feeds: Mapping[str, Feed]
) -> None:
    """Two establishments were unknown; one of them is registered meanwhile."""
    refuse_three(pipeline)
    assert replay(settings, feeds[FEED], rule="unknown_reporter", limit=100) == 2
    assert replay(settings, feeds[FEED], rule="unknown_reporter", limit=100) == 0
    sent = read(settings, pipeline.topic(FEED))
    assert {one.key for one in sent} == {STRANGER.encode()}
    assert len({one.partition for one in sent}) == 1  # the order of a reporter's events is kept
    known = HOTEL.encode()
    mended = [
        KafkaRecord(3 + number, one.value.replace(STRANGER.encode(), known), one.headers)
        for number, one in enumerate(sent)
    ]
    assert pipeline.apply(FEED, mended) == BatchCounts(consumed=2, accepted=2)
    again = [KafkaRecord(one.offset + 2, one.value, one.headers) for one in mended]
    assert pipeline.apply(FEED, again) == BatchCounts(consumed=2, duplicate=2)
    assert pipeline.rows("SELECT count(*) FROM tourism_stay") == [(3,)]


def test_a_replay_without_a_mend_is_refused_again_and_can_be_replayed_again(
    pipeline: Pipeline, settings: Settings, kafka_topics: list[str], feeds: Mapping[str, Feed]
) -> None:
    refuse_three(pipeline)
    replay(settings, feeds[FEED], rule="unknown_reporter", limit=1)
    [sent] = read(settings, pipeline.topic(FEED))
    assert pipeline.apply(FEED, [KafkaRecord(3, sent.value, sent.headers)]) == BatchCounts(consumed=1, rejected=1)
    assert replay(settings, feeds[FEED], rule="unknown_reporter", limit=100) == 2


def test_letters_larger_than_a_request_are_sent_in_several(settings: Settings, kafka_topics: list[str]) -> None:
    producer = open_producer(settings)
    letters = [OutgoingRecord(kafka_topics[0], b"k", bytes(3_000_000)) for _ in range(8)]
    send_all(producer, letters)
    producer.close()
    assert [len(one.value) for one in read(settings, kafka_topics[0])] == [3_000_000] * 8


def run(settings: Settings, *arguments: str, status: int = 0) -> Any:
    """What a command answers as JSON."""
    environment = {name: value for name, value in settings.to_environment().items() if name.startswith("IOC_")}
    result = CliRunner().invoke(app, [*arguments, "--json"], env=environment)
    assert result.exit_code == status, result.output
    return json.loads(result.stdout) if status == 0 else result.output


def test_refused_events_are_mended_by_a_reviewed_rule_and_counted_once(
    pipeline: Pipeline, settings: Settings, kafka_topics: list[str], tmp_path: Path
) -> None:
    """Of three strangers' stays two are mended; the preview names what they move, and their figures then move so."""
    pipeline.send(FEED, [stay(HOTEL, 1)])
    other = stay("88-888-8888", 4)
    wrong = stay(STRANGER, 5) | {"time": "yesterday"}
    pipeline.apply(FEED, [record(1, stay(STRANGER, 2)), batch(2, [stay(STRANGER, 3), other]), record(3, wrong)])
    rule: dict[str, Any] = {
        "feed": FEED,
        "rule": "unknown_reporter",
        "why": "mã cũ của một khách sạn",
        "steps": [
            {"op": "map", "path": "/source", "values": {REPORTER_URN + STRANGER: REPORTER_URN + HOTEL}},
            {"op": "prefix", "path": "/subject", "old": f"{STRANGER}/", "new": f"{HOTEL}/"},
        ],
    }
    path = tmp_path / "rule.json"
    path.write_text(json.dumps(rule))
    (half,) = run(settings, "dead-letter", "mend", str(path))  # the record itself names its hotel, too
    assert (half["reasons"], half["moving"]) == ({"reporter_mismatch": 2}, [])
    rule["steps"].append({"op": "replace", "path": "/data/establishment_id", "value": HOTEL})
    path.write_text(json.dumps(rule))
    (preview,) = run(settings, "dead-letter", "mend", str(path))
    counts = ("waiting", "not_meant", "refused", "new", "replacing", "known", "sent")
    assert {name: preview[name] for name in counts} == dict(zip(counts, (3, 1, 0, 2, 0, 0, 0), strict=True))
    assert read(settings, pipeline.topic(FEED)) == []
    moving = {one["code"] for one in preview["moving"]}
    assert "lodging.guests.total" in moving

    pipeline.roll_up()
    before = figures(pipeline)
    apply = ("dead-letter", "mend", str(path), "--apply", preview["digest"])
    assert "--reviewed-by" in run(settings, *apply, status=2)
    assert "reviewed by somebody else" in run(settings, *apply, "--reviewed-by", getpass.getuser(), status=2)
    assert "another rule" in run(settings, *apply[:-1], "0" * 16, "--reviewed-by", "B", status=2)
    (done,) = run(settings, *apply, "--reviewed-by", "Trần Thị B")
    assert done["sent"] == 2
    (again,) = run(settings, *apply, "--reviewed-by", "Trần Thị B")
    assert (again["waiting"], again["sent"]) == (1, 0)

    sent = read(settings, pipeline.topic(FEED))
    assert [one.key for one in sent] == [HOTEL.encode()] * 2
    arrived = [KafkaRecord(4 + at, one.value, one.headers) for at, one in enumerate(sent)]
    assert pipeline.apply(FEED, arrived) == BatchCounts(consumed=2, accepted=2)
    pipeline.roll_up()
    after = figures(pipeline)
    moved = {code for code, area, period, bucket in after.keys() | before.keys()
             if after.get((code, area, period, bucket)) != before.get((code, area, period, bucket))}  # fmt: skip
    assert moved
    assert moved <= moving, sorted(moved - moving)
    assert pipeline.reconcile().differences == ()
    with connect(settings, "owner") as owner:
        told = owner.execute(
            "SELECT after FROM audit_entry WHERE act = 'dead-letter mend' AND outcome = 'done'"
        ).fetchall()
    assert [row[0]["reviewed_by"] for row in told] == ["Trần Thị B"] * 2
    (sample, *_) = run(settings, "dead-letter", "sample", "--feed", FEED)
    assert sample["payload"]["type"] == "vn.ioc.tourism.stay.v1"
    assert "yesterday" not in json.dumps(sample)


def figures(pipeline: Pipeline) -> dict[tuple[object, ...], object]:
    """Every figure that is shown."""
    rows = pipeline.rows("SELECT code, area_code, period, bucket, value FROM indicator_value")
    return {row[:4]: row[4] for row in rows}
