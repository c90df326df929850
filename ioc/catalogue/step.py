"""The steps of computing a figure: which plans are evaluated over which span of time, and what each step reads.

A formula may look beyond its period: `ytd(x)` needs x of the span from 1 January, `year(x)` x of the whole year. So a
plan is evaluated once for each span in which a formula names it; spans of one cell end where its period ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from ioc.catalogue.formula import FormulaReference
from ioc.catalogue.measure import Measure
from ioc.catalogue.plan import Computed, IndicatorPlan, Reported

TimeSpan = Literal["period", "ytd", "year"]
How = Literal["total", "closing", "carried", "standing_days", "carried_days"]


@dataclass(frozen=True)
class Amount:
    """One number that is read for a cell: a measure's

    total:         sum over the days of the span
    closing:       running total: the sum from the beginning to the last day of the span
    carried:       of every area's reports in force on the last day, or else of its last ones before it
    standing_days: the sum of its running totals at the end of each day of the span
    carried_days:  the sum of what is carried at the end of each day of the span
    """

    measure: Measure
    how: How
    span: TimeSpan

    @property
    def column(self) -> str:
        """Its column while figures are computed."""
        return f"{self.how}@{self.span}:{self.measure}"


@dataclass(frozen=True)
class Step:
    """One plan over one span."""

    plan: IndicatorPlan
    span: TimeSpan = "period"

    @property
    def column(self) -> str:
        """The column that holds its figure."""
        return figure_column(self.plan.code, self.span)

    @property
    def references(self) -> tuple[FormulaReference, ...]:
        """What its formula names."""
        return self.plan.formula.references if isinstance(self.plan, Computed) else ()


def level_at_end(plan: IndicatorPlan) -> How:
    """Return how the level at a span's end is read: reports are carried forward until the next report."""
    return "carried" if isinstance(plan, Reported) else "closing"


def level_of_days(plan: IndicatorPlan) -> How:
    """Return how the levels at the ends of a span's days are added up: reports are carried forward there, too."""
    return "carried_days" if isinstance(plan, Reported) else "standing_days"


def figure_column(code: str, span: TimeSpan) -> str:
    """Return the column of an indicator's figure over a span."""
    return code if span == "period" else f"{code}@{span}"


def days_column(span: TimeSpan) -> str:
    """Return the column of a span's number of days."""
    return "days" if span == "period" else f"days@{span}"


def reference_column(reference: FormulaReference, span: TimeSpan) -> str:
    """Return the column of what is no figure of another step: expected reports, extremes of days."""
    return f"{reference}@{span}"


def within(span: TimeSpan, function: str) -> TimeSpan:
    """Return the span that a function means in a formula that is evaluated over `span`."""
    if function == "year" or span == "year":
        return "year"
    return "ytd" if function == "ytd" else span


def unfold(plans: Mapping[str, IndicatorPlan], codes: Iterable[str]) -> tuple[Step, ...]:
    """Return the steps that the figures of `codes` take, each once and after those whose figures it reads."""
    done: dict[Step, None] = {}

    def take(step: Step) -> None:
        if step in done:
            return
        for source in sources(step, plans):
            take(source)
        done[step] = None

    for code in codes:
        take(Step(plans[code]))
    return tuple(done)


def sources(step: Step, plans: Mapping[str, IndicatorPlan]) -> Iterator[Step]:
    """Yield the steps whose figures a step reads."""
    for one in step.references:
        if one.function in ("", "ytd", "year"):
            yield Step(plans[one.name], within(step.span, one.function))


def amounts_of(step: Step, plans: Mapping[str, IndicatorPlan]) -> Iterator[Amount]:
    """Yield what a step reads of measures."""
    # The stock at the end of the year so far is the stock at the end of the period.
    end: TimeSpan = "year" if step.span == "year" else "period"
    for measure in step.plan.periodic:
        yield Amount(measure, "total", step.span)
    for measure in step.plan.running:
        yield Amount(measure, level_at_end(step.plan), end)
    for one in step.references:
        if one.function == "standing_days":
            for measure in plans[one.name].running:
                yield Amount(measure, level_of_days(plans[one.name]), step.span)
