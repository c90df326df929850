"""A province as it is: a trickle over all feeds, by HTTP to the gateway, as far as the province's indicators.

What an event costs in processor time is compared with what the very same events cost when they wait in Kafka and are
drained in bulk.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from bench.bed import Bed
from bench.drain import consumed, program, running, services, wait_for
from bench.processor import ProcessorTime, writer_sessions
from bench.scenario.latency import quantile
from bench.site import free_ports
from deploy.local.service import Endpoint, Service
from ioc.database.connection import connect
from ioc.errors import FatalError
from ioc.feeds.feed import load_feeds
from ioc.settings import Settings
from sql import load_queries
from streams.proof.reconcile import reconcile

RATE = 1000.0
_WARM_UP = 8.0
_LOOK_SECONDS = 0.05
_QUIET_SECONDS = 1.5


@dataclass
class Measured:
    """One run of worker and roll-up: events, and what they took between two moments.

    seconds: processor time by name: `worker`, `rollup`, `database` (the sessions of both).
    sights:  what a reader saw twenty times a second: (time, newest committed batch, oldest contribution that waits).
    postponed: for how many seconds figures of earlier periods were postponed.
    """

    events: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    sights: list[tuple[float, datetime | None, datetime | None]] = field(default_factory=list)
    postponed: float = 0.0

    def microseconds(self, *names: str) -> float:
        """Return the processor time of an event, of the named or of all together."""
        return sum(self.seconds[name] for name in names or self.seconds) * 1e6 / max(self.events, 1)


class Live:
    """Processor time of an event beside bulk, and seconds from its acceptance to the commit and to the indicators."""

    name = "live"
    title = f"A trickle of {RATE:,.0f} events a second over all feeds"
    every_round = True

    def __init__(self) -> None:
        self._round = 0

    def prepare(self, bed: Bed) -> None:
        """Nothing: the topics have to be empty when the stream begins."""

    def measure(self, bed: Bed) -> Mapping[str, float]:
        self._round += 1
        prefix = f"live{self._round}"
        bed.site.preload(prefix, ())
        seconds = _WARM_UP + (20.0 if bed.quick else 60.0)
        with bed.site.fresh(topic_prefix=prefix) as settings:
            live = _trickle(settings, seconds)
            commits, visible = _latencies(settings, live)
            if self._round == 1:
                _require_proof(settings)
            events = _committed(settings)
        with bed.site.fresh(topic_prefix=prefix) as settings:
            bulk = _drain(settings, events)
        return {
            "live_events_s": live.events / (seconds - _WARM_UP),
            "live_cpu_us": live.microseconds(),
            "live_worker_us": live.microseconds("worker"),
            "live_rollup_us": live.microseconds("rollup"),
            "live_database_us": live.microseconds("database"),
            "live_bulk_cpu_us": bulk.microseconds(),
            "live_commit_p50_s": quantile(commits, 0.5),
            "live_commit_p99_s": quantile(commits, 0.99),
            "live_indicator_p50_s": quantile(visible, 0.5),
            "live_indicator_p99_s": quantile(visible, 0.99),
            "live_postponed_s": live.postponed,
        }


def _trickle(settings: Settings, seconds: float) -> Measured:
    """Run the whole path for so long; measure what comes after the warm-up."""
    simulator = _simulator(settings, seconds)
    with (
        services(settings, "gateway", "worker", "rollup") as started,
        connect(settings, "owner", autocommit=True) as reader,
    ):
        for service in started.values():
            service.wait_ready()
        look = _Lookout(reader, started["worker"], started["rollup"])
        with running([simulator], settings) as feeding:
            begin = time.monotonic()
            while time.monotonic() < begin + _WARM_UP:
                look.once()
                time.sleep(_LOOK_SECONDS)
            look.start()
            wait_for(
                started["worker"],
                lambda: look.once() and not feeding["simulate"].is_kept and look.is_quiet(_QUIET_SECONDS),
                timeout=seconds * 3 + 120,
                poll=_LOOK_SECONDS,
            )
        return look.end()


def _drain(settings: Settings, events: int) -> Measured:
    """Drain the same events where all of them wait; measure from the first commit on."""
    with (
        services(settings, "worker", "rollup") as started,
        connect(settings, "owner", autocommit=True) as reader,
    ):
        look = _Lookout(reader, started["worker"], started["rollup"])
        wait_for(started["worker"], lambda: consumed(reader) > 0, timeout=120.0, poll=_LOOK_SECONDS)
        look.start()
        wait_for(
            started["worker"],
            lambda: look.once() and consumed(reader) >= events and look.is_quiet(0.0),
            timeout=600.0,
            poll=_LOOK_SECONDS,
        )
        return look.end()


class _Lookout:
    """Looks at database and processes from time to time."""

    def __init__(self, reader: psycopg.Connection, worker: Service, rollup: Service) -> None:
        self._reader = reader
        self._services = {"worker": worker, "rollup": rollup}
        self._processor = ProcessorTime()
        self._query = load_queries("bench")["sight"]
        self._before: dict[str, float] = {}
        self._consumed = 0
        self._changed = time.monotonic()
        self._looked = time.monotonic()
        self._due = False
        self._postponed = 0.0
        self.sights: list[tuple[float, datetime | None, datetime | None]] = []

    def once(self) -> bool:
        """See how far the database has come; always true, so that it can stand in a condition."""
        row = self._reader.cursor(row_factory=dict_row).execute(self._query).fetchone()
        assert row is not None
        newest, oldest, now = row["newest"], row["oldest"], time.monotonic()
        self._due = row["postponed"]
        if oldest is not None or self._due or not self.sights or self.sights[-1][1] != newest:
            self._changed = now
        if self._due:
            self._postponed += now - self._looked
        self._looked = now
        self.sights.append((time.time(), newest, oldest))
        self._sample()
        return True

    def is_quiet(self, seconds: float) -> bool:
        """Whether nothing has waited or come for so long, and no figure is postponed."""
        return self.sights[-1][2] is None and not self._due and time.monotonic() - self._changed >= seconds

    def start(self) -> None:
        """Count from here."""
        self._sample()
        self._before = dict(self._processor.seconds)
        self._consumed = consumed(self._reader)

    def end(self) -> Measured:
        """Return what has been used since the start."""
        self._sample()
        used = {name: seconds - self._before.get(name, 0.0) for name, seconds in self._processor.seconds.items()}
        return Measured(consumed(self._reader) - self._consumed, used, self.sights, self._postponed)

    def _sample(self) -> None:
        self._processor.sample((name, service.pid) for name, service in self._services.items())
        self._processor.sample(writer_sessions(self._reader))


def _latencies(settings: Settings, live: Measured) -> tuple[list[float], list[float]]:
    """Return for each record how long after Kafka had it its commit came, and its indicators; both in order.

    A record is in the indicators when a reader has seen the batch that wrote it, and no contribution as old as it
    waits: figures are written by the transaction that takes contributions.
    """
    since = live.sights[0][0] + _WARM_UP
    commits, visible = [], []
    with connect(settings, "owner", autocommit=True) as owner:
        rows = owner.execute(_records_query(), {"since": since}).fetchall()
    index = 0
    for received, recorded, committed in sorted(rows, key=lambda row: row[2]):
        while index < len(live.sights) and not _shows(live.sights[index], recorded, committed):
            index += 1
        if index == len(live.sights):
            raise FatalError("a record was stored and never seen in the indicators")
        commits.append(committed.timestamp() - received)
        visible.append(live.sights[index][0] - received)
    return sorted(commits), sorted(visible)


def _shows(sight: tuple[float, datetime | None, datetime | None], recorded: datetime, committed: datetime) -> bool:
    _, newest, oldest = sight
    return newest is not None and newest >= committed and (oldest is None or oldest > recorded)


def _records_query() -> sql.Composed:
    one = sql.SQL(load_queries("bench")["record_latencies"])
    return sql.SQL(" UNION ALL ").join(
        one.format(table=sql.Identifier(feed.table), since=sql.Placeholder("since")) for feed in load_feeds().values()
    )


def _require_proof(settings: Settings) -> None:
    found = reconcile(settings, patience=10.0)
    if found.differences or found.waiting:
        raise FatalError(f"figures and records disagree after the trickle: {found.differences[:3]}")


def _committed(settings: Settings) -> int:
    with connect(settings, "reader", autocommit=True) as reader:
        return consumed(reader)


def _simulator(settings: Settings, seconds: float) -> Endpoint:
    command: Sequence[str | Path] = (
        Path(sys.executable).with_name("ioc"),
        *("simulate", "--seconds", str(seconds), "--rate", str(RATE), "--json"),
    )
    return program("simulate", command, free_ports(1)[0])
