"""One record as the system that keeps it knows it, and what every sector system can do with one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from itertools import accumulate
from random import Random
from typing import Generic, Protocol, TypeVar

from connectors.simulator.ledger import Data

T = TypeVar("T")


@dataclass(slots=True)
class Life:
    """A record over its revisions; `revision` is the last one that was made, 0 before the first.

    key: the record's key within its reporter; together they are the event's subject.
    """

    reporter: str
    key: str
    data: Data
    revision: int = 0
    is_void: bool = False

    @property
    def subject(self) -> str:
        """Subject of the record's events."""
        return f"{self.reporter}/{self.key}"

    def with_data(self, data: Data, *, reporter: str | None = None, key: str | None = None) -> Life:
        """A record of its own that starts from this one."""
        return replace(self, reporter=reporter or self.reporter, key=key or self.key, data=data)


class System(Protocol):
    """One sector's system, as far as all of them are alike."""

    feed: str

    def create(self, day: date, tick: int) -> Life:
        """Return a new record of a business date, made in `tick`."""

    def mend(self, life: Life) -> Data:
        """Return other valid content for the same record, as a clerk would correct it."""

    def misdate(self, life: Life, year: int) -> Life:
        """Return the record as one of another year, valid by the schema."""

    def estrange(self, life: Life) -> Life:
        """Return the record as one of a reporter that no register holds."""


class Weighted(Generic[T]):
    """A choice among things of unequal weight."""

    def __init__(self, items: Iterable[T], weight: Callable[[T], float]) -> None:
        self._items = list(items)
        self._cumulated = list(accumulate(weight(item) for item in self._items))

    @classmethod
    def of(cls, weights: dict[T, float]) -> Weighted[T]:
        """A choice among the keys of a table of weights."""
        return cls(weights, weights.__getitem__)

    def pick(self, random: Random) -> T:
        """Draw one."""
        return random.choices(self._items, cum_weights=self._cumulated)[0]


@dataclass(frozen=True, slots=True)
class Step:
    """What a system does with a record later: after `hours`, `change` gives its new content, or None for nothing."""

    hours: int
    change: Callable[[Life, date], Data | None]
