"""The benchmark's own Kafka and PostgreSQL: on free ports, beside whatever else runs, gone when it ends."""

from __future__ import annotations

import fcntl
import secrets
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
import tenacity
from psycopg import sql

from deploy.local.progress import Progress
from deploy.local.stack import Stack
from ioc.database.connection import connect
from ioc.errors import ConfigError, KafkaUnavailableError
from ioc.feeds.feed import Feed, load_feeds
from ioc.messaging.client import client_options
from ioc.messaging.record import OutgoingRecord
from ioc.messaging.topic import create_topics
from ioc.province.profile import Profile, load_profile
from ioc.settings import Settings, state_home


class Site:
    """A context: on entry both servers run and an empty, migrated database waits to be cloned for each measurement."""

    def __init__(self, progress: Progress, *, state_dir: Path | None = None) -> None:
        ports = free_ports(3)
        self.settings = Settings(
            state_dir=state_dir or state_home() / "bench",
            kafka_bootstrap=f"127.0.0.1:{ports[0]}",
            kafka_controller_port=ports[1],
            db_host="127.0.0.1",
            db_port=ports[2],
            log_level="WARNING",
        )
        self.progress = progress
        self.feeds: dict[str, Feed] = load_feeds()
        self.feed = self.feeds["tax.einvoice"]
        self.profile: Profile = load_profile(self.settings.profile)
        self._stack = Stack(self.settings)
        self._preloaded: set[str] = set()
        self._cleanup = ExitStack()

    def __enter__(self) -> Self:
        self.settings.state_dir.mkdir(parents=True, exist_ok=True)
        lock = self._cleanup.enter_context((self.settings.state_dir / "lock").open("w"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._cleanup.close()
            raise ConfigError("Another `python -m bench` runs in this checkout: wait for its end.") from None
        try:
            self._cleanup.callback(lambda: self._stack.down(self.progress, purge=True))
            self._stack.down(self.progress, purge=True)  # what a killed run has left
            with self.progress.step("Kafka and PostgreSQL of the benchmark's own"):
                self._stack.start_infrastructure()
            self._stack.prepare(self.progress)
        except BaseException:
            self._cleanup.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cleanup.close()

    @contextmanager
    def fresh(self, *, topic_prefix: str) -> Iterator[Settings]:
        """Yield settings with an empty database and a consumer group of their own, and free ports for services."""
        name = f"bench_{secrets.token_hex(4)}"
        ports = free_ports(3)
        settings = self.settings.model_copy(
            update={
                "db_name": name,
                "topic_prefix": topic_prefix,
                "consumer_group": name,
                "worker_port": ports[0],
                "rollup_port": ports[1],
                "gateway_port": ports[2],
                "token_file": self.settings.state_dir / "tokens.json",
            }
        )
        template = sql.Identifier(self.settings.db_name)
        with connect(self.settings, "owner", autocommit=True, database="postgres") as admin:
            admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), template))
            try:
                yield settings
            finally:
                _drop(admin, name)

    def preload(self, topic_prefix: str, records: Sequence[OutgoingRecord]) -> None:
        """Make the topics of a prefix and fill the e-invoices' one, compressed as the gateway does; once a prefix."""
        if topic_prefix in self._preloaded:
            return
        self._preloaded.add(topic_prefix)
        create_topics(self.settings.model_copy(update={"topic_prefix": topic_prefix}), self.feeds)
        fill_topic(self.settings, self.feed.topic(topic_prefix), records)

    def fill(self, topic_prefix: str, records: Sequence[OutgoingRecord]) -> None:
        """Append records whose topics are keys of feeds to the topics of a prefix."""
        for key, feed in self.feeds.items():
            fill_topic(self.settings, feed.topic(topic_prefix), [one for one in records if one.topic == key])


def _drop(admin: psycopg.Connection, name: str) -> None:
    """Drop a database once its last user is gone; a stopped process's session ends a moment after it."""
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(psycopg.errors.ObjectInUse),
        wait=tenacity.wait_fixed(0.2),
        stop=tenacity.stop_after_delay(30),
        reraise=True,
    )
    retrying(admin.execute, sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


def fill_topic(settings: Settings, topic: str, records: Sequence[OutgoingRecord]) -> None:
    """Append records, in their order within each key; raises KafkaUnavailableError unless all are acknowledged."""
    from kafka import KafkaProducer  # noqa: PLC0415 - slow import, needed only while loading

    failed: list[BaseException] = []
    producer = KafkaProducer(
        **client_options(settings, 30.0),
        acks="all",
        compression_type="lz4",
        linger_ms=50,
        batch_size=256 * 1024,
        max_request_size=16 * 1024 * 1024,
    )
    try:
        for record in records:
            producer.send(topic, key=record.key, value=record.value, headers=list(record.headers)).add_errback(
                failed.append
            )
        producer.flush(timeout=120)
    finally:
        producer.close(timeout=10)
    if failed:
        raise KafkaUnavailableError(f"{len(failed)} records were not acknowledged: {failed[0]}")


def free_ports(count: int) -> list[int]:
    """Return ports of 127.0.0.1 that nothing listens on now."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
