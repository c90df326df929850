"""Bringing the database's schema to the version of the code, and listing which migrations are applied."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.rows import scalar_row

from ioc.database.connection import ROLES, connect, role_name
from ioc.errors import ConfigError, FatalError
from ioc.feeds.feed import Feed
from ioc.feeds.record_table import table_defects
from ioc.settings import Settings
from sql import Migration, load_migrations, load_queries

_LOCK = 7_305_001  # advisory lock: one migration at a time


@dataclass(frozen=True)
class MigrationState:
    """A migration and when it was applied (ISO time), or None while it is pending."""

    number: int
    name: str
    applied_at: str | None


def status(settings: Settings) -> list[MigrationState]:
    """Return every migration with its state; raises `FatalError` when the database is ahead of the code."""
    with connect(settings, "owner", autocommit=True) as connection:
        applied = _applied(connection)
    known = _require_known(applied)
    return [MigrationState(m.number, m.name, applied.get(m.number)) for m in known]


def migrate(settings: Settings, feeds: Iterable[Feed]) -> list[Migration]:
    """Apply what is pending, each migration in its own transaction; return what was applied.

    Raises `FatalError` when the database is ahead of the code, `ConfigError` when the server lacks a role, or a feed
    has no migration for what it needs; all else is done then.
    """
    queries = load_queries("migration")
    done: list[Migration] = []
    with connect(settings, "owner", autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        _require_roles(connection, settings)
        connection.execute(queries["create_table"])
        applied = _applied(connection)
        pending = [migration for migration in _require_known(applied) if migration.number not in applied]
        if pending and connection.execute(queries["has_as_of_views"]).fetchone() == (True,):
            connection.execute(queries["drop_as_of_views"])  # a view would hold a record table as it is
        for migration in pending:
            text = _with_roles(migration.text, settings)
            with connection.transaction():
                connection.execute(text)
                connection.execute(queries["insert_applied"], [migration.number, migration.name])
            done.append(migration)
        feeds = list(feeds)
        defects = feed_defects(connection, feeds)
        for feed in feeds:
            if feed.key not in defects:
                connection.execute(
                    queries["upsert_feed"],
                    [feed.key, feed.domain, feed.table, feed.name_vi, feed.name_en, feed.cadence],
                )
                grant_record_table(connection, settings, feed.table)
                if pending:
                    connection.execute(queries["make_as_of_views"], [feed.table])
    if defects:
        listed = "; ".join(f"{key}: {', '.join(sentences)}" for key, sentences in defects.items())
        raise ConfigError(
            f"all migrations are applied, and yet tables do not fit their feeds: {listed}. Add a migration that makes "
            "what is missing; for a new feed `ioc feed new` writes it"
        )
    return done


def feed_defects(connection: psycopg.Connection, feeds: Iterable[Feed]) -> dict[str, list[str]]:
    """Compare the record tables with the feeds; return by feed what does not fit, and nothing where all is well."""
    defects = {feed.key: table_defects(feed, found_columns(connection, feed)) for feed in feeds}
    return {key: sentences for key, sentences in sorted(defects.items()) if sentences}


def found_columns(connection: psycopg.Connection, feed: Feed) -> dict[str, str]:
    """Return the columns of the feed's table as the database has them, in order: name -> type; empty without one."""
    return dict(connection.execute(load_queries("migration")["select_columns"], [feed.table]).fetchall())


def grant_record_table(connection: psycopg.Connection, settings: Settings, table: str) -> None:
    """Give the processes their rights on a feed's record table: the worker stores, the scheduler recomputes."""
    statement = sql.SQL(load_queries("migration")["grant_record_table"])
    names = {role: sql.Identifier(role_name(settings, role)) for role in ("worker", "scheduler")}
    connection.execute(statement.format(table=sql.Identifier(table), **names))


def _require_roles(connection: psycopg.Connection, settings: Settings) -> None:
    """Raise ConfigError with what a superuser has to run where the server lacks a role."""
    wanted = [role_name(settings, role) for role in ROLES]
    found = connection.cursor(row_factory=scalar_row).execute(load_queries("migration")["select_roles"], [wanted])
    if missing := sorted(set(wanted) - set(found.fetchall())):
        raise ConfigError(
            f"PostgreSQL has no role {', '.join(missing)}. As a superuser run, each with a password of its own: "
            + " ".join(f"CREATE ROLE {name} LOGIN PASSWORD '...';" for name in missing)
        )


def _with_roles(text: str, settings: Settings) -> str:
    for role in ROLES:
        text = text.replace(f"{{{role}}}", role_name(settings, role))
    return text


def _require_known(applied: Mapping[int, str]) -> list[Migration]:
    """Return the migrations of the code; raise when the database holds others."""
    known = load_migrations()
    unknown = sorted(applied.keys() - {migration.number for migration in known})
    if unknown:
        raise FatalError(
            f"the database holds migrations {unknown} that this version does not know; install a newer version"
        )
    return known


def _applied(connection: psycopg.Connection) -> dict[int, str]:
    """Return applied migrations: number -> time."""
    queries = load_queries("migration")
    if connection.execute(queries["table_exists"]).fetchone() == (None,):
        return {}
    return dict(connection.execute(queries["select_applied"]).fetchall())
