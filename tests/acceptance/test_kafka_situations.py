"""What Kafka does to a log: holes, deletions, exchanges, more partitions. Each is passed and recorded, or told."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence

import httpx
import pytest
from aiokafka import AIOKafkaProducer
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType
from testbed.cut_log import cut_logs
from testbed.feed_event import HOTEL, LODGING_AGENCY, Event, invoice, place, report, stay
from testbed.foreign import named
from testbed.run import Run

from ioc.database.connection import connect
from ioc.feeds.event import CONTENT_TYPE_EVENT
from ioc.messaging.client import admin_client, client_options
from ioc.messaging.topic import create_topics
from streams.worker.acceptance import accept_positions, list_positions
from streams.worker.halt import Halts
from streams.worker.log_mark import LogMarks
from streams.worker.log_state import LogStates
from streams.worker.metrics import WorkerMetrics
from streams.worker.partition_watch import PartitionWatch

SELLER = "3590000407"
_HEADERS = [("content-type", CONTENT_TYPE_EVENT.encode())]


class Logs:
    """Topics of one run, written to by hand, a partition at a time."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.producer = KafkaProducer(**client_options(run.settings, 10.0), acks="all", linger_ms=0)

    def topic(self, feed: str) -> str:
        return self.run.feeds[feed].topic(self.run.settings.topic_prefix)

    def send(self, feed: str, events: Sequence[Event], partition: int = 0, **record: object) -> None:
        """Write single events, each a Kafka record."""
        send_by(self.producer, self.topic(feed), events, partition, **record)

    def configure(self, feed: str, **options: str) -> None:
        """Change a topic's configuration."""
        with admin_client(self.run.settings) as admin:
            named = {name.replace("_", "."): value for name, value in options.items()}
            admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, self.topic(feed), configs=named)])

    def end(self, feed: str, partition: int = 0) -> int:
        """End of a partition's log."""
        return self.run.log_ends().get((self.topic(feed), partition), 0)

    def position(self, feed: str, partition: int = 0) -> int:
        """The stored position."""
        return self.run.stored_positions().get((self.topic(feed), partition), 0)

    def wait_read(self, feed: str, partition: int = 0) -> None:
        """Wait until a partition is read to its end."""
        self.run.wait_for(lambda: self.position(feed, partition) == self.end(feed, partition), f"{feed} is read", 60)

    def gaps(self, feed: str) -> list[tuple[int, int, int, str]]:
        """(partition, from, to, kind) of what was passed."""
        return self.rows(
            "SELECT partition, from_offset, to_offset, kind FROM stream_gap WHERE topic = %s ORDER BY 1, 2",
            self.topic(feed),
        )

    def rows(self, statement: str, *parameters: object) -> list[tuple]:  # type: ignore[type-arg]  # of any query
        """Rows of a query."""
        with connect(self.run.settings, "owner", autocommit=True) as connection:
            return connection.execute(statement, parameters).fetchall()  # type: ignore[arg-type]

    def stored(self, table: str) -> int:
        """How many records stand."""
        return int(self.rows(f"SELECT count(*) FROM {table}")[0][0])


def send_by(producer: KafkaProducer, topic: str, events: Sequence[Event], partition: int, **record: object) -> None:
    futures = [
        producer.send(topic, value=json.dumps(event).encode(), partition=partition, headers=_HEADERS, **record)
        for event in events
    ]
    producer.flush(15)
    for future in futures:
        future.get(timeout=15)


def one_by_one(logs: Logs, feed: str, events: Sequence[Event]) -> None:
    """Write events to partition 0, each in a batch of its own, so that the log can be cut between any two."""
    for event in events:
        logs.send(feed, [event])


def stays(start: int, count: int) -> list[Event]:
    return [stay(guest=guest) for guest in range(start, start + count)]


def in_transactions(logs: Logs, feed: str, *parts: tuple[Sequence[Event], bool]) -> None:
    """Write events in transactions that are committed (True) or taken back."""
    producer = KafkaProducer(
        **client_options(logs.run.settings, 10.0), transactional_id=logs.topic(feed), acks="all", linger_ms=0
    )
    producer.init_transactions()
    for events, kept in parts:
        producer.begin_transaction()
        send_by(producer, logs.topic(feed), events, 0)
        if kept:
            producer.commit_transaction()
        else:
            producer.abort_transaction()
    producer.close(timeout=10)


def compacted(logs: Logs, feed: str, events: Sequence[Event]) -> None:
    """Write events under one key, and wait until Kafka has removed all but the last of them."""
    logs.configure(
        feed,
        cleanup_policy="compact",
        segment_ms="100",
        min_cleanable_dirty_ratio="0.001",
        max_compaction_lag_ms="100",
        delete_retention_ms="0",
    )
    logs.send(feed, events, key=b"one")
    time.sleep(0.3)
    logs.send(feed, [{"a new": "segment"}], key=b"other")
    consumer = KafkaConsumer(**client_options(logs.run.settings, 10.0), enable_auto_commit=False)
    partition = TopicPartition(logs.topic(feed), 0)
    consumer.assign([partition])
    try:
        _until(lambda: _offsets(consumer, partition) <= [len(events) - 1, len(events)], "Kafka compacts the log", 90)
    finally:
        consumer.close()


def _offsets(consumer: KafkaConsumer, partition: TopicPartition) -> list[int]:
    consumer.seek_to_beginning(partition)
    found: list[int] = []
    while consumer.position(partition) < consumer.end_offsets([partition])[partition]:
        for records in consumer.poll(timeout_ms=500).values():
            found += [record.offset for record in records]
    return found if len(found) <= 2 else [len(found) + 10**6]


def _until(happened: Callable[[], bool], what: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, what
        time.sleep(0.5)


@pytest.mark.timeout(400)
def test_logs_that_changed_while_nobody_read(run: Run) -> None:
    logs = Logs(run)
    # Transactions: markers behind each, events that were taken back, and a marker at the log's very end.
    in_transactions(logs, "tourism.stay", (stays(0, 3), True), (stays(100, 2), False), (stays(3, 2), True))
    # Emptied by retention.
    logs.send("tourism.daily_report", [report(HOTEL, f"2024-10-{day:02}") for day in range(1, 8)])
    with admin_client(run.settings) as admin:
        admin.delete_records({TopicPartition(logs.topic("tourism.daily_report"), 0): 7})
    # A producer that writes its time in microseconds.
    logs.configure(
        "registry.reporter", message_timestamp_type="CreateTime", message_timestamp_after_max_ms=str(2**63 - 1)
    )
    opened = [place(f"77-747-0{number:03}", "2020-01-01") for number in range(1, 4)]
    logs.send("registry.reporter", opened, key=LODGING_AGENCY.encode(), timestamp_ms=1_730_000_000_000_000)
    # Compaction.
    compacted(logs, "tax.einvoice", [invoice(SELLER, number) for number in range(1, 11)])
    # A log that was cut below the position.
    logs.send("tourism.stay", stays(200, 4), partition=1)
    logs.rows(
        "INSERT INTO stream_position (topic, partition, next_offset) VALUES (%s, 1, 50) RETURNING 1",
        logs.topic("tourism.stay"),
    )
    worker = run.worker(kept=True, worker_stall_timeout=30)
    for feed in ("tourism.stay", "tourism.daily_report", "registry.reporter", "tax.einvoice"):
        logs.wait_read(feed)
    run.wait_for(lambda: bool(logs.rows("SELECT 1 FROM stream_halt")), "the cut log is halted")
    assert logs.stored("tourism_stay") == 5
    # Markers at offsets 3, 6 and 9, and the two events taken back between them; at the end, the last marker.
    skipped = [(start, end) for _, start, end, kind in logs.gaps("tourism.stay") if kind == "skipped"]
    assert sum(end - start for start, end in skipped) + 5 <= 10
    assert skipped[-1][1] == logs.end("tourism.stay") == 10
    assert logs.gaps("tourism.daily_report") == [(0, 0, 7, "deleted")]
    assert logs.stored("registry_reporter") == 3
    assert logs.rows("SELECT count(*) FROM registry_reporter WHERE received_at > now() + interval '1 hour'") == [(0,)]
    assert logs.stored("tax_einvoice") == 1
    assert (0, 0, 9, "skipped") in logs.gaps("tax.einvoice")
    halted = [row for row in list_positions(run.settings, run.feeds.values()) if row["halted"]]
    assert [(row["topic"], row["partition"], row["halted"], row["position"], row["log_end"]) for row in halted] == [
        (logs.topic("tourism.stay"), 1, "truncated", 50, 4)
    ]
    # Longer than the watchdog's patience: neither the halted partition nor a marker at the end looks like a stall.
    time.sleep(40)
    assert worker.starts == 1
    accept_positions(run.settings, logs.topic("tourism.stay"), None, "start")
    logs.wait_read("tourism.stay", 1)
    assert logs.stored("tourism_stay") == 9
    assert (1, 50, 0, "truncated") in logs.gaps("tourism.stay")


@pytest.mark.timeout(400)
def test_a_topic_that_is_made_again_under_a_running_worker(run: Run) -> None:
    """Its feed is halted, the others go on; once an operator has looked, everything that it holds is read."""
    logs = Logs(run)
    worker = run.worker(kept=True)
    logs.send("tourism.stay", stays(0, 30))
    logs.wait_read("tourism.stay")
    with admin_client(run.settings) as admin:
        admin.delete_topics([logs.topic("tourism.stay")])
        _until(lambda: logs.topic("tourism.stay") not in admin.list_topics(), "the topic is gone", 30)
    create_topics(run.settings, run.feeds)
    logs = Logs(run)  # a client that knows nothing of the old topic
    logs.send("tourism.stay", stays(1000, 45))
    run.wait_for(lambda: bool(logs.rows("SELECT 1 FROM stream_halt")), "the new topic is found", 60)
    assert worker.starts == 1
    logs.send("tourism.daily_report", [report(HOTEL, "2024-10-05")])
    logs.wait_read("tourism.daily_report")
    assert logs.rows("SELECT kind, position FROM stream_halt") == [("remade", 30)]
    accept_positions(run.settings, logs.topic("tourism.stay"), [0], "start")
    run.wait_for(lambda: worker.starts == 2, "the worker starts again", 60)
    logs.wait_read("tourism.stay")
    assert logs.stored("tourism_stay") == 75
    assert logs.rows("SELECT 1 FROM stream_halt") == []


@pytest.mark.timeout(400)
def test_a_log_that_was_cut_and_has_grown_past_its_position(run: Run) -> None:
    """Under a running worker, and while none runs: it is found by the records that were stored, others go on."""
    logs = Logs(run)
    topic = logs.topic("tourism.stay")
    worker = run.worker(kept=True)
    one_by_one(logs, "tourism.stay", stays(0, 10))
    logs.send("tourism.daily_report", [report(HOTEL, "2024-10-05")])
    for feed in ("tourism.stay", "tourism.daily_report"):
        logs.wait_read(feed)
    cut_logs(run.stack, run.settings, topic, keep=6)
    logs = Logs(run)
    one_by_one(logs, "tourism.stay", stays(1000, 10))
    assert logs.end("tourism.stay") == 16
    run.wait_for(lambda: bool(logs.rows("SELECT 1 FROM stream_halt")), "the cut is found", 90)
    assert logs.rows("SELECT topic, partition, kind FROM stream_halt") == [(topic, 0, "truncated")]
    logs.send("tourism.daily_report", [report(HOTEL, "2024-10-06")])
    logs.wait_read("tourism.daily_report")
    accept_positions(run.settings, topic, None, "start")
    run.wait_for(lambda: worker.starts == 2, "the worker starts again", 60)
    logs.wait_read("tourism.stay")
    assert logs.stored("tourism_stay") == 20
    worker.stop()
    cut_logs(run.stack, run.settings, topic, keep=12)
    logs = Logs(run)
    one_by_one(logs, "tourism.stay", stays(2000, 10))
    run.worker(kept=True)
    run.wait_for(lambda: bool(logs.rows("SELECT 1 FROM stream_halt")), "the cut is found at the start", 90)
    assert logs.stored("tourism_stay") == 20, "nothing of another log is stored"
    accept_positions(run.settings, topic, None, "start")
    run.wait_for(lambda: logs.stored("tourism_stay") == 30, "all that the log holds is stored", 90)
    assert logs.rows("SELECT 1 FROM stream_halt") == []


@pytest.mark.timeout(400)
def test_partitions_that_are_added_are_read_and_count_as_lag_before(run: Run) -> None:
    logs = Logs(run)
    worker = run.worker(kept=True)
    worker.wait_ready()
    more = 2 * run.settings.kafka_partitions
    with admin_client(run.settings) as admin:
        admin.create_partitions({logs.topic("tourism.stay"): more})
    _until(lambda: _has_partition(logs, more - 1), "the partitions are there", 30)
    logs = Logs(run)
    logs.send("tourism.stay", stays(0, 20), partition=more - 1)
    lags: list[float] = []

    def lag() -> bool:
        lags.append(_lag(run.addresses[worker.name], logs.topic("tourism.stay"), more - 1))
        return logs.rows(
            "SELECT next_offset FROM stream_position WHERE topic = %s AND partition = %s",
            logs.topic("tourism.stay"),
            more - 1,
        ) == [(20,)]

    run.wait_for(lag, "the new partition is read", 90)
    # 20 where the watch looked before the partition was given to a worker: the next test shows that by itself.
    assert max(lags) in (0.0, 20.0)
    assert logs.stored("tourism_stay") == 20
    assert worker.starts == 1


@pytest.mark.timeout(120)
def test_a_partition_that_no_worker_has_is_part_of_the_lag(run: Run) -> None:
    """One has been given to nobody and has no position, one a position and nobody; the third is this worker's."""
    logs = Logs(run)
    topic = logs.topic("tourism.stay")
    logs.send("tourism.stay", stays(0, 20), partition=0)
    logs.send("tourism.stay", stays(20, 7), partition=1)
    with connect(run.settings, "writer", autocommit=True) as connection:
        connection.execute("INSERT INTO stream_position (topic, partition, next_offset) VALUES (%s, 1, 4)", [topic])
    metrics = WorkerMetrics()
    for own in (set[tuple[str, int]](), {(topic, 0)}):
        watch = PartitionWatch(
            run.settings,
            [topic],
            assigned=lambda own=own: own,
            halts=Halts(),
            marks=LogMarks(),
            log_starts={},
            metrics=metrics,
        )
        # Only its own may end the worker as stalled; the lag holds all.
        assert watch.look() == dict.fromkeys(own, 20)
        lag = [metrics.registry.get_sample_value("ioc_lag_records", {"topic": topic, "partition": n}) for n in "01"]
        assert lag == [20, 3]


@pytest.mark.timeout(120)
def test_what_clients_of_other_languages_write_is_read(run: Run) -> None:
    """Header names that are no UTF-8, headers without a value, every compression: one of them shut a feed for good."""
    logs = Logs(run)
    worker = run.worker(kept=True)
    worker.wait_ready()
    topic = logs.topic("tourism.stay")
    events = [json.dumps(event).encode() for event in stays(0, 5)]
    name = named(b"\xff\xfecontent-type")
    unvalued = [("content-type", None), ("ce_id", None)]
    logs.producer.send(topic, value=events[0], partition=0, headers=[(name, b"x"), *_HEADERS]).get(15)

    async def write() -> None:
        for value, compression in zip(events[1:], ("gzip", "snappy", "lz4", "zstd"), strict=True):
            producer = AIOKafkaProducer(
                bootstrap_servers=run.settings.kafka_bootstrap, compression_type=compression, acks="all"
            )
            async with producer:
                await producer.send_and_wait(topic, value, partition=0, headers=unvalued)

    asyncio.run(write())
    run.wait_for(lambda: logs.stored("tourism_stay") == 5, "all are stored", 60)
    # kafka-python reads them too: receipts, control totals and the marks of a log rest on it.
    assert len(LogStates(run.settings).marks((topic, 0), range(5))) == 5
    assert worker.starts == 1


def _has_partition(logs: Logs, number: int) -> bool:
    with admin_client(logs.run.settings) as admin:
        (described,) = admin.describe_topics([logs.topic("tourism.stay")])
    return len(described["partitions"]) > number


def _lag(address: str, topic: str, partition: int) -> float:
    text = httpx.get(f"http://{address}/metrics", timeout=5, trust_env=False).text
    wanted = f'ioc_lag_records{{partition="{partition}",topic="{topic}"}}'
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(wanted))
