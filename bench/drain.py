"""Draining a preloaded topic with the real processes, and what is read off afterwards: speed and memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from statistics import median

import psycopg
from psycopg.rows import scalar_row

from bench.memory import MemoryTrace
from deploy.local.process import Address, end_of
from deploy.local.service import Endpoint, Service, endpoints
from ioc.database.connection import connect
from ioc.errors import FatalError
from ioc.settings import Settings
from sql import load_queries

Curve = Sequence[tuple[float, int]]  # (time in seconds, things done until then), rising


@dataclass(frozen=True)
class Drained:
    """A finished drain: events a second between the first and the last commit, and the worker's memory in MiB."""

    rate: float
    curve: Curve
    memory: MemoryTrace


def rate_of(curve: Curve) -> float:
    """Return what was done a second after the first step; what came with the first step took an unknown time."""
    (start, before), (end, after) = curve[0], curve[-1]
    return (after - before) / max(end - start, 1e-9)


def cumulated(steps: Sequence[tuple[float, int]]) -> Curve:
    """Turn (time, how many at that time) into a curve."""
    return list(zip((at for at, _ in steps), accumulate(n for _, n in steps), strict=True))


@contextmanager
def services(settings: Settings, *names: str) -> Iterator[dict[str, Service]]:
    """Run services of the stack as processes of their own; each is stopped at the end and never started again."""
    known = {endpoint.name: endpoint for endpoint in endpoints(settings)}
    with running([known[name] for name in names], settings) as started:
        yield started


@contextmanager
def running(programs: Sequence[Endpoint], settings: Settings) -> Iterator[dict[str, Service]]:
    """Run programs that are stopped at the end; their output goes to the state directory's log."""
    log = settings.state_dir / "log"
    started = {
        program.name: Service(program, log / f"{program.name}.log", env=settings.to_environment(), restart=False)
        for program in programs
    }
    try:
        for service in started.values():
            service.start()
        yield started
    finally:
        for service in started.values():
            service.stop()


def program(name: str, argv: Sequence[str | Path], port: int) -> Endpoint:
    """Return a program that is no service of the stack; nothing asks whether it is ready."""
    return Endpoint(name, [str(argument) for argument in argv], Address("127.0.0.1", port, "another port"))


def wait_for(service: Service, done: Callable[[], bool], *, timeout: float, poll: float = 0.1) -> None:
    """Wait until `done`; FatalError when the service ends before, or `timeout` seconds pass."""
    deadline = time.monotonic() + timeout
    while not done():
        if not service.is_kept or time.monotonic() > deadline:
            raise FatalError(f"{service.name} did not finish its work. {end_of(service.log)}")
        time.sleep(poll)


def drain(settings: Settings, events: int, *, timeout: float = 600.0) -> Drained:
    """Run worker and roll-up until the worker has consumed `events` events of the preloaded topic."""
    with connect(settings, "reader", autocommit=True) as reader, services(settings, "worker", "rollup") as started:
        worker = started["worker"]
        trace = MemoryTrace()

        def done() -> bool:
            if worker.pid is not None:
                trace.sample(worker.pid)
            return consumed(reader) >= events

        wait_for(worker, done, timeout=timeout)
        curve = commit_curve(reader)
    return Drained(rate_of(curve), curve, trace)


def consumed(reader: psycopg.Connection) -> int:
    """Return how many events are committed."""
    return int(reader.cursor(row_factory=scalar_row).execute(load_queries("bench")["progress"]).fetchone() or 0)


def rolled_up(owner: psycopg.Connection) -> bool:
    """Whether no contribution waits to be folded."""
    row = owner.execute(load_queries("bench")["waiting"]).fetchone()
    return row == (False,)


def commit_curve(reader: psycopg.Connection) -> Curve:
    """Return the events committed over time."""
    return cumulated(reader.execute(load_queries("bench")["commits"]).fetchall())


def middle(values: Sequence[float]) -> float:
    """Return the median; 0 of nothing."""
    return median(values) if values else 0.0
