"""From the catalogue to what is counted: measures that indicators share, and how each figure follows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from graphlib import TopologicalSorter
from typing import Literal

from ioc.catalogue.expression import conjunction, is_known
from ioc.catalogue.formula import parse_formula
from ioc.catalogue.indicator import REPORT_PERIODS, Catalogue, Indicator
from ioc.catalogue.measure import Measure
from ioc.period import PERIODS


@dataclass(frozen=True)
class IndicatorPlan:
    """How one figure is computed.

    total:    the period's sum of its one measure
    running:  the sum of its one measure from the beginning to the end of the period
    distinct: the number of members of its one measure in the period
    quotient: `scale` x first measure / second measure of the period; no value where the second is zero
    formula:  `formula` over the figures of `inputs` (and `days`, the length of the period so far)

    and of what agencies report (third measure: the number of reports, which opens a period):

    sent:     the period's sum of the first measure, where the second, the number of its reports, is not zero
    state:    the same, of the sums from the beginning to the end of the period
    mean:     first measure / second measure, of the sums from the beginning to the end of the period

    Sums are in units of 10^-decimals of their measure. Periods other than `periods` have no figure.
    """

    code: str
    method: Literal["total", "running", "distinct", "quotient", "formula", "sent", "state", "mean"]
    measures: tuple[Measure, ...] = ()
    scale: float = 1.0
    formula: str = ""
    inputs: tuple[str, ...] = ()
    periods: tuple[str, ...] = PERIODS

    @property
    def running(self) -> tuple[Measure, ...]:
        """The measures that are summed up from the beginning."""
        match self.method:
            case "running":
                return self.measures
            case "state" | "mean":
                return self.measures[:2]
        return ()

    @property
    def periodic(self) -> tuple[Measure, ...]:
        """The measures that are summed up over the period."""
        return () if self.running else self.measures


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
    return Compiled.of(catalogue.indicators)


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
    amount, count = (
        Measure(indicator.feed, "sum", value, condition, until=until, decimals=decimals, local=local)
        for value, decimals in (("value", indicator.decimals), ("1", 0))
    )
    measures = (amount, count, Measure(indicator.feed, "sum", "1"))
    match indicator.value:
        case "flow":
            return IndicatorPlan(indicator.code, "sent", measures, periods=PERIODS[PERIODS.index(period) :])
        case "stock":
            return IndicatorPlan(indicator.code, "state", measures)
    return IndicatorPlan(indicator.code, "mean", measures)


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
