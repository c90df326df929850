"""The roll-up's process: folds when workers have committed, one process at a time in a database."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import psycopg
import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from ioc.catalogue import StoredMeasure
from ioc.catalogue.sector import SectorPlan, plan_sectors, reported_levels, stock_feeds
from ioc.catalogue.store import load_editions, load_measures, read_epoch
from ioc.database.connection import connect, translated_errors
from ioc.errors import CatalogueChangedError, ConfigError, RetryableError
from ioc.feeds.feed import load_feeds
from ioc.logging import configure_logging
from ioc.province.expected import ExpectedReports
from ioc.province.profile import load_profile
from ioc.province.store import check_province
from ioc.settings import Settings
from ioc.stop_signal import stop_event
from ioc.tracing import NO_TRACING, Tracing, open_tracing
from sql import load_queries
from streams.change.outbox import ChangeOutbox
from streams.process.health import HealthServer
from streams.rollup.bell import Bell
from streams.rollup.cells import CellFold
from streams.rollup.figures import MOST_ROWS, FigureWriter
from streams.rollup.report_rewrite import lacks_levels, rewrite_levels
from streams.rollup.set_aside import RETRIED, SetAside
from streams.rollup.waiting import Waiting
from streams.rules.fault import DATA_FAULTS, told

log = structlog.get_logger(__name__)

FOLD = 4000  # most contributions of one fold
# Of a backlog that lasts a fold takes more: weeks, months, quarters and years around are computed once for all of it.
_LARGE_FOLD = 16_000
_LASTING = 10  # full folds, one after the other
_SHARE = 2000  # of postponed cells, how many are computed between two folds
_RETRY_SECONDS = 60.0


@dataclass(frozen=True)
class Done:
    """What one round has done: contributions that were folded, postponed cells whose figures were computed."""

    contributions: int = 0
    cells: int = 0

    def __bool__(self) -> bool:
        return self.contributions > 0 or self.cells > 0


class Rollup:
    """Folds contributions and computes figures over a connection that the caller keeps."""

    def __init__(
        self,
        settings: Settings,
        connection: psycopg.Connection,
        tracing: Tracing = NO_TRACING,
        *,
        most_rows: int = MOST_ROWS,
    ) -> None:
        """
        most_rows: of figures, how many one fold computes at most; more are postponed to transactions of their own.

        Raises ConfigError where the settings' profile is not that of the database.
        """
        profile = load_profile(settings.profile)
        check_province(connection, settings, profile)
        # What the database computes, not what the files say: an edited file counts once it is loaded.
        self.editions = load_editions(connection)
        measures = load_measures(connection)
        feed_ids: dict[str, int] = dict(connection.execute(load_queries("profile")["select_feed_ids"]).fetchall())
        self.plans = plan_sectors(self.editions)
        feeds = load_feeds()
        foretelling = frozenset(feed.key for feed in feeds.values() if feed.foretells_ends)
        self.reports = report_columns(self.plans, measures)
        self._fold = CellFold(measures, feed_ids, profile.areas, stock_feeds(self.plans), foretelling, self.reports)
        expected = {
            reference.name: ExpectedReports(feeds[reference.name], profile.reporters, profile.areas)
            for plan in self.plans
            for reference, _ in plan.named("expected")
        }
        outbox = ChangeOutbox() if settings.figure_changes or settings.small_cell_below > 1 else None
        self.figures = FigureWriter(
            self.plans, measures, feed_ids, profile.areas, expected, outbox, most_rows=most_rows
        )
        self._postponed_until = float("-inf")
        self._full = 0  # how many of the last folds were full
        self._set_aside = SetAside(measures, feed_ids)
        self._feeds, self._feed_ids = feeds, feed_ids
        self._queries = load_queries("rollup")
        self._tracing = tracing
        connection.commit()

    def run_once(self, connection: psycopg.Connection) -> Done:
        """Fold what is waiting, then compute some of what earlier folds postponed: a transaction each.

        Nothing is done while another process holds the lock. Raises RetryableError, or CatalogueChangedError; the
        transaction that raises has changed nothing then.
        """
        return Done(self.fold_once(connection), self.compute_postponed(connection))

    def fold_once(self, connection: psycopg.Connection) -> int:
        """Fold what is waiting, in one transaction; return how many contributions were taken."""
        with ExitStack() as spans, translated_errors(), connection.transaction():
            if not self._locks(connection):
                return 0
            most = FOLD if self._full < _LASTING else _LARGE_FOLD
            taken = self._run(connection, spans, most)
        self._full = self._full + 1 if taken >= most else 0
        return taken

    def compute_postponed(self, connection: psycopg.Connection) -> int:
        """Compute figures that folds have postponed, in one transaction; return of how many cells."""
        with translated_errors(), connection.transaction():
            return self._compute_postponed(connection) if self._locks(connection) else 0

    def catch_up(self, connection: psycopg.Connection) -> Iterator[int]:
        """Fold all that waits at this moment and compute what is postponed, waiting for the lock.

        Yields how many contributions each transaction took.
        """
        taken = most = _LARGE_FOLD
        while taken >= most:
            with ExitStack() as spans, translated_errors(), self.exclusively(connection):
                taken = self._run(connection, spans, most)
            yield taken
        cells = 1
        while cells:
            with translated_errors(), self.exclusively(connection):
                cells = self._compute_postponed(connection)
            yield 0

    def _locks(self, connection: psycopg.Connection) -> bool:
        """Take the lock for this transaction, unless another process holds it."""
        return connection.execute(self._queries["try_lock"]).fetchone() == (True,)

    def _compute_postponed(self, connection: psycopg.Connection) -> int:
        """Compute some of the postponed cells; return how many.

        Where a figure cannot be computed, all of them stay on the list for a minute: folds go on, and a later
        contribution may mend it.
        """
        if time.monotonic() < self._postponed_until:
            return 0
        self._check_epoch(connection)
        try:
            with translated_errors(), connection.transaction():
                return self.figures.compute_postponed(connection, _SHARE)
        except DATA_FAULTS as error:
            log.error("postponed figures cannot be computed; they are tried again in a minute", error=told(error))
            self._postponed_until = time.monotonic() + _RETRY_SECONDS
            return 0

    @contextmanager
    def exclusively(self, connection: psycopg.Connection) -> Iterator[None]:
        """A transaction in which no other process folds; raises CatalogueChangedError as `run_once`."""
        with connection.transaction():
            connection.execute(self._queries["lock"])
            self._check_epoch(connection)
            yield

    def retry_set_aside(self, connection: psycopg.Connection) -> int:
        """Try to fold what was set aside, each contribution by itself; return how many are still set aside."""
        with translated_errors(), self.exclusively(connection):
            for waiting in self._set_aside.take(connection):
                self._fold_or_set_aside(connection, waiting)
            return self._set_aside.count(connection)

    def retry_all_set_aside(self, connection: psycopg.Connection) -> tuple[int, int]:
        """Fold what waits, then try everything once that was set aside; return how many were, and how many still are.

        Each transaction is short: the roll-up waits for none of them long.
        """
        for _ in self.catch_up(connection):
            pass
        with translated_errors():
            before = left = self._set_aside.count(connection)
        for _ in range(-(-before // RETRIED)):
            left = self.retry_set_aside(connection)
        return before, left

    def check_levels(self, connection: psycopg.Connection) -> None:
        """Raise ConfigError where an earlier version, which kept no levels of areas, carried reports forward."""
        for feed in self.reports:
            if lacks_levels(connection, self._feed_ids[feed]):
                raise ConfigError(
                    f"what {feed} says was carried forward in another way before this version; run `ioc rebuild "
                    "--recount` once, then start the roll-up again"
                )

    def rewrite_reports(self, connection: psycopg.Connection, feed: str) -> None:
        """Write anew what is carried forward of a feed's reports; within `exclusively`."""
        connection.execute(self._queries["create_staging"])
        known = [one for one in load_measures(connection) if one.measure.feed == feed and one.complete]
        rewrite_levels(
            connection,
            self._feeds[feed],
            self._feed_ids[feed],
            known,
            lambda days, sums: self._fold.carry(connection, feed, days, sums),
        )

    def _run(self, connection: psycopg.Connection, spans: ExitStack, most: int) -> int:
        """Fold what waits; a span of it, if it is traced, ends with `spans`: once the transaction has ended."""
        self._check_epoch(connection)
        waiting = self._fold.take(connection, most)
        if waiting and self._tracing.is_on:
            appended = {"appended": sorted(waiting.appended)}
            traces = [traced for (traced,) in connection.execute(self._queries["take_traces"], appended).fetchall()]
            spans.enter_context(self._tracing.span("fold", traces, {"ioc.contributions": len(waiting)}))
        if waiting:
            self._fold_or_set_aside(connection, waiting)
        return len(waiting)

    def _fold_or_set_aside(self, connection: psycopg.Connection, waiting: Waiting) -> None:
        """Fold what was taken and compute its figures; what is at fault is found by halves and set aside."""
        try:
            with translated_errors(), connection.transaction():
                touched = self._fold.fold(connection, waiting)
                with self._tracing.span("figures", ()):
                    self.figures.write(connection, touched)
        except DATA_FAULTS as error:
            if len(waiting) == 1:
                one = waiting.single
                self._set_aside.put(connection, self._fold.feed_of(one), one, error)
                return
            for part in waiting.halves():
                self._fold_or_set_aside(connection, part)

    def _check_epoch(self, connection: psycopg.Connection) -> None:
        if read_epoch(connection) != self.editions.epoch:
            raise CatalogueChangedError(
                "catalogue, areas or reporters have changed; the roll-up starts again with them"
            )


def report_columns(plans: Sequence[SectorPlan], measures: Sequence[StoredMeasure]) -> dict[str, list[tuple[int, int]]]:
    """Return by feed the columns of amounts that are carried to the next report, with that of their reports."""
    slots = {stored.measure: stored.slot - 1 for stored in measures}
    found: dict[str, list[tuple[int, int]]] = {}
    for amount, reports in sorted(reported_levels(plans), key=str):
        if amount in slots and reports in slots:
            found.setdefault(amount.feed, []).append((slots[amount], slots[reports]))
    return found


class _Meters:
    """What the roll-up tells of its work."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._folded = Counter("ioc_contributions_folded_total", "Contributions folded into cells", registry=registry)
        self._late = Counter("ioc_postponed_cells_total", "Cells that a fold left to later ones", registry=registry)
        self._seconds = Histogram("ioc_fold_seconds", "Seconds of one fold", registry=registry)
        self._last = Gauge("ioc_last_fold_timestamp_seconds", "When the last fold ended", registry=registry)
        self.set_aside = Gauge(
            "ioc_contributions_set_aside",
            "Contributions that cannot be folded; the figures lack them",
            registry=registry,
        )

    def count(self, done: Done, seconds: float) -> None:
        """Count one round."""
        self._last.set_to_current_time()
        self._folded.inc(done.contributions)
        self._late.inc(done.cells)
        if done.contributions:
            self._seconds.observe(seconds)


def run_rollup(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT; reconnects while the database is away."""
    configure_logging(settings)
    registry = CollectorRegistry()
    meters = _Meters(registry)
    stopped = stop_event()
    ready = threading.Event()
    tracing = open_tracing(settings, "ioc-rollup")
    health = HealthServer(settings.rollup_port, registry, ready.is_set)
    health.start()
    pause = settings.rollup_interval
    while not stopped.is_set():
        try:
            with connect(settings, "rollup") as connection:
                rollup = Rollup(settings, connection, tracing)
                rollup.check_levels(connection)
                bell = Bell(connection)
                ready.set()
                log.info("roll-up has begun")
                retried = float("-inf")
                while not stopped.is_set():
                    bell.wait(pause)
                    start = time.monotonic()
                    done = rollup.run_once(connection)
                    meters.count(done, time.monotonic() - start)
                    pause = 0.0 if done.contributions >= FOLD or done.cells else settings.rollup_interval
                    if time.monotonic() - retried > _RETRY_SECONDS:
                        meters.set_aside.set(rollup.retry_set_aside(connection))
                        retried = time.monotonic()
        except CatalogueChangedError as error:
            ready.clear()
            log.info("planned restart", reason=str(error))
        except DATA_FAULTS as error:
            # Not even what is at fault could be set aside; everything waits where it was.
            ready.clear()
            log.critical("the roll-up cannot fold and tries again", exc_info=error)
            pause = min(max(pause, settings.rollup_interval) * 2, 10.0)
            stopped.wait(pause)
        except RetryableError as error:
            ready.clear()
            log.warning("roll-up waits for the database", error=str(error))
            pause = min(max(pause, settings.rollup_interval) * 2, 10.0)
            stopped.wait(pause)
    health.stop()
    tracing.close()
