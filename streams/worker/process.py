"""The worker's process: the Faust app under uvloop; health server, dead-letter relay and watchdog around it."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Mapping
from typing import Any

import structlog
from mode.loop import use as use_loop

from ioc.database.connection import connect
from ioc.feeds.feed import load_feeds
from ioc.logging import configure_logging
from ioc.messaging.client import client_options
from ioc.province.profile import load_profile
from ioc.settings import Settings
from sql import load_queries

log = structlog.get_logger(__name__)


def run_worker(settings: Settings) -> None:
    """Run until stopped by a signal; ends non-zero when the work cannot go on, so that the supervisor starts anew."""
    use_loop("uvloop")  # before faust is imported, which fixes its event loop policy
    import faust  # noqa: PLC0415

    from streams.dead_letter.letter import DeadLetterRelay  # noqa: PLC0415
    from streams.process.health import HealthServer  # noqa: PLC0415
    from streams.worker.app import create_app  # noqa: PLC0415
    from streams.worker.metrics import WorkerMetrics  # noqa: PLC0415
    from streams.worker.watchdog import Watchdog  # noqa: PLC0415

    configure_logging(settings)
    feeds = load_feeds()
    metrics = WorkerMetrics()
    planned = threading.Event()

    def restart() -> None:
        """Stop as on a signal, so that the group is left in good order; the process starts itself anew then."""
        planned.set()
        os.kill(os.getpid(), signal.SIGTERM)

    app = create_app(settings, feeds, load_profile(settings.profile), metrics, restart)
    log_ends = LogEnds(settings)

    def assigned() -> set[tuple[str, int]]:
        return {(tp.topic, tp.partition) for tp in app.consumer.assignment()} if app.started else set()

    def show_lag(lag: Mapping[tuple[str, int], int]) -> None:
        for (topic, partition), behind in lag.items():
            metrics.lag.labels(topic, str(partition)).set(behind)

    watchdog = Watchdog(
        lambda: log_ends(assigned()),
        lambda: stored_positions(settings, assigned()),
        timeout=settings.worker_stall_timeout,
        on_lag=show_lag,
    )
    health = HealthServer(settings.worker_port, metrics.registry, lambda: bool(assigned()) and app.is_flowing)
    relay = DeadLetterRelay(settings)
    health.start()
    watchdog.start()
    relay.start()
    worker = faust.Worker(app, quiet=True, redirect_stdouts=False, override_logging=False, loglevel=None)
    try:
        worker.execute_from_commandline()
    finally:
        relay.stop()
        watchdog.stop()
        if planned.is_set():
            health.stop()
            os.execv(sys.executable, sys.orig_argv)  # noqa: S606 - itself, with the arguments it was started with
    sys.exit(0)


class LogEnds:
    """Reads log ends with a Kafka client of its own, opened when it is first needed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._consumer: Any = None

    def __call__(self, partitions: set[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """Return the end of each partition's log; raises while Kafka is away."""
        from kafka import KafkaConsumer, TopicPartition  # noqa: PLC0415

        if not partitions:
            return {}
        if self._consumer is None:
            self._consumer = KafkaConsumer(**client_options(self._settings, 10.0), enable_auto_commit=False)
        ends = self._consumer.end_offsets([TopicPartition(*partition) for partition in partitions])
        return {(tp.topic, tp.partition): offset for tp, offset in ends.items()}


def stored_positions(settings: Settings, partitions: set[tuple[str, int]]) -> dict[tuple[str, int], int]:
    """Return the stored position of each partition; raises while the database is away."""
    topics = sorted({topic for topic, _ in partitions})
    with connect(settings, "writer", autocommit=True) as connection:
        rows = connection.execute(load_queries("stream")["select_positions"], [topics]).fetchall()
    return {(topic, partition): offset for topic, partition, offset in rows if (topic, partition) in partitions}
