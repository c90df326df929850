"""Formulas over other indicators: + - * / over codes, numbers, `days` and functions of time.

They are arithmetic on final figures (sums first, then the division), never on parts. A division by zero, or a
figure that has no value, gives no value. Both engines do the same operations on doubles in the same order.

    days                 days of the period up to now
    standing_days(stock) the sum over these days of the stock at each day's end: 10 rooms for 31 days are 310
    ytd(x)               x from 1 January to the end of the period (luỹ kế từ đầu năm); distincts count anew
    year(x)              x of the whole year that the period ends in, as far as it is known: a plan, an estimate
    expected(feed)       how many reports of a feed were due in the period: reporters x deadlines
    received(feed)       how many records of a feed there are in the period
    max(x), min(x)       the largest and smallest of x's figures of the single days
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

from ioc.errors import ExpressionError

CODE = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z0-9_]+){1,2}")
DAYS = "days"
FUNCTIONS = ("standing_days", "ytd", "year", "expected", "received", "max", "min")
OF_FEEDS = ("expected", "received")
NAME = re.compile(rf"(?:({'|'.join(FUNCTIONS)})\s*\(\s*)?({CODE.pattern})(?(1)\s*\))")
T = TypeVar("T")
_OPERATORS: Mapping[type[exp.Expr], str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/"}


@dataclass(frozen=True)
class FormulaReference:
    """A name in a formula: a code (of a feed in `OF_FEEDS`), and the function of time that is applied to it, if any."""

    name: str
    function: str = ""

    def __str__(self) -> str:
        return f"{self.function}({self.name})" if self.function else self.name

    @property
    def code(self) -> str | None:
        """The indicator that is meant; None for a feed."""
        return None if self.function in OF_FEEDS else self.name


@dataclass(frozen=True)
class Formula:
    """A checked formula: its text in canonical form, what it names by appearance, and whether it needs `days`."""

    text: str
    references: tuple[FormulaReference, ...]
    days: bool

    @property
    def inputs(self) -> tuple[str, ...]:
        """The codes it needs, by appearance."""
        return tuple(dict.fromkeys(one.code for one in self.references if one.code is not None))


def parse_formula(text: str) -> Formula:
    """Check a formula; raises ExpressionError saying what to write instead."""
    tree = _parse(text)
    names = _walk(tree, lambda name: (name,), lambda _: (), lambda _, left, right: left + right)
    formula = Formula(
        _written(tree), tuple(reference_of(name) for name in dict.fromkeys(names) if name != DAYS), DAYS in names
    )
    if not formula.references:
        raise ExpressionError(
            "không nêu chỉ tiêu nào; công thức kết hợp mã của các chỉ tiêu khác",
            "names no indicator; a formula combines the codes of others",
        )
    return formula


def reference_of(name: str) -> FormulaReference:
    """Return what a name of a formula means: `a.b`, or `ytd(a.b)`."""
    function, bracket, code = name.rpartition("(")
    return FormulaReference(code.removesuffix(")"), function) if bracket else FormulaReference(name)


def formula_expr(text: str, column: Callable[[str], pl.Expr] = pl.col) -> pl.Expr:
    """Return a formula over columns by name (`a.b`, `ytd(a.b)`, `days`) as Float64; null where it has no value."""

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

    column: gives the SQL for a name: a code, a function of one such as `ytd(a.b)`, or `days`.
    """

    def combine(operator: str, left: str, right: str) -> str:
        return f"({left} {operator} {f'nullif({right}, 0)' if operator == '/' else right})"

    def double(sql: object) -> str:
        return f"CAST({sql} AS double precision)"

    return _walk(_parse(text), lambda name: double(column(name)), double, combine)


def fraction_of(text: str) -> tuple[str, str] | None:
    """Return numerator and denominator of a formula that is a division as a whole; None for any other."""
    tree = _parse(text)
    while isinstance(tree, exp.Paren):
        tree = tree.this
    return (_written(tree.this), _written(tree.args["expression"])) if isinstance(tree, exp.Div) else None


def divides_by_nothing(text: str) -> str | None:
    """Return what a formula divides by that is always 0, such as `0` or `a.b - a.b`; None where there is no such."""
    for node in _parse(text).find_all(exp.Div):
        below = node.args["expression"]
        if _is_nothing(below):
            return _written(below)
    return None


def _is_nothing(node: exp.Expr) -> bool:
    match node:
        case exp.Paren():
            return _is_nothing(node.this)
        case exp.Literal():
            return not node.is_string and float(node.name) == 0
        case exp.Sub():
            return _written(node.this) == _written(node.args["expression"])
        case exp.Mul():
            return _is_nothing(node.this) or _is_nothing(node.args["expression"])
    return False


def added_units(text: str, unit: Callable[[str], str | None]) -> list[tuple[str, str]]:
    """Return pairs of units that a formula adds or subtracts although they differ.

    unit: gives the unit of a name; None where it has none.
    """
    found: list[tuple[str, str]] = []

    def combine(operator: str, left: str | None, right: str | None) -> str | None:
        if operator in ("+", "-"):
            if left and right and left != right:
                found.append((left, right))
            return left or right
        # A product or a quotient has a unit of its own, unless one side is a bare number.
        return left or right if operator == "*" and not (left and right) else None

    _walk(_parse(text), unit, lambda _: None, combine)
    return found


def divisions(text: str) -> list[tuple[tuple[FormulaReference, ...], tuple[FormulaReference, ...]]]:
    """Return what each division of a formula names above and below its line; `days` is left out."""
    return [(_named_in(node.this), _named_in(node.args["expression"])) for node in _parse(text).find_all(exp.Div)]


def _named_in(node: exp.Expr) -> tuple[FormulaReference, ...]:
    names = dict.fromkeys(column.name for column in node.find_all(exp.Column))
    return tuple(reference_of(name) for name in names if name != DAYS)


def evaluate(text: str, figures: Mapping[str, float | None]) -> float | None:
    """Return a formula's value over figures by name; None where one is not known (`days` too), or on division by 0."""

    def combine(operator: str, left: float | None, right: float | None) -> float | None:
        if left is None or right is None:
            return None
        match operator:
            case "+":
                return left + right
            case "-":
                return left - right
            case "*":
                return left * right
        return left / right if right else None

    return _walk(_parse(text), figures.get, lambda number: number, combine)


def _parse(text: str) -> exp.Expr:
    """Parse with codes as quoted names: a part of a code may begin with a digit, which SQL would not read."""
    try:
        statements = sqlglot.parse(NAME.sub(_quoted, text), read="postgres")
    except SqlglotError:
        raise ExpressionError(
            "không phải phép tính trên các mã; hãy viết, ví dụ: 100 * a.part / a.total",
            "is not arithmetic over codes; write for example 100 * a.part / a.total",
        ) from None
    if len(statements) != 1 or not isinstance(statements[0], exp.Expr):
        raise ExpressionError(
            "phải là một công thức; bỏ phần sau dấu ';'", "must be one formula; remove what follows the ';'"
        )
    return statements[0]


def _quoted(found: re.Match[str]) -> str:
    function, code = found.groups()
    return f'"{function}({code})"' if function else f'"{code}"'


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
    if isinstance(node, exp.Column) and not node.table and (node.name == DAYS or NAME.fullmatch(node.name)):
        return name(node.name)
    text, functions = f"`{_written(node)}`", ", ".join(FUNCTIONS)
    raise ExpressionError(
        f"{text} không được phép; công thức chỉ gồm mã, số, + - * /, days, dấu ngoặc"
        f" và các hàm của một mã: {functions}",
        f"{text} is not allowed; a formula has codes, numbers, + - * /, days, parentheses, "
        f"and these functions of one code: {functions}",
    )


def _written(node: exp.Expr) -> str:
    return node.sql("postgres", comments=False).replace('"', "")
