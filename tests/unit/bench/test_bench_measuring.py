"""The arithmetic of rates, latencies and memory, and the recording of a store's statements."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import psycopg
import pytest

from bench.drain import cumulated, rate_of
from bench.memory import MemoryTrace
from bench.processor import ProcessorTime
from bench.replay import RecordingConnection, play
from bench.scenario.latency import between, quantile
from ioc.errors import FatalError


def test_a_rate_counts_what_came_after_the_first_commit() -> None:
    assert rate_of(cumulated([(10.0, 500), (11.0, 100), (12.0, 300)])) == 200.0


def test_latency_is_the_way_between_two_curves() -> None:
    sent = [(0.0, 10), (1.0, 20), (2.0, 25)]
    seen = [(0.5, 4), (1.25, 20), (4.0, 25)]
    assert between(sent, seen, since=0.0) == [1.25] * 10 + [0.25] * 10 + [2.0] * 5
    assert between(sent, seen, since=1.0) == [0.25] * 10 + [2.0] * 5


def test_what_was_never_seen_is_an_error() -> None:
    with pytest.raises(FatalError, match="25 events were sent and 20 seen"):
        between([(0.0, 25)], [(1.0, 20)], since=0.0)


def test_quantiles() -> None:
    ordered = [float(n) for n in range(100)]
    assert (quantile(ordered, 0.5), quantile(ordered, 0.99), quantile([7.0], 0.99)) == (50.0, 99.0, 7.0)
    with pytest.raises(FatalError):
        quantile([], 0.5)


def test_memory_is_that_of_the_process() -> None:
    trace = MemoryTrace()
    trace.sample(os.getpid())
    assert 5 < trace.samples[0] <= trace.peak
    trace.sample(2**22 + 1)  # no such process
    assert len(trace.samples) == 1


def test_growth_compares_the_last_third_with_the_middle_one() -> None:
    trace = MemoryTrace()
    trace.samples = [10, 50, 90, 100, 100, 100, 110, 120, 130]
    assert trace.growth == 1.2


def test_processor_time_is_that_of_the_processes_and_stays_when_they_end() -> None:
    processor = ProcessorTime()
    child = subprocess.Popen([sys.executable, "-c", "sum(range(3_000_000)); input()"], stdin=subprocess.PIPE)
    try:
        while processor.seconds.get("child", 0.0) <= 0:
            processor.sample([("child", child.pid), ("nobody", None)])
    finally:
        child.communicate(b"\n")
    before = processor.seconds["child"]
    processor.sample([("child", child.pid), ("gone", 2**22 + 1)])
    assert processor.seconds == {"child": before}


class FakeConnection:
    """Notes everything that is sent."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.sent.append("begin")
        yield
        self.sent.append("commit")

    def execute(self, text: str, parameters: Any = None, **options: Any) -> FakeConnection:
        self.sent.append((text, parameters, options))
        return self

    description = None

    def cursor(self) -> FakeConnection:
        return self

    @contextmanager
    def copy(self, text: str) -> Iterator[FakeConnection]:
        self.sent.append(text)
        yield self

    def write(self, data: bytes) -> None:
        self.sent.append(data)


def test_a_recording_played_back_sends_the_same() -> None:
    first, second = FakeConnection(), FakeConnection()
    recording = RecordingConnection(cast(psycopg.Connection, first))
    for number in range(2):
        with recording.transaction():
            recording.execute("SELECT 1", [number], binary=True)
            with recording.cursor().copy("COPY t") as copy:
                copy.write(b"rows")
                copy.write(b"more")
    play(cast(psycopg.Connection, second), recording.transactions)
    assert second.sent == first.sent
    assert first.sent.count("commit") == 2
