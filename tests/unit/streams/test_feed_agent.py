"""The agent's loop over fakes: order, what is acknowledged and when, what ends it, what gathers meanwhile."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from structlog.testing import capture_logs

from ioc.errors import (
    CatalogueChangedError,
    ConcurrentWriteError,
    DatabaseUnavailableError,
    PositionGapError,
    UnstorableError,
)
from ioc.faultpoint import FaultPoint, no_fault
from streams.rules.batch import Fetched, ParsedBatch
from streams.rules.raw import Payloads
from streams.rules.span import BatchCounts
from streams.worker import agent as agent_module
from streams.worker.agent import FeedAgent, Work, Writer
from streams.worker.commit import JointCommit
from streams.worker.halt import Halts
from streams.worker.log_mark import LogMarks
from streams.worker.metrics import WorkerMetrics

SECONDS = 60.0  # a bound, not a measure: on two full cores a log entry with its traceback alone takes seconds


class FakeParser:
    """Notes what it parses."""

    def __init__(self) -> None:
        self.parsed: list[int] = []

    def parse_together(self, fetches: Sequence[Fetched], *, now: datetime) -> list[ParsedBatch]:
        return [self.parse(one.topic, one.partition, one.records, now=now) for one in fetches]

    def parse(self, topic: str, partition: int, records: Sequence[Any], *, now: datetime) -> ParsedBatch:
        self.parsed.append(records[0])
        return ParsedBatch(
            topic=topic,
            partition=partition,
            begins_at=records[0],
            first_offset=records[0],
            next_offset=records[-1] + 1,
            oldest_received_at=now,
            newest_received_at=now,
            events=pl.DataFrame({"record_offset": list(records)}),
            rejections=(),
            consumed=dict.fromkeys(records, 1),
            payloads=Payloads([]),
        )


@dataclass
class FakeStore:
    """Notes what it applies; fails as often as `failures` say; waits for `gate`."""

    failures: list[Exception] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    applied: list[list[int]] = field(default_factory=list)
    attempts: int = 0

    def apply(
        self, connection: Any, batches: Sequence[ParsedBatch], *, log_start: Any, keep: bool = True
    ) -> BatchCounts:
        assert self.gate.wait(SECONDS)
        self.attempts += 1
        if self.failures:
            raise self.failures.pop(0)
        self.applied.append([batch.first_offset for batch in batches])
        consumed = sum(sum(batch.consumed.values()) for batch in batches)
        return BatchCounts(consumed=consumed, accepted=consumed)


class FakeConnection:
    closed = False

    def close(self) -> None:
        self.closed = True


class Record(int):
    """A Kafka record of which only the offset matters, and that it is large enough to be parsed without waiting."""

    value = bytes(512 * 1024)


class Event:
    """A fetch as Faust hands it over; notes in `log` when it is acknowledged."""

    def __init__(self, offsets: Sequence[int], log: list[int], partition: int = 0) -> None:
        fetch = SimpleNamespace(records=[Record(offset) for offset in offsets], begins_at=offsets[0] if offsets else 0)
        self.message = SimpleNamespace(topic="t", partition=partition, value=fetch)
        self._log = log

    def ack(self) -> None:
        self._log.append(self.message.value.records[0])


@dataclass
class Bed:
    """An agent over fakes."""

    store: FakeStore = field(default_factory=FakeStore)
    parser: FakeParser = field(default_factory=FakeParser)
    connections: list[FakeConnection] = field(default_factory=list)
    acknowledged: list[int] = field(default_factory=list)
    metrics: WorkerMetrics = field(default_factory=WorkerMetrics)
    halts: Halts = field(default_factory=Halts)
    fault: FaultPoint = no_fault
    patience: float = SECONDS
    restarts: list[float] = field(default_factory=list)

    def connect(self) -> Any:
        self.connections.append(FakeConnection())
        return self.connections[-1]

    def together(self, work: Sequence[Any]) -> list[BatchCounts]:
        raise AssertionError("one feed alone has nobody to share a transaction with")

    async def run(self, offsets: Sequence[Sequence[int]], until: Callable[[], bool] | None) -> None:
        """Feed fetches to an agent; the stream ends once `until` holds, and never without it."""

        async def stream() -> AsyncIterator[Event]:
            for one in offsets:
                yield Event(one, self.acknowledged)
            while until is None or not until():  # noqa: ASYNC110 - any condition, not one event
                await asyncio.sleep(0.005)

        with ThreadPoolExecutor(1) as parse_pool, ThreadPoolExecutor(1) as apply_pool:
            work = Work("tourism.stay", self.parser, self.store)  # type: ignore[arg-type]  # fakes of both
            agent = FeedAgent(
                work,
                Writer(self.connect),
                parse_pool=parse_pool,
                commit=JointCommit(apply_pool, self.together, most_events=4),
                metrics=self.metrics,
                log_start=lambda *_: 0,
                halts=self.halts,
                marks=LogMarks(),
                patience=self.patience,
                most_events=4,
                restart=lambda: self.restarts.append(time.monotonic()),
                fault=self.fault,
            )
            running = asyncio.create_task(agent.run(stream()))
            try:
                await asyncio.wait({running}, timeout=SECONDS)
                ended = running.done()
            finally:
                running.cancel()
                self.store.gate.set()
                await asyncio.wait({running})
            assert ended, f"the agent still runs after {SECONDS:.0f} s"
            running.result()

    def count(self, name: str) -> float:
        value = self.metrics.registry.get_sample_value(name, {"feed": "tourism.stay"})
        return 0.0 if value is None else value


def test_everything_is_applied_in_order_and_acknowledged_after() -> None:
    bed = Bed()
    bed.store.gate.set()
    fetches = [[0, 1], [2], [3, 4, 5], [6]]
    asyncio.run(bed.run(fetches, lambda: len(bed.acknowledged) == 4))
    assert [offset for group in bed.store.applied for offset in group] == [0, 2, 3, 6]
    assert bed.acknowledged == [0, 2, 3, 6]
    assert bed.count("ioc_events_consumed_total") == 7


def test_nothing_is_acknowledged_before_it_is_applied() -> None:
    """While the store works, later fetches are parsed, and wait."""
    bed = Bed()
    seen: list[list[int]] = []

    def until() -> bool:
        if len(bed.parser.parsed) == 3 and not bed.store.gate.is_set():
            seen.append(list(bed.acknowledged))
            bed.store.gate.set()
        return len(bed.acknowledged) == 3

    asyncio.run(bed.run([[0], [1], [2]], until))
    assert seen == [[]]
    # What gathered before the first was parsed, or while it was written, went into one transaction.
    assert [offset for group in bed.store.applied for offset in group] == [0, 1, 2]
    assert len(bed.store.applied) <= 2


def test_another_edition_restarts_the_process_and_nothing_is_acknowledged() -> None:
    """It is planned: told at level info, no error; what was fetched is left to the successor."""
    bed = Bed()
    bed.store.gate.set()
    bed.store.failures = [CatalogueChangedError("tourism.stay: reporters have changed")]
    with capture_logs() as told:
        asyncio.run(bed.run([[0], [1]], lambda: bool(bed.restarts)))
    assert (len(bed.restarts), bed.store.attempts, bed.acknowledged) == (1, 1, [])
    assert [(one["event"], one["log_level"]) for one in told] == [("planned restart", "info")]


def test_what_gathers_is_bounded() -> None:
    """At most four events a transaction, but a fetch is never cut."""
    bed = Bed()
    opening = threading.Timer(0.3, bed.store.gate.set)
    opening.start()
    fetches = [[0, 1], [2, 3], [4, 5, 6, 7, 8], [9], [10, 11], [12, 13]]
    asyncio.run(bed.run(fetches, lambda: len(bed.acknowledged) == 6))
    opening.join()
    assert bed.store.applied == [[0], [2], [4], [9, 10], [12]]


def test_the_stream_is_not_read_on_while_too_much_waits() -> None:
    bed = Bed()

    async def stuck() -> int:
        running = asyncio.create_task(bed.run([[2 * n, 2 * n + 1] for n in range(20)], None))
        await asyncio.sleep(0.3)
        read = len(bed.parser.parsed)
        bed.store.gate.set()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return read

    # One with the store, four in waiting, one that does not find room.
    assert asyncio.run(stuck()) == 6


def test_a_failure_that_may_pass_is_tried_again_on_a_new_connection() -> None:
    bed = Bed()
    bed.store.gate.set()
    bed.store.failures = [DatabaseUnavailableError("away")]
    asyncio.run(bed.run([[0]], lambda: bed.acknowledged == [0]))
    assert bed.store.attempts == 2
    assert [connection.closed for connection in bed.connections] == [True, False]
    assert bed.count("ioc_batch_retries_total") == 1


def test_a_failure_that_cannot_pass_ends_the_agent_even_when_nothing_more_arrives() -> None:
    bed = Bed()
    bed.store.gate.set()
    bed.store.failures = [PositionGapError("gap")]
    with pytest.raises(PositionGapError):
        asyncio.run(bed.run([[0]], None))
    assert bed.acknowledged == []
    assert bed.store.attempts == 1


def test_patience_ends() -> None:
    bed = Bed(patience=0.0)
    bed.store.gate.set()
    bed.store.failures = [DatabaseUnavailableError("away")] * 9
    with pytest.raises(DatabaseUnavailableError):
        asyncio.run(bed.run([[0]], None))
    assert bed.acknowledged == []


def test_a_feed_that_fails_is_halted_and_read_past() -> None:
    """Its topic's messages are taken off the stream, so that those of other feeds behind them are not held up."""
    bed = Bed()
    bed.store.gate.set()
    bed.store.failures = [KeyError("a mistake of ours")]
    asyncio.run(bed.run([[0], [1], [2]], lambda: bool(bed.halts.topics)))
    assert set(bed.halts.topics) == {"t"}
    assert bed.store.applied == []


def test_an_error_in_parsing_halts_the_feed_too() -> None:
    bed = Bed()
    bed.store.gate.set()
    asyncio.run(bed.run([[]], lambda: bool(bed.halts.topics)))
    assert bed.acknowledged == []


def test_of_a_halted_partition_nothing_is_applied() -> None:
    bed = Bed()
    bed.store.gate.set()
    bed.halts.halt(("t", 0), "remade")
    asyncio.run(bed.run([[0], [1]], lambda: bed.acknowledged == [0, 1]))
    assert bed.store.applied == [] and bed.parser.parsed == []


def test_what_fails_on_data_is_cut_and_the_rest_is_applied() -> None:
    bed = Bed()
    bed.store.gate.set()
    bed.store.failures = [UnstorableError("out of range")]
    asyncio.run(bed.run([[0, 1, 2]], lambda: bed.acknowledged == [0]))
    assert bed.store.applied == [[0], [1]]


def test_a_conflict_that_never_ends_counts_as_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_module, "_MOST_CONFLICTS", 2)
    bed = Bed()
    bed.store.gate.set()
    bed.store.failures = [ConcurrentWriteError("the same rows")] * 2
    asyncio.run(bed.run([[0, 1]], lambda: bed.acknowledged == [0]))
    assert bed.store.applied == [[0], [1]]


def test_an_agent_that_is_cancelled_ends_as_cancelled() -> None:
    bed = Bed()

    async def cancelled() -> None:
        running = asyncio.create_task(bed.run([[0]], None))
        await asyncio.sleep(0.1)
        running.cancel()
        bed.store.gate.set()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(cancelled())
    assert bed.acknowledged == []


def test_the_points_are_passed_in_their_order() -> None:
    points: list[str] = []
    bed = Bed(fault=points.append)
    bed.store.gate.set()
    asyncio.run(bed.run([[0]], lambda: bed.acknowledged == [0]))
    assert points == ["after_fetch", "before_ack"]


def test_metrics_tell_an_account_that_does_not_balance() -> None:
    metrics = WorkerMetrics()
    timings = {"parse_s": 0.0, "apply_s": 0.0, "visible_s": 0.0}
    metrics.batch("f", BatchCounts(consumed=3, accepted=1, rejected=1, duplicate=1), **timings)
    assert metrics.registry.get_sample_value("ioc_batches_unbalanced_total", {"feed": "f"}) is None
    metrics.batch("f", BatchCounts(consumed=3, accepted=1), **timings)
    assert metrics.registry.get_sample_value("ioc_batches_unbalanced_total", {"feed": "f"}) == 1
