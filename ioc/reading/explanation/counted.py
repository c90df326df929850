"""The measures whose records count in a figure, and what a record adds to each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from psycopg import sql

from ioc.catalogue import IndicatorPlan, Measure
from ioc.catalogue.composition import contribution, member
from ioc.catalogue.plan import Quotient, Reported, RunningTotal
from ioc.catalogue.step import How, Step, TimeSpan, level_at_end, level_of_days, sources
from ioc.reading.explanation.cell import Cell, carried_days
from sql import load_queries


@dataclass(frozen=True)
class CountedMeasure:
    """A measure that a figure is computed from.

    how, span: how its sum is taken, and over which days.
    adds_to:   the code of the figure, and the side of its division if it is one.
    """

    measure: Measure
    how: How
    span: TimeSpan
    adds_to: str

    def amount(self, cell: Cell) -> sql.Composable:
        """SQL: what a record adds to the cell of the span, in the measure's own unit (double precision)."""
        parts: dict[str, sql.Composable] = {
            "adds": adds_sql(self.measure),
            "unit": sql.Literal(10**self.measure.decimals),
        }
        if self.how == "carried_days":
            days = carried_days(self.measure, cell)
            return sql.SQL(load_queries("explain_part")["amount_carried"]).format(**parts, days=days)
        if self.how != "standing_days":
            return sql.SQL(load_queries("explain_part")["amount"]).format(**parts)
        until = sql.Identifier(self.measure.until) if self.measure.until else sql.SQL("NULL::date")
        return sql.SQL(load_queries("explain_part")["amount_of_days"]).format(
            **parts,
            at=sql.Identifier(self.measure.at),
            until=until,
            first=sql.Literal(cell.start),
            last=sql.Literal(cell.last),
        )


def counted_in(plans: Mapping[str, IndicatorPlan], code: str) -> tuple[CountedMeasure, ...]:
    """Return each measure once, in the order of the formulas: what is above a line before what is below it."""
    found: dict[tuple[Measure, How, TimeSpan], CountedMeasure] = {}
    for one in _walk(plans, Step(plans[code])):
        found.setdefault((one.measure, one.how, one.span), one)
    return tuple(found.values())


def adds_sql(measure: Measure) -> sql.Composable:
    """Return SQL of what a record adds: to a sum in units of 10^-decimals, to a number of members 1 or 0."""
    if measure.kind == "distinct":
        return sql.SQL(load_queries("explain_part")["adds_member"]).format(member=member(measure))
    return contribution(measure)


def _walk(plans: Mapping[str, IndicatorPlan], step: Step) -> Iterator[CountedMeasure]:
    code = step.plan.code
    for reference in step.references:
        if reference.function == "standing_days":
            stock = plans[reference.name]
            if isinstance(stock, RunningTotal | Reported):
                yield CountedMeasure(stock.running[0], level_of_days(stock), step.span, reference.name)
        elif reference.function in ("max", "min"):
            yield from _walk(plans, Step(plans[reference.name], step.span))
    for source in sources(step, plans):
        yield from _walk(plans, source)
    match step.plan:
        case Quotient(part=part, whole=whole):
            yield CountedMeasure(part, "total", step.span, f"{code}: numerator")
            yield CountedMeasure(whole, "total", step.span, f"{code}: denominator")
        case Reported(amount=amount) as plan:
            # The number of reports is no sum of what they say.
            yield CountedMeasure(amount, level_at_end(plan) if plan.running else "total", step.span, code)
        case plan:
            for measure in plan.periodic:
                yield CountedMeasure(measure, "total", step.span, code)
            for measure in plan.running:
                yield CountedMeasure(measure, "closing", step.span, code)
