"""Feeds whose records are of several kinds: which fields each kind must carry, and which it may."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import or_

from ioc.feeds.rule import Condition, RecordRule, Values, any_empty, any_set, named

SHARED = frozenset({"kind", "occurred_on"})


@dataclass(frozen=True)
class Shape:
    """Fields of one kind, beside `kind` and `occurred_on`, which every record has."""

    needed: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()

    @cached_property
    def allowed(self) -> frozenset[str]:
        """Every field that a record of this kind may carry."""
        return SHARED | self.needed | self.optional


def shape(needed: str = "", optional: str = "") -> Shape:
    """Return a shape from names with blanks between them."""
    return Shape(frozenset(needed.split()), frozenset(optional.split()))


def kind_rules(shapes: Mapping[str, Shape]) -> list[RecordRule]:
    """Return the rules that a record lacks no field that its kind needs, and has none that belongs to other kinds.

    shapes: by kind; together they name every field of the model.
    """
    fields = frozenset[str]().union(*(one.allowed for one in shapes.values()))
    foreign = {kind: fields - one.allowed for kind, one in shapes.items()}

    def missing(values: Values) -> list[str]:
        return sorted(name for name in shapes[values["kind"]].needed if values[name] is None)

    def surplus(values: Values) -> list[str]:
        return sorted(name for name in foreign[values["kind"]] if values[name] is not None)

    lacks = [named("kind").equals(kind) & any_empty(one.needed) for kind, one in shapes.items() if one.needed]
    carries = [named("kind").equals(kind) & any_set(names) for kind, names in foreign.items() if names]
    return [
        RecordRule(
            Condition(lambda values: bool(missing(values)), reduce(or_, lacks).expr),
            "a record of kind {kind} needs {fields}",
            "bản ghi loại {kind} phải có {fields}",
            missing,
        ),
        RecordRule(
            Condition(lambda values: bool(surplus(values)), reduce(or_, carries).expr),
            "a record of kind {kind} carries no {fields}",
            "bản ghi loại {kind} không được có {fields}",
            surplus,
        ),
    ]
