"""Every process has a role of the database of its own: with it, it does its work, and nothing more.

What each may is the migrations' and not repeated here: the server is asked about every table that there is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import psycopg
import pytest
from prometheus_client import CollectorRegistry
from psycopg.errors import InsufficientPrivilege
from psycopg.rows import scalar_row
from testbed.feed_event import stay
from testbed.pipeline import Pipeline
from testbed.sample import events_of

from deploy.local.process import wait_until
from ioc.audit.chain import read_chain, verify_chain
from ioc.database.connection import ROLES, Role, connect, role_name
from ioc.database.migration import migrate
from ioc.errors import ConfigError
from ioc.feeds.feed import Feed
from ioc.incident.acting import Actor, IncidentActs
from ioc.messaging.topic import create_topics
from ioc.notification.outbox import OutgoingMessage, put_message
from ioc.notification.receipt import GrafanaAlert, GrafanaNotification, enter_notification
from ioc.settings import Settings
from streams.rollup.service import Rollup
from streams.status.probe import Probe
from streams.status.scheduler import Scheduler, SchedulerMetrics

PROCESSES: tuple[Role, ...] = ("worker", "rollup", "scheduler", "api")
READERS: tuple[Role, ...] = ("reader", "grafana")
FIGURES = ("measure_cell", "indicator_cell", "distinct_member", "figure_snapshot", "shown_cell", "shown_value")
JUDGEMENTS = ("indicator_status", "incident", "quality_measure", "notification_outbox", "shown_status")


@pytest.fixture
def at_work(settings: Settings, pipeline: Pipeline) -> Iterator[Pipeline]:
    """A pipeline that stores as the worker."""
    pipeline.connection.close()
    pipeline.connection = connect(settings, "worker", autocommit=True)
    pipeline.start_again()
    return pipeline


def rights(db: psycopg.Connection, settings: Settings, role: Role, *kinds: str) -> set[str]:
    """The tables of which a role may do any of some things, even in one column only."""
    query = (
        "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v') "
        "AND has_any_column_privilege(%s, c.oid, %s)"
    )
    whole = query.replace("has_any_column_privilege", "has_table_privilege")
    found: set[str] = set()
    for kind in kinds:
        asked = whole if kind in ("DELETE", "TRUNCATE", "TRIGGER") else query
        cursor = db.cursor(row_factory=scalar_row)
        found |= set(cursor.execute(asked, [role_name(settings, role), kind]).fetchall())
    return found


def jobs(db: psycopg.Connection, moment: str) -> set[str]:
    """The scheduler's jobs that have ever finished, or failed."""
    return {job for (job,) in db.execute(f"SELECT job FROM scheduler_job WHERE {moment} IS NOT NULL")}  # type: ignore[arg-type]


def test_every_process_does_its_work_in_its_role(
    settings: Settings, at_work: Pipeline, feeds: dict[str, Feed], db: psycopg.Connection
) -> None:
    """Samples of every feed, good and bad, corrected and voided; then sums, figures, statuses, an incident, an act."""
    create_topics(settings, feeds)
    for key in feeds:
        at_work.send(key, [*events_of(key, valid=False), *events_of(key)])
    assert at_work.rows("SELECT count(*) > 0 FROM rejected_event") == [(True,)]
    with connect(settings, "rollup", autocommit=True) as connection:
        rollup = Rollup(settings, connection)
        while rollup.run_once(connection):
            pass
        assert rollup.retry_set_aside(connection) == 0
    assert at_work.reconcile().differences == ()

    probe = Probe(settings, feeds)
    with connect(settings, "scheduler", autocommit=True) as connection:
        metrics = SchedulerMetrics(CollectorRegistry())
        with (
            closing(probe),
            closing(Scheduler(settings, connection, probe, metrics)) as scheduler,
            scheduler.slow_jobs,
        ):
            scheduler.run_due()
            wanted = {job.name for job in scheduler.jobs} | {"snapshot", "reconcile"}
            assert wait_until(lambda: wanted <= jobs(db, "finished_at") | jobs(db, "failed_at"), 120.0)
    assert jobs(db, "failed_at") == set(), db.execute("SELECT job, error FROM scheduler_job").fetchall()
    assert db.execute("SELECT count(*) > 0 FROM indicator_status").fetchone() == (True,)

    incident = db.cursor(row_factory=scalar_row).execute("SELECT max(incident_id) FROM incident").fetchone()
    assert incident is not None, "the feeds' samples are of long ago: some feed must be silent"
    now = datetime.now(UTC)
    with connect(settings, "api", autocommit=True) as connection:
        acts, actor = IncidentActs(connection), Actor("Trần Thị B", "API")
        acts.perform("acknowledge", incident, actor, now, hours=0, to="", note="đang xử lý")
        acts.perform("silence", incident, actor, now, hours=1, to="", note="bảo trì")
        acts.perform("assign", incident, actor, now, hours=0, to="so-du-lich", note="")
        put_message(connection, OutgoingMessage("k", "email", "a", "A", "s", "t", detail={"kind": "link"}), now)
        alert = GrafanaAlert(labels={"incident": str(incident), "step": "1", "event": "opened"})
        assert enter_notification(connection, GrafanaNotification(receiver="a", alerts=(alert,)), ["email"], now) == 1
        with pytest.raises(InsufficientPrivilege):
            connection.execute("UPDATE incident SET closed_at = now()")
    chain = read_chain(db)
    verify_chain(chain)
    assert {entry.db_role for entry in chain} == {"ioc_api"}


def test_no_role_of_a_process_goes_beyond_its_work(db: psycopg.Connection, settings: Settings) -> None:
    records = {name for (name,) in db.execute("SELECT record_table FROM feed").fetchall()}
    assert len(records) >= 14
    changes = ("INSERT", "UPDATE", "DELETE", "TRUNCATE")
    for role in READERS:
        assert rights(db, settings, role, *changes) == set(), role
    for role in (*PROCESSES, *READERS, "writer"):
        assert rights(db, settings, role, "TRUNCATE", "TRIGGER", "REFERENCES") == set(), role
        assert "audit_entry" not in rights(db, settings, role, "UPDATE", "DELETE"), role
    seen = {role: rights(db, settings, role, "SELECT") for role in PROCESSES}
    changed = {role: rights(db, settings, role, *changes) for role in PROCESSES}
    assert seen["worker"].isdisjoint({*FIGURES, *JUDGEMENTS, "audit_entry"})
    assert seen["rollup"].isdisjoint({*records, *JUDGEMENTS, "rejected_event", "audit_entry"})
    assert seen["api"].isdisjoint({*records, *FIGURES, "rejected_event", "reporter", "target"})
    assert "audit_entry" not in seen["scheduler"]
    assert changed["worker"].isdisjoint({*FIGURES, *JUDGEMENTS})
    assert changed["rollup"].isdisjoint({*records, *JUDGEMENTS, "stream_position", "record_identity"})
    assert changed["scheduler"].isdisjoint({*records, "measure_cell", "indicator_cell", "record_identity"})
    assert changed["api"] == {
        "incident",
        "incident_change",
        "notification_receipt",
        "notification_outbox",
        "audit_entry",
    }
    # What the catalogue, the profile and the register hold, no process changes.
    for role in PROCESSES:
        assert changed[role].isdisjoint({"indicator", "measure", "area", "reporter", "target", "feed", "profile"}), role


@pytest.mark.parametrize("role", [role for role in ROLES if role != "owner"])
def test_no_role_changes_the_schema(settings: Settings, pipeline: Pipeline, role: Role) -> None:
    pipeline.send("tourism.stay", [stay()])
    with connect(settings, role, autocommit=True) as connection:
        for statement in (
            "CREATE TABLE mine (id integer)",
            "CREATE SCHEMA mine",
            "CREATE ROLE mine",
            "ALTER TABLE tourism_stay ADD COLUMN name text",
            "DROP TABLE tourism_stay",
            "TRUNCATE tourism_stay",
            "CREATE FUNCTION mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
            "SELECT drop_chunks('stream_batch', older_than => now())",
            "SELECT payload FROM rejected_event" if role not in ("writer", "worker") else "DROP SCHEMA public",
        ):
            with pytest.raises(InsufficientPrivilege):
                connection.execute(statement)
        if role == "grafana":
            for table in ("tourism_stay", "record_identity", "record_revision", "reporter", "notification_receipt"):
                with pytest.raises(InsufficientPrivilege):
                    connection.execute(f"SELECT * FROM {table}")  # type: ignore[arg-type]


def test_a_role_that_the_server_lacks_is_named_with_what_makes_it(settings: Settings, feeds: dict[str, Feed]) -> None:
    lacking = settings.model_copy(update={"db_api_user": "ioc_api_of_tomorrow"})
    with pytest.raises(ConfigError, match="CREATE ROLE ioc_api_of_tomorrow LOGIN PASSWORD"):
        migrate(lacking, feeds.values())
    assert migrate(settings, feeds.values()) == []
