"""What a change of the catalogue does: which rows are computed in another way, and which change in wording only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ioc.catalogue.compilation import Compiled
from ioc.catalogue.indicator import COLUMNS, Indicator
from ioc.catalogue.measure import Measure

ChangeKind = Literal["added", "removed", "recomputed", "follows", "reworded", "unchanged"]
# In the order in which they are listed; all but the last change figures.
CHANGES: tuple[ChangeKind, ...] = ("added", "removed", "recomputed", "follows", "reworded")


@dataclass(frozen=True)
class FieldChange:
    """One column of a row with another text."""

    column: str
    old: str
    new: str


@dataclass(frozen=True)
class IndicatorChange:
    """What becomes of one indicator.

    added, removed: the code is new, or gone.
    recomputed:     its row is computed in another way: another expression, formula, feed, day, kind or sector.
    follows:        its row is the same; `because` names the changed codes that its formula uses, at any distance.
    reworded:       names, unit, target, owner, ... changed; its figures stay what they are.
    """

    code: str
    change: ChangeKind
    cells: tuple[FieldChange, ...] = ()
    because: tuple[str, ...] = ()


@dataclass(frozen=True)
class CatalogueDiff:
    """Every indicator of either catalogue that changes; and the measures that begin or cease to be needed."""

    changes: Mapping[str, IndicatorChange]
    measures_added: tuple[Measure, ...]
    measures_removed: tuple[Measure, ...]

    def change(self, code: str) -> ChangeKind:
        """Return what becomes of a code."""
        return self.changes[code].change if code in self.changes else "unchanged"

    def of(self, change: ChangeKind) -> tuple[IndicatorChange, ...]:
        """Return the indicators with one kind of change, in the catalogue's order."""
        return tuple(found for found in self.changes.values() if found.change == change)


def compare_catalogues(old: Mapping[str, Indicator], new: Mapping[str, Indicator]) -> CatalogueDiff:
    """Return what changes from one set of indicators to another, by meaning: a formula with other blanks is the same.

    Formulas may name codes that are not in `old` (a stored row that no longer reads): whatever uses them changes.
    """
    before, after = Compiled.of(old), Compiled.of(new)
    changes: dict[str, IndicatorChange] = {}
    moved = set(old.keys() ^ new.keys()) | {
        code for code in old.keys() & new.keys() if _computation(before, old[code]) != _computation(after, new[code])
    }
    for code, indicator in new.items():
        cells = _cells(old[code], indicator) if code in old else ()
        if code not in old:
            changes[code] = IndicatorChange(code, "added")
        elif code in moved:
            changes[code] = IndicatorChange(code, "recomputed", cells)
        elif because := sorted((after.closure(code) | before.closure(code)) & moved):
            changes[code] = IndicatorChange(code, "follows", cells, tuple(because))
        elif cells:
            changes[code] = IndicatorChange(code, "reworded", cells)
    changes |= {code: IndicatorChange(code, "removed") for code in old if code not in new}
    return CatalogueDiff(changes, _missing(after, before), _missing(before, after))


def _missing(here: Compiled, there: Compiled) -> tuple[Measure, ...]:
    known = frozenset(there.measures)
    return tuple(measure for measure in here.measures if measure not in known)


def _computation(compiled: Compiled, indicator: Indicator) -> object:
    return indicator.sector, indicator.kind, compiled.plans[indicator.code]


def _cells(old: Indicator, new: Indicator) -> tuple[FieldChange, ...]:
    return tuple(
        FieldChange(column, old.definition.get(column, ""), new.definition.get(column, ""))
        for column in COLUMNS
        if old.definition.get(column, "") != new.definition.get(column, "")
    )
