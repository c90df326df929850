"""Jobs that may take minutes, in a thread of their own: the proof of a month delays no status."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Self

import psycopg

from ioc.database.connection import translated_errors
from ioc.errors import CatalogueChangedError, RetryableError
from streams.status.job import Job, run_due

_PAUSE = 1.0  # seconds between two looks at what is due
_END = 15.0  # seconds that a cancelled statement has to end


class SlowJobs:
    """Runs jobs when they are due, over a connection that only this thread uses."""

    def __init__(self, connection: psycopg.Connection, jobs: list[Job], clock: Callable[[], datetime]) -> None:
        self._connection = connection
        self._jobs = jobs
        self._clock = clock
        self._stopped = threading.Event()
        self._failure: RetryableError | CatalogueChangedError | None = None
        self._thread = threading.Thread(target=self._loop, name="slow jobs", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, and cancel the statement that runs."""
        self._stopped.set()
        self._connection.cancel()
        self._thread.join(_END)

    def check(self) -> None:
        """Raise what ended the thread: its connection is lost, or the catalogue has changed."""
        if self._failure is not None:
            raise self._failure

    def _loop(self) -> None:
        try:
            with translated_errors():
                while not self._stopped.wait(_PAUSE):
                    run_due(self._connection, self._jobs, self._clock)
        except (RetryableError, CatalogueChangedError) as error:
            self._failure = error
