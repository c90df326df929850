"""A run of the real processes: a simulated province publishes, workers work and are killed, and the account is drawn.

The ledger tells what should have become of every event; it knows nothing of agents or tables.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import psycopg
from kafka import KafkaConsumer, TopicPartition

from deploy.local.process import Address, send_signal, wait_until
from deploy.local.service import Endpoint, Service
from deploy.local.stack import Stack
from deploy.simulator.ledger import ExpectedOutcome, FeedTally, Ledger, Outgoing
from deploy.simulator.province import Province
from deploy.simulator.rates import Rates
from deploy.simulator.roster import WITNESSES
from ioc.database.connection import connect
from ioc.errors import RetryableError
from ioc.feeds.feed import Feed
from ioc.messaging.client import client_options, open_producer, send_all
from ioc.messaging.record import OutgoingRecord, record_of
from ioc.province.profile import Profile
from ioc.settings import Settings
from testbed.server import free_ports

# Whose systems take part: enough to meet everything that can go wrong on the way.
FEEDS = ("tourism.stay", "tourism.daily_report", "tax.einvoice")
# About three times what the simulator does by itself: a run of some thousand events has dozens of each.
FAULTS = Rates(
    correction=0.1,
    void=0.04,
    duplicate=0.08,
    late=0.1,
    void_first=0.03,
    disorder=0.05,
    conflict=0.03,
    broken=0.04,
    stranger=0.02,
    implausible=0.02,
)


class Positions(threading.Thread):
    """Samples the stored positions ten times a second, so that a step back would be seen."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(name="positions", daemon=True)
        self._settings = settings
        self._ended = threading.Event()
        self.seen: defaultdict[tuple[str, int], list[int]] = defaultdict(list)

    def run(self) -> None:
        while not self._ended.wait(0.1):
            try:
                with connect(self._settings, "owner", autocommit=True) as connection:
                    while not self._ended.wait(0.1):
                        rows = connection.execute("SELECT topic, partition, next_offset FROM stream_position")
                        for topic, partition, offset in rows.fetchall():
                            self.seen[topic, partition].append(offset)
            except (RetryableError, psycopg.OperationalError):
                continue  # the server is being restarted

    def stop(self) -> None:
        """End, and wait for it."""
        self._ended.set()
        self.join()


class Run:
    """One test's province, topics, database and processes."""

    def __init__(
        self,
        settings: Settings,
        stack: Stack,
        feeds: Mapping[str, Feed],
        profile: Profile,
        logs: Path,
        province: Province | None = None,
    ) -> None:
        """`province`: who publishes; without one, the systems of `FEEDS`."""
        self.settings = settings
        self.stack = stack
        self.feeds = feeds
        self.ledger = Ledger(feeds, WITNESSES)
        self.province = province or Province(profile, seed=7, rates=FAULTS, feeds=FEEDS)
        self.positions = Positions(settings)
        self.positions.start()
        self.services: list[Service] = []
        self.addresses: dict[str, str] = {}
        self._producer = open_producer(settings)
        self._logs = logs

    def publish(self, events: int, *, hourly: int = 300) -> None:
        """Publish about so many events of the province, in its order."""
        made = 0
        while made < events:
            outgoing = self.province.tick(hourly)
            self.send(outgoing)
            made += len(outgoing)

    def publish_register(self) -> None:
        """Publish the registers, in batches."""
        self.send(self.province.register())

    def send(self, outgoing: Sequence[Outgoing]) -> None:
        """Send events as the gateway packs them, one Kafka record a feed and reporter, and enter them in the ledger."""
        self.send_letters(pack(outgoing, self.feeds, self.settings.topic_prefix))
        for one in outgoing:
            self.ledger.settle(one, taken=True)

    def send_rejected(self, feed: str, letters: Sequence[OutgoingRecord], events: int) -> None:
        """Send Kafka records that hold so many events of a feed, all of which must be rejected."""
        self.send_letters(letters)
        tally = self.ledger.tallies.setdefault(feed, FeedTally())
        tally.published += events
        tally.expected[ExpectedOutcome.REJECTED] += events

    def send_lost(self, topic: str, count: int) -> dict[tuple[str, int], int]:
        """Send Kafka records of which nothing will be known, some to every partition; return where they end."""
        for partition in range(self.settings.kafka_partitions):
            for _ in range(count):
                self._producer.send(topic, value=b"lost", partition=partition)
        self._producer.flush(15)
        return {place: end for place, end in self.log_ends().items() if place[0] == topic}

    def send_letters(self, letters: Sequence[OutgoingRecord]) -> None:
        """Send Kafka records and wait for their acknowledgement."""
        send_all(self._producer, letters)

    def worker(self, *, kept: bool = False, **changes: object) -> Service:
        """Start a worker; `changes` replace settings, `kept` starts it again whenever it fails."""
        return self._start("worker", "IOC_WORKER_PORT", "worker_port", kept=kept, **changes)

    def rollup(self, *, kept: bool = False) -> Service:
        """Start a roll-up."""
        return self._start("rollup", "IOC_ROLLUP_PORT", "rollup_port", kept=kept)

    def api(self, **changes: object) -> Service:
        """Start the read-only API; `changes` replace settings."""
        return self._start("api", "IOC_API_PORT", "api_port", kept=False, **changes)

    def wait_drained(self, timeout: float = 150.0) -> None:
        """Wait until every stored position is its log's end."""
        ends = self.log_ends()

        def drained() -> bool:
            try:
                return self.stored_positions() == ends
            except (RetryableError, psycopg.OperationalError):
                return False

        if not wait_until(drained, timeout, poll=0.2):
            raise AssertionError(
                f"after {timeout:.0f} s the positions are {self.stored_positions()}, the logs end at {ends}"
                + "".join(f"\n{service.name}:\n{tail(service.log)}" for service in self.services)
            )

    def wait_for(self, happened: Callable[[], bool], what: str, timeout: float = 150.0) -> None:
        """Wait until something holds; fails when it does not."""
        if not wait_until(happened, timeout, poll=0.05):
            logs = "".join(f"\n{service.name}:\n{tail(service.log)}" for service in self.services)
            raise AssertionError(f"not within {timeout:.0f} s: {what}{logs}")

    def log_ends(self) -> dict[tuple[str, int], int]:
        """End of every partition that holds anything."""
        consumer = KafkaConsumer(**client_options(self.settings, 10.0), enable_auto_commit=False)
        try:
            partitions = [
                TopicPartition(feed.topic(self.settings.topic_prefix), partition)
                for feed in self.feeds.values()
                for partition in range(self.settings.kafka_partitions)
            ]
            ends = consumer.end_offsets(partitions)
        finally:
            consumer.close()
        return {(tp.topic, tp.partition): end for tp, end in ends.items() if end}

    def stored_positions(self) -> dict[tuple[str, int], int]:
        """Stored position of every partition of which anything was read."""
        with connect(self.settings, "owner", autocommit=True) as connection:
            rows = connection.execute("SELECT topic, partition, next_offset FROM stream_position WHERE next_offset > 0")
            return {(topic, partition): offset for topic, partition, offset in rows.fetchall()}

    def progress(self) -> int:
        """How many events are stored."""
        with connect(self.settings, "owner", autocommit=True) as connection:
            row = connection.execute("SELECT coalesce(sum(consumed), 0)::bigint FROM stream_batch").fetchone()
            assert row is not None
            return int(row[0])

    def waiting(self) -> int:
        """How many contributions wait to be folded."""
        with connect(self.settings, "owner", autocommit=True) as connection:
            row = connection.execute(
                "SELECT (SELECT count(*) FROM measure_delta) + (SELECT count(*) FROM member_delta)"
            ).fetchone()
            assert row is not None
            return int(row[0])

    def close(self) -> None:
        """End every process and thread of the run."""
        for service in self.services:
            if service.pid is not None:
                send_signal(service.pid, signal.SIGCONT)
            service.stop(timeout=0.0)
        self._producer.close(timeout=5)
        self.positions.stop()

    def _start(self, name: str, setting: str, port_field: str, *, kept: bool, **changes: object) -> Service:
        port = free_ports(1)[0]
        settings = self.settings.model_copy(update={port_field: port, **changes})
        endpoint = Endpoint(
            f"{name}-{len(self.services) + 1}",
            (str(Path(sys.executable).with_name("ioc")), name),
            Address("127.0.0.1", port, setting),
        )
        log = self._logs / f"{endpoint.name}.log"
        service = Service(endpoint, log, env=settings.to_environment(), restart=kept)
        self.services.append(service)
        self.addresses[endpoint.name] = f"127.0.0.1:{port}"
        service.start()
        return service


def pack(outgoing: Iterable[Outgoing], feeds: Mapping[str, Feed], prefix: str) -> list[OutgoingRecord]:
    """Events as Kafka records, one a feed and reporter; a single event travels alone."""
    packed: dict[tuple[str, str], list[object]] = defaultdict(list)
    for one in outgoing:
        packed[one.feed, one.reporter].append(one.event)
    letters: list[OutgoingRecord] = []
    for (feed, reporter), events in packed.items():
        encoded = [json.dumps(event, ensure_ascii=False).encode() for event in events]
        letters.append(record_of(feeds[feed].topic(prefix), reporter, encoded))
    return letters


def killed_itself(service: Service, timeout: float = 150.0) -> bool:
    """Wait for the end of a process; whether SIGKILL ended it."""
    begin = time.monotonic()
    status = service.wait(timeout)
    assert status is not None, f"{service.name} still runs after {time.monotonic() - begin:.0f} s\n{tail(service.log)}"
    return status == -signal.SIGKILL


def tail(log: Path, lines: int = 25) -> str:
    """The last lines of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""
