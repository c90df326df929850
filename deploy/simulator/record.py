"""One record as the system that keeps it knows it, and what every sector system can do with one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import accumulate
from random import Random
from typing import ClassVar, Generic, TypeVar

from deploy.simulator.habit import TOWN, Habit
from deploy.simulator.ledger import Data

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


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What a system does with a record later: after `hours`, `change` gives its new content, or None for nothing."""

    hours: int
    change: Callable[[Life, date], Data | None]


# A record and the content that it gets; None voids it.
Revision = tuple[Life, Data | None]
# Hour of a day, and what makes the record that is sent then.
ScheduledSending = tuple[int, Callable[[], Life]]


class System(ABC):
    """One sector's system: it makes records by chance or by its calendar, and works on them later.

    feed:  key of the feed that it publishes. habit: when its records are made, as far as chance makes them.
    """

    feed: ClassVar[str]
    habit: ClassVar[Habit] = TOWN

    @abstractmethod
    def create(self, day: date, tick: int) -> Life:
        """Return a new record of a business date, made in `tick`."""

    @abstractmethod
    def mend(self, life: Life) -> Data:
        """Return other valid content for the same record, as a clerk would correct it."""

    @abstractmethod
    def misdate(self, life: Life, year: int) -> Life:
        """Return the record as one of another year, valid by the schema."""

    @abstractmethod
    def estrange(self, life: Life) -> Life:
        """Return the record as one of a reporter that no register holds."""

    def schedule(self, day: date) -> Iterable[ScheduledSending]:
        """Return what is sent on a day by calendar. A record that was sent before is sent as a new revision."""
        return ()

    def follow(self, life: Life, day: date) -> FollowUp | None:
        """Return the next step of a record's usual course; asked when it was first sent and after each step."""
        return None

    def correct(self, life: Life, day: date, tick: int) -> Sequence[Revision]:
        """Return what is sent when a mistake is mended, in order."""
        return [(life, self.mend(life))]

    def cancel(self, life: Life, day: date, tick: int) -> Sequence[Revision]:
        """Return what is sent when the record is cancelled, in order."""
        return [(life, None)]


class Weighted(Generic[T]):
    """A choice among things of unequal weight."""

    def __init__(self, items: Iterable[T], weight: Callable[[T], float]) -> None:
        self._items = list(items)
        self._cumulated = list(accumulate(weight(item) for item in self._items))
        self._total, self._last = self._cumulated[-1] + 0.0 if self._items else 0.0, len(self._items) - 1

    @classmethod
    def of(cls, weights: dict[T, float]) -> Weighted[T]:
        """A choice among the keys of a table of weights."""
        return cls(weights, weights.__getitem__)

    def pick(self, random: Random) -> T:
        """Draw one, as `random.choices` does, in a third of its time."""
        return self._items[bisect(self._cumulated, random.random() * self._total, 0, self._last)]


def pseudonym(random: Random) -> str:
    """A pseudonym of nobody."""
    return f"k1:{random.getrandbits(128):032x}"


def in_year(data: Data, year: int, names: Iterable[str]) -> Data:
    """Return a record's content with the dates of these names, where there are any, in another year.

    29 February becomes the 28th: the years that records are moved to (1900, 2099) have none.
    """
    moved = {name: f"{year}{data[name][4:]}" for name in names if data.get(name) is not None}
    return {**data, **{name: text.replace("-02-29", "-02-28") for name, text in moved.items()}}


def not_before(data: Data, day: date, names: Iterable[str]) -> date:
    """Return the day, or the last that the record tells of under these names: simulated months begin again."""
    return max([day, *(date.fromisoformat(data[name]) for name in names if data.get(name) is not None)])


def rated(life: Life, day: date, *, rating: str | int, names: Iterable[str]) -> Data | None:
    """Return what was resolved with its rating, None where nothing was; `names` as in `not_before`."""
    if life.data["state"] != "resolved":
        return None
    return {**life.data, "rated_on": not_before(life.data, day, names).isoformat(), "rating": rating}
