"""What the figures of a sector need: plans in order, the feeds that are read, and those that open periods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from ioc.catalogue.compilation import Compiled
from ioc.catalogue.edition import Editions
from ioc.catalogue.formula import Formula, FormulaReference
from ioc.catalogue.measure import Measure
from ioc.catalogue.plan import Computed, IndicatorPlan, Reported
from ioc.catalogue.step import Amount, Step, TimeSpan, amounts_of, sources, unfold


@dataclass(frozen=True)
class SectorPart:
    """What one edition of the catalogue computes of a sector.

    codes: the indicators that it writes, with their slots.
    plans: plans of these and of all they are computed from, by code, inputs first.
    """

    codes: Mapping[str, int]
    plans: Mapping[str, IndicatorPlan]

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The steps of computing its figures, each after those whose figures it reads."""
        return unfold(self.plans, self.codes)

    @cached_property
    def stages(self) -> tuple[tuple[Step, ...], ...]:
        """The steps in as few rounds as can be: each needs only what the rounds before it give."""
        depth: dict[Step, int] = {}
        for step in self.steps:
            depth[step] = 1 + max((depth[source] for source in sources(step, self.plans)), default=-1)
        stages: list[list[Step]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
        for step in self.steps:
            stages[depth[step]].append(step)
        return tuple(map(tuple, stages))

    @cached_property
    def amounts(self) -> frozenset[Amount]:
        """What is read of measures."""
        return frozenset(amount for step in self.steps for amount in amounts_of(step, self.plans))

    @cached_property
    def flows(self) -> frozenset[str]:
        """Feeds whose cells are read."""
        return frozenset(amount.measure.feed for amount in self.amounts if amount.how == "total")

    @cached_property
    def stocks(self) -> frozenset[str]:
        """Feeds whose running totals are read."""
        return frozenset(amount.measure.feed for amount in self.amounts if amount.how != "total")

    @property
    def opening(self) -> frozenset[str]:
        """Feeds whose events open periods; a register alone does so only where there is nothing else."""
        return self.flows or self.stocks

    def named(self, function: str) -> frozenset[tuple[FormulaReference, TimeSpan]]:
        """Return where formulas use a function, and over which span."""
        return frozenset((one, step.span) for step in self.steps for one in step.references if one.function == function)


@dataclass(frozen=True)
class SectorPlan:
    """What a sector's figures need: the live edition's part first, then that of the candidates, if there are any."""

    sector: str
    parts: tuple[SectorPart, ...]

    @property
    def live(self) -> SectorPart:
        """What is shown."""
        return self.parts[0]

    @cached_property
    def own(self) -> tuple[bool, ...]:
        """For each slot up to the last that is written, whether it is: the others hold figures of replaced versions."""
        slots = {slot for part in self.parts for slot in part.codes.values()}
        return tuple(slot in slots for slot in range(1, max(slots, default=0) + 1))

    @cached_property
    def amounts(self) -> frozenset[Amount]:
        """What is read of measures."""
        return frozenset[Amount]().union(*(part.amounts for part in self.parts))

    @cached_property
    def spans(self) -> frozenset[TimeSpan]:
        """The spans over which anything is evaluated."""
        return frozenset(step.span for part in self.parts for step in part.steps)

    def named(self, *functions: str) -> frozenset[tuple[FormulaReference, TimeSpan]]:
        """Return where formulas use functions, and over which span."""
        found = (part.named(function) for part in self.parts for function in functions)
        return frozenset[tuple[FormulaReference, TimeSpan]]().union(*found)

    @cached_property
    def flows(self) -> frozenset[str]:
        """Feeds whose cells are read."""
        return frozenset[str]().union(*(part.flows for part in self.parts))

    @cached_property
    def stocks(self) -> frozenset[str]:
        """Feeds whose running totals are read."""
        return frozenset[str]().union(*(part.stocks for part in self.parts))

    @cached_property
    def opening(self) -> frozenset[str]:
        """Feeds whose events open periods."""
        return frozenset[str]().union(*(part.opening for part in self.parts))

    @property
    def feeds(self) -> frozenset[str]:
        """All feeds that it reads."""
        return self.flows | self.stocks

    @cached_property
    def reads_days(self) -> bool:
        """Whether a figure is the extreme of the figures of single days."""
        return bool(self.named("max", "min"))

    @cached_property
    def uses_days(self) -> bool:
        """Whether a figure depends on how far the period has gone."""
        formulas = (plan.formula for part in self.parts for plan in part.plans.values() if isinstance(plan, Computed))
        return self.reads_days or any(formula.days or _timed(formula) for formula in formulas)


def plan_sectors(editions: Editions) -> list[SectorPlan]:
    """Return a plan for each sector that has indicators."""
    sectors = dict.fromkeys(sector for edition in editions.all for sector in edition.slots)
    return [
        SectorPlan(sector, tuple(part_of(edition.slots.get(sector, {}), edition.compiled) for edition in editions.all))
        for sector in sectors
    ]


def part_of(codes: Mapping[str, int], compiled: Compiled) -> SectorPart:
    """Return what a catalogue computes for the given codes."""
    needed = frozenset[str]().union(*(compiled.closure(code) for code in codes))
    return SectorPart(codes, {code: plan for code, plan in compiled.plans.items() if code in needed})


def reported_levels(plans: Iterable[SectorPlan]) -> frozenset[tuple[Measure, Measure]]:
    """Return what is carried forward until the next report: the measures of the amount and of the number of reports."""
    return frozenset(
        (step.amount, step.reports)
        for plan in plans
        for part in plan.parts
        for step in part.plans.values()
        if isinstance(step, Reported) and step.running
    )


def stock_feeds(plans: Iterable[SectorPlan]) -> frozenset[str]:
    """Return the feeds of which stocks are counted: they need running totals."""
    amounts = (amount for plan in plans for amount in plan.amounts)
    return frozenset(amount.measure.feed for amount in amounts if amount.how in ("closing", "standing_days"))


def _timed(formula: Formula) -> bool:
    return any(one.function for one in formula.references)
