"""From the catalogue to what is counted: measures that indicators share, and how each figure follows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from graphlib import TopologicalSorter
from typing import Literal

from ioc.catalogue.expression import conjunction, is_known
from ioc.catalogue.formula import parse_formula
from ioc.catalogue.indicator import Catalogue, Indicator
from ioc.catalogue.measure import Measure


@dataclass(frozen=True)
class IndicatorPlan:
    """How one figure is computed.

    total:    the period's sum of its one measure
    running:  the sum of its one measure from the beginning to the end of the period
    distinct: the number of members of its one measure in the period
    quotient: `scale` x first measure / second measure of the period; no value where the second is zero
    formula:  `formula` over the figures of `inputs` (and `days`, the length of the period so far)

    Sums are in units of 10^-decimals of their measure.
    """

    code: str
    method: Literal["total", "running", "distinct", "quotient", "formula"]
    measures: tuple[Measure, ...] = ()
    scale: float = 1.0
    formula: str = ""
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Compiled:
    """`measures` without repetition, by first use; `plans` in an order in which every input comes first."""

    measures: tuple[Measure, ...]
    plans: Mapping[str, IndicatorPlan]

    def of_feed(self, feed: str) -> tuple[Measure, ...]:
        """Return the measures of one feed."""
        return tuple(measure for measure in self.measures if measure.feed == feed)

    def closure(self, code: str) -> frozenset[str]:
        """Return an indicator and every indicator it is computed from."""
        return frozenset({code}).union(*(self.closure(source) for source in self.plans[code].inputs))

    def feeds(self, code: str) -> tuple[str, ...]:
        """Return the feeds an indicator rests on, by name."""
        return tuple(sorted({m.feed for source in self.closure(code) for m in self.plans[source].measures}))

    def dependents(self, code: str) -> frozenset[str]:
        """Return every indicator that is computed from one, at any distance."""
        return self._dependents.get(code, frozenset())

    @cached_property
    def _dependents(self) -> dict[str, frozenset[str]]:
        found: dict[str, frozenset[str]] = {}
        for plan in reversed(list(self.plans.values())):
            above = found.get(plan.code, frozenset()) | {plan.code}
            for source in plan.inputs:
                found[source] = found.get(source, frozenset()) | above
        return found


def compile_measures(catalogue: Catalogue) -> Compiled:
    """Return the measures and plans of a checked catalogue."""
    plans = {code: _plan(indicator) for code, indicator in catalogue.indicators.items()}
    order = TopologicalSorter({code: plan.inputs for code, plan in plans.items()}).static_order()
    ordered = {code: plans[code] for code in order}
    return Compiled(_unique(measure for plan in plans.values() for measure in plan.measures), ordered)


def _unique(measures: Iterable[Measure]) -> tuple[Measure, ...]:
    return tuple(dict.fromkeys(measures))


def _plan(indicator: Indicator) -> IndicatorPlan:
    code = indicator.code
    if indicator.formula:
        formula = parse_formula(indicator.formula)
        return IndicatorPlan(code, "formula", formula=formula.text, inputs=formula.inputs)
    match indicator.kind:
        case "flow":
            return IndicatorPlan(code, "total", (_sum(indicator, indicator.value, indicator.where),))
        case "stock":
            return IndicatorPlan(code, "running", (_sum(indicator, indicator.value, indicator.where),))
        case "distinct":
            member = Measure(indicator.feed, "distinct", indicator.value, indicator.where, indicator.at)
            return IndicatorPlan(code, "distinct", (member,))
        case "ratio":
            part = _sum(indicator, "1", conjunction(indicator.where, indicator.value))
            return IndicatorPlan(code, "quotient", (part, _count(indicator)), scale=100.0)
        case "average":
            return IndicatorPlan(
                code, "quotient", (_sum(indicator, indicator.value, indicator.where), _count(indicator))
            )
    raise AssertionError(f"{code} has kind {indicator.kind}, which the loader does not let through")


def _sum(indicator: Indicator, value: str, condition: str) -> Measure:
    return Measure(
        feed=indicator.feed,
        kind="sum",
        value=value,
        condition=condition,
        at=indicator.at,
        until=indicator.until,
        decimals=indicator.decimals,
    )


def _count(indicator: Indicator) -> Measure:
    """Count the records whose value is known: what is unknown counts neither above nor below the line."""
    condition = conjunction(indicator.where, is_known(indicator.value))
    return Measure(indicator.feed, "sum", "1", condition, indicator.at)
