"""Feeds whose records are of several kinds: which fields each kind must carry, and which it may."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

SHARED = frozenset({"kind", "occurred_on"})


class _OfAKind(Protocol):
    @property
    def kind(self) -> str: ...


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


def check_kind(record: _OfAKind, shapes: Mapping[str, Shape]) -> None:
    """Raise ValueError where a record lacks a field that its kind needs, or has one that belongs to other kinds."""
    expected = shapes[record.kind]
    given = {name for name, value in record.__dict__.items() if value is not None}
    if missing := ", ".join(sorted(expected.needed - given)):
        raise ValueError(
            f"a record of kind {record.kind} needs {missing}",
            f"bản ghi loại {record.kind} phải có {missing}",
        )
    if foreign := ", ".join(sorted(given - expected.allowed)):
        raise ValueError(
            f"a record of kind {record.kind} carries no {foreign}",
            f"bản ghi loại {record.kind} không được có {foreign}",
        )
