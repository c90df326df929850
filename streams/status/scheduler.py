"""`ioc scheduler`: statuses and incidents every few seconds, quality every minute, the proof window by window, digests.

One process at a time in a database; another one waits for its lock and takes over.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta

import psycopg
import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from ioc.database.connection import connect, translated_errors
from ioc.errors import KafkaUnavailableError, RetryableError
from ioc.feeds.feed import load_feeds
from ioc.logging import configure_logging
from ioc.notification.sending import address_book, open_channels
from ioc.province.profile import load_profile
from ioc.province.store import check_province
from ioc.settings import Settings
from ioc.stop_signal import stop_event
from sql import load_queries
from streams.change.relay import ChangeRelay
from streams.process.health import HealthServer
from streams.quality.control import take_control_totals
from streams.rules.incident import Finding
from streams.rules.wording import Bilingual
from streams.status.digest_job import DigestJob, OutboxThread
from streams.status.job import Job, State, run_due
from streams.status.outage import Outage
from streams.status.overseer import Overseer
from streams.status.probe import Probe
from streams.status.quality_job import QualityJob
from streams.status.reconcile_job import ReconcileJob
from streams.status.slow_jobs import SlowJobs
from streams.status.snapshot_job import SnapshotJob

log = structlog.get_logger(__name__)

_LONGEST_PAUSE = 10.0
_OUTAGE_TOLD = timedelta(seconds=60)  # a restart of the database is no incident


def utc_now() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)


class SchedulerMetrics:
    """What the process shows on `/metrics`, over all its connections to the database."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.looks = Counter("ioc_status_looks_total", "Looks at statuses and incidents", registry=registry)
        self.rows = Counter("ioc_status_rows_total", "Statuses written", registry=registry)
        self.changes = Counter("ioc_figure_changes_total", "Changed figures told on Kafka", registry=registry)
        self.last = Gauge("ioc_last_look_timestamp_seconds", "When the last look ended", registry=registry)


class Scheduler:
    """The jobs over one connection of its role, in autocommit mode; slow ones have a thread and another one."""

    def __init__(
        self,
        settings: Settings,
        connection: psycopg.Connection,
        probe: Probe,
        metrics: SchedulerMetrics,
        away_since: datetime | None = None,
    ) -> None:
        """
        away_since: since when the database had not answered before this connection; it is told as an outage.
        """
        feeds = load_feeds()
        profile = load_profile(settings.profile)
        check_province(connection, settings, profile)
        self.channels = open_channels(settings)
        self._settings = settings
        self._connection = connection
        self._probe = probe
        self._away_since = away_since
        self._overseer = Overseer(connection, settings, profile, feeds)
        self._metrics = metrics
        quality = QualityJob(connection, settings, self._overseer.status, feeds)
        self._slow = connect(settings, "scheduler", autocommit=True)
        proof = ReconcileJob(
            self._slow, profile.areas, feeds, self._overseer.status.sectors, self._overseer.status.zone
        )
        catalogue = self._overseer.status.editions.live
        owners = {owner for one in catalogue.indicators.values() for owner in (one.owner, *one.owner.split("; "))}
        self.book = address_book(settings, tuple(catalogue.slots), owners)
        digest = DigestJob(connection, self._overseer.status, self.book, self.channels)
        self._relay = ChangeRelay(settings, connection, profile.timezone)
        self._sources: tuple[Callable[[datetime], list[Finding]], ...] = (quality.findings, proof.findings)
        self.jobs = [
            Job("status", timedelta(seconds=settings.scheduler_interval), self._look),
            Job("control_totals", timedelta(minutes=1), self._take_totals),
            Job("figure_changes", timedelta(seconds=settings.figure_change_interval), self._relay_changes),
            Job("quality", timedelta(minutes=1), quality.run),
            Job("digest", timedelta(minutes=1), digest.run),
        ]
        snapshot = SnapshotJob(self._slow, self._overseer.status.zone)
        slow = [
            Job("snapshot", timedelta(minutes=1), snapshot.run),
            Job("reconcile", timedelta(minutes=settings.reconcile_minutes), proof.run),
        ]
        self.slow_jobs = SlowJobs(self._slow, slow, utc_now)

    def run_due(self, clock: Callable[[], datetime] = utc_now) -> list[str]:
        """Run what is due; raises what ended the thread of the slow jobs."""
        self.slow_jobs.check()
        with translated_errors():
            return run_due(self._connection, self.jobs, clock)

    def _take_totals(self, now: datetime, state: State) -> State:
        """Take what reporters say they have sent before it is compared; while Kafka is away, its outage is told."""
        try:
            return {"taken": take_control_totals(self._settings, "scheduler")}
        except KafkaUnavailableError as error:
            log.warning("control totals are not taken", error=str(error))
            return state

    def _relay_changes(self, now: datetime, state: State) -> State:
        """Tell others which figures have changed; while Kafka is away they wait in the database."""
        try:
            relayed = self._relay.run(now)
        except KafkaUnavailableError as error:
            self._relay.close()
            log.warning("changed figures are not relayed", error=str(error))
            return state
        self._metrics.changes.inc(relayed.sent)
        return {"cells": relayed.cells, "sent": relayed.sent}

    def close(self) -> None:
        """Close what it has opened; the connection is the caller's."""
        self._relay.close()
        self._slow.close()

    def _look(self, now: datetime, state: State) -> State:
        outages = self._probe.outages(self._connection, now)
        if self._away_since is not None:
            # Nothing could be written while it lasted: it is told once it is over, and only if it lasted.
            if now - self._away_since >= _OUTAGE_TOLD:
                text = Bilingual("cơ sở dữ liệu không trả lời", "the database did not answer")
                outages.append(Outage("database", text, self._away_since, {"until": now.isoformat()}))
            else:
                self._away_since = None
        measured = [finding for source in self._sources for finding in source(now)]
        look = self._overseer.look(now, outages=outages, measured=measured)
        if self._away_since is not None and (look.moved.opened or look.moved.reopened):
            self._away_since = None
        self._metrics.looks.inc()
        self._metrics.rows.inc(look.passed.written.rows)
        self._metrics.last.set_to_current_time()
        moved = {name: count for name, count in vars(look.moved).items() if count}
        if moved:
            log.info("incidents", **moved)
        return {"rows": look.passed.written.rows}


def run_scheduler(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT; reconnects while the database is away."""
    configure_logging(settings)
    registry = CollectorRegistry()
    stopped, ready = stop_event(), threading.Event()
    health = HealthServer(settings.scheduler_port, registry, ready.is_set)
    health.start()
    probe = Probe(settings, load_feeds())
    pause = settings.scheduler_interval
    away_since: datetime | None = None
    metrics = SchedulerMetrics(registry)
    try:
        while not stopped.is_set():
            try:
                with connect(settings, "scheduler", autocommit=True) as connection:
                    if not _is_alone(connection):
                        ready.set()  # waiting for the other one is what it is for
                        stopped.wait(settings.scheduler_interval)
                        continue
                    scheduler = Scheduler(settings, connection, probe, metrics, away_since)
                    away_since = None
                    ready.set()
                    log.info("the scheduler has begun")
                    pause = settings.scheduler_interval
                    outbox = OutboxThread(settings, scheduler.book, scheduler.channels, utc_now)
                    with closing(scheduler), outbox, scheduler.slow_jobs:
                        while not stopped.is_set():
                            scheduler.run_due()
                            stopped.wait(min(settings.scheduler_interval, 1.0))
            except RetryableError as error:
                ready.clear()
                away_since = away_since or utc_now()
                log.warning("the scheduler waits for the database", error=str(error))
                stopped.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
    finally:
        probe.close()
        health.stop()


def _is_alone(connection: psycopg.Connection) -> bool:
    """Take the lock of the database's one scheduler; it is held as long as the connection."""
    return connection.execute(load_queries("status")["try_scheduler_lock"]).fetchone() == (True,)
