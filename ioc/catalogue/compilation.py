"""From the catalogue to what is counted: measures that indicators share, and how each figure follows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from graphlib import TopologicalSorter

from ioc.catalogue.expression import conjunction, is_known
from ioc.catalogue.formula import parse_formula
from ioc.catalogue.indicator import REPORT_PERIODS, Catalogue, Indicator
from ioc.catalogue.measure import Measure
from ioc.catalogue.plan import (
    Computed,
    DistinctCount,
    IndicatorPlan,
    Quotient,
    ReportedFlow,
    ReportedMean,
    ReportedStock,
    RunningTotal,
    Total,
    received_measure,
)
from ioc.period import PERIODS


@dataclass(frozen=True)
class Compiled:
    """`measures` without repetition, by first use; `plans` in an order in which every input comes first."""

    measures: tuple[Measure, ...]
    plans: Mapping[str, IndicatorPlan]

    @classmethod
    def of(cls, indicators: Mapping[str, Indicator]) -> Compiled:
        """Compile checked indicators by code."""
        plans = {code: _plan(indicator) for code, indicator in indicators.items()}
        order = TopologicalSorter({code: plan.inputs for code, plan in plans.items()}).static_order()
        ordered = {code: plans[code] for code in order if code in plans}
        return cls(_unique(measure for plan in plans.values() for measure in plan.measures), ordered)

    def of_feed(self, feed: str) -> tuple[Measure, ...]:
        """Return the measures of one feed."""
        return tuple(measure for measure in self.measures if measure.feed == feed)

    def closure(self, code: str) -> frozenset[str]:
        """Return an indicator and every indicator it is computed from."""
        known = (source for source in self.plans[code].inputs if source in self.plans)
        return frozenset({code}).union(*map(self.closure, known))

    def feeds(self, code: str) -> tuple[str, ...]:
        """Return the feeds an indicator is computed from, by name."""
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
    return Compiled.of(catalogue.indicators)


def _unique(measures: Iterable[Measure]) -> tuple[Measure, ...]:
    return tuple(dict.fromkeys(measures))


def _plan(indicator: Indicator) -> IndicatorPlan:
    code = indicator.code
    if indicator.formula:
        return Computed(code, parse_formula(indicator.formula))
    match indicator.kind:
        case "flow":
            return Total(code, _sum(indicator, indicator.value, indicator.where))
        case "stock":
            return RunningTotal(code, _sum(indicator, indicator.value, indicator.where))
        case "distinct":
            return DistinctCount(
                code, Measure(indicator.feed, "distinct", indicator.value, indicator.where, indicator.at)
            )
        case "ratio":
            part = _sum(indicator, "1", conjunction(indicator.where, indicator.value))
            return Quotient(code, part, _count(indicator), scale=100.0)
        case "average":
            return Quotient(code, _sum(indicator, indicator.value, indicator.where), _count(indicator))
        case "reported":
            return _reported(indicator)
    raise AssertionError(f"{code} has kind {indicator.kind}, which the loader does not let through")


def _reported(indicator: Indicator) -> IndicatorPlan:
    """Return how reports add up: flows over time and areas, stocks over areas, ratios and scores over neither.

    A stock, a ratio or a score holds from the first day of its period to the last.
    """
    period = REPORT_PERIODS[indicator.cadence]
    condition = f"indicator = '{indicator.code}' AND period = '{period}'"
    until = "" if indicator.value == "flow" else "next_start"
    local = indicator.value in ("ratio", "score")
    amount, reports = (
        Measure(indicator.feed, "sum", value, condition, until=until, decimals=decimals, local=local)
        for value, decimals in (("value", indicator.decimals), ("1", 0))
    )
    # Every report opens its period, whatever it is of: a report that follows another of the same area changes
    # neither sum by more than nothing.
    opening = received_measure(indicator.feed)
    match indicator.value:
        case "flow":
            periods = PERIODS[PERIODS.index(period) :]
            return ReportedFlow(indicator.code, amount, reports, opening, periods)
        case "stock":
            return ReportedStock(indicator.code, amount, reports, opening)
    return ReportedMean(indicator.code, amount, reports, opening)


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
    """Count the records whose value is known: an unknown value is in neither numerator nor denominator."""
    condition = conjunction(indicator.where, is_known(indicator.value))
    return Measure(indicator.feed, "sum", "1", condition, indicator.at)
