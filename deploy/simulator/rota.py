"""Coverage first, then chance: a rare thing happens early in every simulated month, and rarely afterwards."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from random import Random
from types import UnionType
from typing import Annotated, Any, Generic, Literal, TypeVar, Union, get_args, get_origin

from deploy.simulator.record import Weighted
from ioc.feeds.event import Record

T = TypeVar("T")
# What the weights do not name is drawn as often as this, beside all that they name.
_RARE = 0.01


class Rota(Generic[T]):
    """A weighted choice that first goes `laps` times through everything, in order."""

    def __init__(self, items: Iterable[T], weight: Callable[[T], float], *, laps: int = 2) -> None:
        known = list(items)
        self._ahead: deque[T] = deque(known * laps)
        self._chance = Weighted(known, weight)

    @classmethod
    def of(cls, weights: Mapping[T, float], *, laps: int = 2) -> Rota[T]:
        """A choice among the keys of a table of weights."""
        return cls(weights, weights.__getitem__, laps=laps)

    @classmethod
    def over(cls, model: type[Record], field: str, weights: Mapping[str, float]) -> Rota[str]:
        """A choice among all literals of a model's field; those without a weight are rare.

        Raises ValueError for a weight of something that is no literal of the field.
        """
        literals = literals_of(model, field)
        if unknown := weights.keys() - set(literals):
            raise ValueError(f"{model.__name__}.{field} is never {', '.join(sorted(unknown))}")
        rare = _RARE * sum(weights.values())
        return Rota(literals, lambda literal: weights.get(literal, rare))

    def pick(self, random: Random) -> T:
        """Take the next one of the rota, or draw one when it is through."""
        return self._ahead.popleft() if self._ahead else self._chance.pick(random)


def literals_of(model: type[Record], field: str) -> tuple[str, ...]:
    """Return what a field may say, from its annotation; raises ValueError where that is no list of literals."""
    found = _literals(model.model_fields[field].annotation)
    if not found:
        raise ValueError(f"{model.__name__}.{field} is not made of literals")
    return found


def _literals(hint: Any) -> tuple[str, ...]:
    if get_origin(hint) is Literal:
        return get_args(hint)
    if get_origin(hint) in (Union, UnionType):
        return tuple(literal for part in get_args(hint) for literal in _literals(part))
    if get_origin(hint) is Annotated:
        return _literals(get_args(hint)[0])
    return ()
