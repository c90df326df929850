"""The gateway and a real Kafka: what is confirmed is there, and what is not there is not confirmed."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import random
import signal
import string
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from kafka import KafkaConsumer
from kafka.admin import ConfigResource, ConfigResourceType
from testbed.event import encoded, stay
from testbed.gateway import BATCH, EVENT, GatewayBed
from testbed.server import free_ports

from connectors.gateway.producer import MAX_PENDING_BYTES, KafkaEventProducer
from deploy.local.kafka_server import KafkaServer
from deploy.local.process import wait_until
from ioc.errors import KafkaUnavailableError
from ioc.feeds.feed import Feed
from ioc.messaging.client import admin_client, is_reachable
from ioc.messaging.record import OutgoingRecord
from ioc.messaging.topic import create_topics, list_topics
from ioc.settings import Settings
from ioc.web.tokens import TokenFile


def consumed(settings: Settings, topic: str) -> list[Any]:
    """All records of a topic, in the order of each partition."""
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=settings.kafka_bootstrap,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        group_id=None,
        consumer_timeout_ms=2000,
    )
    try:
        return list(consumer)
    finally:
        consumer.close()


def ids(records: list[Any]) -> list[str]:
    """Ids of all events in records."""
    found: list[str] = []
    for record in records:
        value = json.loads(record.value)
        found += [event["id"] for event in (value if isinstance(value, list) else [value])]
    return found


@pytest.fixture
def bed(settings: Settings, kafka_topics: list[str], tmp_path: Path) -> Iterator[GatewayBed]:
    producer = KafkaEventProducer(settings)
    yield GatewayBed(tmp_path, producer, settings)
    producer.close()


def test_what_is_confirmed_is_in_kafka(bed: GatewayBed, settings: Settings) -> None:
    topic = f"{settings.topic_prefix}.tourism.stay.v1"
    events = [stay(f"77-{number % 5}", id=str(number)) for number in range(100)]
    assert bed.post([*events, stay(sex="?")], BATCH).status_code == 207
    assert bed.post(stay("77-7", id="alone"), EVENT).status_code == 202
    assert bed.get("/ready").status_code == 200
    records = consumed(settings, topic)
    assert {record.key for record in records} == {b"77-0", b"77-1", b"77-2", b"77-3", b"77-4", b"77-7"}
    assert sorted(ids(records)) == sorted([*(event["id"] for event in events), "alone"])
    for record in records:
        alone = record.key == b"77-7"
        kind = b"application/cloudevents+json" if alone else b"application/cloudevents-batch+json"
        assert dict(record.headers) == {"content-type": kind, "ioc-token": bed.token.id.encode()}
    of_one = [record for record in records if record.key == b"77-3"]
    assert ids(of_one) == [str(number) for number in range(3, 100, 5)]


def test_large_batches_pass(bed: GatewayBed, settings: Settings) -> None:
    events = [stay(id=f"{number}" + "x" * 100) for number in range(1000)]
    assert bed.post(events, BATCH).status_code == 202
    records = consumed(settings, f"{settings.topic_prefix}.tourism.stay.v1")
    assert ids(records) == [event["id"] for event in events]
    assert len(records) == 2


def test_a_missing_topic_is_kafka_away_until_it_is_there(
    settings: Settings, feeds: dict[str, Feed], tmp_path: Path
) -> None:
    quick = settings.model_copy(update={"gateway_produce_timeout": 2.0})
    producer = KafkaEventProducer(quick)
    bed = GatewayBed(tmp_path, producer, quick)
    try:
        assert bed.post(stay()).status_code == 503
        create_topics(settings, feeds)
        assert bed.post(stay()).status_code == 202
    finally:
        producer.close()


def test_topics_are_created_once_and_compared(settings: Settings, feeds: dict[str, Feed]) -> None:
    assert {state.status for state in list_topics(settings, feeds)} == {"missing"}
    assert {state.status for state in create_topics(settings, feeds)} == {"created"}
    assert {state.status for state in create_topics(settings, feeds)} == {"exists"}
    other = settings.model_copy(update={"kafka_partitions": 9, "kafka_retention_days": 1})
    for state in create_topics(other, feeds):
        assert state.status == "differs"
        assert state.differences == (
            "partitions is 3, not 9",
            "retention.ms is 1209600000, not 86400000",
        )


# kafka-python leaves the sockets of refused connections to the garbage collector; its log lines, which pytest keeps
# to the end of the test, would hold them beyond the test that made them.
leaves_sockets = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture
def own_kafka(
    stack_settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> Iterator[tuple[KafkaServer, Settings]]:
    """A broker that the test may kill."""
    caplog.set_level(logging.CRITICAL, "kafka")
    kafka, controller, gateway = free_ports(3)
    settings = stack_settings.model_copy(
        update={
            "state_dir": tmp_path,
            "token_file": tmp_path / "tokens.json",
            "kafka_bootstrap": f"127.0.0.1:{kafka}",
            "kafka_controller_port": controller,
            "gateway_port": gateway,
            "gateway_produce_timeout": 3.0,
        }
    )
    server = KafkaServer(settings)
    yield server, settings
    server.purge()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@leaves_sockets
def test_kafka_away_is_503_and_it_recovers(
    own_kafka: tuple[KafkaServer, Settings], feeds: dict[str, Feed], tmp_path: Path
) -> None:
    server, settings = own_kafka
    producer = KafkaEventProducer(settings)
    bed = GatewayBed(tmp_path, producer, settings)
    try:
        begun = time.monotonic()
        assert bed.post(stay(id="before the first start")).status_code == 503
        assert time.monotonic() - begun < 4
        assert bed.get("/ready").status_code == 503
        server.start()
        create_topics(settings, feeds)
        assert bed.get("/ready").status_code == 200
        assert bed.post(stay(id="first")).status_code == 202
        server.kill()
        with ThreadPoolExecutor(4) as pool:
            away = list(pool.map(lambda n: bed.post(stay(id=f"away {n}")).status_code, range(4)))
        assert away == [503] * 4
        assert not is_reachable(settings, 0.5)
        server.start()
        assert bed.post(stay(id="second")).status_code == 202
        assert bed.get("/ready").status_code == 200
    finally:
        producer.close()
    written = ids(consumed(settings, "ioc.tourism.stay.v1"))
    assert [event_id for event_id in written if not event_id.startswith("away")] == ["first", "second"]


@leaves_sockets
def test_looking_for_a_broker_leaves_no_threads(own_kafka: tuple[KafkaServer, Settings]) -> None:
    before = threading.active_count()
    assert not is_reachable(own_kafka[1], 0.3)
    assert threading.active_count() == before


@leaves_sockets
def test_too_much_waiting_is_refused_at_once(own_kafka: tuple[KafkaServer, Settings]) -> None:
    _, settings = own_kafka
    producer = KafkaEventProducer(settings)
    record = OutgoingRecord("t", b"k", bytes(MAX_PENDING_BYTES), ())

    async def two_at_once() -> list[BaseException | None]:
        return await asyncio.gather(*(producer.publish([record]) for _ in range(2)), return_exceptions=True)

    outcomes = asyncio.run(two_at_once())
    producer.close()
    assert all(isinstance(outcome, KafkaUnavailableError) for outcome in outcomes)
    assert "too much waits" in str(outcomes[1])


def test_a_record_too_large_for_its_topic_fails_neither_neighbours_nor_the_next_request(
    settings: Settings, kafka_topics: list[str], tmp_path: Path
) -> None:
    """On a real topic that takes less than the gateway does: told per event, whatever the records were packed with."""
    topic = f"{settings.topic_prefix}.tourism.stay.v1"
    with admin_client(settings) as admin:
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs={"max.message.bytes": "900"})])
    producer = KafkaEventProducer(settings)
    bed = GatewayBed(tmp_path, producer, settings)
    # Text that no compression makes small.
    noise = "".join(random.Random(1).choices(string.ascii_letters + string.digits, k=360))
    large = {**stay(id=noise[:120], revision=2), "dataschema": f"https://x/{noise[120:]}"}
    try:
        first = bed.post([stay(id=f"a{n}", revision=n) for n in range(1, 9)], BATCH)
        assert first.status_code == 202, first.text
        mixed = bed.post([stay(id="b1", revision=20), large, stay(id="b2", revision=21)], BATCH)
        assert [result["code"] for result in mixed.json()["results"]] == [202, 413, 202]
        assert bed.post(large).status_code == 413
        assert bed.post(stay(id="c", revision=30)).status_code == 202
    finally:
        producer.close()
    # What is sent again alone may change places with its neighbour: revisions, not offsets, order a record's versions.
    assert sorted(ids(consumed(settings, topic))) == [*(f"a{n}" for n in range(1, 9)), "b1", "b2", "c"]


def test_the_process_answers_what_is_under_way_and_leaves(settings: Settings, kafka_topics: list[str]) -> None:
    _, secret = TokenFile(settings.token_file).create("Tourism", ["tourism.stay"], ["*"])
    names = ("kafka_bootstrap", "topic_prefix", "gateway_port", "token_file")
    environment = {f"IOC_{name.upper()}": str(getattr(settings, name)) for name in names}
    command = [str(Path(sys.executable).with_name("ioc")), "gateway"]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    url = f"http://127.0.0.1:{settings.gateway_port}"
    confirmed: list[str] = []
    headers = {**EVENT, "authorization": f"Bearer {secret}"}

    def publish_until_it_is_gone() -> None:
        with httpx.Client(base_url=url, headers=headers, trust_env=False) as client:
            for number in range(10_000):
                try:
                    response = client.post("/v1/events", content=encoded(stay(id=str(number))))
                except httpx.TransportError:
                    return
                assert response.status_code == 202
                confirmed.append(str(number))

    def is_ready() -> bool:
        try:
            return httpx.get(f"{url}/ready", trust_env=False).is_success
        except httpx.TransportError:
            return False

    try:
        assert wait_until(is_ready, 20)
        sender = threading.Thread(target=publish_until_it_is_gone)
        sender.start()
        assert wait_until(lambda: len(confirmed) > 20, 10)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        sender.join(10)
    finally:
        process.kill()
        _, log = process.communicate()
    assert ids(consumed(settings, f"{settings.topic_prefix}.tourism.stay.v1"))[: len(confirmed)] == confirmed
    assert secret not in log and "Traceback" not in log
