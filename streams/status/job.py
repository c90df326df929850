"""The scheduler's jobs: when each is due, and its run entered in `scheduler_job`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import psycopg
import structlog
from psycopg.errors import LockNotAvailable, ProgramLimitExceeded, QueryCanceled, StatementTooComplex
from psycopg.rows import scalar_row
from psycopg.types.json import Jsonb

from ioc.errors import CatalogueChangedError, RetryableError
from sql import load_queries

log = structlog.get_logger(__name__)

State = Mapping[str, Any]
_RETRY = timedelta(minutes=1)
_START_AGAIN = (RetryableError, CatalogueChangedError, psycopg.OperationalError, psycopg.InterfaceError)
# Of one statement, not of the connection: a new one would meet it again, and the jobs behind would never run.
_OF_ONE_JOB = (QueryCanceled, LockNotAvailable, ProgramLimitExceeded, StatementTooComplex)


@dataclass
class Job:
    """`run(now, state)` returns the state from which the next run goes on; it is due every `every`."""

    name: str
    every: timedelta
    run: Callable[[datetime, State], State]
    due_at: datetime | None = None
    failures: int = field(default=0)

    def is_due(self, now: datetime) -> bool:
        """Whether it is time; a job that has never run is due at once.

        One that would be due later than a whole turn from now was entered before the clock was set back: it is due too.
        """
        if self.due_at is None:
            return True
        return now >= self.due_at or self.due_at - now > max(self.every, _RETRY)


def run_due(connection: psycopg.Connection, jobs: list[Job], clock: Callable[[], datetime]) -> list[str]:
    """Run what is due; return the names of those that ran.

    A job that fails, whatever with, is entered as failed and tried again, and does not stop the others; so is one
    whose statement took too long. Raises RetryableError and CatalogueChangedError: the caller connects, or starts,
    again.
    """
    queries = load_queries("status")
    ran = []
    for job in jobs:
        now = clock()
        if not job.is_due(now):
            continue
        begun = time.monotonic()
        connection.execute(queries["job_begun"], {"job": job.name, "now": now})
        cursor = connection.cursor(row_factory=scalar_row)
        known = cursor.execute(queries["select_job_state"], [job.name]).fetchone()
        try:
            state = job.run(now, known if isinstance(known, dict) else {})
            done = {"job": job.name, "now": clock(), "seconds": time.monotonic() - begun, "state": Jsonb(dict(state))}
            connection.execute(queries["job_done"], done)
        except Exception as error:
            # Whatever a row of the calendar or a figure trips over: statuses, incidents and messages go on without it.
            if isinstance(error, _START_AGAIN) and not isinstance(error, _OF_ONE_JOB):
                raise
            job.failures += 1
            job.due_at = now + min(_RETRY * job.failures, max(job.every, _RETRY))
            log.error("a job failed", job=job.name, error=str(error), exc_info=True)
            told = f"{type(error).__name__}: {error}".replace("\0", "?")[:500]
            connection.execute(queries["job_failed"], {"job": job.name, "now": now, "error": told})
            continue
        job.failures = 0
        job.due_at = now + job.every
        ran.append(job.name)
    return ran
