"""Incidents, statuses and quality as they are now, for command line, API and pages."""

from __future__ import annotations

from datetime import date
from typing import Any

import psycopg
from psycopg.rows import dict_row

from ioc.errors import QuestionError
from sql import load_queries

Shown = dict[str, Any]
STATUSES = ("stale", "incomplete", "no_data", "lagging", "at_risk", "no_target", "on_track")
KINDS = (
    "pipeline_stopped",
    "feed_silent",
    "reporter_missing",
    "rejections_up",
    "control_total",
    "events_set_aside",
    "figures_differ",
    "lagging",
)
_TOUCHES = 500


def list_incidents(
    connection: psycopg.Connection,
    *,
    closed: bool = False,
    sector: str | None = None,
    kind: str | None = None,
    limit: int = 100,
    offset: int = 0,
) -> list[Shown]:
    """Return incidents, open ones first, the worst first; with `closed` also those that have ended."""
    parameters = {"all": closed, "sector": sector, "kind": kind, "limit": limit, "offset": offset}
    return _rows(connection, "incident", "list_incidents", parameters)


def show_incident(connection: psycopg.Connection, incident_id: int) -> Shown:
    """Return an incident with history, what it affects, and messages; raises QuestionError for an unknown one."""
    rows = _rows(connection, "incident", "show_incident", [incident_id])
    if not rows:
        raise QuestionError(
            f"there is no incident {incident_id}; `ioc incident list` shows them", f"không có sự cố số {incident_id}"
        )
    touches = {"incident_id": incident_id, "limit": _TOUCHES}
    return {
        **rows[0],
        "changes": _rows(connection, "incident", "list_changes", [incident_id]),
        "touches": _rows(connection, "incident", "list_touches", touches),
        "receipts": _rows(connection, "incident", "list_receipts", [incident_id]),
    }


def list_statuses(
    connection: psycopg.Connection,
    *,
    sector: str | None = None,
    area: str | None = None,
    code: str | None = None,
    status: str | None = None,
    unusual: bool = False,
    limit: int = 200,
    offset: int = 0,
) -> list[Shown]:
    """Return statuses of indicators, the worst first; of the province without an area, of all areas with a code."""
    parameters = {
        "sector": sector,
        "area": area,
        "code": code,
        "status": status,
        "unusual": unusual,
        "limit": limit,
        "offset": offset,
    }
    return _rows(connection, "status", "list_statuses", parameters)


def count_statuses(connection: psycopg.Connection, area: str | None = None) -> list[Shown]:
    """Return by sector how many indicators have which status, in the province or another unit."""
    return _rows(connection, "status", "count_statuses", {"area": area})


def list_quality(
    connection: psycopg.Connection,
    *,
    feed: str | None = None,
    area: str | None = None,
    on: date | None = None,
    reporter: str | None = None,
    measure: str | None = None,
    limit: int = 500,
) -> list[Shown]:
    """Return the quality of a day (without one: the newest of each feed and measure), by feed and measure."""
    parameters = {"feed": feed, "area": area, "on": on, "reporter": reporter, "measure": measure, "limit": limit}
    return _rows(connection, "status", "list_quality", parameters)


def _rows(connection: psycopg.Connection, file: str, query: str, parameters: Any) -> list[Shown]:
    cursor = connection.cursor(row_factory=dict_row)
    return cursor.execute(load_queries(file)[query].encode(), parameters).fetchall()
