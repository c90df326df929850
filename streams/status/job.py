"""The scheduler's jobs: when each is due, and its run entered in `scheduler_job`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import psycopg
import structlog
from psycopg.errors import QueryCanceled
from psycopg.rows import scalar_row
from psycopg.types.json import Jsonb

from ioc.errors import CatalogueChangedError, IocError, RetryableError
from sql import load_queries

log = structlog.get_logger(__name__)

State = Mapping[str, Any]
_RETRY = timedelta(minutes=1)
_START_AGAIN = (RetryableError, CatalogueChangedError, psycopg.OperationalError, psycopg.InterfaceError)


@dataclass
class Job:
    """`run(now, state)` returns the state from which the next run goes on; it is due every `every`."""

    name: str
    every: timedelta
    run: Callable[[datetime, State], State]
    due_at: datetime | None = None
    failures: int = field(default=0)

    def is_due(self, now: datetime) -> bool:
        """Whether it is time; a job that has never run is due at once."""
        return self.due_at is None or now >= self.due_at


def run_due(connection: psycopg.Connection, jobs: list[Job], clock: Callable[[], datetime]) -> list[str]:
    """Run what is due; return the names of those that ran.

    A job that fails is entered as failed and tried again, and does not stop the others; so is one whose statement
    took too long. Raises RetryableError and CatalogueChangedError: the caller connects, or starts, again.
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
            state = job.run(now, known or {})
        except (IocError, psycopg.Error, ArithmeticError, LookupError, ValueError) as error:
            if isinstance(error, _START_AGAIN) and not isinstance(error, QueryCanceled):
                raise
            job.failures += 1
            job.due_at = now + min(_RETRY * job.failures, max(job.every, _RETRY))
            log.error("a job failed", job=job.name, error=str(error), exc_info=True)
            connection.execute(queries["job_failed"], {"job": job.name, "now": now, "error": str(error)[:500]})
            continue
        job.failures = 0
        job.due_at = now + job.every
        done = {"job": job.name, "now": clock(), "seconds": time.monotonic() - begun, "state": Jsonb(dict(state))}
        connection.execute(queries["job_done"], done)
        ran.append(job.name)
    return ran
