"""Receipts: what became of the events that a request brought, read from a real Kafka and the real database."""

from __future__ import annotations

import json
import re
import time
import zlib
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from kafka import KafkaConsumer, TopicPartition
from prometheus_client import CollectorRegistry
from testbed.feed_event import HOTEL, INN, stay, void_stay
from testbed.foreign import named
from testbed.gateway import BATCH, START, GatewayBed
from testbed.pipeline import Pipeline

from connectors.gateway.producer import KafkaEventProducer
from connectors.gateway.receipt_source import ApiReceiptSource
from ioc.api.app import create_app
from ioc.api.receipt import ReceiptAnswers
from ioc.database.connection import connect
from ioc.feeds.feed import Feed, load_feeds
from ioc.messaging.client import client_options, open_producer
from ioc.messaging.record import PLACES_HEADER, TOKEN_HEADER, RecordOffset
from ioc.messaging.topic import control_total_topic
from ioc.reading.fate import StoredFateReader
from ioc.settings import Settings
from ioc.web.tokens import TokenFile
from streams.quality.control import take_control_totals
from streams.status.job import run_due
from streams.status.probe import Probe
from streams.status.scheduler import Scheduler, SchedulerMetrics, utc_now

FEED = "tourism.stay"
STRANGER = "77-999-9999"  # the token may publish for it, the register does not know it
INVOICE = Path(__file__).parents[1] / "samples" / "formats" / "einvoice_xml" / "sales_invoice.xml"


@pytest.fixture
def bed(settings: Settings, kafka_topics: list[str], feeds: dict[str, Feed], tmp_path: Path) -> Iterator[GatewayBed]:
    producer = KafkaEventProducer(settings)
    yield GatewayBed(tmp_path, producer, settings, through_api(settings, feeds, tmp_path))
    producer.close()


def through_api(settings: Settings, feeds: dict[str, Feed], directory: Path) -> ApiReceiptSource:
    """Answers for receipts as in operation: the API reads Kafka and the database, the gateway asks it over HTTP."""
    answers = ReceiptAnswers(settings, feeds, StoredFateReader(settings, feeds), time.monotonic)
    tokens = TokenFile(directory / "tokens.json", now=lambda: START)
    api = create_app(settings, tokens, None, receipts=answers)  # type: ignore[arg-type]
    return ApiReceiptSource(settings, httpx.ASGITransport(api))


def ask(bed: GatewayBed, address: str, secret: str = "") -> httpx.Response:
    return bed.request("GET", address, headers={"authorization": f"Bearer {secret or bed.secret}"})


def fates(bed: GatewayBed, address: str) -> dict[str, str]:
    """The fate of each event of a receipt, by id."""
    answer = ask(bed, address)
    assert answer.status_code == 200, answer.text
    return {event["id"]: event["fate"] for event in answer.json()["events"]}


def work(pipeline: Pipeline, settings: Settings, key: str) -> None:
    """What the agent of a feed does with what lies in Kafka and was not read yet."""
    pipeline.now = datetime.now(UTC)  # the broker stamped the records by its own clock; a time ahead is not believed
    topic = pipeline.topic(key)
    consumer = KafkaConsumer(**client_options(settings, 10.0), enable_auto_commit=False, group_id=None)
    try:
        for number in range(settings.kafka_partitions):
            place = TopicPartition(topic, number)
            consumer.assign([place])
            end = consumer.end_offsets([place])[place]
            known = pipeline.rows(
                f"SELECT next_offset FROM stream_position WHERE topic = '{topic}' AND partition = {number}"
            )
            start = known[0][0] if known else 0
            consumer.seek(place, start)
            found: list[Any] = []
            while start + len(found) < end:
                found += consumer.poll(timeout_ms=1000).get(place, [])
            if found:
                pipeline.apply(key, found, number)
    finally:
        consumer.close()


def test_a_receipt_tells_what_became_of_each_event(bed: GatewayBed, pipeline: Pipeline, settings: Settings) -> None:
    events = [
        stay(HOTEL, 1) | {"id": "stored"},
        stay(HOTEL, 2, revision=2) | {"id": "newer"},
        stay(HOTEL, 2, revision=1) | {"id": "older"},
        stay(HOTEL, 3) | {"id": "conflict-1"},
        stay(HOTEL, 3, age_years=40) | {"id": "conflict-2"},
        stay(STRANGER, 4) | {"id": "stranger"},
        stay(INN, 5) | {"id": "to be voided"},
        void_stay(INN, 5) | {"id": "void"},
    ]
    first = bed.post(events, BATCH)
    assert (first.status_code, first.json()["accepted"]) == (202, len(events)), first.text
    address = first.headers["location"]
    assert set(fates(bed, address).values()) == {"waiting"}
    assert ask(bed, address).json()["complete"] is False

    work(pipeline, settings, FEED)
    again = bed.post(events[:1], BATCH).headers["location"]
    assert fates(bed, again) == {"stored": "waiting"}
    work(pipeline, settings, FEED)

    assert fates(bed, address) == {
        "stored": "stored",
        "newer": "stored",
        "older": "superseded",
        "conflict-1": "stored",
        "conflict-2": "rejected",
        "stranger": "rejected",
        "to be voided": "superseded",
        "void": "stored",
    }
    assert fates(bed, again) == {"stored": "duplicate"}
    answer = ask(bed, address).json()
    assert answer["complete"] is True
    assert answer["counts"] == {"stored": 4, "superseded": 2, "rejected": 2}
    rules = {event["id"]: [reason["rule"] for reason in event["reasons"]] for event in answer["events"]}
    assert (rules["stranger"], rules["conflict-2"], rules["stored"]) == (["unknown_reporter"], ["conflict"], [])


def test_a_receipt_is_its_senders_alone_and_outlives_the_gateway(
    bed: GatewayBed, settings: Settings, feeds: dict[str, Feed], tmp_path: Path
) -> None:
    address = bed.post([stay(HOTEL, 1), stay(INN, 2)], BATCH).headers["location"]
    _, other = bed.tokens.create("other", [FEED], ["*"])
    assert ask(bed, address, other).status_code == 404
    producer = KafkaEventProducer(settings)
    try:
        later = GatewayBed(tmp_path, producer, settings, through_api(settings, feeds, tmp_path))
        response = ask(later, address, bed.secret)
        assert (response.status_code, response.json()["counts"]) == (200, {"waiting": 2})
    finally:
        producer.close()


def test_a_file_can_be_asked_after_by_the_place_of_its_records(
    bed: GatewayBed, pipeline: Pipeline, settings: Settings
) -> None:
    _, secret = bed.tokens.create("tax", ["tax.einvoice"], ["*"])
    headers = {"authorization": f"Bearer {secret}", "content-type": "application/xml", "accept-language": "en"}
    # A seller that the register does not know.
    content = re.sub(rb"<MST>\d{10}", b"<MST>0100109106", INVOICE.read_bytes(), count=1)
    response = bed.request("POST", "/v1/feeds/tax.einvoice", content=content, headers=headers)
    assert response.status_code == 202, response.text
    work(pipeline, settings, "tax.einvoice")
    (receipt,) = response.json()["receipts"]
    answer = ask(bed, f"/v1/receipts/{receipt}", secret).json()
    assert answer["complete"] is True
    (event,) = answer["events"]
    assert event["place"] == "file: 2C24TBH 15"  # series and number of the invoice
    assert (event["fate"], [reason["rule"] for reason in event["reasons"]]) == ("rejected", ["unknown_reporter"])


def test_control_totals_reach_their_table_once_and_the_last_word_stands(
    bed: GatewayBed, pipeline: Pipeline, settings: Settings
) -> None:
    def tell(records: int, reporter: str = HOTEL) -> None:
        total = {"reporter": reporter, "first_on": "2024-10-01", "last_on": "2024-10-31", "records": records}
        body = json.dumps(total | {"sums": {"age_years": 10 * records}}).encode()
        headers = {"authorization": f"Bearer {bed.secret}", "content-type": "application/json"}
        answer = bed.request("POST", f"/v1/feeds/{FEED}/control-totals", content=body, headers=headers)
        assert answer.status_code == 202, answer.text

    def table() -> list[Any]:
        return pipeline.rows("SELECT reporter, summed, records, total::int FROM control_total ORDER BY 1, 2")

    assert take_control_totals(settings, "scheduler") == 0
    tell(31)
    tell(32)
    tell(5, INN)
    assert take_control_totals(settings, "scheduler") == 3
    expected = [(HOTEL, "", 32, None), (HOTEL, "age_years", 32, 320), (INN, "", 5, None), (INN, "age_years", 5, 50)]
    assert table() == expected
    assert take_control_totals(settings, "scheduler") == 0
    # Read again from the start, the words are the same.
    pipeline.connection.execute("UPDATE stream_position SET next_offset = 0 WHERE topic LIKE '%control-total%'")
    assert take_control_totals(settings, "scheduler") == 3
    assert table() == expected
    # As after the topic was deleted and made again: the position lies above its end.
    pipeline.connection.execute("UPDATE stream_position SET next_offset = 4000 WHERE topic LIKE '%control-total%'")
    assert take_control_totals(settings) == 3
    assert table() == expected
    # The scheduler takes them too; while Kafka is away it goes on, and what it has taken is as before.
    tell(33)
    away = settings.model_copy(update={"kafka_bootstrap": "127.0.0.1:1"})
    with connect(settings, "scheduler", autocommit=True) as connection:
        for reached in (settings, away):
            probe = Probe(reached, load_feeds())
            with closing(Scheduler(reached, connection, probe, SchedulerMetrics(CollectorRegistry()))) as scheduler:
                (job,) = [job for job in scheduler.jobs if job.name == "control_totals"]
                assert run_due(connection, [job], utc_now) == ["control_totals"]
            assert connection.execute("SELECT state FROM scheduler_job WHERE job = 'control_totals'").fetchone() == (
                {"taken": 1},
            )
    assert table()[0] == (HOTEL, "", 33, None)


def test_words_that_are_none_keep_no_later_word_out(
    kafka_topics: list[str], pipeline: Pipeline, settings: Settings
) -> None:
    """What a direct producer may write to the topic of control totals, and the good word behind it."""
    good = {"feed": FEED, "reporter": HOTEL, "first_on": "2024-10-01", "last_on": "2024-10-31", "records": 3}
    good["told_at"] = "2024-11-01T00:00:00Z"
    poison: list[bytes | None] = [None, b"", b"[]", b"\xff", b"null", b"{" * 5000]
    for changes in (
        {"feed": "a\x00b"},
        {"feed": "x" * 100_000},
        {"reporter": "\x00"},
        {"sums": {"a\x00": 1.0}},
        {"sums": {"\ud800": 1.0}},
        {"sums": {"x" * 100_000: 1.0}},
        {"sums": {"age_years": 1e308}},
        {"records": 2**63},
        {"first_on": "0001-01-01"},
        {"told_at": "9999-12-31T23:59:59-12:00"},
    ):
        poison.append(json.dumps(good | changes).encode())
    fast = json.dumps(good | {"told_at": "2199-12-30T00:00:00Z", "records": 1}).encode()
    topic = control_total_topic(settings.topic_prefix)
    with closing(open_producer(settings)) as producer:
        for value in (*poison, fast):
            producer.send(topic, value=value, key=b"k", partition=0, headers=[(named(b"\xff"), b"")]).get(15)
        assert take_control_totals(settings, "scheduler") == 1  # told by a clock that is ahead
        producer.send(topic, value=json.dumps(good | {"told_at": now_text()}).encode(), key=b"k", partition=0).get(15)
        assert take_control_totals(settings, "scheduler") == 1
    assert pipeline.rows("SELECT feed, reporter, records FROM control_total") == [(FEED, HOTEL, 3)]
    assert pipeline.rows("SELECT 1 FROM control_total WHERE told_at > now() + interval '1 minute'") == []


def now_text() -> str:
    return datetime.now(UTC).isoformat()


def test_a_record_that_bears_a_token_and_no_events_has_no_fate(
    bed: GatewayBed, pipeline: Pipeline, settings: Settings, feeds: dict[str, Feed]
) -> None:
    """A direct producer may write the gateway's headers: the receipt is answered, never a fault."""
    token = bed.secret.split("_")[1]
    topic = pipeline.topic(FEED)
    reader = StoredFateReader(settings, feeds)
    with closing(open_producer(settings)) as producer:
        for value, places in ((None, b"x"), (b"\xff", b""), (b"[null]", zlib.compress(b"{}")), (b"{}", b"\x00")):
            headers = [(TOKEN_HEADER, token.encode()), (PLACES_HEADER, places)]
            written = producer.send(topic, value=value, key=b"k", headers=headers).get(15)
            receipt = reader.read([RecordOffset(topic, written.partition, written.offset)], token)
            assert receipt is not None and [event.fate for event in receipt.events] == ["unknown"]
