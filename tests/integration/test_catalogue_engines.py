"""Polars and PostgreSQL read the catalogue alike: its rows, whatever its loader lets through, and its formulas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import psycopg
import pytest
import sqlglot
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from psycopg import sql
from sqlglot import exp

from ioc.catalogue import (
    DATA,
    Measure,
    compile_measures,
    contribution_expr,
    contribution_sql,
    formula_expr,
    formula_sql,
    load_catalogue,
    member_expr,
    member_sql,
)
from ioc.catalogue.expression import parse_expression, schema_of
from ioc.catalogue.plan import Computed
from ioc.errors import ConfigError
from ioc.feeds.feed import UTC_TIME, Column, load_feeds

pytestmark = pytest.mark.integration

Schema = Mapping[str, pl.DataType]
Row = dict[str, Any]
FEEDS = load_feeds()
COMPILED = compile_measures(load_catalogue(DATA, FEEDS))
# The connection outlives the examples of one test; each example starts with an empty table.
EXAMPLES = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

NUMBERS = st.sampled_from([0, 1, 2, 4, 5, 17, 18, 30, 31, 60, 61, 1440, 1441, -7]) | st.integers(-(10**14), 10**14)
DECIMALS = st.integers(-(10**10), 10**10).map(lambda n: n / 2000) | st.floats(-1e7, 1e7)
DAYS = st.dates(date(2024, 9, 1), date(2024, 11, 1))
VALUES: Mapping[pl.DataType, st.SearchStrategy[Any]] = {
    pl.Int64(): NUMBERS,
    pl.Float64(): DECIMALS,
    pl.String(): st.sampled_from(["x", "X", "Đất Đỏ", "dat do", ""]),
    pl.Boolean(): st.booleans(),
    pl.Date(): DAYS,
    UTC_TIME: st.datetimes(datetime(2024, 9, 1), datetime(2024, 11, 1), timezones=st.just(UTC)),  # noqa: DTZ001
}


class Probe:
    """A table of records in PostgreSQL and the same records as a frame."""

    def __init__(self, db: psycopg.Connection, schema: Schema) -> None:
        self._db = db
        self._schema = schema
        columns = ", ".join(f'"{name}" {Column(name, dtype).sql_type}' for name, dtype in schema.items())
        db.execute(f"CREATE TEMPORARY TABLE probe (row_number bigint, {columns})")

    def assert_same(self, rows: Sequence[Row], pairs: Iterable[tuple[pl.Expr, str]]) -> None:
        """Evaluate each pair over `rows` in both engines; the answers must be equal, to the last bit."""
        exprs, texts = zip(*pairs, strict=True)
        frame = pl.DataFrame(rows, schema=self._schema)
        self._db.execute("TRUNCATE probe")
        with self._db.cursor().copy("COPY probe FROM STDIN") as copy:
            for number, row in enumerate(rows):
                copy.write_row([number, *(row[name] for name in self._schema)])
        answers = [
            self._db.execute(f"SELECT {', '.join(part)} FROM probe ORDER BY row_number").fetchall()
            for part in (texts[at : at + 500] for at in range(0, len(texts), 500))
        ]
        theirs = [tuple(value for part in row for value in part) for row in zip(*answers, strict=True)]
        ours = frame.with_columns(expr.alias(f"value {at}") for at, expr in enumerate(exprs))
        for at, text in enumerate(texts):
            assert ours[f"value {at}"].to_list() == [row[at] for row in theirs], text


def rows_of(schema: Schema, words: Mapping[str, set[str]]) -> st.SearchStrategy[list[Row]]:
    """Return lists of records: each cell null now and then, texts mostly those that the catalogue asks for."""
    cells = {}
    for name, dtype in schema.items():
        known = st.sampled_from(sorted(words[name])) if words.get(name) else st.nothing()
        cells[name] = st.none() | known | VALUES[dtype]
    return st.lists(st.fixed_dictionaries(cells), min_size=1, max_size=8)


def words_of(measures: Iterable[Measure]) -> dict[str, set[str]]:
    """Return the texts that measures compare each column with."""
    words: dict[str, set[str]] = {}
    for measure in measures:
        for node in sqlglot.parse_one(measure.condition, read="postgres").find_all(exp.EQ, exp.In):
            texts = {literal.name for literal in node.find_all(exp.Literal) if literal.is_string}
            if isinstance(node.this, exp.Column):
                words.setdefault(node.this.name, set()).update(texts)
    return words


def pair(measure: Measure) -> tuple[pl.Expr, str]:
    if measure.kind == "distinct":
        return member_expr(measure), member_sql(measure)
    return contribution_expr(measure), contribution_sql(measure)


@pytest.mark.parametrize("key", sorted({measure.feed for measure in COMPILED.measures}))
def test_every_measure_of_the_catalogue(db: psycopg.Connection, key: str) -> None:
    measures = COMPILED.of_feed(key)
    schema = schema_of(FEEDS[key])
    probe = Probe(db, schema)

    @EXAMPLES
    @given(rows_of(schema, words_of(measures)))
    def check(rows: list[Row]) -> None:
        probe.assert_same(rows, map(pair, measures))

    check()


@pytest.mark.parametrize("key", sorted({measure.feed for measure in COMPILED.measures}))
def test_measures_run_on_the_record_table(db: psycopg.Connection, key: str) -> None:
    texts = sql.SQL(", ".join(text for _, text in map(pair, COMPILED.of_feed(key))))
    found = db.execute(sql.SQL("SELECT {} FROM {}").format(texts, sql.Identifier(FEEDS[key].table))).fetchall()
    assert found == [], "every expression fits the table's columns, and the table is empty"


# ------------------------------------------------------------------------------ expressions of any form
SCHEMA: Schema = {
    "n": pl.Int64(),
    "m": pl.Int64(),
    "x": pl.Float64(),
    "s": pl.String(),
    "t": pl.String(),
    "b": pl.Boolean(),
    "d": pl.Date(),
    "effective_on": pl.Date(),
}
WORDS = st.sampled_from(["'x'", "'X'", "'Đất Đỏ'", "''"])
WHOLE = st.integers(0, 1441).map(str)


def joined(template: str, *parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map(lambda values: template.format(*values))


def listed(items: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(items, min_size=1, max_size=3).map(", ".join)


def choice_of(operators: str) -> st.SearchStrategy[str]:
    return st.sampled_from(operators.split())


COMPARE = choice_of("= <> < <= > >=")
SIMPLE_NUMBERS = st.sampled_from(["n", "m", "x"]) | WHOLE
COMPUTED = st.recursive(
    SIMPLE_NUMBERS,
    lambda inner: st.one_of(
        joined("{} {} {}", inner, choice_of("+ -"), inner),
        joined("{} * {}", SIMPLE_NUMBERS, WHOLE),
        joined("({})", inner),
        joined("- {}", SIMPLE_NUMBERS),
        joined("ABS({})", inner),
        joined("COALESCE({}, {})", inner, inner),
        joined("GREATEST({}, {})", inner, inner),
        joined("LEAST({}, {})", inner, inner),
        joined("CASE WHEN b THEN {} ELSE {} END", inner, inner),
        joined("CASE WHEN s = 'x' THEN {} END", inner),
    ),
    max_leaves=5,
)
CONDITIONS = st.recursive(
    st.one_of(
        st.sampled_from(["b", "TRUE", "FALSE", "b = TRUE", "b <> FALSE"]),
        joined("{} {} {}", COMPUTED, COMPARE, COMPUTED),
        joined("x {} {}.5", COMPARE, WHOLE),
        joined("n BETWEEN {} AND {}", WHOLE, WHOLE),
        joined("n NOT BETWEEN {} AND {}", COMPUTED, COMPUTED),
        joined("s {} {}", choice_of("= <>"), WORDS | st.just("t")),
        joined("s {} ({})", st.sampled_from(["IN", "NOT IN"]), listed(WORDS)),
        joined("n {} ({})", st.sampled_from(["IN", "NOT IN"]), listed(WHOLE)),
        joined("d {} {}", COMPARE, DAYS.map(lambda day: f"DATE '{day}'") | st.just("effective_on")),
        joined("{} {}", st.sampled_from(list(SCHEMA)), st.sampled_from(["IS NULL", "IS NOT NULL"])),
        joined("({}) IS NULL", COMPUTED),
    ),
    lambda inner: st.one_of(
        joined("{} AND {}", inner, inner),
        joined("{} OR {}", inner, inner),
        joined("NOT {}", inner),
        joined("({})", inner),
        joined("({}) = ({})", inner, inner),
        joined("CASE WHEN {} THEN {} ELSE {} END", inner, inner, inner),
        joined("COALESCE({}, {})", inner, inner),
    ),
    max_leaves=6,
)


def accepted(text: str) -> str:
    """Return the canonical text; what the loader refuses is no example."""
    try:
        return parse_expression(text, SCHEMA).sql
    except ConfigError:
        assume(False)
        raise


def test_whatever_the_loader_lets_through(db: psycopg.Connection) -> None:
    probe = Probe(db, SCHEMA)

    @settings(EXAMPLES, max_examples=300)
    @given(rows_of(SCHEMA, {}), CONDITIONS, COMPUTED)
    # Where no row has a text, Polars made one row of a comparison that begins with a constant.
    @example([dict.fromkeys(SCHEMA), dict.fromkeys(SCHEMA)], "0 = CASE WHEN s = 'x' THEN x END", "n")
    @example([dict.fromkeys(SCHEMA), dict.fromkeys(SCHEMA)], "'x' <> CASE WHEN b THEN t END", "1 + n")
    @example([dict.fromkeys(SCHEMA), dict.fromkeys(SCHEMA)], "3 > ABS(CASE WHEN s = 'x' THEN n END)", "n")
    def check(rows: list[Row], condition: str, value: str) -> None:
        where, what = accepted(condition), accepted(value)
        plain = [(pl.sql_expr(text), text) for text in (where, what)]
        probe.assert_same(rows, [*plain, (contribution_expr(Measure("f", "sum", "1", where)), counted(where))])

    check()


def counted(condition: str) -> str:
    return contribution_sql(Measure("f", "sum", "1", condition))


# ------------------------------------------------------------------------------ formulas
FIGURES = st.none() | st.sampled_from([0.0, 1.0, 3.0, 100.0]) | st.integers(-(10**12), 10**12).map(float)
CODES = ("a.x", "a.y.1", "b.z", "ytd(a.x)", "standing_days(b.z)", "days")
FORMULAS = st.recursive(
    st.sampled_from(CODES) | st.integers(1, 1000).map(str),
    lambda inner: joined("{} {} {}", inner, choice_of("+ - * /"), inner) | joined("({})", inner),
    max_leaves=6,
)


def test_formulas(db: psycopg.Connection) -> None:
    probe = Probe(db, dict.fromkeys(CODES, pl.Float64()))

    @settings(EXAMPLES, max_examples=300)
    @given(st.lists(st.fixed_dictionaries(dict.fromkeys(CODES, FIGURES)), min_size=1, max_size=8), FORMULAS)
    def check(rows: list[Row], formula: str) -> None:
        probe.assert_same(rows, [(formula_expr(formula), formula_sql(formula))])

    check()


def test_formulas_of_the_catalogue(db: psycopg.Connection) -> None:
    formulas = [plan.formula for plan in COMPILED.plans.values() if isinstance(plan, Computed)]
    codes = [*sorted({str(reference) for formula in formulas for reference in formula.references}), "days"]
    probe = Probe(db, dict.fromkeys(codes, pl.Float64()))

    @EXAMPLES
    @given(st.lists(st.fixed_dictionaries(dict.fromkeys(codes, FIGURES)), min_size=1, max_size=3))
    def check(rows: list[Row]) -> None:
        probe.assert_same(rows, [(formula_expr(formula.text), formula_sql(formula.text)) for formula in formulas])

    check()
