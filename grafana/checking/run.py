"""Running every query of boards and rules against the real database, as the read-only role."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import psycopg

from grafana.boards.board import Json
from grafana.checking.check import Query, board_queries
from grafana.query.macros import Situation, expand

# A variable without choices: an empty database. Panels must still run, and show nothing.
_NOTHING = "0"


@dataclass(frozen=True)
class QueryResult:
    """What one query gave; `error` is the database's message where it refused."""

    place: str
    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    error: str = ""


def last_days(days: int) -> Situation:
    """Return the situation of a board that is opened now."""
    now = datetime.now(UTC)
    return Situation(now - timedelta(days=days), now)


def run_board(connection: psycopg.Connection, model: Json, situation: Situation) -> list[QueryResult]:
    """Run a board's queries with the choices that it would open with; `situation`'s variables go before those."""
    chosen = choose_variables(connection, model, situation)
    queries = (query for query in board_queries(model) if not query.choice)
    return run_queries(connection, queries, chosen)


def choose_variables(connection: psycopg.Connection, model: Json, situation: Situation) -> Situation:
    """Return the situation with a value for every variable: the default, or the first that its query gives."""
    for variable in model.get("templating", {}).get("list", []):
        name = variable["name"]
        if name in situation.variables:
            continue
        if variable["type"] == "query":
            offered = _offered(connection, variable["query"], situation)
            # A panel that is repeated over a variable is asked for one of its values at a time.
            many = variable.get("multi") and name not in _repeated(model)
            value: str | Sequence[str] = offered if many else offered[0]
        else:
            value = variable["current"]["value"]
        situation = replace(situation, variables={**situation.variables, name: value})
    return situation


def _repeated(model: Json) -> set[str]:
    return {panel["repeat"] for panel in model["panels"] if panel.get("repeat")}


def run_queries(connection: psycopg.Connection, queries: Iterable[Query], situation: Situation) -> list[QueryResult]:
    """Run queries one by one; a query that fails does not stop the others."""
    return [_run(connection, query, situation) for query in queries]


def _run(connection: psycopg.Connection, query: Query, situation: Situation) -> QueryResult:
    try:
        with connection.transaction(force_rollback=True):
            cursor = connection.execute(expand(query.sql, situation).encode())
            columns = tuple(column.name for column in cursor.description or ())
            return QueryResult(query.place, columns, tuple(cursor.fetchall()))
    except psycopg.Error as error:
        return QueryResult(query.place, (), (), str(error).strip())


def _offered(connection: psycopg.Connection, sql: str, situation: Situation) -> list[str]:
    with connection.transaction(force_rollback=True):
        cursor = connection.execute(expand(sql, situation).encode())
        place = [column.name for column in cursor.description or ()].index("__value")
        return [str(row[place]) for row in cursor.fetchall()] or [_NOTHING]
