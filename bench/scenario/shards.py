"""The same events with one, two and four workers: does an event cost more when several processes share the work?"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import psycopg
from psycopg.rows import scalar_row

from bench.bed import Bed
from bench.drain import consumed, program, rolled_up, running, services, wait_for
from bench.processor import ProcessorTime, writer_sessions
from bench.site import Site, free_ports
from deploy.local.service import Service
from ioc.database.connection import connect
from ioc.errors import FatalError
from ioc.messaging.record import OutgoingRecord
from ioc.settings import Settings
from sql import load_queries

WORKERS = (1, 2, 4)


class Shards:
    """Processor time of an event of a province, and whether all figures are equal."""

    name = "shards"
    title = f"{', '.join(map(str, WORKERS))} workers"
    every_round = False

    def prepare(self, bed: Bed) -> None:
        """Nothing: topics are filled when the workers are ready, so that all of them take part from the start."""

    def measure(self, bed: Bed) -> Mapping[str, float]:
        measured, figures = {}, set()
        events, records = bed.province
        for workers in WORKERS:
            prefix = f"shards{workers}"
            bed.site.preload(prefix, ())
            with bed.site.fresh(topic_prefix=prefix) as settings:
                seconds, digest = _drain(bed.site, settings, workers, events, records)
            measured[f"shards_{workers}_cpu_us"] = seconds * 1e6 / events
            figures.add(digest)
        if len(figures) > 1:
            raise FatalError("the figures depend on how many workers there are")
        return measured


def _drain(
    site: Site, settings: Settings, workers: int, events: int, records: Sequence[OutgoingRecord]
) -> tuple[float, str]:
    """Return the processor seconds of a drain without those of starting, and a digest of all figures."""
    with ExitStack() as stack:
        owner = stack.enter_context(connect(settings, "owner", autocommit=True))
        started = stack.enter_context(services(settings, "worker", "rollup"))
        processes: list[Service] = list(started.values())
        for number in range(2, workers + 1):
            processes += stack.enter_context(_further_worker(settings, number)).values()
        for process in processes:
            process.wait_ready(120.0)
        processor = ProcessorTime()

        def look() -> bool:
            processor.sample((str(at), process.pid) for at, process in enumerate(processes))
            processor.sample(writer_sessions(owner))
            return True

        look()
        before = sum(processor.seconds.values())
        site.fill(settings.topic_prefix, records)
        wait_for(started["worker"], lambda: look() and consumed(owner) >= events, timeout=900.0)
        wait_for(started["rollup"], lambda: look() and rolled_up(owner), timeout=900.0)
        return sum(processor.seconds.values()) - before, _digest(owner)


def _further_worker(settings: Settings, number: int) -> AbstractContextManager[dict[str, Service]]:
    port = free_ports(1)[0]
    command = (Path(sys.executable).with_name("ioc"), "worker")
    return running([program(f"worker-{number}", command, port)], settings.model_copy(update={"worker_port": port}))


def _digest(owner: psycopg.Connection) -> str:
    cursor = owner.cursor(row_factory=scalar_row)
    return str(cursor.execute(load_queries("bench")["digest_of_figures"]).fetchone() or "")
