"""A database through its DB-API driver, page by page behind a watermark and a key (keyset paging, never OFFSET).

Cursor: `since` and `key` of the last row that was taken. Rows with the same watermark differ in the key, so that a
page may end between two of them.
"""

from __future__ import annotations

import csv
import importlib
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from connectors.poller.declaration import DIALECTS, SqlPoller, read_secret
from connectors.poller.source import Cursor, SourcePage, SourceUnavailableError
from ioc.errors import ConfigError, IocError

# Waits are bounded where a declaration does not say how: a source that vanished must not hold the others.
_BOUNDS: Mapping[str, Mapping[str, Any]] = {
    "psycopg": {"connect_timeout": 10, "keepalives_idle": 30, "options": "-c statement_timeout=300s"},
    "psycopg2": {"connect_timeout": 10, "keepalives_idle": 30, "options": "-c statement_timeout=300s"},
    "pymysql": {"connect_timeout": 10, "read_timeout": 300, "write_timeout": 60},
    "MySQLdb": {"connect_timeout": 10, "read_timeout": 300, "write_timeout": 60},
    "mariadb": {"connect_timeout": 10, "read_timeout": 300, "write_timeout": 60},
    "oracledb": {"tcp_connect_timeout": 10},
    "pymssql": {"login_timeout": 10, "timeout": 300},
    "pyodbc": {"timeout": 10},
    "sqlite3": {"timeout": 30},
}
_UNMARKED = (
    "{0}: có dòng để trống cột mốc nên không bao giờ được lấy; điền cột này ở nguồn"
    " · a row without watermark is never taken; fill the column at the source"
)
_MARKS = {"qmark": "?", "numeric": ":{}", "named": ":p{}", "format": "%s", "pyformat": "%(p{})s"}


class SqlSource:
    """Reads what a declaration names, over a connection of its own for each run."""

    def __init__(self, declared: SqlPoller, secrets: Path) -> None:
        self._declared = declared
        self._driver: Any = importlib.import_module(declared.driver)
        self._arguments: dict[str, Any] = {**_BOUNDS.get(declared.driver, {}), **declared.connect}
        if declared.secret is not None:
            self._arguments[declared.secret_argument] = read_secret(secrets, declared.secret)
        self._statement = page_statement(declared, self._driver.paramstyle)
        self._unmarked = unmarked_statement(declared)

    def close(self) -> None:
        """Nothing is open between two runs."""

    def pages(self, cursor: Cursor) -> Iterator[SourcePage]:
        """Yield the pages from a cursor to the last row that is old enough."""
        declared = self._declared
        try:
            connection = self._driver.connect(**self._arguments)
        # Beside its own errors a driver raises OSError, and TypeError for an argument that it does not know.
        except Exception as error:
            raise SourceUnavailableError(f"{declared.name}: no connection ({type(error).__name__})") from error
        try:
            since = from_json_value(cursor["since"]) if "since" in cursor else declared.start
            key = from_json_value(cursor["key"]) if "key" in cursor else None
            before = self._settled(connection)
            if self._has_unmarked(connection):
                yield SourcePage(b"", cursor, 0, (_UNMARKED.format(declared.watermark),))
            while True:
                columns, rows = self._page(connection, since, key, before)
                if not rows:
                    return
                places = [_index_of(columns, name, declared) for name in (declared.watermark, declared.key)]
                # A watermark of NaN sorts last, and `> NaN` finds nothing: the cursor stays before such a row, and the
                # rows before it are taken.
                good, position, fault = _position(rows, places)
                if good:
                    since, key = (rows[good - 1][place] for place in places)
                    yield SourcePage(_table(columns, rows[:good]), position, good)
                if fault:
                    raise SourceUnavailableError(f"{declared.name}: {fault}")
                if len(rows) < declared.size:
                    return
        except IocError:
            raise
        except Exception as error:
            # Not only the driver's own: a date that Python cannot hold is a ValueError. The message may quote a row.
            raise SourceUnavailableError(
                f"{declared.name}: the query failed ({type(error).__name__}); a value that the driver cannot read, "
                "such as infinity or the year 20000, is left out or cast in the query"
            ) from error
        finally:
            with suppress(Exception):  # a connection that broke may not be closed either
                connection.close()

    def _settled(self, connection: Any) -> Any:
        """Return the time by the source's own clock up to which rows are old enough; None: all are."""
        start = self._declared.start
        if isinstance(start, int) or not (self._declared.settle or isinstance(start, datetime)):
            return None
        cursor = connection.cursor()
        dialect = self._declared.dialect or DIALECTS[self._declared.driver]
        cursor.execute(sqlglot.select(exp.CurrentTimestamp()).sql(dialect=dialect))
        (now,) = cursor.fetchone()
        cursor.close()
        moment = datetime.fromisoformat(now) if isinstance(now, str) else now
        settled = moment - timedelta(seconds=self._declared.settle)
        return settled.isoformat(" ", "seconds") if isinstance(now, str) else settled

    def _has_unmarked(self, connection: Any) -> bool:
        """Whether a row has no watermark: no comparison finds it, and nobody would miss it."""
        cursor = connection.cursor()
        cursor.execute(self._unmarked)
        found = cursor.fetchone() is not None
        cursor.close()
        connection.rollback()
        return found

    def _page(self, connection: Any, since: Any, key: Any, before: Any) -> tuple[list[str], list[Sequence[Any]]]:
        cursor = connection.cursor()
        first = key is None
        statement, order = self._statement[first, before is not None]
        values = {"since": since, "key": key, "before": before}
        given: Any = [values[name] for name in order]
        if self._driver.paramstyle in ("named", "pyformat"):
            given = {f"p{index}": value for index, value in enumerate(given, start=1)}
        cursor.execute(statement, given)
        rows = cursor.fetchall()
        columns = [str(column[0]) for column in cursor.description]
        cursor.close()
        connection.rollback()  # a snapshot of its own for each page; nothing is held open while a page is sent
        return columns, rows


def page_statement(declared: SqlPoller, paramstyle: str) -> Mapping[tuple[bool, bool], tuple[str, tuple[str, ...]]]:
    """Return the statement of a page and its parameters in order, by (it is the first, young rows are left out).

    The query becomes a sub-query; order, limit and comparisons are written by sqlglot for the database's own SQL.
    Raises ConfigError where the query is no single SELECT.
    """
    dialect = declared.dialect or DIALECTS[declared.driver]
    try:
        (parsed,) = sqlglot.parse(declared.query, dialect=dialect)
    except (SqlglotError, ValueError) as error:
        raise ConfigError(f"{declared.name}: the query cannot be read as one statement of {dialect}: {error}") from None
    if not isinstance(parsed, exp.Query):
        raise ConfigError(f"{declared.name}: the query must be a SELECT; a poller changes nothing")
    return {
        (first, young): _statement(declared, parsed, dialect, paramstyle, first=first, young=young)
        for first in (True, False)
        for young in (True, False)
    }


def unmarked_statement(declared: SqlPoller) -> str:
    """Return the statement that finds a row without watermark."""
    dialect = declared.dialect or DIALECTS[declared.driver]
    (parsed,) = sqlglot.parse(declared.query, dialect=dialect)
    assert isinstance(parsed, exp.Query), "page_statement has looked at it"
    missing = exp.column(declared.watermark, table="polled").is_(exp.null())
    return (
        sqlglot.select(exp.convert(1).as_("found"))
        .from_(parsed.subquery("polled"))
        .where(missing)
        .limit(1)
        .sql(dialect)
    )


def _statement(
    declared: SqlPoller, parsed: exp.Query, dialect: str, paramstyle: str, *, first: bool, young: bool
) -> tuple[str, tuple[str, ...]]:
    watermark, key = exp.column(declared.watermark, table="polled"), exp.column(declared.key, table="polled")
    since = exp.Placeholder(this="ioc_since")
    if first:
        behind: exp.Condition = exp.GTE(this=watermark, expression=since)
    else:
        same = exp.and_(
            exp.EQ(this=watermark.copy(), expression=since.copy()),
            exp.GT(this=key.copy(), expression=exp.Placeholder(this="ioc_key")),
        )
        behind = exp.or_(exp.GT(this=watermark, expression=since), same)
    query = sqlglot.select("polled.*").from_(parsed.copy().subquery("polled")).where(behind)
    if young:
        query = query.where(exp.LT(this=watermark.copy(), expression=exp.Placeholder(this="ioc_before")))
    text = query.order_by(watermark.copy(), key.copy()).limit(declared.size).sql(dialect=dialect)
    if paramstyle in ("format", "pyformat"):
        text = text.replace("%", "%%")
    order: list[str] = []
    parts: list[str] = []
    rest = text
    while True:
        found = min(
            (
                (rest.find(mark), name, mark)
                for name in ("since", "key", "before")
                for mark in _spellings(name)
                if mark in rest
            ),
            default=None,
        )
        if found is None:
            return "".join([*parts, rest]), tuple(order)
        place, name, mark = found
        order.append(name)
        parts += [rest[:place], _MARKS[paramstyle].format(len(order))]
        rest = rest[place + len(mark) :]


def _spellings(name: str) -> tuple[str, ...]:
    """Return how sqlglot writes a placeholder in one dialect or another (`%` already doubled)."""
    return f"%%(ioc_{name})s", f":ioc_{name}", f"@ioc_{name}", f"$ioc_{name}"


def to_json_value(value: Any) -> dict[str, str]:
    """Return a watermark or key so that it can be kept; raises SourceUnavailableError for a type that has no order."""
    if value is None:
        raise SourceUnavailableError("a row without watermark or key; leave it out in the query")
    kept = isinstance(value, datetime | date | int | str | Decimal) and not isinstance(value, bool)
    if not kept or (isinstance(value, Decimal) and not value.is_finite()):
        kind = type(value).__name__ if not kept else f"{type(value).__name__} {value}"
        raise SourceUnavailableError(f"a watermark or key of type {kind} cannot be kept; cast it in the query")
    return {type(value).__name__: value.isoformat() if isinstance(value, date) else str(value)}


def from_json_value(kept: Mapping[str, str]) -> Any:
    """Return what `to_json_value` kept.

    >>> from_json_value(to_json_value(Decimal("1.50")))
    Decimal('1.50')
    """
    ((kind, text),) = kept.items()
    read: Mapping[str, Any] = {
        "datetime": datetime.fromisoformat,
        "date": date.fromisoformat,
        "int": int,
        "str": str,
        "Decimal": Decimal,
    }
    return read[kind](text)


def _position(rows: Sequence[Sequence[Any]], places: Sequence[int]) -> tuple[int, dict[str, Any], str]:
    """Return how many rows come before the first without order, the cursor behind them, and what that one lacks."""
    position: dict[str, Any] = {}
    for count, row in enumerate(rows):
        try:
            position = {name: to_json_value(row[place]) for name, place in zip(("since", "key"), places, strict=True)}
        except SourceUnavailableError as error:
            return count, position, str(error)
    return len(rows), position, ""


def _index_of(columns: Sequence[str], name: str, declared: SqlPoller) -> int:
    for index, column in enumerate(columns):
        if column.lower() == name.lower():  # Oracle answers in capitals
            return index
    raise SourceUnavailableError(f"{declared.name}: the query has no column {name!r}")


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    """Return rows as the table formats read them: CSV in UTF-8; nothing for NULL."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.lower() for column in columns])
    writer.writerows([[_cell(value) for value in row] for row in rows])
    return text.getvalue().encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float | Decimal):
        return _plain_number(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def _plain_number(value: float | Decimal) -> str:
    """Return a number as a table's reader takes it in one way only.

    >>> _plain_number(0.00001), _plain_number(Decimal("1.234"))
    ('0.00001', '1.2340')

    `1.234` as text is 1234 to some and refused; with another digit behind the point it is what the database means.
    """
    text = format(Decimal(str(value)), "f")
    return f"{text}0" if "." in text and len(text.partition(".")[2]) == 3 else text
