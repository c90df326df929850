"""đúng: the scheduler's own proof, a feed and month at a time, over sums that are right, damaged, and mended again."""

from __future__ import annotations

import threading
import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest
from testbed.feed_event import HOTEL, INN, RIVAL, stay
from testbed.pipeline import Pipeline

from ioc.catalogue.store import load_measures
from ioc.database.connection import Role, connect
from ioc.errors import DatabaseUnavailableError
from ioc.incident.reading import list_quality
from ioc.settings import Settings
from streams.proof.window import prove_window
from streams.status.job import Job, State, run_due
from streams.status.reconcile_job import ReconcileJob
from streams.status.scheduler import utc_now
from streams.status.slow_jobs import SlowJobs

NOW = datetime(2024, 11, 2, 3, tzinfo=UTC)
STAYS = "tourism.stay"
OCTOBER = (date(2024, 10, 1), date(2024, 10, 31))


@pytest.fixture
def filled(pipeline: Pipeline) -> Pipeline:
    """Stays of September and October, folded."""
    pipeline.send(
        STAYS,
        [
            stay(place, guest=100 * n + k, check_in=day, check_out=f"2024-{day[5:8]}{int(day[8:]) + 1:02d}")
            for n, day in enumerate(("2024-09-10", "2024-10-03", "2024-10-04", "2024-10-20"))
            for place in (HOTEL, INN, RIVAL)
            for k in range(3)
        ],
    )
    pipeline.roll_up()
    return pipeline


def job_of(pipeline: Pipeline) -> ReconcileJob:
    sectors = dict.fromkeys(pipeline.feeds, "lodging")
    zone = ZoneInfo(pipeline.profile.timezone)
    return ReconcileJob(pipeline.connection, pipeline.profile.areas, pipeline.feeds, sectors, zone)


def damage(pipeline: Pipeline, db: psycopg.Connection, day: str, by: int) -> int:
    """Change one sum of a day in every area that has it; return in how many."""
    slot = min(one.slot for one in load_measures(pipeline.connection)
               if one.measure.feed == STAYS and one.measure.kind == "sum")  # fmt: skip
    statement = (
        f"UPDATE measure_cell SET sums[{slot}] = coalesce(sums[{slot}], 0) + %s "
        "WHERE feed_id = (SELECT feed_id FROM feed WHERE key = %s) AND period = 'day' AND bucket = %s"
    )
    return db.execute(statement.encode(), [by, STAYS, day]).rowcount


def test_a_window_is_proved_day_by_day(filled: Pipeline, db: psycopg.Connection) -> None:
    measures = [one for one in load_measures(filled.connection) if one.measure.feed == STAYS]
    feed = filled.feeds[STAYS]
    proved = prove_window(filled.connection, feed, measures, *OCTOBER)
    assert proved is not None
    days = {one.day: (one.compared, one.equal) for one in proved}
    assert {date(2024, 10, 3), date(2024, 10, 4), date(2024, 10, 20)} <= days.keys()
    assert all(OCTOBER[0] <= day <= OCTOBER[1] for day in days)
    assert all(compared == equal > 0 for compared, equal in days.values())
    # One sum of one day, one too many in every area that it was added to.
    damaged = damage(filled, db, "2024-10-04", 1)
    assert damaged >= 3
    again = prove_window(filled.connection, feed, measures, *OCTOBER)
    assert again is not None
    differing = {one.day: one.compared - one.equal for one in again if one.equal < one.compared}
    assert differing == {date(2024, 10, 4): damaged}
    # What waits to be folded is no difference: the window is proved once it is.
    filled.send(STAYS, [stay(HOTEL, guest=9, check_in="2024-10-05", check_out="2024-10-06")])
    assert prove_window(filled.connection, feed, measures, *OCTOBER) is None


def test_the_windows_are_proved_in_turn_and_what_differs_is_one_incident_a_feed(
    filled: Pipeline, db: psycopg.Connection
) -> None:
    job, state, now = job_of(filled), dict[str, object](), NOW

    def run() -> State:
        nonlocal now
        now += timedelta(minutes=30)
        return job.run(now, state)

    windows = [f"{STAYS}/2024-10-01", f"{STAYS}/2024-09-01"]
    for count in (1, 2):
        state = dict(run())
        assert list(state["proved"]) == windows[:count]  # type: ignore[call-overload]
    assert job.findings(now) == []
    rows = {row["day"]: row for row in list_quality(db, feed=STAYS, measure="correct", on=date(2024, 10, 4))}
    assert rows[date(2024, 10, 4)]["share"] == 100
    assert rows[date(2024, 10, 4)]["denominator"] > 0
    for day in ("2024-10-04", "2024-09-10"):
        damage(filled, db, day, 1)
    for _ in windows:
        state = dict(run())
    (finding,) = job.findings(now)
    assert (finding.cause, finding.kind, finding.severity) == (f"figures_differ:{STAYS}", "figures_differ", "critical")
    assert [one["month"] for one in finding.evidence["windows"]] == ["2024-09-01", "2024-10-01"]
    assert "ioc rebuild --recount" in finding.summary_vi
    (row,) = list_quality(db, feed=STAYS, measure="correct", on=date(2024, 10, 4))
    assert row["numerator"] < row["denominator"]
    # A scheduler that starts again still knows what differs; it ends with its mend.
    db.execute(
        "INSERT INTO scheduler_job (job, state) VALUES ('reconcile', %s::jsonb)",
        [psycopg.types.json.Jsonb(state)],
    )
    job = job_of(filled)
    assert [one.cause for one in job.findings(now)] == [f"figures_differ:{STAYS}"]
    for day in ("2024-10-04", "2024-09-10"):
        damage(filled, db, day, -1)
    for _ in windows:
        state = dict(run())
    assert job.findings(now) == []


def test_a_window_that_takes_too_long_is_tried_again_after_the_others(filled: Pipeline, db: psycopg.Connection) -> None:
    job, windows = job_of(filled), [f"{STAYS}/2024-10-01", f"{STAYS}/2024-09-01"]
    filled.connection.execute("SET statement_timeout = '300ms'")
    with db.transaction():
        db.execute("LOCK tourism_stay IN ACCESS EXCLUSIVE MODE")
        slow = job.run(NOW, {})
    assert (slow.get("proved"), list(slow["tried"])) == (None, windows[:1])
    filled.connection.execute("RESET statement_timeout")
    other = job.run(NOW + timedelta(minutes=30), slow)
    assert list(other["proved"]) == windows[1:]
    assert set(job.run(NOW + timedelta(minutes=60), other)["proved"]) == set(windows)


def test_statements_that_take_too_long_fail_their_job_alone(pipeline: Pipeline) -> None:
    def sleep(now: datetime, state: State) -> State:
        pipeline.connection.execute("SET statement_timeout = '50ms'")
        try:
            pipeline.connection.execute("SELECT pg_sleep(10)")
        finally:
            pipeline.connection.execute("RESET statement_timeout")
        return state

    jobs = [Job("slow", timedelta(minutes=1), sleep), Job("other", timedelta(minutes=1), lambda now, state: state)]
    assert run_due(pipeline.connection, jobs, lambda: NOW) == ["other"]
    assert jobs[0].failures == 1


def test_slow_jobs_have_a_thread_of_their_own(pipeline: Pipeline) -> None:
    begun, ended = threading.Event(), threading.Event()
    with connect(pipeline.settings, "writer", autocommit=True) as connection:

        def sleep(now: datetime, state: State) -> State:
            begun.set()
            try:
                connection.execute("SELECT pg_sleep(60)")
            finally:
                ended.set()
            return state

        with SlowJobs(connection, [Job("slow", timedelta(minutes=1), sleep)], utc_now) as jobs:
            assert begun.wait(30)
            jobs.check()
        assert ended.is_set()  # what runs is cancelled when the scheduler stops
        with SlowJobs(connection, [Job("slow", timedelta(minutes=1), lambda now, state: state)], utc_now) as jobs:
            connection.close()
            deadline = time.monotonic() + 30
            with pytest.raises(DatabaseUnavailableError):
                while time.monotonic() < deadline:
                    jobs.check()
                    time.sleep(0.1)


@pytest.mark.parametrize("role", ["owner", "writer", "reader", "grafana"])
def test_no_statement_is_compiled(stack_settings: Settings, role: Role) -> None:
    """The proof of a month of 177 measures compiled for more than an hour, and could not be cancelled."""
    with connect(stack_settings, role) as connection:
        assert connection.execute("SHOW jit").fetchone() == ("off",)
