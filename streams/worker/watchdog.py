"""Ends the process when the log moves and the stored positions do not.

Faust and its client are known to stall without dying. The watchdog lives in a thread of its own, with a Kafka client
and a database connection of its own, so that a blocked event loop cannot stop it; the supervisor starts the
worker again.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping

import structlog

log = structlog.get_logger(__name__)

EXIT_STALLED = 75  # EX_TEMPFAIL: starting again may help

Offsets = Mapping[tuple[str, int], int]


class Watchdog:
    """Compares log ends and stored positions; `check` is the rule, `start` runs it in a thread."""

    def __init__(
        self,
        log_ends: Callable[[], Offsets],
        positions: Callable[[], Offsets],
        *,
        timeout: float,
        interval: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
        on_stall: Callable[[int], None] = os._exit,
        on_lag: Callable[[Offsets], None] = lambda _: None,
    ) -> None:
        """
        log_ends, positions: offsets of this worker's partitions; either may raise while its server is away.
        timeout: seconds that a partition may be behind without its position moving.
        """
        self._log_ends = log_ends
        self._positions = positions
        self._timeout = timeout
        self._interval = interval
        self._clock = clock
        self._on_stall = on_stall
        self._on_lag = on_lag
        self._moved: dict[tuple[str, int], tuple[int, float]] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def check(self) -> list[tuple[str, int]]:
        """Return the partitions that are behind and have not moved within the timeout.

        While Kafka or PostgreSQL is away nothing can move and nothing is known, so every clock starts anew.
        """
        try:
            ends, positions = self._log_ends(), self._positions()
        except Exception as error:  # whatever a client raises when its server is away
            log.warning("watchdog cannot look", error=str(error))
            self._moved.clear()
            return []
        now = self._clock()
        stalled = []
        lag = {partition: max(end - positions.get(partition, 0), 0) for partition, end in ends.items()}
        self._on_lag(lag)
        for partition, behind in lag.items():
            position = positions.get(partition, 0)
            known, since = self._moved.get(partition, (-1, now))
            if position != known or not behind:
                self._moved[partition] = (position, now)
            elif now - since > self._timeout:
                stalled.append(partition)
        self._moved = {partition: moved for partition, moved in self._moved.items() if partition in ends}
        return stalled

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """End the watch; returns at once."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(self._interval):
            stalled = self.check()
            if stalled:
                log.critical("the log moves and the position does not; this worker ends", partitions=stalled)
                self._on_stall(EXIT_STALLED)
                return
