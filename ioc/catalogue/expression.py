"""SQL expressions of the catalogue: one text that Polars and PostgreSQL read alike.

An expression is parsed, its types are checked against the columns, and whatever the engines read in two
ways is refused: division, casts, comparing texts by order, `IS TRUE`, NULL in comparisons, and so on. What is
left is written back in one canonical form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import polars as pl
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from ioc.catalogue.domain import Domain, check_condition, check_constants, check_range, mirrored
from ioc.errors import ConfigError
from ioc.feeds.feed import UTC_TIME, Feed

DIALECT = "postgres"


class Type(StrEnum):
    """What an expression gives. An integer is a number too; nothing else mixes."""

    INTEGER = "integer"
    NUMBER = "number"
    TEXT = "text"
    BOOLEAN = "boolean"
    DATE = "date"
    TIME = "time"


NUMERIC = (Type.INTEGER, Type.NUMBER)
_TYPES: Mapping[pl.DataType, Type] = {
    pl.Int64(): Type.INTEGER,
    pl.Float64(): Type.NUMBER,
    pl.String(): Type.TEXT,
    pl.Boolean(): Type.BOOLEAN,
    pl.Date(): Type.DATE,
    UTC_TIME: Type.TIME,
}
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
    """Check a text against the columns of `schema`; raises ConfigError saying what to write instead.

    domains: what the columns can hold, where it is known: what can overflow, or is never true, is refused.
    """
    try:
        statements = sqlglot.parse(text, read=DIALECT)
    except SqlglotError as error:
        raise ConfigError(f"is not SQL ({_first_line(error)}); write one expression over the columns") from None
    if len(statements) != 1 or not isinstance(statements[0], exp.Expr):
        raise ConfigError("must be one expression; remove what follows the ';'")
    node = statements[0]
    result = _type_of(node, schema)
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
        pl.LazyFrame(schema=schema).select(pl.sql_expr(sql)).collect_schema()
    except pl.exceptions.PolarsError as error:
        raise ConfigError(f"Polars refuses it ({_first_line(error)}); write it in simpler terms") from None
    return Expression(sql, result, largest)


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


# ---------------------------------------------------------------------------------------------- types
_Schema = Mapping[str, pl.DataType]
_FUNCTIONS = "COALESCE, ABS, GREATEST, LEAST"
_INSTEAD: Mapping[type[exp.Expr], str] = {
    exp.Div: "PostgreSQL cuts off integer division and fails on zero; make it a ratio with a formula",
    exp.Mod: "the two engines differ on negative numbers; list the values with IN",
    exp.Cast: "only DATE 'YYYY-MM-DD' may be cast; compare columns with literals of their own type",
    exp.Null: "NULL may only follow IS or IS NOT",
    exp.Like: "patterns are read differently; list the values with IN",
    exp.ILike: "case is read differently; list the values with IN",
    exp.DPipe: "texts are not built here; add a derived column to the feed",
    exp.Subquery: "an expression sees one record; subqueries are not possible",
    exp.Select: "an expression sees one record; write only the condition or the value",
    exp.NullSafeEQ: "write `a = b OR (a IS NULL AND b IS NULL)`",
    exp.NullSafeNEQ: "write `a <> b OR a IS NULL`",
    exp.AggFunc: "the catalogue sums and counts; write what one record adds",
    exp.Interval: "dates are not computed here; add a derived column to the feed",
}
# Arguments a node may carry; anything else (BETWEEN SYMMETRIC, a column's table, ...) is refused.
_ARGUMENTS: Mapping[type[exp.Expr], frozenset[str]] = {
    exp.Column: frozenset({"this"}),
    exp.In: frozenset({"this", "expressions"}),
    exp.Between: frozenset({"this", "low", "high"}),
    exp.Is: frozenset({"this", "expression", "negate"}),
    exp.Case: frozenset({"ifs", "default"}),
}


def _type_of(node: exp.Expr, schema: _Schema) -> Type:
    rule = _RULES.get(type(node))
    if rule is None:
        raise ConfigError(f"{_text(node)}: {_advice(node)}")
    allowed = _ARGUMENTS.get(type(node))
    if allowed is not None and any(value for name, value in node.args.items() if name not in allowed):
        raise ConfigError(f"{_text(node)}: this form is not allowed; write it with AND, OR and plain column names")
    return rule(node, schema)


def _text(node: exp.Expr) -> str:
    return f"`{node.sql(DIALECT, comments=False)}`"


def _advice(node: exp.Expr) -> str:
    for kind, advice in _INSTEAD.items():
        if isinstance(node, kind):
            return advice
    return f"is not allowed; use comparisons, AND, OR, NOT, IN, BETWEEN, CASE, + - * and {_FUNCTIONS}"


def _column(node: exp.Expr, schema: _Schema) -> Type:
    name = node.name
    if name not in schema:
        raise ConfigError(f"`{name}` is not a column of the feed; it has {', '.join(sorted(schema))}")
    return _TYPES[schema[name]]


def _literal(node: exp.Expr, _: _Schema) -> Type:
    if node.is_string:
        if not node.name.isprintable() or set(node.name) & set("'\\"):
            raise ConfigError(f"{_text(node)}: a text may hold no quotes, backslashes or control characters")
        return Type.TEXT
    return Type.INTEGER if node.name.isdigit() else Type.NUMBER


def _is_decimal(node: exp.Expr) -> bool:
    literal = node.this if isinstance(node, exp.Neg | exp.Paren) else node
    return isinstance(literal, exp.Literal) and not literal.is_string and not literal.name.isdigit()


def _date(node: exp.Expr, _: _Schema) -> Type:
    literal = node.this
    if not (isinstance(literal, exp.Literal) and literal.is_string and node.args["to"].sql(DIALECT) == "DATE"):
        raise ConfigError(f"{_text(node)}: {_INSTEAD[exp.Cast]}")
    try:
        date.fromisoformat(literal.name)
    except ValueError:
        raise ConfigError(f"{_text(node)}: is not a date; write DATE 'YYYY-MM-DD'") from None
    return Type.DATE


def _logic(node: exp.Expr, schema: _Schema) -> Type:
    for part in (node.this, node.args.get("expression")):
        if part is not None and (found := _type_of(part, schema)) != Type.BOOLEAN:
            raise ConfigError(f"{_text(part)} is {found}, not a condition; compare it with something")
    return Type.BOOLEAN


def _compared(node: exp.Expr, schema: _Schema, *parts: exp.Expr, ordered: bool) -> Type:
    types = [_type_of(part, schema) for part in parts]
    if not _alike(types):
        names = " with ".join(types)
        raise ConfigError(f"{_text(node)} compares {names}; use values of the column's own type")
    if Type.INTEGER in types and any(map(_is_decimal, parts)):
        raise ConfigError(f"{_text(node)} compares whole numbers with a decimal; use a whole number")
    if ordered and types[0] in (Type.TEXT, Type.BOOLEAN):
        raise ConfigError(f"{_text(node)}: the order of texts depends on the engine; use =, <> or IN")
    return Type.BOOLEAN


def _alike(types: list[Type]) -> bool:
    return len(set(types)) == 1 or all(kind in NUMERIC for kind in types)


def _equality(node: exp.Expr, schema: _Schema) -> Type:
    return _compared(node, schema, node.this, node.args["expression"], ordered=False)


def _order(node: exp.Expr, schema: _Schema) -> Type:
    return _compared(node, schema, node.this, node.args["expression"], ordered=True)


def _between(node: exp.Expr, schema: _Schema) -> Type:
    return _compared(node, schema, node.this, node.args["low"], node.args["high"], ordered=True)


def _in(node: exp.Expr, schema: _Schema) -> Type:
    items = node.expressions
    if not items or not all(isinstance(item, exp.Literal) for item in items):
        raise ConfigError(f"{_text(node)}: IN takes a list of plain literals")
    if _type_of(node.this, schema) not in (Type.TEXT, Type.INTEGER):
        raise ConfigError(f"{_text(node)}: IN is for texts and whole numbers; use = or BETWEEN")
    return _compared(node, schema, node.this, *items, ordered=False)


def _is(node: exp.Expr, schema: _Schema) -> Type:
    if not isinstance(node.args["expression"], exp.Null):
        raise ConfigError(f"{_text(node)}: the engines differ where it is null; write the column itself, or NOT column")
    _type_of(node.this, schema)
    return Type.BOOLEAN


def _arithmetic(node: exp.Expr, schema: _Schema) -> Type:
    parts = (node.this, node.args["expression"])
    if all(isinstance(part, exp.Literal) for part in parts):
        raise ConfigError(f"{_text(node)}: write the result instead")
    if any(map(_is_decimal, parts)):
        raise ConfigError(f"{_text(node)}: only PostgreSQL computes exactly with decimals; use whole numbers")
    return _numbers(node, schema, *parts)


def _numbers(node: exp.Expr, schema: _Schema, *parts: exp.Expr) -> Type:
    types = [_type_of(part, schema) for part in parts]
    if any(kind not in NUMERIC for kind in types):
        raise ConfigError(f"{_text(node)} computes with {' and '.join(types)}; only numbers can be computed with")
    return Type.NUMBER if Type.NUMBER in types else Type.INTEGER


def _negative(node: exp.Expr, schema: _Schema) -> Type:
    return _numbers(node, schema, node.this)


def _numeric_function(node: exp.Expr, schema: _Schema) -> Type:
    return _numbers(node, schema, node.this, *node.expressions)


def _united(node: exp.Expr, schema: _Schema, *parts: exp.Expr) -> Type:
    types = [_type_of(part, schema) for part in parts]
    if not _alike(types):
        raise ConfigError(f"{_text(node)} may give {' or '.join(types)}; every branch must give the same type")
    return Type.NUMBER if Type.NUMBER in types else types[0]


def _coalesce(node: exp.Expr, schema: _Schema) -> Type:
    return _united(node, schema, node.this, *node.expressions)


def _case(node: exp.Expr, schema: _Schema) -> Type:
    branches = node.args["ifs"]
    for branch in branches:
        if _type_of(branch.this, schema) != Type.BOOLEAN:
            raise ConfigError(f"{_text(branch.this)} after WHEN is not a condition; compare it with something")
    default = node.args.get("default")
    return _united(node, schema, *(branch.args["true"] for branch in branches), *([default] if default else []))


def _inner(node: exp.Expr, schema: _Schema) -> Type:
    return _type_of(node.this, schema)


def _boolean(_: exp.Expr, __: _Schema) -> Type:
    return Type.BOOLEAN


_RULES: Mapping[type[exp.Expr], Callable[[exp.Expr, _Schema], Type]] = {
    exp.Column: _column,
    exp.Literal: _literal,
    exp.Boolean: _boolean,
    exp.Cast: _date,
    exp.Paren: _inner,
    exp.And: _logic,
    exp.Or: _logic,
    exp.Not: _logic,
    exp.EQ: _equality,
    exp.NEQ: _equality,
    exp.LT: _order,
    exp.LTE: _order,
    exp.GT: _order,
    exp.GTE: _order,
    exp.Between: _between,
    exp.In: _in,
    exp.Is: _is,
    exp.Add: _arithmetic,
    exp.Sub: _arithmetic,
    exp.Mul: _arithmetic,
    exp.Neg: _negative,
    exp.Abs: _numeric_function,
    exp.Greatest: _numeric_function,
    exp.Least: _numeric_function,
    exp.Coalesce: _coalesce,
    exp.Case: _case,
}
