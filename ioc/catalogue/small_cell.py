"""Small cells: counts of persons that readers must not see, and the figures that would give them away.

A count from 1 up to less than `below` is hidden. What would let a reader compute it is hidden too: where a shown total
leaves one hidden part, the smallest other part is hidden as well (a district's communes, a total's age groups), and so
is each share, average or sum of money that is computed from a hidden count. Zero is shown: it tells of nobody.

Source: the rule of thresholds and complementary suppression in Hundepool et al., Handbook on Statistical Disclosure
Control (ESSNet SDC, 2010), sections 4.2 and 4.3. Sums over time are not guarded: that a month less its other days
leaves a hidden day is documented in docs/small-cells.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ioc.catalogue.compilation import Compiled
from ioc.catalogue.indicator import Indicator
from ioc.catalogue.measure import Measure
from ioc.catalogue.plan import Computed, DistinctCount, IndicatorPlan, Quotient, Reported, RunningTotal, Total

Figures = NDArray[np.float64]
Hidden = NDArray[np.bool_]
_ROUNDS = 100
_LAST = 1e300  # a zero is hidden only where nothing else is there


@dataclass(frozen=True)
class CountSum:
    """Counts that add up: the code of the whole (None where it has no figure of its own), and those of the parts."""

    whole: str | None
    parts: tuple[str, ...]


@dataclass(frozen=True)
class SmallCellPlan:
    """What is guarded in a sector.

    below:      the least count that is shown, but for 0.
    codes:      all its indicators; the columns of figures, in this order.
    counts:     those that count persons or their visits.
    sums:       counts that add up to others.
    made_of:    of the others, the counts that each is computed from.
    shares:     percentages whose numerator has no figure: the code of the share and that of its whole.
    """

    below: int
    codes: tuple[str, ...]
    counts: tuple[str, ...]
    sums: tuple[CountSum, ...]
    made_of: Mapping[str, tuple[str, ...]]
    shares: Mapping[str, str]

    def related(self, code: str) -> tuple[str, ...]:
        """Return the codes whose figures decide whether that of one is hidden, itself among them."""
        wanted = {code, *self.made_of.get(code, ()), *({self.shares[code]} if code in self.shares else ())}
        counted = wanted & {*self.counts}
        for one in self.sums:
            members = {*one.parts, *([one.whole] if one.whole else [])}
            if counted & members:
                wanted |= members
        return tuple(one for one in self.codes if one in wanted)

    def of(self, codes: Sequence[str]) -> SmallCellPlan:
        """Return the plan of some of the indicators; what the others would add is not guarded."""
        kept = {*codes}
        sums = [
            CountSum(one.whole if one.whole in kept else None, tuple(part for part in one.parts if part in kept))
            for one in self.sums
        ]
        return SmallCellPlan(
            self.below,
            tuple(codes),
            tuple(code for code in self.counts if code in kept),
            tuple(one for one in sums if one.parts),
            {code: tuple(one for one in made if one in kept) for code, made in self.made_of.items() if code in kept},
            {code: whole for code, whole in self.shares.items() if code in kept and whole in kept},
        )


def plan_small_cells(
    indicators: Iterable[Indicator], compiled: Compiled, *, below: int, units: Iterable[str]
) -> SmallCellPlan:
    """Return what is guarded among the indicators of one sector; `units` are those of counts of persons."""
    by_code = {one.code: one for one in indicators if one.code in compiled.plans}
    of_persons = frozenset(units)
    counts = tuple(code for code, one in by_code.items() if one.unit in of_persons and _is_count(compiled.plans[code]))
    counted: dict[tuple[str, str, str], str] = {}
    for code in counts:
        for measure in compiled.plans[code].measures[:1]:
            counted.setdefault(_records(measure), code)
    made_of: dict[str, tuple[str, ...]] = {}
    shares: dict[str, str] = {}
    known = frozenset(counts)
    for code in compiled.plans:  # in an order in which every input comes first
        if code not in by_code:
            continue
        plan = compiled.plans[code]
        sources = _sources(plan, counted, known, made_of)
        if code not in known or isinstance(plan, Computed):
            made_of[code] = sources
        if isinstance(plan, Quotient) and plan.scale == 100.0 and _records(plan.part) not in counted:
            whole = counted.get(_records(plan.whole))
            if whole is not None:
                shares[code] = whole
    return SmallCellPlan(below, tuple(by_code), counts, _breakdowns(by_code, known), made_of, shares)


def hidden_figures(figures: Figures, above: Sequence[int], plan: SmallCellPlan) -> Hidden:
    """Return which figures of one period are hidden.

    figures: by area (row) and code of the plan (column); NaN = there is none.
    above:   of each row, the row of the unit that it lies in; -1 = none.
    """
    place = {code: column for column, code in enumerate(plan.codes)}
    columns = [place[code] for code in plan.counts]
    counts = figures[:, columns]
    hidden = (counts > 0) & (counts < plan.below)
    if hidden.any():
        _complement(counts, hidden, above, plan)
    result = np.zeros(figures.shape, dtype=bool)
    result[:, columns] = hidden
    for code, sources in plan.made_of.items():
        for source in sources:
            result[:, place[code]] |= result[:, place[source]]
    for code, whole in plan.shares.items():
        # 3 of 40 are 7.5 %: who sees the share and the whole knows the part.
        part = np.round(figures[:, place[code]] * figures[:, place[whole]] / 100)
        result[:, place[code]] |= result[:, place[whole]] | ((part > 0) & (part < plan.below))
    return result & ~np.isnan(figures)


def _complement(counts: Figures, hidden: Hidden, above: Sequence[int], plan: SmallCellPlan) -> None:
    """Hide more, until no sum gives a hidden count away; `hidden` is changed."""
    below: dict[int, list[int]] = {}
    for row, parent in enumerate(above):
        if parent >= 0:
            below.setdefault(parent, []).append(row)
    at = {code: column for column, code in enumerate(plan.counts)}
    sums = [
        (at[one.whole] if one.whole is not None else None, [at[part] for part in one.parts])
        for one in plan.sums
        if one.whole is not None
    ]
    for _ in range(_ROUNDS):
        before = int(hidden.sum())
        for parent, rows in below.items():
            own, wholes = hidden[rows], hidden[parent]
            _protect(counts[rows], own, counts[parent], wholes, plan.below)
            hidden[rows], hidden[parent] = own, wholes
        for whole, parts in sums:
            own, wholes = hidden[:, parts].T.copy(), hidden[:, whole].copy()
            _protect(counts[:, parts].T, own, counts[:, whole], wholes, plan.below)
            hidden[:, parts], hidden[:, whole] = own.T, wholes
        if int(hidden.sum()) == before:
            return
    hidden[:] = True  # never seen: rather show nothing than something that gives a person away


def _protect(parts: Figures, hidden: Hidden, wholes: Figures, whole_hidden: Hidden, below: int) -> None:
    """Hide one more member of each sum that gives a hidden member away: `parts` by part (row) and sum (column).

    What a reader learns of the hidden parts is their sum. It gives them away where there is one of them, where the sum
    is small itself, and where all must be the least or the greatest that is hidden (three parts, together 3 or 12).
    """
    number = hidden.sum(axis=0)
    together = np.where(hidden, np.nan_to_num(parts), 0.0).sum(axis=0)
    told = ~np.isnan(wholes) & ~whole_hidden
    given = (number == 1) | (together < below) | (together == number) | (together == number * (below - 1))
    unsafe = told & (number > 0) & given
    # A hidden whole whose parts are all shown is their sum.
    unsafe |= whole_hidden & (number == 0) & ~np.isnan(parts).all(axis=0)
    if not unsafe.any():
        return
    free = ~hidden & ~np.isnan(parts)
    sizes = np.where(free & (parts > 0), parts, np.where(free & (parts == 0), _LAST, np.nan))
    for column in np.flatnonzero(unsafe):
        found = sizes[:, column]
        if np.isnan(found).all():
            whole_hidden[column] = True
        else:
            hidden[np.nanargmin(found), column] = True


def _is_count(plan: IndicatorPlan) -> bool:
    if isinstance(plan, Total):
        return plan.total.value == "1"
    if isinstance(plan, RunningTotal):
        return plan.stock.value == "1"
    return isinstance(plan, DistinctCount | Reported | Computed)


def _records(measure: Measure) -> tuple[str, str, str]:
    """Return which records a measure speaks of."""
    return measure.feed, measure.condition, measure.at


def _sources(
    plan: IndicatorPlan,
    counted: Mapping[tuple[str, str, str], str],
    counts: frozenset[str],
    made_of: Mapping[str, tuple[str, ...]],
) -> tuple[str, ...]:
    """Return the counts that a figure is computed from: of the same records, or those that its formula names."""
    if isinstance(plan, Computed):
        inputs = [[code] if code in counts else made_of.get(code, ()) for code in plan.inputs]
        return tuple(dict.fromkeys(one for found in inputs for one in found))
    found = [counted[_records(one)] for one in plan.measures if _records(one) in counted]
    return tuple(one for one in dict.fromkeys(found) if one != plan.code)


def _breakdowns(by_code: Mapping[str, Indicator], counts: frozenset[str]) -> tuple[CountSum, ...]:
    groups: dict[tuple[str, str], list[str]] = {}
    for code in by_code:
        kind = by_code[code].definition.get("breakdown", "")
        if kind and code in counts:
            groups.setdefault((code.rpartition(".")[0], kind), []).append(code)
    return tuple(
        CountSum(whole if (whole := f"{stem}.total") in counts else None, tuple(parts))
        for (stem, _), parts in groups.items()
    )
