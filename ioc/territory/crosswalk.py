"""Which units of all times make up the territory of one unit: forwards through merges, backwards where it is known.

A unit's row is one territory: what gains or loses land gets a row of its own. `successor_id` says that a
whole territory went to one unit; a unit below another lies in it; units below cover the one above. A leaf that ends
without a successor was divided among the new leaves of the smallest unit that is known to hold it; how is not known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count

from ioc.territory.area import LEVELS, Area, AreaTree

Pieces = frozenset[int]


@dataclass(frozen=True)
class Territory:
    """What is to be added up for the territory of one unit, whatever units there were; all are `area_id`s.

    whole:  units that lie wholly in it, none of them below another. Together their cells hold everything that is known
            to have been counted in the territory, each record once.
    partly: units that lie partly in it, or may: what they have counted cannot be divided. Of units above a leaf only
            those of the unit's own level and below: reports for a district do not speak of its communes.
    same:   the unit and those of its successors and predecessors that had the very same territory (renamed, or moved
            under another unit).
    """

    unit: Area
    whole: tuple[int, ...]
    partly: tuple[int, ...]
    same: tuple[int, ...]


class Crosswalk:
    """The territories of all units of a tree."""

    def __init__(self, tree: AreaTree) -> None:
        self._tree = tree
        self._pieces = _pieces(tree)
        self._sharing: defaultdict[int, list[int]] = defaultdict(list)
        for area_id, pieces in self._pieces.items():
            for piece in pieces:
                self._sharing[piece].append(area_id)
        self._predecessors: defaultdict[int, list[int]] = defaultdict(list)
        for area in tree.areas:
            if area.successor_id is not None:
                self._predecessors[area.successor_id].append(area.area_id)

    def territory(self, area_id: int) -> Territory:
        """Return what lies in a unit's territory."""
        unit = self._tree[area_id]
        own = self._pieces[area_id]
        touching = {other for piece in own for other in self._sharing[piece] if self._speaks_of(other, unit)}
        inside = {other for other in touching if self._pieces[other] <= own}
        return Territory(
            unit=unit,
            whole=tuple(sorted(other for other in inside if self._tree[other].parent_id not in inside)),
            partly=tuple(sorted(touching - inside)),
            same=self._same(area_id),
        )

    def _speaks_of(self, area_id: int, unit: Area) -> bool:
        """Return whether what is counted in an area bears on a unit: a leaf's records always, reports not upwards."""
        area = self._tree[area_id]
        return self._tree.is_leaf(area) or LEVELS.index(area.level) >= LEVELS.index(unit.level)

    def _same(self, area_id: int) -> tuple[int, ...]:
        found = {area_id}
        waiting = [area_id]
        while waiting:
            at = waiting.pop()
            successor_id = self._tree[at].successor_id
            beside = [*self._predecessors[at], *([] if successor_id is None else [successor_id])]
            fresh = {other for other in beside if self._pieces[other] == self._pieces[area_id]} - found
            found |= fresh
            waiting.extend(fresh)
        return tuple(sorted(found))


def _pieces(tree: AreaTree) -> dict[int, Pieces]:
    """Cut the land into the coarsest pieces that every unit of every time is made of; return each unit's.

    A divided leaf is cut into one piece for each unit that may have got some of it; such a piece may be empty.
    """
    numbers = count()
    held: dict[int, set[int]] = {}
    cut: dict[int, list[int]] = {}
    for begun in _beginnings(tree.leaves()):
        day = begun[0].valid_from
        for leaf in begun:
            held[leaf.area_id] = set()
        for ended in (leaf for leaf in tree.leaves() if leaf.valid_to == day):
            heirs = _heirs(tree, ended, begun)
            for piece in held[ended.area_id] if heirs else ():
                shares = [piece] if len(heirs) == 1 else [next(numbers) for _ in heirs]
                if len(heirs) > 1:
                    cut[piece] = shares
                for heir, share in zip(heirs, shares, strict=True):
                    held[heir.area_id].add(share)
        for leaf in begun:
            if not held[leaf.area_id]:
                held[leaf.area_id].add(next(numbers))
    found: defaultdict[int, set[int]] = defaultdict(set)
    for leaf_id, pieces in held.items():
        finest = _finest(pieces, cut)
        for area_id in tree.chain(leaf_id):
            found[area_id] |= finest
    return {area_id: frozenset(pieces) for area_id, pieces in found.items()}


def _beginnings(leaves: Sequence[Area]) -> list[list[Area]]:
    """Return the leaves by the day on which they begin, first days first."""
    by_day: defaultdict[object, list[Area]] = defaultdict(list)
    for leaf in sorted(leaves, key=lambda leaf: leaf.valid_from):
        by_day[leaf.valid_from].append(leaf)
    return list(by_day.values())


def _heirs(tree: AreaTree, ended: Area, begun: Sequence[Area]) -> list[Area]:
    """Return the new leaves that may have got some of a leaf's land: its successor, or those below what holds it."""
    for area_id in tree.chain(ended.area_id):
        area = tree[area_id]
        holder = area_id if area.holds(ended.valid_to) else area.successor_id
        if holder is not None:
            return [leaf for leaf in begun if holder in tree.chain(leaf.area_id)]
    return list(begun)


def _finest(pieces: Iterable[int], cut: dict[int, list[int]]) -> set[int]:
    """Return the pieces, those that were cut later replaced by their parts."""
    finest: set[int] = set()
    waiting = list(pieces)
    while waiting:
        piece = waiting.pop()
        if piece in cut:
            waiting.extend(cut[piece])
        else:
            finest.add(piece)
    return finest
