"""What the database computes: the definitions that are live, and those that wait beside them to be swapped in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from ioc.catalogue.compilation import Compiled
from ioc.catalogue.indicator import Indicator


@dataclass(frozen=True)
class Edition:
    """Definitions that hold together.

    indicators: all of them by code, what formulas use included.
    slots:      sector -> code -> slot in `indicator_cell.figures` of the figures that this edition writes.
    """

    indicators: Mapping[str, Indicator]
    slots: Mapping[str, Mapping[str, int]]

    @cached_property
    def compiled(self) -> Compiled:
        """Measures and plans of the definitions."""
        return Compiled.of(self.indicators)


@dataclass(frozen=True)
class Editions:
    """The live edition, and the one that follows once all candidates are live (it writes only their slots).

    epoch: grows with every change of what is computed.
    """

    live: Edition
    next: Edition | None
    epoch: int

    @property
    def all(self) -> tuple[Edition, ...]:
        """The live edition first."""
        return (self.live,) if self.next is None else (self.live, self.next)

    @property
    def candidates(self) -> tuple[str, ...]:
        """Codes that wait to be swapped in."""
        return () if self.next is None else tuple(code for codes in self.next.slots.values() for code in codes)

    def together(self, codes: Iterable[str]) -> frozenset[str]:
        """Return the candidates that must be swapped in with `codes`: those they use, and those that use them."""
        if self.next is None:
            return frozenset()
        candidates = frozenset(self.candidates)
        compiled = self.next.compiled
        found: frozenset[str] = frozenset()
        grown = frozenset(codes) & candidates
        while grown != found:
            found = grown
            around = (compiled.closure(code) | compiled.dependents(code) for code in found)
            grown = found.union(*around) & candidates
        return found
