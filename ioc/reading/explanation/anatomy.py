"""What a figure is made of: its parts down to the sums over records, each with a sentence, a value or a reason.

Sums are counted anew from the records by PostgreSQL, not taken from what the agents stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.rows import class_row, scalar_row

from ioc.catalogue import Compiled, IndicatorPlan, Measure
from ioc.catalogue.composition import contribution, member
from ioc.catalogue.formula import DAYS, FormulaReference, evaluate, fraction_of
from ioc.catalogue.opening import OpenDays, OpenPeriods
from ioc.catalogue.plan import Computed, Quotient, Reported, ReportedFlow, ReportedMean, RunningTotal, received_measure
from ioc.catalogue.step import How, Step, TimeSpan, level_at_end, level_of_days, within
from ioc.feeds.feed import Feed
from ioc.reading.explanation.carrying import CarryingReader
from ioc.reading.explanation.cell import Cell, CellFinder, carried_days
from ioc.reading.explanation.figure_source import FigureSource
from ioc.reading.explanation.model import CalculationNode, Fraction
from ioc.reading.explanation.reason import MissingValue, reason_of
from sql import load_queries

_SPANS: Mapping[TimeSpan, tuple[str, str]] = {
    "period": ("trong kỳ", "in the period"),
    "ytd": ("lũy kế từ đầu năm", "since 1 January"),
    "year": ("cả năm", "in the whole year"),
}
_FUNCTIONS: Mapping[str, tuple[str, str]] = {
    "ytd": ("lũy kế từ đầu năm", "since 1 January"),
    "year": ("cả năm", "of the whole year"),
    "standing_days": ("cộng mức cuối mỗi ngày trong kỳ", "the levels of all days of the period, added up"),
    "max": ("ngày cao nhất trong kỳ", "the highest day of the period"),
    "min": ("ngày thấp nhất trong kỳ", "the lowest day of the period"),
}


@dataclass(frozen=True)
class _IndicatorNames:
    """An indicator's names."""

    code: str
    name_vi: str
    name_en: str


class Anatomy:
    """Takes figures apart, over the explainer's connection."""

    def __init__(
        self,
        connection: psycopg.Connection,
        compiled: Compiled,
        feeds: Mapping[str, Feed],
        finder: CellFinder,
        figures: FigureSource,
        carrying: CarryingReader,
    ) -> None:
        self._figures = figures
        self._carrying = carrying
        self._connection = connection
        self._plans = compiled.plans
        self._feeds = feeds
        self._finder = finder
        self._queries = load_queries("explain")
        self._parts = load_queries("explain_part")
        rows = (
            connection.cursor(row_factory=class_row(_IndicatorNames)).execute(self._queries["select_names"]).fetchall()
        )
        self._names = {row.code: row for row in rows}

    def of(
        self, step: Step, cell: Cell, opened: OpenPeriods, reference: FormulaReference | None = None
    ) -> CalculationNode:
        """Return a figure of a cell with what it is made of.

        cell:      of the period that is explained; the step's span says which days are meant.
        reference: as the formula above names it.
        """
        plan, code = step.plan, step.plan.code
        inputs = self._inputs(step, cell, opened)
        value = self._figure(step, cell, inputs)
        named = self._names.get(code, _IndicatorNames(code, code, code))
        function = _FUNCTIONS.get(reference.function, ("", "")) if reference else ("", "")
        names = (named.name_vi, named.name_en)
        told = [f"{text} ({more})" if more else text for text, more in zip(names, function, strict=True)]
        reason = None if value is not None else self._reason(step, cell, opened, inputs)
        return CalculationNode(
            code=code,
            name=str(reference) if reference else code,
            what=_how(plan),
            text_vi=told[0],
            text_en=told[1],
            value=value,
            none_vi=reason.vi if reason else None,
            none_en=reason.en if reason else None,
            inputs=inputs,
        )

    def _inputs(self, step: Step, cell: Cell, opened: OpenPeriods) -> tuple[CalculationNode, ...]:
        where = cell.over(step.span, opened)
        match step.plan:
            case Computed():
                return tuple(self._referenced(one, step, cell, opened) for one in step.references)
            case Quotient(part=part, whole=whole):
                return (self._sum(part, where, "total", step.span), self._sum(whole, where, "total", step.span))
            case Reported(amount=amount, reports=reports) as plan:
                how: How = "total" if isinstance(plan, ReportedFlow) else level_at_end(plan)
                if how == "carried":
                    where = self._carrying.cell(amount, where)
                return (self._sum(amount, where, how, step.span), self._sum(reports, where, how, step.span))
            case plan if plan.running:
                return (self._sum(plan.running[0], where, "closing", step.span),)
        return (self._sum(step.plan.periodic[0], where, "total", step.span),)

    def _referenced(self, one: FormulaReference, step: Step, cell: Cell, opened: OpenPeriods) -> CalculationNode:
        """Return the part that a name of a formula stands for."""
        where = cell.over(step.span, opened)
        match one.function:
            case "expected":
                feed = self._feeds[one.name]
                return CalculationNode(
                    name=str(one),
                    what=f"reporters of {feed.key} x {feed.reports_every}",
                    text_vi=f"số báo cáo phải có của “{feed.name_vi}”",
                    text_en=f"reports due of “{feed.name_en}”",
                    value=self._expected(feed, where),
                )
            case "received":
                part = self._sum(received_measure(one.name), where, "total", step.span)
                return part.model_copy(update={"name": str(one)})
            case "standing_days":
                stock = self._plans[one.name]
                how = level_of_days(stock)
                if how == "carried_days":
                    where = self._carrying.cell(stock.running[0], where)
                sums = tuple(self._sum(measure, where, how, step.span) for measure in stock.running)
                value = sums[0].value if not isinstance(stock, Reported) or sums[1].value else None
                part = self.of(Step(stock, step.span), cell, opened, one)
                return part.model_copy(update={"value": value, "inputs": sums, "none_vi": None, "none_en": None})
            case "max" | "min":
                part = self.of(Step(self._plans[one.name], step.span), cell, opened, one)
                value = self._figures.extreme(one.name, one.function, where)
                return part.model_copy(update={"value": value, "inputs": ()})
        span = within(step.span, one.function)
        return self.of(Step(self._plans[one.name], span), cell, opened, one)

    def _figure(self, step: Step, cell: Cell, inputs: tuple[CalculationNode, ...]) -> float | None:
        """Return what is stored of the period; over another span, what follows from the parts."""
        if step.span == "period":
            return self._figures.of(step.plan.code, cell)
        match step.plan:
            case Computed(formula=formula):
                return evaluate(formula.text, figures_of(inputs, cell))
            case Quotient(scale=scale):
                part, whole = (one.value or 0.0 for one in inputs)
                return scale * part / whole if whole else None
            case Reported() as plan:
                amount, reports = (one.value or 0.0 for one in inputs)
                periods = plan.periods if isinstance(plan, ReportedFlow) else (cell.period,)
                if not reports or (step.span != "year" and cell.period not in periods):
                    return None
                return amount / reports if isinstance(plan, ReportedMean) else amount
        return inputs[0].value

    def _sum(self, measure: Measure, cell: Cell, how: How, span: TimeSpan) -> CalculationNode:
        """Return a measure's sum, counted anew from the records."""
        counting = self._finder.counting(measure, cell, how)
        table = sql.Identifier(self._feeds[measure.feed].table)
        if measure.kind == "distinct":
            statement = sql.SQL(self._parts["total_of_members"]).format(
                member=member(measure), table=table, counting=counting
            )
        else:
            amount = contribution(measure)
            if how == "carried_days":
                amount = sql.SQL(self._parts["amount_carried"]).format(
                    adds=amount, unit=sql.Literal(1), days=carried_days(measure, cell)
                )
            elif how == "standing_days":
                until = sql.Identifier(measure.until) if measure.until else sql.SQL("NULL::date")
                amount = sql.SQL(self._parts["amount_of_days"]).format(
                    adds=amount,
                    unit=sql.Literal(1),
                    until=until,
                    at=sql.Identifier(measure.at),
                    first=sql.Literal(cell.start),
                    last=sql.Literal(cell.last),
                )
            statement = sql.SQL(self._parts["total_of_sum"]).format(amount=amount, table=table, counting=counting)
        total = self._connection.cursor(row_factory=scalar_row).execute(statement, {}).fetchone()
        vi, en = _sentence(measure, self._feeds[measure.feed], how, span)
        return CalculationNode(
            what=_told(measure), text_vi=vi, text_en=en, value=float(total or 0) / 10**measure.decimals
        )

    def _expected(self, feed: Feed, cell: Cell) -> float:
        cursor = self._connection.cursor(row_factory=scalar_row)
        asked = {"feed": feed.key, "every": feed.reports_every, "area_id": cell.area.area_id}
        row = cursor.execute(
            self._queries["count_expected"], {**asked, "first": cell.start, "last": cell.last}
        ).fetchone()
        return float(row or 0)

    def _reason(self, step: Step, cell: Cell, opened: OpenPeriods, inputs: tuple[CalculationNode, ...]) -> MissingValue:
        counted = {
            feed: OpenDays(self._connection).of([feed])
            for feed in sorted({measure.feed for measure in step.plan.measures})
        }
        return reason_of(step, cell, cell.over(step.span, opened), opened, inputs, counted, self._feeds)


def figures_of(inputs: tuple[CalculationNode, ...], cell: Cell) -> dict[str, float | None]:
    """Return the values of a formula's names, the days of the period among them."""
    figures: dict[str, float | None] = {part.name: part.value for part in inputs if part.name}
    return {**figures, DAYS: float(cell.days)}


def fraction_in(plan: IndicatorPlan, part: CalculationNode, cell: Cell) -> Fraction | None:
    """Return the two halves of a division, if the indicator is one."""
    if isinstance(plan, Quotient | ReportedMean):
        above, below = part.inputs
        return Fraction(
            numerator=above.what, numerator_value=above.value, denominator=below.what, denominator_value=below.value
        )
    halves = fraction_of(plan.formula.text) if isinstance(plan, Computed) else None
    if halves is None:
        return None
    figures = figures_of(part.inputs, cell)
    numerator, denominator = halves
    return Fraction(
        numerator=numerator,
        numerator_value=evaluate(numerator, figures),
        denominator=denominator,
        denominator_value=evaluate(denominator, figures),
    )


def _how(plan: IndicatorPlan) -> str:
    match plan:
        case Computed(formula=formula):
            return formula.text
        case Quotient(scale=scale):
            return f"{scale:g} x first / second"
        case RunningTotal():
            return "sum since the beginning"
        case ReportedFlow():
            return "sum of the values reported for the period; the second says how many"
        case ReportedMean():
            return "value reported last: first / second"
        case Reported():
            return "sum of the values reported last; the second says how many"
    return _told(plan.periodic[0])


def _told(measure: Measure) -> str:
    value = f"distinct {measure.value}" if measure.kind == "distinct" else f"sum of {measure.value}"
    until = f" until {measure.until}" if measure.until else ""
    return f"{value} of {measure.feed} where {measure.condition} by {measure.at}{until}"


def _sentence(measure: Measure, feed: Feed, how: How, span: TimeSpan) -> tuple[str, str]:
    vi, en = _SPANS[span]
    if measure.kind == "distinct":
        return f"số đối tượng khác nhau {vi}, đếm từ “{feed.name_vi}”", f"different members {en}, of “{feed.name_en}”"
    if how in ("closing", "carried"):
        return f"số còn hiệu lực cuối kỳ, cộng từ “{feed.name_vi}”", f"what stands at the end, of “{feed.name_en}”"
    if how in ("standing_days", "carried_days"):
        return f"mức cuối mỗi ngày {vi}, cộng từ “{feed.name_vi}”", f"levels of each day {en}, of “{feed.name_en}”"
    return f"cộng {vi} từ các bản ghi “{feed.name_vi}”", f"sum {en} over the records of “{feed.name_en}”"
