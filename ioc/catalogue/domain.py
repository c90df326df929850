"""What columns can hold, and what follows for an expression: sums that overflow, conditions that are never true."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, get_args, get_origin

import polars as pl
from sqlglot import exp

from ioc.errors import ExpressionError
from ioc.feeds.bounds import MOST, Range
from ioc.feeds.feed import Feed

# bigint, in which PostgreSQL computes and sums are kept.
LARGEST = 2**63 - 1
# Whole numbers that a feed derives from its fields, or takes from the register: sums of a few of these.
_DERIVED = 10 * MOST
_MIRRORED: Mapping[type[exp.Expr], type[exp.Expr]] = {
    exp.EQ: exp.EQ,
    exp.NEQ: exp.NEQ,
    exp.LT: exp.GT,
    exp.LTE: exp.GTE,
    exp.GT: exp.LT,
    exp.GTE: exp.LTE,
}


@dataclass(frozen=True)
class Domain:
    """The values of a column: one of `values`, or from `low` to `high`; None where that is not known."""

    values: frozenset[Any] | None = None
    low: Any = None
    high: Any = None


def domains_of(feed: Feed) -> dict[str, Domain]:
    """Return what the columns of a feed can hold."""
    domains: dict[str, Domain] = {}
    for column in feed.columns:
        if column.bounds is not None:
            low, high = column.bounds
            domains[column.name] = Domain(low=low, high=high)
        elif column.dtype == pl.Int64():
            domains[column.name] = Domain(low=-_DERIVED, high=_DERIVED)
        elif column.dtype == pl.Boolean():
            domains[column.name] = Domain(frozenset({True, False}))
    for name, info in feed.model.model_fields.items():
        if words := frozenset(_words(info.annotation)):
            domains[name] = Domain(words)
    return domains


def mirrored(node: exp.Expr) -> exp.Expr:
    """Return an expression whose comparisons have the column on the left: Polars gives one row for `0 = CASE ...`."""

    def turn(one: exp.Expr) -> exp.Expr:
        turned = _MIRRORED.get(type(one))
        if turned is None or _has_column(one.this) or not _has_column(one.args["expression"]):
            return one
        return turned(this=one.args["expression"], expression=one.this)

    return node.transform(turn)


def check_constants(node: exp.Expr) -> None:
    """Raise ExpressionError for comparisons of constants, and for whole numbers that no column holds."""
    for literal in node.find_all(exp.Literal):
        if not literal.is_string and literal.name.isdigit() and int(literal.name) > LARGEST:
            raise ExpressionError(
                f"`{literal.name}` lớn hơn mọi số nguyên lưu được ({LARGEST})",
                f"`{literal.name}` is larger than any whole number that is stored ({LARGEST})",
            )
        if literal.is_string and "%" in literal.name:
            raise ExpressionError(
                f"`{literal.name}`: văn bản không được có dấu phần trăm",
                f"`{literal.name}`: a text may hold no percent sign",
            )
    for one in node.find_all(*_MIRRORED, exp.Between, exp.In):
        text = f"`{one.sql('postgres')}`"
        if not _has_column(one):
            raise ExpressionError(
                f"{text} so sánh các hằng số: kết quả như nhau với mọi bản ghi",
                f"{text} compares constants: it is the same for every record",
            )
        if isinstance(one, exp.Between) and not _has_column(one.this):
            raise ExpressionError(
                f"{text} hỏi một hằng số có nằm giữa hai giá trị không; hãy so sánh bằng < và >",
                f"{text} asks whether a constant lies between; compare with < and >",
            )


def check_range(node: exp.Expr, domains: Mapping[str, Domain]) -> Range | None:
    """Return the lowest and highest value of a number; None where it is not known.

    Raises ExpressionError where a whole number can grow beyond what is stored, as a part or as a whole.
    """
    found = _range(node, domains)
    if found is not None and all(isinstance(end, int) for end in found) and max(map(abs, found)) > LARGEST:
        text, most = f"`{node.sql('postgres')}`", max(map(abs, found))
        raise ExpressionError(
            f"{text} có thể tới {most:.1e}, vượt mức lưu được {LARGEST:.1e}; hãy đếm đại lượng nhỏ hơn",
            f"{text} can be as large as {most:.1e}, beyond the {LARGEST:.1e} that is stored; count something smaller",
        )
    return found


def check_condition(node: exp.Expr, domains: Mapping[str, Domain]) -> None:
    """Raise ExpressionError for a condition, or an alternative of one, that no record can meet."""
    if isinstance(node, exp.Paren):
        check_condition(node.this, domains)
    elif isinstance(node, exp.Or):
        check_condition(node.this, domains)
        check_condition(node.args["expression"], domains)
    elif not _is_possible(list(_conjuncts(node)), domains):
        text = f"`{node.sql('postgres')}`"
        raise ExpressionError(
            f"không bản ghi nào thỏa mãn {text}; hãy sửa điều kiện hoặc bỏ dòng này",
            f"{text} can never be true of a record; correct it, or leave the row out",
        )
    else:
        for part in _conjuncts(node):
            if isinstance(part, exp.Or):
                check_condition(part, domains)


# ---------------------------------------------------------------------------------------------- ranges
def _range(node: exp.Expr, domains: Mapping[str, Domain]) -> Range | None:
    match node:
        case exp.Paren():
            return check_range(node.this, domains)
        case exp.Literal() if not node.is_string:
            number: int | float = int(node.name) if node.name.isdigit() else float(node.name)
            return number, number
        case exp.Column():
            domain = domains.get(node.name, Domain())
            return None if domain.low is None else (domain.low, domain.high)
        case exp.Neg():
            inner = check_range(node.this, domains)
            return None if inner is None else (-inner[1], -inner[0])
        case exp.Abs():
            inner = check_range(node.this, domains)
            return None if inner is None else (0, max(map(abs, inner)))
        case exp.Add() | exp.Sub() | exp.Mul():
            left, right = check_range(node.this, domains), check_range(node.args["expression"], domains)
            return None if left is None or right is None else _combined(node, left, right)
        case exp.Coalesce() | exp.Greatest() | exp.Least():
            return _hull([check_range(one, domains) for one in (node.this, *node.expressions)])
        case exp.Case():
            branches = [branch.args["true"] for branch in node.args["ifs"]]
            default = node.args.get("default")
            return _hull([check_range(one, domains) for one in (*branches, *([default] if default else []))])
    return None


def _combined(node: exp.Expr, left: Range, right: Range) -> Range:
    match node:
        case exp.Add():
            ends = [a + b for a in left for b in right]
        case exp.Sub():
            ends = [a - b for a in left for b in right]
        case _:
            ends = [a * b for a in left for b in right]
    return min(ends), max(ends)


def _hull(ranges: list[Range | None]) -> Range | None:
    known = [one for one in ranges if one is not None]
    if len(known) < len(ranges):
        return None
    return min(low for low, _ in known), max(high for _, high in known)


# ---------------------------------------------------------------------------------------------- conditions
@dataclass
class _Demand:
    """What the parts of a conjunction demand of one column."""

    is_null: bool = False
    is_known: bool = False
    allowed: frozenset[Any] | None = None
    refused: set[Any] = field(default_factory=set)
    bounds: list[tuple[Literal["<", "<=", ">", ">="], Any]] = field(default_factory=list)

    def allow(self, values: frozenset[Any]) -> None:
        self.is_known = True
        self.allowed = values if self.allowed is None else self.allowed & values

    def is_possible(self, domain: Domain) -> bool:
        if self.is_null:
            return not self.is_known
        low, high = domain.low, domain.high
        values = self.allowed if domain.values is None or self.allowed is None else self.allowed & domain.values
        if self.allowed is None:
            values = domain.values
        if values is not None:
            return any(value not in self.refused and self._fits(value, low, high) for value in values)
        return self._leaves_room(low, high)

    def _fits(self, value: Any, low: Any, high: Any) -> bool:
        inside = (low is None or value >= low) and (high is None or value <= high)
        return inside and all(_holds(value, sign, bound) for sign, bound in self.bounds)

    def _leaves_room(self, low: Any, high: Any) -> bool:
        floors = [(bound, sign == ">") for sign, bound in self.bounds if sign in (">", ">=")]
        ceilings = [(bound, sign == "<") for sign, bound in self.bounds if sign in ("<", "<=")]
        floors += [] if low is None else [(low, False)]
        ceilings += [] if high is None else [(high, False)]
        if not floors or not ceilings:
            return True
        floor, above = max(floors)
        ceiling, below = min(ceilings, key=lambda one: (one[0], not one[1]))
        return bool(floor < ceiling or (floor == ceiling and not above and not below))


def _is_possible(parts: list[exp.Expr], domains: Mapping[str, Domain]) -> bool:
    demands: dict[str, _Demand] = {}
    for part in parts:
        _demand(part, demands)
    try:
        return all(demand.is_possible(domains.get(name, Domain())) for name, demand in demands.items())
    except TypeError:  # a date beside a time: not compared here
        return True


def _demand(part: exp.Expr, demands: dict[str, _Demand]) -> None:
    """Note what a part demands of a column, where it is simple enough to be told."""
    negated = isinstance(part, exp.Not)
    node = _bare(part.this) if negated else part
    if isinstance(node, exp.Column):
        demands.setdefault(node.name, _Demand()).allow(frozenset({not negated}))
        return
    column = _bare(node.this) if isinstance(node.this, exp.Expr) else None
    if not isinstance(column, exp.Column):
        return
    demand = demands.setdefault(column.name, _Demand())
    match node:
        case exp.Is():
            demand.is_known |= negated or bool(node.args.get("negate"))
            demand.is_null |= not negated and not node.args.get("negate")
        case exp.In():
            values = frozenset(map(_value, node.expressions))
            demand.is_known = True
            demand.refused.update(values) if negated else demand.allow(values)
        case exp.Between() if not negated:
            demand.is_known = True
            for sign, end in ((">=", node.args["low"]), ("<=", node.args["high"])):
                if (value := _value(end)) is not None:
                    demand.bounds.append((sign, value))  # type: ignore[arg-type]  # the two signs of the loop
        case exp.EQ() | exp.NEQ() | exp.LT() | exp.LTE() | exp.GT() | exp.GTE():
            value = _value(node.args["expression"])
            demand.is_known = True
            if value is None or (negated and not isinstance(node, exp.EQ | exp.NEQ)):
                return
            if isinstance(node, exp.EQ) is not negated and isinstance(node, exp.EQ | exp.NEQ):
                demand.allow(frozenset({value}))
            elif isinstance(node, exp.EQ | exp.NEQ):
                demand.refused.add(value)
            else:
                signs: Mapping[type[exp.Expr], Literal["<", "<=", ">", ">="]]
                signs = {exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">="}
                demand.bounds.append((signs[type(node)], value))


def _conjuncts(node: exp.Expr) -> Iterator[exp.Expr]:
    node = _bare(node)
    if isinstance(node, exp.And):
        yield from _conjuncts(node.this)
        yield from _conjuncts(node.args["expression"])
    else:
        yield node


def _value(node: exp.Expr) -> Any:
    """Return a literal's value, None for anything else."""
    node = _bare(node)
    if isinstance(node, exp.Literal):
        if node.is_string:
            return node.name
        return int(node.name) if node.name.isdigit() else float(node.name)
    if isinstance(node, exp.Neg) and (inner := _value(node.this)) is not None:
        return -inner
    if isinstance(node, exp.Boolean):
        return bool(node.this)
    if isinstance(node, exp.Cast):
        return date.fromisoformat(node.this.name)
    return None


def _holds(value: Any, sign: str, bound: Any) -> bool:
    match sign:
        case "<":
            return bool(value < bound)
        case "<=":
            return bool(value <= bound)
        case ">":
            return bool(value > bound)
    return bool(value >= bound)


def _bare(node: exp.Expr) -> exp.Expr:
    while isinstance(node, exp.Paren):
        node = node.this
    return node


def _has_column(node: exp.Expr) -> bool:
    return node.find(exp.Column) is not None


def _words(hint: Any) -> Iterator[Any]:
    if get_origin(hint) is Literal:
        yield from (word for word in get_args(hint) if isinstance(word, str))
    else:
        for part in get_args(hint):
            yield from _words(part)
