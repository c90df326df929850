"""A database of another driver: SQLite, whose rows come page by page behind watermark and key."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.formats.value import number_of
from connectors.poller.database import SqlSource, _table, from_json_value, page_statement, to_json_value
from connectors.poller.declaration import SqlPoller
from connectors.poller.source import SourceUnavailableError
from ioc.errors import ConfigError


def declared(file: Path | str, **changes: Any) -> SqlPoller:
    return SqlPoller.model_validate(
        {
            "name": "db",
            "feed": "tourism.daily_report",
            "driver": "sqlite3",
            "connect": {"database": str(file)},
            "query": "SELECT id, n AS Nights, changed FROM stay WHERE note NOT LIKE '%test%'",
            "watermark": "changed",
            "key": "id",
            "start": 0,
            "size": 3,
        }
        | changes
    )


def made(file: Path, rows: list[tuple[int, int, int]]) -> SqlSource:
    file.unlink(missing_ok=True)
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE stay (id integer, n integer, changed integer, note text DEFAULT '')")
        connection.executemany("INSERT INTO stay (id, n, changed) VALUES (?, ?, ?)", rows)
        connection.execute("INSERT INTO stay VALUES (999, 0, 5, 'a test')")
    connection.close()
    return SqlSource(declared(file), file.parent)


def ids(source: SqlSource, cursor: dict[str, Any], pages: int = 100) -> tuple[list[int], dict[str, Any]]:
    found = []
    for page, _ in zip(source.pages(cursor), range(pages), strict=False):
        found += [int(row["id"]) for row in csv.DictReader(io.StringIO(page.body.decode()))]
        cursor = json.loads(json.dumps(page.cursor))
    return found, cursor


@settings(max_examples=60, derandomize=True)
@given(
    changed=st.lists(st.integers(0, 4), max_size=14),  # many rows of one watermark
    stops=st.lists(st.integers(0, 3), max_size=4),
)
def test_every_row_comes_once_wherever_the_run_is_cut(
    changed: list[int], stops: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    source = made(tmp_path_factory.getbasetemp() / "cut.db", [(at, 1, moment) for at, moment in enumerate(changed)])
    found: list[int] = []
    cursor: dict[str, Any] = {}
    for pages in [*stops, 100]:
        more, cursor = ids(source, cursor, pages)
        found += more
    assert found == sorted(range(len(changed)), key=lambda at: (changed[at], at))


def test_a_changed_row_comes_again_and_columns_are_lower_case(tmp_path: Path) -> None:
    source = made(tmp_path / "a.db", [(1, 2, 10), (2, 2, 11)])
    found, cursor = ids(source, {})
    assert found == [1, 2]
    with sqlite3.connect(tmp_path / "a.db") as connection:
        connection.execute("UPDATE stay SET n = 5, changed = 12 WHERE id = 1")
    connection.close()
    (page,) = source.pages(cursor)
    assert page.body == b"id,nights,changed\n1,5,12\n"


def test_a_failing_query_quotes_no_row(tmp_path: Path) -> None:
    source = SqlSource(declared(tmp_path / "empty.db"), tmp_path)
    with pytest.raises(SourceUnavailableError, match="OperationalError"):
        list(source.pages({}))


@pytest.mark.parametrize("query", ["DELETE FROM stay", "SELECT id FROM", "SELECT 1; SELECT 2"])
def test_only_a_select_is_asked(query: str, tmp_path: Path) -> None:
    with pytest.raises((ConfigError, ValueError)):
        SqlSource(declared(tmp_path / "a.db", query=query), tmp_path)


def test_other_databases_are_asked_in_their_own_words() -> None:
    def of(dialect: str, paramstyle: str) -> tuple[str, tuple[str, ...]]:
        return page_statement(declared("x", dialect=dialect), paramstyle)[False, True]

    text, order = of("postgres", "pyformat")
    assert text.count("%(p") == 4
    assert "'%%test%%'" in text
    assert order == ("since", "since", "key", "before")
    assert text.endswith("LIMIT 3")
    assert of("oracle", "named")[0].endswith("FETCH FIRST 3 ROWS ONLY")
    assert "TOP 3" in of("tsql", "qmark")[0] or "FETCH" in of("tsql", "qmark")[0]
    assert of("mysql", "format")[0].count("%s") == 4


@pytest.mark.parametrize("value", [1.5, None, b"x", True, Decimal("NaN"), Decimal("-Infinity")])
def test_what_has_no_order_is_no_watermark(value: Any) -> None:
    with pytest.raises(SourceUnavailableError):
        to_json_value(value)


@given(
    st.one_of(st.datetimes(), st.dates(), st.integers(), st.text(), st.decimals(allow_nan=False, allow_infinity=False))
)
@settings(max_examples=50, derandomize=True)
def test_watermarks_are_kept_as_they_are(value: Any) -> None:
    assert from_json_value(json.loads(json.dumps(to_json_value(value)))) == value


@settings(max_examples=60, derandomize=True)
@given(
    st.decimals(-(10**12), 10**12, allow_nan=False, places=3)
    | st.floats(-1e12, 1e12).filter(lambda number: abs(number) > 1e-4)
)
def test_a_number_of_a_database_is_that_number_to_the_formats(number: Decimal | float) -> None:
    told = _table(["value"], [[number]]).decode().splitlines()[1]
    assert float(number_of(told)) == pytest.approx(float(number), rel=1e-9, abs=1e-12)
