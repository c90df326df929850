"""What must hold between the fields of a record, written once and read in two ways.

A rule is asked about one record when pydantic has read it, and about a whole column of records at once
(`ioc/feeds/column_check.py`). So that both give the same answer, a rule is built from the few terms below instead of
Python's own operators: each term knows how to read one record and which Polars expression reads many.

A field that is empty makes a comparison false, never an error:

>>> late = named("closed_on") > named("due_on")
>>> late.of({"closed_on": None, "due_on": 3}), (~late).of({"closed_on": None, "due_on": 3})
(False, True)
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import polars as pl

Values = Mapping[str, Any]
_UTC_SECONDS = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, eq=False)
class Condition:
    """True or false of a record, never unknown; `of` reads its fields by name, `expr` columns of the same names."""

    of: Callable[[Values], bool]
    expr: pl.Expr

    def __and__(self, other: Condition) -> Condition:
        mine, theirs = self.of, other.of
        return Condition(lambda values: mine(values) and theirs(values), self.expr & other.expr)

    def __or__(self, other: Condition) -> Condition:
        mine, theirs = self.of, other.of
        return Condition(lambda values: mine(values) or theirs(values), self.expr | other.expr)

    def __invert__(self) -> Condition:
        mine = self.of
        return Condition(lambda values: not mine(values), ~self.expr)

    def differs_from(self, other: Condition) -> Condition:
        """Exactly one of the two holds."""
        mine, theirs = self.of, other.of
        return Condition(lambda values: mine(values) != theirs(values), self.expr != other.expr)


@dataclass(frozen=True, eq=False)
class Term:
    """Something to compare: a field, or what is computed from fields; None or null where it is empty."""

    of: Callable[[Values], Any]
    expr: pl.Expr

    def __lt__(self, other: Term | Any) -> Condition:
        return _compared(operator.lt, self, other)

    def __le__(self, other: Term | Any) -> Condition:
        return _compared(operator.le, self, other)

    def __gt__(self, other: Term | Any) -> Condition:
        return _compared(operator.gt, self, other)

    def __ge__(self, other: Term | Any) -> Condition:
        return _compared(operator.ge, self, other)

    def equals(self, other: Term | Any) -> Condition:
        """Both are there and the same."""
        return _compared(operator.eq, self, other)

    def is_in(self, members: Collection[Any]) -> Condition:
        """It is one of these."""
        mine, known = self.of, frozenset(members)
        return Condition(lambda values: mine(values) in known, self.expr.is_in(sorted(known)).fill_null(value=False))

    def is_set(self) -> Condition:
        """It is not empty."""
        mine = self.of
        return Condition(lambda values: mine(values) is not None, self.expr.is_not_null())

    def is_true(self) -> Condition:
        """It is a yes-or-no field, and says yes."""
        mine = self.of
        return Condition(lambda values: mine(values) is True, self.expr.fill_null(value=False))

    def starts_with(self, text: Term) -> Condition:
        """It is a text that begins with another."""
        mine, theirs = self.of, text.of

        def begins(values: Values) -> bool:
            whole, start = mine(values), theirs(values)
            return whole is not None and start is not None and bool(whole.startswith(start))

        return Condition(begins, self.expr.str.starts_with(text.expr).fill_null(value=False))

    def digits(self, start: int, length: int) -> Term:
        """Return the number that a part of a text spells; empty where it is none."""
        mine = self.of

        def number(values: Values) -> int | None:
            text = mine(values)
            part = "" if text is None else text[start : start + length]
            return int(part) if part.isascii() and part.isdigit() else None

        return Term(number, self.expr.str.slice(start, length).str.to_integer(strict=False))

    def year_of_century(self) -> Term:
        """Return the last two digits of a day's year."""
        mine = self.of

        def year(values: Values) -> int | None:
            day = mine(values)
            return None if day is None else day.year % 100

        return Term(year, self.expr.dt.year().cast(pl.Int64) % 100)

    def text(self) -> Term:
        """Return a text, number or day as it is written in a record's key: a day as 2024-10-05."""
        mine = self.of

        def written(values: Values) -> str | None:
            found = mine(values)
            return None if found is None else found.isoformat() if isinstance(found, date) else str(found)

        return Term(written, self.expr.cast(pl.String))

    def utc_text(self) -> Term:
        """Return a time as it is written in a record's key: in UTC, to the second."""
        mine = self.of

        def written(values: Values) -> str | None:
            found: datetime | None = mine(values)
            return None if found is None else f"{found.astimezone(UTC):{_UTC_SECONDS}}"

        return Term(written, self.expr.dt.to_string(_UTC_SECONDS))


def named(name: str) -> Term:
    """Return the field of that name."""
    return Term(operator.itemgetter(name), pl.col(name))


def joined(*parts: Term | str) -> Term:
    """Return texts put together; empty where one of them is."""
    terms = [_term(part) for part in parts]
    readers = [term.of for term in terms]

    def whole(values: Values) -> str | None:
        found = [read(values) for read in readers]
        return None if None in found else "".join(found)

    return Term(whole, pl.concat_str([term.expr for term in terms]))


def either(condition: Condition, then: Term, otherwise: Term) -> Term:
    """Return one of two, as the condition says."""
    asked, first, second = condition.of, then.of, otherwise.of
    return Term(
        lambda values: first(values) if asked(values) else second(values),
        pl.when(condition.expr).then(then.expr).otherwise(otherwise.expr),
    )


def total(names: Sequence[str]) -> Term:
    """Return the sum of number fields, of which those that are empty count nothing."""
    return Term(
        lambda values: sum(values[name] or 0 for name in names),
        pl.sum_horizontal(pl.col(name).fill_null(0) for name in names),
    )


def any_set(names: Collection[str]) -> Condition:
    """At least one of the fields is not empty."""
    found = tuple(names)
    return Condition(
        lambda values: any(values[name] is not None for name in found),
        pl.any_horizontal(pl.col(name).is_not_null() for name in found),
    )


def any_empty(names: Collection[str]) -> Condition:
    """At least one of the fields is empty."""
    found = tuple(names)
    return Condition(
        lambda values: any(values[name] is None for name in found),
        pl.any_horizontal(pl.col(name).is_null() for name in found),
    )


@dataclass(frozen=True, eq=False)
class RecordRule:
    """A record for which `broken` holds is refused.

    message_en, message_vi: say why; `{name}` stands for the value of a field, `{fields}` for what `fields` gives.
    fields: returns the names of the fields at fault, where the messages tell them.
    """

    broken: Condition
    message_en: str
    message_vi: str
    fields: Callable[[Values], Collection[str]] | None = None

    def told(self, values: Values) -> tuple[str, str]:
        """Return the messages for a record that breaks the rule, English first."""
        shown = dict(values)
        if self.fields is not None:
            shown["fields"] = ", ".join(self.fields(values))
        return self.message_en.format_map(shown), self.message_vi.format_map(shown)


def not_before(first: str, *names: str) -> list[RecordRule]:
    """Return a rule for each of the days `names`: it does not lie before the day `first`."""
    return [
        RecordRule(named(name) < named(first), f"{name} lies before {first}", f"{name} sớm hơn {first}")
        for name in names
    ]


def _term(found: Term | Any) -> Term:
    if isinstance(found, Term):
        return found
    return Term(lambda _: found, pl.lit(found))


def _compared(holds: Callable[[Any, Any], Any], left: Term, other: Term | Any) -> Condition:
    right = _term(other)
    mine, theirs = left.of, right.of

    def compared(values: Values) -> bool:
        a, b = mine(values), theirs(values)
        return a is not None and b is not None and bool(holds(a, b))

    expr: pl.Expr = holds(left.expr, right.expr)
    return Condition(compared, expr.fill_null(value=False))
