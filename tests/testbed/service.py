"""The project's services as processes over a test's own settings, and what they have left in Kafka."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from deploy.local.process import end_of, wait_until
from deploy.local.service import Service, endpoints
from ioc.database.connection import connect
from ioc.feeds.feed import Feed
from ioc.messaging.client import client_options
from ioc.settings import Settings


@contextmanager
def running_services(settings: Settings, logs: Path) -> Iterator[Mapping[str, Service]]:
    """Gateway, worker and roll-up, ready, by name; each logs to `<logs>/<name>.log`. None is started again."""
    services = {
        endpoint.name: Service(endpoint, logs / f"{endpoint.name}.log", env=settings.to_environment(), restart=False)
        for endpoint in endpoints(settings)
    }
    with ExitStack() as running:
        for service in services.values():
            running.callback(service.stop)
            service.start()
        for service in services.values():
            service.wait_ready()
        yield services


def kafka_records(settings: Settings, topics: Iterable[str]) -> list[Any]:
    """All records that the topics hold now, read to the end of each partition."""
    consumer = KafkaConsumer(**client_options(settings, 10.0), enable_auto_commit=False, group_id=None)
    try:
        partitions = [
            TopicPartition(topic, number) for topic in topics for number in consumer.partitions_for_topic(topic)
        ]
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        ends = consumer.end_offsets(partitions)
        found: list[Any] = []
        while any(consumer.position(partition) < end for partition, end in ends.items()):
            polled = consumer.poll(timeout_ms=2000)
            found += [record for records in polled.values() for record in records]
        return found
    finally:
        consumer.close()


def wait_until_settled(settings: Settings, feeds: Mapping[str, Feed], services: Mapping[str, Service]) -> None:
    """Wait until every event is stored, folded, and relayed where it was refused."""
    topics = [feed.topic(settings.topic_prefix) for feed in feeds.values()]
    written = sum(1 for _ in kafka_records(settings, topics))

    def settled() -> bool:
        with connect(settings, "owner", autocommit=True) as connection:
            row = connection.execute(
                "SELECT (SELECT coalesce(sum(next_offset), 0) FROM stream_position), "
                "(SELECT count(*) FROM measure_delta), (SELECT count(*) FROM member_delta), "
                "(SELECT count(*) FROM rejected_event WHERE relayed_at IS NULL)"
            ).fetchone()
        return row == (written, 0, 0, 0)

    if not wait_until(settled, 60.0, poll=0.2):
        raise AssertionError("\n".join(["not settled within 60 s", *(end_of(one.log) for one in services.values())]))
