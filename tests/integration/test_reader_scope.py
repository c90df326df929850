"""A reader of one sector and area sees its rows and no other, whatever it asks the real server."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.errors import InsufficientPrivilege
from testbed.pipeline import Pipeline

from deploy.local.stack import Stack
from ioc.database.connection import Role, connect, conninfo
from ioc.database.reader_scope import list_scopes, remove_scope, set_scope
from ioc.errors import ConfigError
from ioc.settings import Settings

SECTORS = ("lodging", "einvoice", "environment")
VIEWS = ("shown_cell", "shown_value", "shown_status", "shown_quality", "shown_incident")


@contextmanager
def superuser(infrastructure: Stack, settings: Settings) -> Iterator[psycopg.Connection[Any]]:
    password = (infrastructure.postgres.home / "superuser").read_text()
    where = psycopg.conninfo.make_conninfo(conninfo(settings, "owner"), user="postgres", password=password)
    with psycopg.connect(where, autocommit=True) as connection:
        yield connection


@pytest.fixture
def role(infrastructure: Stack, settings: Settings) -> Iterator[str]:
    """A role of a department, as a superuser makes it; gone afterwards."""
    name = f"so_{uuid.uuid4().hex[:10]}"
    with superuser(infrastructure, settings) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'a secret'").format(sql.Identifier(name)))
        yield name
        connection.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(name)))
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


@contextmanager
def signed_in(settings: Settings, role: str) -> Iterator[psycopg.Connection[Any]]:
    where = psycopg.conninfo.make_conninfo(conninfo(settings, "reader"), user=role, password="a secret")
    with psycopg.connect(where, autocommit=True) as connection:
        yield connection


@pytest.fixture
def filled(settings: Settings, pipeline: Pipeline, db: psycopg.Connection) -> list[tuple[str, int]]:
    """A row of each view for every sector and area; returns all (sector, area)."""
    places = [
        (sector, area)
        for sector in SECTORS
        for (area,) in db.execute("SELECT area_id FROM area ORDER BY area_id").fetchall()
    ]
    sectors, areas = [list(one) for one in zip(*places, strict=True)]
    now = datetime(2026, 3, 1, tzinfo=UTC)
    with connect(settings, "rollup", autocommit=True) as connection:
        connection.execute(
            "INSERT INTO indicator_cell (sector, period, area_id, bucket, figures) "
            "SELECT s, 'day', a, '2026-03-01', array_fill(1.0::float8, ARRAY[2000]) "
            "FROM unnest(%s::text[], %s::int[]) w (s, a)",
            [sectors, areas],
        )
    with connect(settings, "scheduler", autocommit=True) as connection:
        connection.execute(
            "INSERT INTO quality_measure (day, measure, feed, sector, area_id, numerator, denominator, measured_at) "
            "SELECT '2026-03-01', 'complete', 'f', s, a, 1, 2, now() FROM unnest(%s::text[], %s::int[]) w (s, a)",
            [sectors, areas],
        )
        connection.execute(
            "INSERT INTO indicator_status (code, area_id, sector, unit, owner, status, since, period, computed_at) "
            "SELECT DISTINCT ON (s, a) i.code, a, s, i.unit, '', 'no_data', %s::timestamptz, 'day', %s::timestamptz "
            "FROM unnest(%s::text[], %s::int[]) w (s, a) JOIN indicator i ON i.sector = s AND i.live",
            [now, now, sectors, areas],
        )
        connection.execute(
            "INSERT INTO incident (cause, kind, severity, sector, owner, title_vi, title_en, summary_vi, summary_en, "
            "evidence, area_id, since, opened_at, changed_at, seen_at, step, step_at, told) "
            "SELECT 'pipeline_stopped:' || s || a, 'pipeline_stopped', 'warning', s, "
            "'', '', '', '', '', '{}', a, t, t, t, t, 0, t, '{}' "
            "FROM unnest(%s::text[], %s::int[]) w (s, a), (SELECT %s::timestamptz AS t) n",
            [sectors, areas, now],
        )
    return places


def seen(connection: psycopg.Connection[Any], view: str) -> set[tuple[str, int]]:
    return set(connection.execute(f"SELECT DISTINCT sector, area_id FROM {view}").fetchall())  # type: ignore[arg-type]


def test_a_bound_reader_sees_its_rows_and_no_other(
    settings: Settings, filled: list[tuple[str, int]], role: str, db: psycopg.Connection
) -> None:
    below = {
        one for (one,) in db.execute("SELECT origin_id FROM area_chain JOIN area USING (area_id) WHERE code = '747'")
    }
    areas = {area for _, area in filled}
    assert 1 < len(below) < len(areas)
    for sectors, codes, expected in (
        (["lodging"], ["747"], {("lodging", area) for area in below}),
        (["lodging", "einvoice"], [], {(sector, area) for sector in ("lodging", "einvoice") for area in areas}),
        ([], ["747"], {(sector, area) for sector in SECTORS for area in below}),
    ):
        with connect(settings, "owner") as owner:
            set_scope(owner, settings, role, sectors, codes)
        with signed_in(settings, role) as reader:
            for view in VIEWS:
                assert seen(reader, view) == expected, (view, sectors, codes)
            # Neither a condition of its own nor another role's name shows more.
            assert reader.execute("SELECT count(*) FROM shown_cell WHERE sector = 'environment'").fetchone() == (
                (0,) if sectors else (len(below),)
            )
            for statement in (
                "SELECT * FROM indicator_cell",
                "SELECT * FROM indicator_status",
                "SELECT * FROM incident",
                "SELECT * FROM quality_measure",
                "SELECT * FROM measure_cell",
                "SELECT * FROM tourism_stay",
                "SELECT * FROM reader_scope",
                "SELECT * FROM shown_snapshot",
                "DELETE FROM shown_incident",
                "UPDATE shown_incident SET title_vi = ''",
                "SET ROLE ioc_reader",
                "SET SESSION AUTHORIZATION ioc_reader",
                "CREATE TABLE mine (id integer)",
            ):
                with pytest.raises(InsufficientPrivilege):
                    reader.execute(statement)
            chunks = db.execute(
                "SELECT format('%I.%I', chunk_schema, chunk_name) FROM timescaledb_information.chunks "
                "WHERE hypertable_name IN ('indicator_cell', 'quality_measure')"
            ).fetchall()
            assert chunks
            for (chunk,) in chunks:
                with pytest.raises(InsufficientPrivilege):
                    reader.execute(f"SELECT * FROM {chunk}")  # type: ignore[arg-type]
            reader.execute("SET row_security = off")  # it then refuses to answer at all
            with pytest.raises(InsufficientPrivilege):
                reader.execute("SELECT * FROM shown_cell")
    # All others see every row, the owner through the views as well.
    for other in ("owner", "reader", "grafana"):
        with connect(settings, other, autocommit=True) as connection:  # type: ignore[arg-type]
            assert seen(connection, "shown_cell") == set(filled)
    with connect(settings, "owner") as owner:
        assert remove_scope(owner, role) == 1
        assert list_scopes(owner) == []
    with signed_in(settings, role) as reader, pytest.raises(InsufficientPrivilege):
        reader.execute("SELECT * FROM shown_cell")


def test_a_role_that_no_scope_would_bind_is_refused(
    settings: Settings, role: str, infrastructure: Stack, pipeline: Pipeline
) -> None:
    with connect(settings, "owner", autocommit=True) as owner:
        for name, sectors, areas, why in (
            ("ioc_reader", ["lodging"], [], "role of a process"),
            ("nobody_at_all", ["lodging"], [], "CREATE ROLE nobody_at_all LOGIN"),
            ("postgres", ["lodging"], [], "superuser"),
            (role, [], [], "name a sector or an area"),
            (role, ["lodgings"], ["77"], "sector lodgings"),
            (role, ["lodging"], ["no such"], "area no such"),
        ):
            with pytest.raises(ConfigError, match=why):
                set_scope(owner, settings, name, sectors, areas)
        with superuser(infrastructure, settings) as connection:
            connection.execute(sql.SQL("GRANT ioc_reader TO {}").format(sql.Identifier(role)))
        with pytest.raises(ConfigError, match="has the rights of ioc_reader"):
            set_scope(owner, settings, role, ["lodging"], [])
        with pytest.raises(ConfigError, match="has no scope"):
            remove_scope(owner, role)
        assert list_scopes(owner) == []


def test_who_writes_figures_does_not_pay_for_the_scope_of_readers(pipeline: Pipeline, settings: Settings) -> None:
    """Their statements carry no condition of the policy; those of others do."""
    asked = "EXPLAIN SELECT figures FROM indicator_cell WHERE sector = 'lodging' AND period = 'day' AND area_id = 1"
    plans: dict[Role, str] = {}
    roles: tuple[Role, ...] = ("rollup", "scheduler", "writer", "reader")
    for role in roles:
        with connect(settings, role, autocommit=True) as connection:
            plans[role] = "\n".join(line for (line,) in connection.execute(asked).fetchall())
    bound = {role for role, plan in plans.items() if "InitPlan" in plan or "SubPlan" in plan}
    assert bound == {"reader"}, plans
