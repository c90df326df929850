"""The roll-up's process: folds every half second, one process at a time in a database."""

from __future__ import annotations

import signal
import threading
import time

import psycopg
import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from ioc.catalogue import load_catalogue
from ioc.catalogue.store import load_measures, load_slots
from ioc.db import connect, translated_errors
from ioc.errors import CatalogueChangedError, RetryableError
from ioc.feed import load_feeds
from ioc.logging import configure_logging
from ioc.profile import catalogue_directory, load_profile
from ioc.settings import Settings
from sql import load_queries
from streams.health import HealthServer
from streams.rollup.cells import CellFold
from streams.rollup.figures import FigureWriter, plan_sectors, stock_feeds

log = structlog.get_logger(__name__)


class Rollup:
    """Folds contributions and computes figures over a connection that the caller keeps."""

    def __init__(self, settings: Settings, connection: psycopg.Connection) -> None:
        profile = load_profile(settings.profile)
        catalogue = load_catalogue(catalogue_directory(settings.profile), load_feeds())
        measures = load_measures(connection)
        feed_ids: dict[str, int] = dict(connection.execute(load_queries("profile")["select_feed_ids"]).fetchall())
        plans = plan_sectors(catalogue, load_slots(connection))
        self._fold = CellFold(measures, feed_ids, profile.areas, stock_feeds(plans))
        self._figures = FigureWriter(plans, measures, feed_ids, profile.areas)
        self._queries = load_queries("rollup")
        self._catalogue_state = self._read_state(connection)
        connection.commit()

    def run_once(self, connection: psycopg.Connection) -> int:
        """Fold what is waiting, in one transaction; return how many contributions were taken.

        0 while another process holds the lock. Raises RetryableError, or CatalogueChangedError; nothing has changed
        then.
        """
        with translated_errors(), connection.transaction():
            if connection.execute(self._queries["try_lock"]).fetchone() != (True,):
                return 0
            if self._read_state(connection) != self._catalogue_state:
                raise CatalogueChangedError("the catalogue has changed; the roll-up starts again with it")
            taken, touched = self._fold.fold(connection)
            if taken:
                self._figures.write(connection, touched)
        return taken

    def _read_state(self, connection: psycopg.Connection) -> tuple[int, int]:
        """Return what changes with every load of another catalogue."""
        row = connection.execute(self._queries["select_catalogue_state"]).fetchone()
        assert row is not None
        return row[0], row[1]


def run_rollup(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT; reconnects while the database is away."""
    configure_logging(settings)
    registry = CollectorRegistry()
    folded = Counter("ioc_contributions_folded_total", "Contributions folded into cells", registry=registry)
    seconds = Histogram("ioc_fold_seconds", "Seconds of one fold", registry=registry)
    last = Gauge("ioc_last_fold_timestamp_seconds", "When the last fold ended", registry=registry)
    stopped = threading.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, lambda *_: stopped.set())
    ready = threading.Event()
    health = HealthServer(settings.rollup_port, registry, ready.is_set)
    health.start()
    pause = settings.rollup_interval
    while not stopped.is_set():
        try:
            with connect(settings, "writer") as connection:
                rollup = Rollup(settings, connection)
                ready.set()
                log.info("roll-up has begun")
                while not stopped.wait(pause):
                    start = time.monotonic()
                    taken = rollup.run_once(connection)
                    last.set_to_current_time()
                    folded.inc(taken)
                    if taken:
                        seconds.observe(time.monotonic() - start)
                    pause = 0.0 if taken >= 4000 else settings.rollup_interval
        except RetryableError as error:
            ready.clear()
            log.warning("roll-up waits for the database", error=str(error))
            pause = min(max(pause, settings.rollup_interval) * 2, 10.0)
            stopped.wait(pause)
    health.stop()
