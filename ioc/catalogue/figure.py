"""How a figure follows from sums: the one place where the plans of indicators become expressions."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from ioc.catalogue.formula import DAYS, formula_expr, reference_of
from ioc.catalogue.measure import Measure
from ioc.catalogue.plan import (
    Computed,
    DistinctCount,
    IndicatorPlan,
    Quotient,
    Reported,
    ReportedFlow,
    ReportedMean,
    RunningTotal,
    Total,
    received_measure,
)
from ioc.catalogue.step import (
    Amount,
    How,
    Step,
    TimeSpan,
    days_column,
    figure_column,
    level_at_end,
    level_of_days,
    reference_column,
    within,
)
from ioc.period import PERIODS


def figure_expr(step: Step, plans: Mapping[str, IndicatorPlan]) -> pl.Expr:
    """Return a step's figure as Float64, null where it has none.

    It reads the columns of its amounts (in the unit of each measure; a total is null where nobody has counted
    anything), of the figures its formula names, of `days_column`, and `period`.
    """

    def amount(measure: Measure, how: How) -> pl.Expr:
        end: TimeSpan = "year" if step.span == "year" else "period"
        return pl.col(Amount(measure, how, end if how in ("closing", "carried") else step.span).column)

    match step.plan:
        case Computed(formula=formula):
            return formula_expr(formula.text, lambda name: _named(name, step, plans))
        case Quotient() as plan:
            part, whole = amount(plan.part, "total"), amount(plan.whole, "total")
            return pl.when(whole != 0).then(plan.scale * part / whole)
        case Total(total=measure) | DistinctCount(members=measure):
            return amount(measure, "total")
        case RunningTotal(stock=measure):
            return amount(measure, "closing")
        case Reported() as plan:
            how: How = "total" if isinstance(plan, ReportedFlow) else level_at_end(plan)
            sent, reports = amount(plan.amount, how), amount(plan.reports, how)
            known = reports != 0
            periods = plan.periods if isinstance(plan, ReportedFlow) else PERIODS
            if step.span != "year" and periods != PERIODS:
                known &= pl.col("period").is_in(periods)
            return pl.when(known).then(sent / reports if isinstance(plan, ReportedMean) else sent)
    raise AssertionError(f"{step.plan.code}: no figure follows from {type(step.plan).__name__}")


def _named(name: str, step: Step, plans: Mapping[str, IndicatorPlan]) -> pl.Expr:
    """Return the value of a name in a formula, over the span of the formula."""
    if name == DAYS:
        return pl.col(days_column(step.span))
    reference = reference_of(name)
    match reference.function:
        case "" | "ytd" | "year":
            return pl.col(figure_column(reference.name, within(step.span, reference.function)))
        case "standing_days":
            plan = plans[reference.name]
            how = level_of_days(plan)
            stock, *reports = (pl.col(Amount(measure, how, step.span).column) for measure in plan.running)
            return pl.when(reports[0] != 0).then(stock) if reports else stock
        case "received":
            return pl.col(Amount(received_measure(reference.name), "total", step.span).column)
    return pl.col(reference_column(reference, step.span))
