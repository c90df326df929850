"""SQL expressions of the catalogue: one text that Polars and PostgreSQL read in the same way.

An expression is parsed, its types are checked against the columns, and whatever the engines read in two
ways is refused: division, casts, comparing texts by order, `IS TRUE`, NULL in comparisons, and so on. What is
left is written back in one canonical form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import polars as pl
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from ioc.catalogue.domain import Domain, check_condition, check_constants, check_range, mirrored
from ioc.catalogue.expression_type import DIALECT, NUMERIC, Type, type_of
from ioc.errors import ExpressionError
from ioc.feeds.feed import Feed

# Columns of every record table that an expression may use beside the feed's own.
SHARED_COLUMNS: Mapping[str, pl.DataType] = {
    "reporter": pl.String(),
    "area_code": pl.String(),
    "effective_on": pl.Date(),
}


@dataclass(frozen=True)
class Expression:
    """A checked expression: its canonical text for both engines, what it gives, and how large that can be at most."""

    sql: str
    type: Type
    largest: float | None = None


def schema_of(feed: Feed) -> dict[str, pl.DataType]:
    """Return the columns that expressions over a feed may use."""
    return {**SHARED_COLUMNS, **{column.name: column.dtype for column in feed.columns}}


def parse_expression(
    text: str, schema: Mapping[str, pl.DataType], domains: Mapping[str, Domain] | None = None
) -> Expression:
    """Check a text against the columns of `schema`; raises ExpressionError saying what to write instead.

    domains: what the columns can hold, where it is known: what can overflow, or is never true, is refused.
    """
    try:
        statements = sqlglot.parse(text, read=DIALECT)
    except SqlglotError as error:
        raise ExpressionError(
            "không phải SQL; hãy viết một biểu thức trên các cột",
            f"is not SQL ({_first_line(error)}); write one expression over the columns",
        ) from None
    if len(statements) != 1 or not isinstance(statements[0], exp.Expr):
        raise ExpressionError(
            "phải là một biểu thức; bỏ phần sau dấu ';'", "must be one expression; remove what follows the ';'"
        )
    node = statements[0]
    result = type_of(node, schema)
    check_constants(node)
    node = mirrored(node)
    largest = None
    if result in NUMERIC:
        ends = check_range(node, domains or {})
        largest = None if ends is None else max(map(abs, ends))
    elif result == Type.BOOLEAN:
        check_condition(node, domains or {})
    sql = node.sql(DIALECT, comments=False)
    try:
        _no_rows(tuple(schema.items())).select(pl.sql_expr(sql)).collect_schema()
    except pl.exceptions.PolarsError as error:
        raise ExpressionError(
            "Polars không nhận biểu thức này; hãy viết đơn giản hơn",
            f"Polars refuses it ({_first_line(error)}); write it in simpler terms",
        ) from None
    return Expression(sql, result, largest)


@lru_cache(maxsize=64)  # a feed has dozens of expressions, and making the frame takes as long as checking one
def _no_rows(schema: tuple[tuple[str, pl.DataType], ...]) -> pl.LazyFrame:
    return pl.LazyFrame(schema=dict(schema))


def conjunction(*conditions: str) -> str:
    """Return conditions joined by AND, 'TRUE' where there is none; each is canonical text."""
    parts = [condition for condition in conditions if condition not in ("", "TRUE")]
    return exp.and_(*parts, dialect=DIALECT).sql(DIALECT) if parts else "TRUE"


def is_known(value: str) -> str:
    """Return the condition that an expression is not null."""
    node = sqlglot.parse_one(value, read=DIALECT)
    operand = value if isinstance(node, exp.Column) else f"({value})"
    return f"{operand} IS NOT NULL"


def _first_line(error: Exception) -> str:
    if isinstance(error, sqlglot.ParseError) and error.errors:
        return str(error.errors[0].get("description", "")).rstrip(".")
    return str(error).partition("\n")[0].rstrip(".")
