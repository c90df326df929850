"""The worker's process: the Faust app under uvloop; health server, dead-letter relay and watchdog around it."""

from __future__ import annotations

import os
import signal
import sys
import threading

import structlog
from mode.loop import use as use_loop

from ioc.feeds.feed import load_feeds
from ioc.logging import configure_logging
from ioc.province.profile import load_profile
from ioc.settings import Settings
from ioc.tracing import open_tracing

log = structlog.get_logger(__name__)


def run_worker(settings: Settings) -> None:
    """Run until stopped by a signal; ends non-zero when the work cannot go on, so that the supervisor starts anew."""
    use_loop("uvloop")  # before faust is imported, which fixes its event loop policy
    import faust  # noqa: PLC0415

    from streams.dead_letter.letter import DeadLetterRelay  # noqa: PLC0415
    from streams.process.health import HealthServer  # noqa: PLC0415
    from streams.worker.app import create_app  # noqa: PLC0415
    from streams.worker.metrics import WorkerMetrics  # noqa: PLC0415
    from streams.worker.partition_watch import PartitionWatch  # noqa: PLC0415
    from streams.worker.watchdog import Watchdog  # noqa: PLC0415

    configure_logging(settings)
    feeds = load_feeds()
    metrics = WorkerMetrics()
    planned = threading.Event()

    def restart() -> None:
        """Stop as on a signal, so that the group is left in good order; the process starts itself anew then."""
        planned.set()
        os.kill(os.getpid(), signal.SIGTERM)

    tracing = open_tracing(settings, "ioc-worker")
    app = create_app(settings, feeds, load_profile(settings.profile), metrics, restart, tracing)

    def assigned() -> set[tuple[str, int]]:
        return {(tp.topic, tp.partition) for tp in app.consumer.assignment()} if app.started else set()

    watch = PartitionWatch(
        settings,
        [feed.topic(settings.topic_prefix) for feed in feeds.values()],
        assigned=assigned,
        halts=app.halts,
        marks=app.marks,
        log_starts=app.log_starts,
        metrics=metrics,
    )
    watchdog = Watchdog(watch.look, watch.positions, timeout=settings.worker_stall_timeout)
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
        tracing.close()
        if planned.is_set():
            health.stop()
            os.execv(sys.executable, sys.orig_argv)  # noqa: S606 - itself, with the arguments it was started with
    sys.exit(0)
