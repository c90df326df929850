"""What each role may do: the worker writes and never changes the schema, dashboards read and see no payload."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege
from testbed.feed_event import record, stay
from testbed.pipeline import Pipeline

from ioc.database.connection import Role, connect
from ioc.settings import Settings


@pytest.fixture
def reader(settings: Settings) -> Iterator[psycopg.Connection]:
    with connect(settings, "reader", autocommit=True) as connection:
        yield connection


@pytest.fixture
def writer(settings: Settings) -> Iterator[psycopg.Connection]:
    with connect(settings, "writer", autocommit=True) as connection:
        yield connection


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id integer)",
        "ALTER TABLE tourism_stay ADD COLUMN name text",
        "DROP TABLE tourism_stay",
        "TRUNCATE tourism_stay",
        "CREATE FUNCTION mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "SELECT drop_chunks('stream_batch', older_than => now())",
    ],
)
def test_the_writer_cannot_change_the_schema(pipeline: Pipeline, writer: psycopg.Connection, statement: str) -> None:
    pipeline.send("tourism.stay", [stay()])
    with pytest.raises(InsufficientPrivilege):
        writer.execute(statement)  # type: ignore[arg-type]


def test_the_reader_reads_figures_and_why_an_event_was_refused(pipeline: Pipeline, reader: psycopg.Connection) -> None:
    pipeline.apply("tourism.stay", [record(0, stay()), record(1, b"{")])
    pipeline.roll_up()
    figures = reader.execute("SELECT count(*) > 0 FROM indicator_value").fetchone()
    rejections = reader.execute("SELECT rule, relayed_at FROM rejected_event").fetchall()
    assert (figures, rejections) == ((True,), [("json_invalid", None)])


@pytest.mark.parametrize("columns", ["payload", "*"])
def test_the_reader_sees_no_payload(reader: psycopg.Connection, columns: str) -> None:
    with pytest.raises(InsufficientPrivilege):
        reader.execute(f"SELECT {columns} FROM rejected_event")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO stream_position VALUES ('t', 0, 0)",
        "UPDATE indicator SET live = false",
        "DELETE FROM tourism_stay",
        "TRUNCATE measure_cell",
        "CREATE TABLE mine (id integer)",
    ],
)
def test_the_reader_writes_nothing(reader: psycopg.Connection, statement: str) -> None:
    with pytest.raises(InsufficientPrivilege):
        reader.execute(statement)  # type: ignore[arg-type]


@pytest.mark.parametrize("role", ["owner", "writer", "reader"])
def test_every_wait_is_bounded(settings: Settings, role: Role) -> None:
    with connect(settings, role) as connection:
        assert connection.execute("SHOW statement_timeout").fetchone() == ("2min",)
        assert connection.execute("SHOW timezone").fetchone() == ("UTC",)
