"""The schema that the migrations build is the one that was reviewed, and migrating is safe to repeat."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from testbed.schema import describe_schema

from deploy.local.stack import Stack
from ioc.database.connection import connect, conninfo
from ioc.database.migration import feed_defects, found_columns, migrate, status
from ioc.errors import ConfigError, FatalError
from ioc.feeds.feed import Feed
from ioc.feeds.record_table import table_columns
from ioc.province.profile import Profile, load_profile_catalogue
from ioc.province.store import load_into_database
from ioc.settings import ROOT, Settings
from sql import load_migrations, load_queries

REVIEWED = Path(__file__).with_name("schema.txt")
BUILT = ROOT / ".state" / "schema.txt"


@pytest.fixture
def empty(infrastructure: Stack, stack_settings: Settings) -> Iterator[Settings]:
    """A database in which nothing is, but the extension."""
    settings = stack_settings.model_copy(update={"db_name": "migration_empty"})
    with connect(settings, "owner", autocommit=True, database="postgres") as connection:
        # Of `template1`, as production's is; TimescaleDB is a trusted extension, so that an owner may create it.
        connection.execute("CREATE DATABASE migration_empty")
    with connect(settings, "owner", autocommit=True) as connection:
        connection.execute("SET client_min_messages = warning")
        connection.execute("CREATE EXTENSION timescaledb")
    yield settings
    with connect(settings, "owner", autocommit=True, database="postgres") as connection:
        connection.execute("DROP DATABASE migration_empty")


def test_the_schema_is_the_reviewed_one(db: psycopg.Connection) -> None:
    """After a change of the schema, read the difference that this shows, and put the new listing in place."""
    reviewed = REVIEWED.read_text(encoding="utf-8")
    built = describe_schema(db)
    difference = "\n".join(difflib.unified_diff(reviewed.splitlines(), built.splitlines(), "reviewed", "built", n=2))
    if difference:
        BUILT.write_text(built, encoding="utf-8")
    assert not difference, f"{difference}\nWhen this is as it should be: mv {BUILT} {REVIEWED}"


def test_record_tables_have_the_columns_of_their_feeds(db: psycopg.Connection, feeds: Mapping[str, Feed]) -> None:
    for feed in feeds.values():
        # A column that came later stands last.
        assert found_columns(db, feed) == table_columns(feed), feed.table


def test_a_feed_without_its_migration_is_told_at_once(db: psycopg.Connection, feeds: Mapping[str, Feed]) -> None:
    feed = feeds["infosec.event"]
    assert feed_defects(db, feeds.values()) == {}
    db.execute("ALTER TABLE infosec_event DROP COLUMN severity CASCADE, ADD COLUMN colour text")
    db.execute("ALTER TABLE infosec_event ALTER COLUMN detection_min TYPE integer")
    db.execute("DROP TABLE app_usage CASCADE")
    assert feed_defects(db, feeds.values()) == {
        "app.usage": ["there is no table app_usage"],
        feed.key: [
            "table infosec_event has no column severity text",
            "column infosec_event.detection_min is integer, not bigint",
            "table infosec_event has columns that the feed does not: colour",
        ],
    }


def test_migrating_says_which_feed_lacks_its_migration(empty: Settings, feeds: Mapping[str, Feed]) -> None:
    """A feed whose table nobody has made yet must not be answered by 'the schema is up to date'."""
    known = feeds["app.usage"]
    young = replace(known, key="app.opening")
    with pytest.raises(ConfigError, match=r"app\.opening: there is no table app_opening.*ioc feed new"):
        migrate(empty, [known, young])
    with connect(empty, "owner") as connection:
        assert connection.execute("SELECT key FROM feed").fetchall() == [("app.usage",)]


def test_a_profile_wants_the_feeds_first(empty: Settings, feeds: Mapping[str, Feed], profile: Profile) -> None:
    catalogue = load_profile_catalogue(empty.profile, feeds)
    with pytest.raises(FatalError, match="ioc db migrate"):
        load_into_database(empty, profile, catalogue)
    migrate(empty, [feed for feed in feeds.values() if feed.key != "tourism.stay"])
    with pytest.raises(ConfigError, match=r"tourism\.stay.*ioc db migrate"):
        load_into_database(empty, profile, catalogue)


def test_every_feed_has_its_row_and_its_hypertable(db: psycopg.Connection, feeds: Mapping[str, Feed]) -> None:
    known = dict(db.execute("SELECT key, record_table FROM feed").fetchall())
    assert known == {feed.key: feed.table for feed in feeds.values()}
    hypertables = {
        name for (name,) in db.execute("SELECT hypertable_name FROM timescaledb_information.hypertables").fetchall()
    }
    assert hypertables >= set(known.values())


def test_migrating_applies_all_and_then_nothing(empty: Settings, feeds: Mapping[str, Feed]) -> None:
    numbers = [migration.number for migration in load_migrations()]
    assert [state.applied_at for state in status(empty)] == [None] * len(numbers)
    assert [migration.number for migration in migrate(empty, feeds.values())] == numbers
    assert migrate(empty, feeds.values()) == []
    # Other clients than the project's own, Grafana above all, have no statement compiled either.
    with psycopg.connect(conninfo(empty, "grafana").replace("-c jit=off", "")) as connection:
        assert connection.execute("SHOW jit").fetchone() == ("off",)
    states = status(empty)
    assert [state.number for state in states] == numbers
    assert all(state.applied_at is not None for state in states)


def test_a_migration_that_fails_leaves_nothing_of_itself(empty: Settings, feeds: Mapping[str, Feed]) -> None:
    """A table stands in the way of the second migration: the first stays applied, the second leaves no trace."""
    second = load_migrations()[1]
    with connect(empty, "owner", autocommit=True) as connection:
        connection.execute("CREATE TABLE tourism_daily_report (in_the_way integer)")
    with pytest.raises(psycopg.errors.DuplicateTable):
        migrate(empty, feeds.values())
    assert [state.number for state in status(empty) if state.applied_at] == list(range(1, second.number))
    with connect(empty, "owner", autocommit=True) as connection:
        assert connection.execute("SELECT to_regclass('tourism_stay')").fetchone() == (None,)
        connection.execute("DROP TABLE tourism_daily_report")
    assert migrate(empty, feeds.values())[0].number == second.number


def test_a_database_that_is_ahead_of_the_code_is_refused(settings: Settings, db: psycopg.Connection) -> None:
    db.execute(load_queries("migration")["insert_applied"], [9999, "from_the_future"])
    with pytest.raises(FatalError, match=r"\[9999\].*install a newer version"):
        status(settings)


def test_migrating_a_database_that_is_ahead_is_refused_too(
    settings: Settings, db: psycopg.Connection, feeds: Mapping[str, Feed]
) -> None:
    db.execute(load_queries("migration")["insert_applied"], [9999, "from_the_future"])
    with pytest.raises(FatalError, match=r"\[9999\].*install a newer version"):
        migrate(settings, feeds.values())


def test_members_keep_the_days_that_were_their_own(db: psycopg.Connection) -> None:
    """What was stored for every level and period becomes a row for each day in the unit where a member counts."""
    change = next(migration for migration in load_migrations() if migration.name == "member_day")
    db.execute("DROP VIEW area_chain; DROP TABLE distinct_member")
    db.execute(
        "CREATE TABLE distinct_member (measure_id integer, period text, area_id integer, bucket date, "
        "member uuid, n integer)"
    )
    commune, district, province = db.execute(
        "SELECT c.area_id, d.area_id, d.parent_id FROM area c JOIN area d ON d.area_id = c.parent_id "
        "WHERE d.parent_id IS NOT NULL LIMIT 1"
    ).fetchone() or (0, 0, 0)
    member, other = "00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000b"
    levels = {member: {commune: 2, district: 3, province: 3}, other: {province: 1}}
    with db.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO distinct_member VALUES (7, %s, %s, '2024-10-01', %s, %s)",
            [
                (period, area, who, n)
                for who, areas in levels.items()
                for area, n in areas.items()
                for period in ("day", "month", "year")
            ],
        )
    db.execute(change.text)
    rows = db.execute("SELECT member::text, area_id, n FROM distinct_member WHERE measure_id = 7").fetchall()
    assert sorted(rows) == sorted([(member, commune, 2), (member, district, 1), (other, province, 1)])
