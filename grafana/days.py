"""What range of business days boards open with: the data's own, so that the first view shows something."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import psycopg
from psycopg.rows import scalar_row
from structlog import get_logger

from grafana.boards.board import TimeRange
from ioc.database.connection import connect
from ioc.errors import DatabaseUnavailableError
from ioc.settings import Settings
from sql import load_queries

_RECENT = timedelta(days=3)
_SHOWN = timedelta(days=31)
log = get_logger(__name__)


def data_range(settings: Settings, timezone: str) -> TimeRange:
    """Return the last 30 days, or where the newest figures are older (a simulated October) their month.

    Without a database, or an empty one, the last 30 days; a warning says so.
    """
    try:
        with (
            connect(settings, "grafana", autocommit=True) as connection,
            connection.cursor(row_factory=scalar_row) as cursor,
        ):
            newest = cursor.execute(load_queries("board")["newest_day"]).fetchone()
    except (DatabaseUnavailableError, psycopg.Error) as error:
        log.warning(
            "boards open at the last 30 days, because the database does not say what days it holds", cause=str(error)
        )
        return TimeRange()
    zone = ZoneInfo(timezone)
    return range_around(newest, datetime.now(zone).date(), zone)


def range_around(newest: date | None, today: date, zone: ZoneInfo) -> TimeRange:
    """Return the range for the newest day with figures. Whole months, so that a simulation's next day changes no
    board."""
    if newest is None or today - newest <= _RECENT:
        return TimeRange()
    month = newest.replace(day=1)
    if newest.day >= 15:
        first, after = month, (month + _SHOWN).replace(day=1)
    else:
        first, after = (month - timedelta(days=1)).replace(day=1), newest.replace(day=6 if newest.day < 6 else 16)
    return TimeRange(*(_instant(day, zone) for day in (first, after)))


def _instant(day: date, zone: ZoneInfo) -> str:
    moment = datetime.combine(day, time(), zone).astimezone(UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
