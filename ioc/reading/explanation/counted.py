"""The measures whose records count in a figure, and what a record adds to each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ioc.catalogue import Compiled, IndicatorPlan, Measure, contribution_sql, member_sql


@dataclass(frozen=True)
class CountedMeasure:
    """A measure that a figure rests on.

    running: it is summed up from the beginning, not over the period.
    adds_to: the code of the figure, and the side of its division if it is one.
    """

    measure: Measure
    running: bool
    adds_to: str

    @property
    def amount(self) -> str:
        """SQL: what a record adds, in the measure's own unit (double precision)."""
        return f"({adds_sql(self.measure)})::double precision / {10**self.measure.decimals}"


def counted_in(compiled: Compiled, code: str) -> tuple[CountedMeasure, ...]:
    """Return each measure once, in the order of the formulas: what is above a line before what is below it."""
    found: dict[tuple[Measure, bool], CountedMeasure] = {}
    for one in _walk(compiled, code):
        found.setdefault((one.measure, one.running), one)
    return tuple(found.values())


def adds_sql(measure: Measure) -> str:
    """Return SQL of what a record adds: to a sum in units of 10^-decimals, to a number of members 1 or 0."""
    return f"({member_sql(measure)} IS NOT NULL)::int" if measure.kind == "distinct" else contribution_sql(measure)


def _walk(compiled: Compiled, code: str) -> Iterator[CountedMeasure]:
    plan = compiled.plans[code]
    for source in plan.inputs:
        yield from _walk(compiled, source)
    for measure, side in zip(_counted(plan), (": numerator", ": denominator"), strict=False):
        yield CountedMeasure(measure, measure in plan.running, code + (side if plan.method == "quotient" else ""))


def _counted(plan: IndicatorPlan) -> tuple[Measure, ...]:
    """Return the measures whose records count; of reports the others only say how many there are."""
    return plan.measures[:1] if plan.method in ("sent", "state", "mean") else plan.measures
