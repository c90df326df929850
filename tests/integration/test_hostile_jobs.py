"""What the scheduler's jobs, threads and messages may trip over costs one of them, and is told; the others go on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import errors as pg_errors
from psycopg.rows import dict_row
from structlog.testing import capture_logs
from test_notification import NOW, Recording, message, rows, sender

from ioc.database.connection import connect
from ioc.errors import CatalogueChangedError, FatalError, UnstorableError
from ioc.notification.outbox import put_message
from ioc.settings import Settings
from streams.status.digest_job import OutboxThread
from streams.status.job import Job, State, run_due
from streams.status.slow_jobs import SlowJobs

MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[MutableMapping[str, Any]]]:
    """What is logged; structlog's own default would print every local variable of each traceback."""
    with capture_logs() as found:
        yield found


FAILURES: dict[str, BaseException] = {
    "type": TypeError("float() argument must be a string"),
    "attribute": AttributeError("'NoneType' object has no attribute 'value'"),
    "assertion": AssertionError("there is one after the first pass"),
    "overflow": OverflowError("date value out of range"),
    "depth": RecursionError("maximum recursion depth exceeded"),
    "memory": MemoryError(),
    "system": OSError(28, "No space left on device"),
    "a text with NUL": ValueError("hồ sơ a\0b"),
    "a long text": ValueError("x" * 100_000),
    "data": psycopg.DataError("integer out of range"),
    "unstorable": UnstorableError("PostgreSQL: integer out of range"),
    "fatal": FatalError("a register is wrong"),
    "a limit of the database": pg_errors.ProgramLimitExceeded("index row size 5000 exceeds maximum 2704"),
    "a lock": pg_errors.LockNotAvailable("canceling statement due to lock timeout"),
}


def failing(error: BaseException) -> Callable[[datetime, State], State]:
    def run(now: datetime, state: State) -> State:
        raise error

    return run


def test_a_job_that_fails_with_anything_is_entered_and_the_others_run(
    db: psycopg.Connection, logs: list[MutableMapping[str, Any]]
) -> None:
    strange: dict[str, Any] = {
        "NUL": {"a": "b\0"},
        "no JSON": {"a": object()},
        "NaN": {"a": float("nan")},
        "none": None,
    }
    jobs = [Job(name, MINUTE, failing(error)) for name, error in FAILURES.items()]
    jobs += [Job(f"state {name}", MINUTE, lambda now, state, new=state: new) for name, state in strange.items()]  # type: ignore[misc]
    jobs.append(Job("good", MINUTE, lambda now, state: {"runs": state.get("runs", 0) + 1}))
    assert run_due(db, jobs, lambda: NOW) == ["good"]
    told = {row["job"]: row for row in rows(db, "scheduler_job")}
    assert set(told) == {job.name for job in jobs}
    for job in jobs[:-1]:
        assert (job.failures, told[job.name]["failed_at"]) == (1, NOW), job.name
        assert told[job.name]["error"] and "\0" not in told[job.name]["error"]
    assert told["type"]["error"] == "TypeError: float() argument must be a string"
    assert [one["job"] for one in logs if one["event"] == "a job failed"] == [job.name for job in jobs[:-1]]
    # Tried again after a minute, longer each time, and never later than its own turn.
    assert run_due(db, jobs, lambda: NOW + timedelta(seconds=59)) == []
    assert run_due(db, jobs, lambda: NOW + MINUTE) == ["good"]
    assert {job.failures for job in jobs} == {0, 2}
    # A state that somebody has edited is none.
    db.execute("""UPDATE scheduler_job SET state = '"edited"' WHERE job = 'good'""")
    assert run_due(db, jobs[-1:], lambda: NOW + 2 * MINUTE) == ["good"]
    assert db.execute("SELECT state FROM scheduler_job WHERE job = 'good'").fetchone() == ({"runs": 1},)


@pytest.mark.parametrize("error", [CatalogueChangedError("new"), psycopg.OperationalError("the connection is lost")])
def test_what_a_new_start_mends_ends_the_round(error: Exception, db: psycopg.Connection) -> None:
    with pytest.raises(type(error)):
        run_due(db, [Job("lost", MINUTE, failing(error))], lambda: NOW)


def test_a_clock_that_is_set_back_or_ahead_stops_no_job(db: psycopg.Connection) -> None:
    job = Job("hourly", timedelta(hours=1), lambda now, state: state)
    ahead = NOW + timedelta(days=365 * 70)
    assert run_due(db, [job], lambda: ahead) == ["hourly"]  # the clock of a machine without a battery
    assert run_due(db, [job], lambda: NOW) == ["hourly"]  # and once it has been set right
    assert run_due(db, [job], lambda: NOW + timedelta(minutes=59)) == []
    # Set back by less than a turn: it waits a turn and that long at most.
    assert run_due(db, [job], lambda: NOW - timedelta(minutes=30)) == ["hourly"]


def test_a_thread_of_slow_jobs_that_ends_is_told_whatever_ended_it(settings: Settings) -> None:
    broken = threading.Event()

    def clock() -> datetime:
        broken.set()
        raise ZeroDivisionError("what nobody thought of")

    with connect(settings, "writer", autocommit=True) as connection:
        job = Job("slow", MINUTE, lambda now, state: state, due_at=NOW)
        with SlowJobs(connection, [job], clock) as jobs:
            assert broken.wait(60)
            deadline = time.monotonic() + 60
            with pytest.raises(ZeroDivisionError):
                while time.monotonic() < deadline:
                    jobs.check()
                    time.sleep(0.02)


def test_a_message_that_trips_its_channel_waits_and_the_others_are_sent(db: psycopg.Connection) -> None:
    failures = {"b": UnicodeError("label empty or too long"), "d": TypeError("expected str: 0912345678")}
    out = Recording("webhook", failures)
    for key in "abcd":
        put_message(db, message(key), NOW)
    count = sender(db, out).run(lambda: NOW)
    assert (count.sent, count.put_off, count.given_up) == (2, 2, 0)
    assert [sent.key for _, sent in out.sent] == ["a", "c"]
    told = {row["key"]: row["error"] for row in rows(db, "notification_outbox")}
    assert (told["b"], told["d"]) == ("fails: UnicodeError", "fails: TypeError")
    # What never goes through is given up like any other, and said so.
    late = NOW + timedelta(hours=21)
    assert sender(db, out).run(lambda: late).given_up == 2
    assert all(row["given_up_at"] == late for row in rows(db, "notification_outbox") if row["key"] in "bd")


def test_the_thread_of_the_outbox_goes_on_after_a_failure(
    settings: Settings, db: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.status.digest_job._PAUSE", 0.01)
    calls: list[int] = []
    out = Recording("webhook")

    class Book:
        def find(self, channel: str, recipient: str) -> str:
            return "https://receiver.example"

    def clock() -> datetime:
        calls.append(len(calls))
        if len(calls) == 1:
            raise ZeroDivisionError("what nobody thought of")
        return datetime.now(UTC)

    put_message(db, message("a"), NOW)
    fast = settings.model_copy(update={"scheduler_interval": 0.05})
    with OutboxThread(fast, Book(), {"webhook": out}, clock):  # type: ignore[arg-type]
        deadline = time.monotonic() + 60
        while not out.sent and time.monotonic() < deadline:
            time.sleep(0.02)
    assert [sent.key for _, sent in out.sent] == ["a"]
    with closing(db.cursor(row_factory=dict_row)) as cursor:
        assert cursor.execute("SELECT sent_at IS NOT NULL AS sent FROM notification_outbox").fetchall() == [
            {"sent": True}
        ]
