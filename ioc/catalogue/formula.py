"""Formulas over other indicators: + - * / over codes, numbers and `days`, the length of the period so far.

They are arithmetic on final figures (sums first, then the division), never on parts. A division by zero, or a
figure that has no value, gives no value. Both engines do the same operations on doubles in the same order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import polars as pl
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from ioc.errors import ConfigError

CODE = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z0-9_]+){1,2}")
DAYS = "days"
T = TypeVar("T")
_OPERATORS: Mapping[type[exp.Expr], str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/"}


@dataclass(frozen=True)
class Formula:
    """A checked formula: its text in canonical form, the codes it needs by appearance, and whether it needs `days`."""

    text: str
    inputs: tuple[str, ...]
    days: bool


def parse_formula(text: str) -> Formula:
    """Check a formula; raises ConfigError saying what to write instead."""
    tree = _parse(text)
    names = _walk(tree, lambda name: (name,), lambda _: (), lambda _, left, right: left + right)
    inputs = tuple(dict.fromkeys(name for name in names if name != DAYS))
    if not inputs:
        raise ConfigError("names no indicator; a formula combines the codes of others")
    return Formula(_written(tree), inputs, DAYS in names)


def formula_expr(text: str, column: Callable[[str], pl.Expr] = pl.col) -> pl.Expr:
    """Return a formula over columns named by code (and `days`) as Float64; null where it has no value."""

    def combine(operator: str, left: pl.Expr, right: pl.Expr) -> pl.Expr:
        match operator:
            case "+":
                return left + right
            case "-":
                return left - right
            case "*":
                return left * right
        # By a number, Polars multiplies with the reciprocal, which differs in the last bit; by a column it divides.
        return pl.when(right != 0).then(left / (right + left * 0))

    return _walk(_parse(text), lambda name: column(name).cast(pl.Float64), pl.lit, combine)


def formula_sql(text: str, column: Callable[[str], str] = '"{}"'.format) -> str:
    """Return the same as `formula_expr`, as a PostgreSQL expression (double precision).

    column: gives the SQL for a code or for `days`.
    """

    def combine(operator: str, left: str, right: str) -> str:
        return f"({left} {operator} {f'nullif({right}, 0)' if operator == '/' else right})"

    def double(sql: object) -> str:
        return f"CAST({sql} AS double precision)"

    return _walk(_parse(text), lambda name: double(column(name)), double, combine)


def _parse(text: str) -> exp.Expr:
    """Parse with codes as quoted names: a part of a code may begin with a digit, which SQL would not read."""
    try:
        statements = sqlglot.parse(CODE.sub(r'"\g<0>"', text), read="postgres")
    except SqlglotError:
        raise ConfigError("is not arithmetic over codes; write for example 100 * a.part / a.total") from None
    if len(statements) != 1 or not isinstance(statements[0], exp.Expr):
        raise ConfigError("must be one formula; remove what follows the ';'")
    return statements[0]


def _walk(
    node: exp.Expr, name: Callable[[str], T], number: Callable[[float], T], combine: Callable[[str, T, T], T]
) -> T:
    """Fold a formula's tree; refuses whatever is not arithmetic."""
    if type(node) in _OPERATORS:
        left = _walk(node.this, name, number, combine)
        return combine(_OPERATORS[type(node)], left, _walk(node.args["expression"], name, number, combine))
    if isinstance(node, exp.Paren):
        return _walk(node.this, name, number, combine)
    if isinstance(node, exp.Literal) and not node.is_string:
        return number(float(node.name))
    if isinstance(node, exp.Column) and not node.table and (node.name == DAYS or CODE.fullmatch(node.name)):
        return name(node.name)
    raise ConfigError(f"`{_written(node)}` is not allowed; a formula has codes, numbers, days, + - * / and parentheses")


def _written(node: exp.Expr) -> str:
    return node.sql("postgres", comments=False).replace('"', "")
