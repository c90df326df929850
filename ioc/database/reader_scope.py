"""Readers of some sectors and areas: roles of the server that PostgreSQL itself keeps from all other rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import NamedTuple

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from ioc.database.connection import ROLES, role_name
from ioc.errors import ConfigError
from ioc.settings import Settings
from sql import load_queries


class _Unknown(NamedTuple):
    kind: str
    name: str


@dataclass(frozen=True)
class ReaderScope:
    """One sector in one area that a role sees; None = every sector, the whole province."""

    role: str
    sector: str | None
    area_code: str | None
    granted_at: datetime


@dataclass(frozen=True)
class _ServerRole:
    signs_in: bool
    above: bool
    member_of: list[str] | None


def list_scopes(connection: psycopg.Connection) -> list[ReaderScope]:
    """Return every scope, by role."""
    cursor = connection.cursor(row_factory=class_row(ReaderScope))
    return cursor.execute(load_queries("reader_scope")["list_scopes"]).fetchall()


def set_scope(
    connection: psycopg.Connection, settings: Settings, role: str, sectors: Sequence[str], areas: Sequence[str]
) -> None:
    """Let a role see these sectors in these areas (with all below), and nothing else; as the owner, in a transaction.

    An empty list is every sector, or the whole province. Raises ConfigError for a role that is none, is one of a
    process, or has rights of its own that no scope would bind; for an unknown sector or area; for no bound at all.
    """
    queries = load_queries("reader_scope")
    _require_bindable(connection, settings, role)
    if not sectors and not areas:
        raise ConfigError("name a sector or an area: a reader of everything is the role of IOC_DB_READER_USER")
    asked = {"sectors": list(sectors), "areas": list(areas)}
    unknown = connection.cursor(row_factory=class_row(_Unknown)).execute(queries["select_unknown"], asked).fetchall()
    if unknown:
        named = ", ".join(f"{one.kind} {one.name}" for one in unknown)
        raise ConfigError(f"not in this province: {named}; `ioc catalogue list` and `ioc profile show` name them")
    connection.execute(queries["remove_scope"], [role])
    for sector, area in product(sectors or (None,), areas or (None,)):
        connection.execute(queries["add_scope"], [role, sector, area])
    connection.execute(sql.SQL(queries["grant_reading"]).format(role=sql.Identifier(role)))


def remove_scope(connection: psycopg.Connection, role: str) -> int:
    """Take a role's scope and rights away, in a transaction; return how many scopes it had.

    Raises ConfigError where it had none.
    """
    queries = load_queries("reader_scope")
    removed = connection.execute(queries["remove_scope"], [role]).rowcount
    if not removed:
        raise ConfigError(f"{role} has no scope; `ioc db reader list` shows who has one")
    # In the same transaction: a role with rights and without a scope would not be bound.
    connection.execute(sql.SQL(queries["revoke_reading"]).format(role=sql.Identifier(role)))
    return removed


def _require_bindable(connection: psycopg.Connection, settings: Settings, role: str) -> None:
    if role in {role_name(settings, one) for one in ROLES}:
        raise ConfigError(f"{role} is the role of a process; make one for the reader: CREATE ROLE ... LOGIN")
    cursor = connection.cursor(row_factory=class_row(_ServerRole))
    found = cursor.execute(load_queries("reader_scope")["select_role"], [role]).fetchone()
    if found is None or not found.signs_in:
        raise ConfigError(
            f"{role} cannot sign in to PostgreSQL; as a superuser: CREATE ROLE {role} LOGIN, \\password {role}"
        )
    if found.above:
        raise ConfigError(f"{role} is a superuser or bypasses row-level security: no scope would bind it")
    if found.member_of:
        raise ConfigError(
            f"{role} has the rights of {', '.join(found.member_of)} too; as a superuser: REVOKE them first"
        )
