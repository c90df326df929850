"""A database through its DB-API driver, page by page behind a watermark and a key (keyset paging, never OFFSET).

Cursor: `since` and `key` of the last row that was taken. Rows with the same watermark differ in the key, so that a
page may end between two of them.
"""

from __future__ import annotations

import csv
import importlib
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from connectors.poller.declaration import DIALECTS, SqlPoller, read_secret
from connectors.poller.source import Cursor, SourcePage, SourceUnavailableError
from ioc.errors import ConfigError

_MARKS = {"qmark": "?", "numeric": ":{}", "named": ":p{}", "format": "%s", "pyformat": "%(p{})s"}


class SqlSource:
    """Reads what a declaration names, over a connection of its own for each run."""

    def __init__(self, declared: SqlPoller, secrets: Path) -> None:
        self._declared = declared
        self._driver: Any = importlib.import_module(declared.driver)
        self._arguments: dict[str, Any] = dict(declared.connect)
        if declared.secret is not None:
            self._arguments[declared.secret_argument] = read_secret(secrets, declared.secret)
        self._statement = page_statement(declared, self._driver.paramstyle)

    def close(self) -> None:
        """Nothing is open between two runs."""

    def pages(self, cursor: Cursor) -> Iterator[SourcePage]:
        """Yield the pages from a cursor to the last row that is old enough."""
        declared = self._declared
        try:
            connection = self._driver.connect(**self._arguments)
        except self._driver.Error as error:
            raise SourceUnavailableError(f"{declared.name}: no connection ({type(error).__name__})") from error
        try:
            since = from_json_value(cursor["since"]) if "since" in cursor else declared.start
            key = from_json_value(cursor["key"]) if "key" in cursor else None
            before = self._settled(connection)
            while True:
                columns, rows = self._page(connection, since, key, before)
                if not rows:
                    return
                since, key = (
                    rows[-1][_index_of(columns, name, declared)] for name in (declared.watermark, declared.key)
                )
                if since is None or key is None:
                    raise SourceUnavailableError(
                        f"{declared.name}: a row without watermark or key; leave it out in the query"
                    )
                position = {"since": to_json_value(since), "key": to_json_value(key)}
                yield SourcePage(_table(columns, rows), position, len(rows))
                if len(rows) < declared.size:
                    return
        except self._driver.Error as error:
            # The message may quote a row.
            raise SourceUnavailableError(f"{declared.name}: the query failed ({type(error).__name__})") from error
        finally:
            connection.close()

    def _settled(self, connection: Any) -> Any:
        """Return the time by the source's own clock up to which rows are old enough; None: all are."""
        if not self._declared.settle or isinstance(self._declared.start, int):
            return None
        cursor = connection.cursor()
        dialect = self._declared.dialect or DIALECTS[self._declared.driver]
        cursor.execute(sqlglot.select(exp.CurrentTimestamp()).sql(dialect=dialect))
        (now,) = cursor.fetchone()
        cursor.close()
        moment = datetime.fromisoformat(now) if isinstance(now, str) else now
        settled = moment - timedelta(seconds=self._declared.settle)
        return settled.isoformat(" ", "seconds") if isinstance(now, str) else settled

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
    if isinstance(value, bool) or not isinstance(value, datetime | date | int | str | Decimal):
        raise SourceUnavailableError(
            f"a watermark or key of type {type(value).__name__} cannot be kept; cast it in the query"
        )
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
