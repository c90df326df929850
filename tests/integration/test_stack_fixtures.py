"""The servers of the tests themselves: separate from one another, and from what a test left behind."""

from __future__ import annotations

import psycopg

from ioc.feeds.feed import Feed
from ioc.messaging.topic import list_topics
from ioc.settings import Settings


def test_a_test_has_a_migrated_database_of_its_own(db: psycopg.Connection, settings: Settings) -> None:
    assert db.execute("SELECT current_database()").fetchone() == (settings.db_name,)
    assert db.execute("SELECT count(*) FROM record_identity").fetchone() == (0,)
    reporters = db.execute("SELECT count(*) FROM reporter").fetchone()
    assert reporters is not None and reporters[0] > 476


def test_a_test_has_topics_of_its_own(kafka_topics: list[str], settings: Settings, feeds: dict[str, Feed]) -> None:
    states = list_topics(settings, feeds)
    assert [state.name for state in states] == kafka_topics
    assert all(name.startswith(f"{settings.topic_prefix}.") for name in kafka_topics)
    assert {state.status for state in states} == {"exists"}
