"""Kafka and PostgreSQL stopped beneath the scheduler, and back again: each is one incident, whatever falls silent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from prometheus_client import CollectorRegistry
from testbed.province_day import LOCAL, ProvinceDay

from deploy.local.stack import Component, Stack
from ioc.database.connection import connect
from ioc.errors import RetryableError
from ioc.feeds.feed import Feed
from ioc.province.profile import Profile
from ioc.settings import Settings
from streams.status.probe import Probe
from streams.status.scheduler import Scheduler, SchedulerMetrics

MINUTE = timedelta(minutes=1)


class Watch:
    """The scheduler's looks on a clock of the test's own; the servers beneath it are real."""

    def __init__(self, settings: Settings, db: psycopg.Connection, profile: Profile, feeds: Mapping[str, Feed]) -> None:
        self.settings = settings.model_copy(update={"business_day": "clock"})
        self.feeds = feeds
        self.profile = profile
        self.db = db
        self.now = datetime.now(UTC)
        self.probe = Probe(self.settings, feeds)
        self.metrics = SchedulerMetrics(CollectorRegistry())
        self.away_since: datetime | None = None
        self.connection: psycopg.Connection | None = None
        self.scheduler: Scheduler | None = None

    def look(self, after: timedelta = timedelta()) -> None:
        """Look once, as the process does: connect anew where the database was away."""
        self.now += after
        try:
            if self.connection is None:
                self.connection = connect(self.settings, "scheduler", autocommit=True)
                self.scheduler = Scheduler(self.settings, self.connection, self.probe, self.metrics, self.away_since)
                self.away_since = None
            assert self.scheduler is not None
            (look,) = [job for job in self.scheduler.jobs if job.name == "status"]
            look.due_at, self.scheduler.jobs = None, [look]
            self.scheduler.run_due(lambda: self.now)
        except RetryableError:
            self.away_since = self.away_since or self.now
            self.disconnect()

    def alive(self, db: psycopg.Connection) -> None:
        """All feeds have just delivered, and everybody who must has reported."""
        province = ProvinceDay(self.settings, db, self.profile, self.feeds)
        province.alive(self.now)
        for days in (1, 2):
            province.everyone_reports(self.now.astimezone(LOCAL).date() - timedelta(days=days))

    def disconnect(self) -> None:
        if self.scheduler is not None:
            self.scheduler.close()
        if self.connection is not None:
            self.connection.close()
        self.scheduler = self.connection = None

    def close(self) -> None:
        self.probe.close()
        self.disconnect()


def incidents(settings: Settings) -> list[tuple[str, bool, list[str]]]:
    """Kind, whether it is open, and history of every incident that there has ever been.

    That the duty ladder is climbed while it lasts is tested elsewhere.
    """
    with connect(settings, "owner", autocommit=True) as owner:
        rows = owner.execute(
            "SELECT i.kind, i.closed_at IS NULL, "
            "array_agg(c.what ORDER BY c.change_id) FILTER (WHERE c.what NOT IN ('changed', 'escalated')) "
            "FROM incident i JOIN incident_change c USING (incident_id) GROUP BY i.incident_id ORDER BY i.incident_id"
        ).fetchall()
    return [(kind, is_open, history) for kind, is_open, history in rows]


@contextmanager
def always_back(part: Component) -> Iterator[None]:
    """Whatever the test does to a server, the tests after it find it running."""
    try:
        yield
    finally:
        part.start()


@pytest.fixture
def watch(
    settings: Settings, db: psycopg.Connection, kafka_topics: list[str], profile: Profile, feeds: dict[str, Feed]
) -> Iterator[Watch]:
    made = Watch(settings, db, profile, feeds)
    yield made
    made.close()


@pytest.mark.timeout(500)
def test_kafka_and_then_the_database_stopped_are_one_incident_each(watch: Watch, infrastructure: Stack) -> None:
    watch.alive(watch.db)
    watch.look()
    assert incidents(watch.settings) == []
    kafka, postgres = infrastructure.kafka, infrastructure.postgres
    with always_back(kafka):
        kafka.stop()
        watch.look(MINUTE)
        watch.look(1.5 * MINUTE)
        assert incidents(watch.settings) == [("pipeline_stopped", True, ["opened"])]
        # For hours nothing comes: that every feed is silent, and every reporter missing, is the same cause.
        for _ in range(2):
            watch.look(90 * MINUTE)
        assert incidents(watch.settings) == [("pipeline_stopped", True, ["opened"])]
    watch.alive(watch.db)
    for _ in range(3):
        watch.look(4 * MINUTE)
    assert incidents(watch.settings) == [("pipeline_stopped", False, ["opened", "closed"])]

    watch.now += timedelta(hours=13)  # so long after its end another outage is another incident
    watch.alive(watch.db)
    watch.look()
    watch.db.close()
    with always_back(postgres):
        postgres.stop()
        watch.look(MINUTE)
        watch.look(10 * MINUTE)
        assert watch.away_since is not None
    with connect(watch.settings, "owner", autocommit=True) as owner:
        watch.alive(owner)
    watch.look(MINUTE)
    watch.look(1.5 * MINUTE)
    assert incidents(watch.settings)[1:] == [("pipeline_stopped", True, ["opened"])]
    for _ in range(2):
        watch.look(4 * MINUTE)
    assert incidents(watch.settings)[1:] == [("pipeline_stopped", False, ["opened", "closed"])]
