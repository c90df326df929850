"""How many people live where: the weights by which what happens is spread over the areas."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import date
from itertools import accumulate
from pathlib import Path

from deploy.simulator.record import Weighted
from ioc.territory.area import Area, AreaTree

_RESIDENTS = Path(__file__).parent / "data" / "residents.csv"
# Of a commune in a unit whose residents are not known.
_COMMUNE = 14_000


class Population:
    """The areas of a profile with their residents."""

    def __init__(self, areas: AreaTree) -> None:
        self._areas = areas
        with _RESIDENTS.open(encoding="utf-8", newline="") as file:
            self._residents = {row["area_code"]: int(row["residents"]) for row in csv.DictReader(file)}

    def root(self, day: date) -> Area:
        """The unit that holds all others on a day."""
        return self._areas.roots(day)[0]

    def parts(self, day: date) -> tuple[Area, ...]:
        """The units directly below the root."""
        return self._areas.children(self.root(day).area_id, day)

    def leaves(self, day: date) -> Weighted[Area]:
        """A choice among the leaves of a day; a unit's residents are spread evenly over its leaves."""
        leaves = [area for area in self._areas.at(day) if self._areas.is_leaf(area)]
        return Weighted(leaves, lambda leaf: self._weight(leaf, day))

    def split(self, amount: int, day: date) -> Sequence[tuple[Area, int]]:
        """Spread a whole number over the units below the root, by residents; the parts sum to it."""
        parts = self.parts(day)
        ends = list(accumulate(self.residents(part, day) for part in parts))
        cuts = [0, *(round(amount * end / ends[-1]) for end in ends)]
        return [(part, high - low) for part, low, high in zip(parts, cuts, cuts[1:], strict=False)]

    def residents(self, area: Area, day: date) -> int:
        """Residents of a unit, as known or by the number of its leaves."""
        return self._residents.get(area.code) or _COMMUNE * len(self._leaves_of(area, day))

    def _weight(self, leaf: Area, day: date) -> float:
        if leaf.code in self._residents or leaf.parent_id is None:
            return self.residents(leaf, day)
        parent = self._areas[leaf.parent_id]
        return self.residents(parent, day) / len(self._leaves_of(parent, day))

    def _leaves_of(self, area: Area, day: date) -> tuple[Area, ...]:
        below = self._areas.children(area.area_id, day)
        return tuple(leaf for part in below for leaf in self._leaves_of(part, day)) or (area,)
