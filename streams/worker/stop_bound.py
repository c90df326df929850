"""An end to stopping: a worker that has failed, or was told to stop, is gone within a bounded time.

Faust stops its services one after the other and waits for each without a limit: for the client's thread, for answers
of Kafka to the last commit, for a rebalance that has begun. Afterwards Python waits for the threads of its pools, of
which one may be trying a batch again for a minute and a half. After a failure any of them may wait for something that
never comes. To end in the middle loses nothing: what is not committed in the database is read again.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)

_AFTER_FAILURE = 15.0
_AFTER_SIGNAL = 25.0  # less than deploy/systemd grants (TimeoutStopSec), so that it is this that ends it and says so


class StopBound:
    """Ends the process, non-zero, so long after stopping has begun; the first to ask for less counts."""

    def __init__(
        self,
        *,
        after_failure: float = _AFTER_FAILURE,
        after_signal: float = _AFTER_SIGNAL,
        end: Callable[[], None] = lambda: os._exit(1),
    ) -> None:
        self._after_failure = after_failure
        self._after_signal = after_signal
        self._end = end
        self._lock = threading.Lock()
        self._failed = self._stopping = False

    def failed(self) -> None:
        """Say that the process is about to stop because something has failed."""
        with self._lock:
            begun, self._failed = self._failed, True
        if not begun:
            self._begin(self._after_failure)

    def stopping(self) -> None:
        """Say that the process has begun to stop."""
        with self._lock:
            begun, self._stopping = self._stopping, True
        if not begun:
            self._begin(self._after_signal)

    def _begin(self, seconds: float) -> None:
        timer = threading.Timer(seconds, self._end_now, (seconds,))
        timer.daemon = True  # a process that stops by itself does not wait for it
        timer.start()

    def _end_now(self, seconds: float) -> None:
        log.critical("the worker has not stopped by itself and is ended", after_seconds=seconds)
        self._end()
