"""Which figures of guarded sectors readers may see: decided by the relay for each period in which a figure changed.

A whole period of a sector is looked at together, all units and indicators: whether a figure gives a small one away
depends on the others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

import numpy as np
import psycopg
from psycopg.rows import class_row, dict_row

from ioc.catalogue.small_cell import SmallCellPlan, hidden_figures, plan_small_cells
from ioc.catalogue.store import load_editions, read_epoch
from sql import load_queries

_GROUPS = 40  # periods that are held in memory at once; each is about 150 KB


class PeriodGroup(NamedTuple):
    """A period of a sector."""

    sector: str
    period: str
    bucket: date


@dataclass(frozen=True)
class _SmallCellRule:
    sector: str
    below: int
    units: list[str]


@dataclass(frozen=True)
class _GroupCell:
    """A cell, and what was decided of it before: `figures_at` None = nothing."""

    sector: str
    period: str
    bucket: date
    area_id: int
    parent_id: int | None
    figures: list[float | None]
    updated_at: datetime
    figures_at: datetime | None
    hidden: list[int] | None


@dataclass(frozen=True)
class DecidedCell:
    """A cell with the slots that are hidden now, and were before; `hidden_before` None = nothing had been decided."""

    area_id: int
    figures: list[float | None]
    updated_at: datetime
    hidden: frozenset[int]
    hidden_before: frozenset[int] | None

    def shown(self) -> list[float | None]:
        """Return the figures as readers see them."""
        return [None if slot in self.hidden else value for slot, value in enumerate(self.figures, start=1)]


class DisclosureControl:
    """Decides over the relay's connection, within its transaction."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._queries = load_queries("disclosure")
        self._epoch = -1
        self._rules: dict[str, _SmallCellRule] = {}
        self._plans: dict[str, tuple[SmallCellPlan, Mapping[str, int]]] = {}

    def guarded(self) -> frozenset[str]:
        """Return the sectors that have a rule now."""
        cursor = self._connection.cursor(row_factory=class_row(_SmallCellRule))
        rules = {rule.sector: rule for rule in cursor.execute(self._queries["select_rules"])}
        epoch = read_epoch(self._connection) if rules else self._epoch
        if rules != self._rules or epoch != self._epoch:
            self._rules, self._epoch = rules, epoch
            self._plans = self._planned() if rules else {}
        return frozenset(rules)

    def decide(self, groups: Iterable[PeriodGroup]) -> Iterable[tuple[PeriodGroup, list[DecidedCell]]]:
        """Decide of periods of guarded sectors and keep it; yield each with all its cells."""
        waiting = sorted(groups)
        for first in range(0, len(waiting), _GROUPS):
            found: dict[PeriodGroup, list[_GroupCell]] = {}
            part = waiting[first : first + _GROUPS]
            asked = {
                "sectors": [one.sector for one in part],
                "periods": [one.period for one in part],
                "buckets": [one.bucket for one in part],
                "first": min(one.bucket for one in part),
                "last": max(one.bucket for one in part),
            }
            cursor = self._connection.cursor(row_factory=class_row(_GroupCell))
            for cell in cursor.execute(self._queries["select_groups"], asked):
                found.setdefault(PeriodGroup(cell.sector, cell.period, cell.bucket), []).append(cell)
            for group in part:
                cells = found.get(group, [])
                yield group, self._decided(group, cells)

    def forget(self, group: PeriodGroup, areas: Collection[int]) -> dict[int, frozenset[int]]:
        """Remove what was decided of cells that are gone; return by area the slots that were hidden."""
        if not areas:
            return {}
        asked = {"sector": group.sector, "period": group.period, "bucket": group.bucket, "areas": sorted(areas)}
        rows = self._connection.cursor(row_factory=dict_row).execute(self._queries["forget_cells"], asked).fetchall()
        return {row["area_id"]: frozenset(row["hidden"]) for row in rows}

    def _decided(self, group: PeriodGroup, cells: Sequence[_GroupCell]) -> list[DecidedCell]:
        plan, slots = self._plans[group.sector]
        places = [slots[code] - 1 for code in plan.codes]
        live = {place + 1 for place in places}
        figures = np.full((len(cells), len(places)), np.nan)
        for row, cell in enumerate(cells):
            held = cell.figures
            figures[row] = [
                np.nan if place >= len(held) or (value := held[place]) is None else value for place in places
            ]
        row_of = {cell.area_id: row for row, cell in enumerate(cells)}
        above = [row_of.get(cell.parent_id, -1) if cell.parent_id is not None else -1 for cell in cells]
        marks = hidden_figures(figures, above, plan)
        decided = []
        for row, cell in enumerate(cells):
            hidden = {places[column] + 1 for column in np.flatnonzero(marks[row])}
            # Slots without a live version are hidden from all readers: an old version, or a new one before its swap.
            hidden |= {slot for slot in range(1, len(cell.figures) + 1) if slot not in live}
            before = None if cell.figures_at is None else frozenset(cell.hidden or ())
            decided.append(DecidedCell(cell.area_id, cell.figures, cell.updated_at, frozenset(hidden), before))
        changed = [
            one
            for one, cell in zip(decided, cells, strict=True)
            if cell.figures_at != one.updated_at or one.hidden != one.hidden_before
        ]
        rows = [
            (group.sector, group.period, one.area_id, group.bucket, one.updated_at, sorted(one.hidden), one.shown())
            for one in changed
        ]
        if rows:
            self._connection.cursor().executemany(self._queries["keep_decided"], rows)
        return decided

    def _planned(self) -> dict[str, tuple[SmallCellPlan, Mapping[str, int]]]:
        edition = load_editions(self._connection).live
        plans = {}
        for rule in self._rules.values():
            indicators = [one for one in edition.indicators.values() if one.sector == rule.sector]
            plan = plan_small_cells(indicators, edition.compiled, below=rule.below, units=rule.units)
            plans[rule.sector] = (plan, edition.slots.get(rule.sector, {}))
        return plans
