"""A moment in the past: parsed from text, and set in the database session, whose views then show that moment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg

from ioc.database.connection import snapshot
from ioc.errors import QuestionError
from sql import load_queries

_DAY = re.compile(r"^\d{4}-\d{2}-\d{2}$")


@dataclass(frozen=True)
class PastMoment:
    """A point in time; what was stored up to it, itself included, is known."""

    at: datetime

    @classmethod
    def parse(cls, text: str, zone: ZoneInfo) -> PastMoment:
        """Read a day (its end, in `zone`) or a time in ISO 8601 (of `zone` where it names no offset).

        Raises QuestionError for anything else.
        """
        try:
            if _DAY.match(text):
                following = date.fromisoformat(text) + timedelta(days=1)
                return cls(
                    datetime(following.year, following.month, following.day, tzinfo=zone).astimezone(UTC) - _TICK
                )
            found = datetime.fromisoformat(text.replace(" ", "T", 1))
            return cls((found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC))
        except (ValueError, OverflowError):
            raise QuestionError(
                f"{text!r} is no moment; write a day such as 2025-03-05 (its end), or 2025-03-05T09:30",
                f"{text!r} không phải là thời điểm; hãy ghi ngày, như 2025-03-05 (tính đến hết ngày), hoặc "
                "2025-03-05T09:30",
            ) from None

    def day(self, zone: ZoneInfo) -> date:
        """Return the day in which it lies."""
        return self.at.astimezone(zone).date()


_TICK = timedelta(microseconds=1)


@contextmanager
def past(connection: psycopg.Connection, moment: PastMoment) -> Iterator[None]:
    """Let every table that has a history be read as it was at the moment, from one snapshot.

    The connection must be in autocommit mode, and idle. Raises QuestionError for what lies before the history begins,
    or ahead.
    """
    queries = load_queries("past")
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        row = connection.execute(queries["select_reach"]).fetchone()
        since, now = row if row is not None else (None, None)
        if since is None or moment.at < since:
            begins = "never" if since is None else since.isoformat(timespec="seconds")
            raise QuestionError(
                f"the history of figures begins at {begins}; nothing is known of how they were before",
                f"lịch sử số liệu bắt đầu từ {begins}; không biết số liệu trước đó",
            )
        if now is not None and moment.at > now:
            raise QuestionError(
                f"{moment.at.isoformat(timespec='seconds')} lies ahead; name a moment that is over",
                f"{moment.at.isoformat(timespec='seconds')} ở tương lai; hãy chọn một thời điểm đã qua",
            )
        connection.execute(queries["begin"], {"moment": moment.at.isoformat()})
        yield


def within(connection: psycopg.Connection, moment: PastMoment | None) -> AbstractContextManager[None]:
    """Read from one snapshot: of now, or of a past moment."""
    return snapshot(connection) if moment is None else past(connection, moment)
