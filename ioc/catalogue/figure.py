"""How a figure follows from sums: the one place where the plans of indicators become expressions."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from ioc.catalogue.compilation import IndicatorPlan
from ioc.catalogue.formula import formula_expr
from ioc.catalogue.measure import Measure


def figure_expr(
    plan: IndicatorPlan, total: Callable[[Measure], pl.Expr], standing: Callable[[Measure], pl.Expr]
) -> pl.Expr:
    """Return an indicator's figure as Float64, null where it has none.

    total:    gives a measure's sum of the period, in its unit; null where nobody has counted anything.
    standing: gives a measure's sum from the beginning to the period's end.

    Formulas read the figures of their inputs from columns named by code, and `days`; plans that hold for some periods
    only read the column `period`.
    """
    value = standing if plan.running else total
    match plan.method:
        case "formula":
            return formula_expr(plan.formula)
        case "quotient":
            part, whole = map(value, plan.measures)
            return pl.when(whole != 0).then(plan.scale * part / whole)
        case "sent" | "state" | "mean":
            amount, count = map(value, plan.measures[:2])
            reported = (count != 0) & pl.col("period").is_in(plan.periods)
            return pl.when(reported).then(amount / count if plan.method == "mean" else amount)
    return value(plan.measures[0])
