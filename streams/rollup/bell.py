"""Waking when a worker has committed contributions, instead of looking from time to time."""

from __future__ import annotations

import time

import psycopg

from ioc.database.connection import translated_errors
from sql import load_queries

# Folds follow each other no faster: what several workers commit meanwhile is folded together.
_SHORTEST = 0.1


class Bell:
    """Hears `NOTIFY` over a connection that is idle while it waits."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        with translated_errors():
            connection.execute(load_queries("rollup")["listen"])
            connection.commit()

    def wait(self, seconds: float) -> None:
        """Return when contributions were committed, at the latest after so long; raises DatabaseUnavailableError."""
        if seconds <= 0:
            return
        begin = time.monotonic()
        with translated_errors():
            # One after the other: psycopg holds the connection for as long as an iteration lasts.
            heard = list(self._connection.notifies(timeout=seconds, stop_after=1))
            if heard:
                # All that has been told so far is answered by one fold.
                list(self._connection.notifies(timeout=max(0.0, begin + _SHORTEST - time.monotonic())))
