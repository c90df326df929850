"""Jobs that may take minutes, in a thread of their own: the proof of a month delays no status."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import psycopg

from ioc.database.connection import translated_errors
from streams.status.job import Job, run_due
from streams.status.side_thread import SideThread

_PAUSE = 1.0  # seconds between two looks at what is due


class SlowJobs(SideThread):
    """Runs jobs when they are due, over a connection that only this thread uses."""

    def __init__(self, connection: psycopg.Connection, jobs: list[Job], clock: Callable[[], datetime]) -> None:
        self._connection = connection
        self._jobs = jobs
        self._clock = clock
        self._failure: Exception | None = None
        super().__init__("slow jobs")

    def interrupt(self) -> None:
        """Cancel the statement that runs."""
        self._connection.cancel()

    def check(self) -> None:
        """Raise what ended the thread: mostly its connection is lost, or the catalogue has changed."""
        if self._failure is not None:
            raise self._failure

    def loop(self) -> None:
        """Run what is due until the thread is stopped, or fails."""
        try:
            with translated_errors():
                while not self.stopped.wait(_PAUSE):
                    run_due(self._connection, self._jobs, self._clock)
        except Exception as error:
            # Raised in the main thread, whatever it is: a thread that ends by itself would be missed by nobody.
            self._failure = error
