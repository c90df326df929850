"""A feed whose table does not fit it is left out, loudly, and stops no other."""

from __future__ import annotations

from collections.abc import Mapping

import psycopg
import pytest
import structlog
from structlog.testing import capture_logs

from ioc.errors import ConfigError
from ioc.feeds.feed import Feed
from ioc.province.profile import Profile
from ioc.settings import Settings
from streams.worker.app import create_app
from streams.worker.metrics import WorkerMetrics
from streams.worker.selection import served_feeds


def left_out(metrics: WorkerMetrics, feed: str) -> float | None:
    return metrics.registry.get_sample_value("ioc_feed_left_out", {"feed": feed})


def test_a_feed_without_its_table_or_a_column_stops_no_other(
    settings: Settings, db: psycopg.Connection, feeds: Mapping[str, Feed], profile: Profile
) -> None:
    db.execute("DROP TABLE app_usage CASCADE")
    db.execute("ALTER TABLE infosec_event DROP COLUMN severity CASCADE")
    metrics = WorkerMetrics()
    with capture_logs() as logs:
        app = create_app(settings, feeds, profile, metrics, lambda: None)
    served = feeds.keys() - {"app.usage", "infosec.event"}
    assert set(app.agents) == {f"agent.{key}" for key in served}
    told = {entry["feed"]: entry for entry in logs if entry["log_level"] == "error"}
    assert told.keys() == {"app.usage", "infosec.event"}
    assert told["infosec.event"]["defects"] == ["table infosec_event has no column severity text"]
    assert "ioc db migrate" in told["app.usage"]["what_to_do"]
    assert {key for key in feeds if left_out(metrics, key)} == told.keys()
    assert left_out(metrics, "tourism.stay") == 0


def test_a_feed_that_the_database_does_not_know_is_left_out(db: psycopg.Connection, feeds: Mapping[str, Feed]) -> None:
    known = dict.fromkeys(feeds.keys() - {"app.usage"}, 1)
    with capture_logs():
        assert feeds.keys() - served_feeds(db, feeds, known, WorkerMetrics()).keys() == {"app.usage"}


def test_a_worker_that_could_serve_nothing_does_not_start(db: psycopg.Connection, feeds: Mapping[str, Feed]) -> None:
    with capture_logs(), pytest.raises(ConfigError, match="ioc db migrate"):
        served_feeds(db, feeds, {}, WorkerMetrics())
    assert structlog.is_configured()
