"""SQL of a sector's figures over the recomputed tables: the joins to `key`, and an expression for each figure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from psycopg import sql

from ioc.catalogue import IndicatorPlan, Measure, StoredMeasure
from ioc.catalogue.composition import formula, joined
from ioc.catalogue.formula import DAYS, reference_of
from ioc.catalogue.plan import Computed, DistinctCount, Quotient, Reported, ReportedFlow, ReportedMean, received_measure
from ioc.catalogue.step import Step, TimeSpan, within
from ioc.feeds.feed import Feed
from ioc.period import PERIODS
from ioc.recompute.day_sum import column_of
from sql import load_queries

_LEVEL = ("amount", "reports")


class FigureSql:
    """Figures of the plans of one sector; what they read is gathered in `joins`."""

    def __init__(
        self, plans: Mapping[str, IndicatorPlan], stored: Mapping[Measure, StoredMeasure], feeds: Mapping[str, Feed]
    ) -> None:
        self._plans = plans
        self._stored = stored
        self._feeds = feeds
        self._joined: dict[str, sql.Composable] = {}
        self._running_totals: dict[tuple[str, TimeSpan], dict[Measure, None]] = {}
        self._stock_levels: dict[tuple[str, TimeSpan], dict[Measure, None]] = {}

    def figure(self, step: Step) -> sql.Composable:
        """Return the SQL of a step's figure: double precision, null where there is none."""
        span = step.span
        match step.plan:
            case Computed() as plan:
                return formula(plan.formula.text, lambda name: self._named(name, span))
            case Quotient() as plan:
                part, whole = (self._total(measure, span) for measure in plan.periodic)
                return _part("quotient").format(scale=sql.Literal(plan.scale), part=part, whole=whole)
            case Reported() as plan:
                return self._reported(plan, span)
            case DistinctCount() as plan:
                return self._members(plan.members, span)
        if step.plan.running:
            return self._running_total(step.plan.running[0], span)
        return self._total(step.plan.periodic[0], span)

    @property
    def joins(self) -> sql.Composable:
        """What the figures that were asked for read."""
        totals = [
            self._join_running_totals(feed, end, list(found)) for (feed, end), found in self._running_totals.items()
        ]
        levels = [
            self._join_standing_days(feed, span, list(found)) for (feed, span), found in self._stock_levels.items()
        ]
        return joined([*self._joined.values(), *totals, *levels], "\n")

    def _named(self, name: str, span: TimeSpan) -> sql.Composable:
        if name == DAYS:
            return _part("days").format(**_bounds(span))
        reference = reference_of(name)
        match reference.function:
            case "" | "ytd" | "year":
                return self.figure(Step(self._plans[reference.name], within(span, reference.function)))
            case "standing_days":
                plan = self._plans[reference.name]
                if isinstance(plan, Reported):
                    amount, reports = (self._level(plan, span, column, of_days=True) for column in _LEVEL)
                    return _part("level_of_days").format(amount=amount, reports=reports)
                return self._standing_days(plan.running[0], span)
            case "received":
                return self._total(received_measure(reference.name), span)
            case "expected":
                feed = self._feeds[reference.name]
                every = sql.Literal(feed.reports_every)
                return _part("expected").format(feed=sql.Literal(feed.key), every=every, **_bounds(span))
        return _part("extreme").format(
            function=sql.SQL("max" if reference.function == "max" else "min"),
            code=sql.Literal(reference.name),
            **_bounds(span),
        )

    def _reported(self, plan: Reported, span: TimeSpan) -> sql.Composable:
        flow = isinstance(plan, ReportedFlow)
        if flow:
            amount, reports = self._total(plan.amount, span), self._total(plan.reports, span)
        else:
            amount, reports = (self._level(plan, span, column) for column in _LEVEL)
        figure = _part("mean").format(amount=amount, reports=reports) if isinstance(plan, ReportedMean) else amount
        periods = plan.periods if isinstance(plan, ReportedFlow) else PERIODS
        period = sql.SQL("'year'") if span == "year" else sql.SQL("key.period")
        return _part("reported").format(
            reports=reports, figure=figure, period=period, periods=sql.Literal(list(periods))
        )

    def _total(self, measure: Measure, span: TimeSpan) -> sql.Composable:
        table = self._feeds[measure.feed].table
        if span == "ytd":
            amount = _part("total_to_date").format(
                open=sql.Identifier(f"open_{table}"), cell=sql.Identifier(f"cell_{table}"), slot=self._slot(measure)
            )
        else:
            cell, here = self._join_period(table, span)
            amount = _part("total_of_period").format(cell=cell, here=here, slot=self._slot(measure))
        return _unit(amount, measure)

    def _members(self, measure: Measure, span: TimeSpan) -> sql.Composable:
        table, number = self._feeds[measure.feed].table, sql.Literal(self._stored[measure].slot)
        if span == "ytd":
            return _unit(
                _part("members_to_date").format(
                    open=sql.Identifier(f"open_{table}"), first=sql.Identifier(f"first_{table}"), number=number
                ),
                measure,
            )
        _, here = self._join_period(table, span)
        member = sql.Identifier(f"member_{table}")
        amount = _part("members_of_period").format(member=member, here=here, number=number, **_key(span))
        return _unit(amount, measure)

    def _running_total(self, measure: Measure, span: TimeSpan) -> sql.Composable:
        end: TimeSpan = "year" if span == "year" else "period"
        self._running_totals.setdefault((measure.feed, end), {})[measure] = None
        alias = sql.Identifier(f"running_total_{end}_{self._feeds[measure.feed].table}")
        return _unit(_part("running_total").format(running_total=alias, slot=self._slot(measure)), measure)

    def _level(self, plan: Reported, span: TimeSpan, column: str, *, of_days: bool = False) -> sql.Composable:
        """Return the `amount` that is carried to a span's end, or the `reports` that it is of; or those of all days."""
        end: TimeSpan = span if of_days or span == "year" else "period"
        number = self._stored[plan.reports].slot
        name, join = (f"days_{end}", "join_level_of_days") if of_days else (f"level_{end}", "join_level")
        alias = sql.Identifier(f"{name}_{number}")
        self._joined[f"{name} {number}"] = _part(join).format(
            level=sql.Identifier(f"level_{self._feeds[plan.amount.feed].table}"),
            number=sql.Literal(number),
            alias=alias,
            **_bounds(end),
        )
        measure = plan.amount if column == "amount" else plan.reports
        return _unit(_part("carried").format(alias=alias, column=sql.Identifier(column)), measure)

    def _standing_days(self, measure: Measure, span: TimeSpan) -> sql.Composable:
        self._stock_levels.setdefault((measure.feed, span), {})[measure] = None
        alias = sql.Identifier(f"standing_days_{span}_{self._feeds[measure.feed].table}")
        return _unit(_part("standing_days").format(standing_days=alias, slot=self._slot(measure)), measure)

    def _join_period(self, table: str, span: TimeSpan) -> tuple[sql.Identifier, sql.Identifier]:
        """Make sure that the cell of a span is joined; return the names of its sums and of its presence."""
        cell, here = sql.Identifier(f"cell_{span}_{table}"), sql.Identifier(f"here_{span}_{table}")
        self._joined[f"{span} {table}"] = _part("join_period").format(
            table=sql.Identifier(f"cell_{table}"),
            open=sql.Identifier(f"open_{table}"),
            cell=cell,
            here=here,
            **_key(span),
        )
        return cell, here

    def _join_running_totals(self, feed: str, end: TimeSpan, measures: Iterable[Measure]) -> sql.Composable:
        table = self._feeds[feed].table
        totals = rolled_up([self._stored[measure] for measure in measures])
        return _part("join_running_totals").format(
            totals=totals,
            day=sql.Identifier(f"day_{table}"),
            last=sql.Identifier(f"last_{end}"),
            running_total=sql.Identifier(f"running_total_{end}_{table}"),
        )

    def _join_standing_days(self, feed: str, span: TimeSpan, measures: Iterable[Measure]) -> sql.Composable:
        table = self._feeds[feed].table
        totals: list[sql.Composable] = [
            _part("stood_alone" if one.local else "stood").format(slot=self._slot(one)) for one in measures
        ]
        return _part("join_standing_days").format(
            totals=joined([sql.SQL("0 AS nothing"), *totals], ""),
            day=sql.Identifier(f"day_{table}"),
            standing_days=sql.Identifier(f"standing_days_{span}_{table}"),
            **_bounds(span),
        )

    def _slot(self, measure: Measure) -> sql.Identifier:
        return column_of(self._stored[measure])


def rolled_up(sums: Iterable[StoredMeasure]) -> sql.Composable:
    """Return the sums over all areas (`c`) of which an area is made, or of the area alone for what is local."""
    parts: list[sql.Composable] = [
        _part("rolled_up_alone" if one.measure.local else "rolled_up").format(slot=column_of(one)) for one in sums
    ]
    return joined([sql.SQL("0 AS nothing"), *parts], "")


def _part(name: str) -> sql.SQL:
    return sql.SQL(load_queries("reconcile")[name])


def _bounds(span: TimeSpan) -> dict[str, sql.Composable]:
    return {"first": sql.Identifier(f"first_{span}"), "last": sql.Identifier(f"last_{span}")}


def _key(span: TimeSpan) -> dict[str, sql.Composable]:
    """Return the period and bucket of a span's cell."""
    if span == "year":
        return {"period": sql.SQL("'year'"), "bucket": sql.SQL("key.first_year")}
    return {"period": sql.SQL("key.period"), "bucket": sql.SQL("key.bucket")}


def _unit(amount: sql.Composable, measure: Measure) -> sql.Composable:
    return _part("unit").format(amount=amount, unit=sql.Literal(10**measure.decimals))
