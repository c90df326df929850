"""What the figures of a sector need: plans in order, the feeds that are read, and those that open periods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from ioc.catalogue.compilation import Compiled, IndicatorPlan
from ioc.catalogue.edition import Editions


@dataclass(frozen=True)
class SectorPart:
    """What one edition of the catalogue computes of a sector.

    codes: the indicators that it writes, with their slots.
    order: plans of these and of all they are computed from, inputs first.
    """

    codes: Mapping[str, int]
    order: tuple[IndicatorPlan, ...]

    @cached_property
    def stages(self) -> tuple[tuple[IndicatorPlan, ...], ...]:
        """The plans in as few steps as can be: each needs only what the steps before it give."""
        depth: dict[str, int] = {}
        for plan in self.order:
            depth[plan.code] = 1 + max((depth[source] for source in plan.inputs), default=-1)
        stages: list[list[IndicatorPlan]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
        for plan in self.order:
            stages[depth[plan.code]].append(plan)
        return tuple(map(tuple, stages))

    @cached_property
    def flows(self) -> frozenset[str]:
        """Feeds whose cells are read."""
        return frozenset(measure.feed for plan in self.order for measure in plan.periodic)

    @cached_property
    def stocks(self) -> frozenset[str]:
        """Feeds whose running totals are read."""
        return frozenset(measure.feed for plan in self.order for measure in plan.running)

    @property
    def opening(self) -> frozenset[str]:
        """Feeds whose events open periods; a register alone does so only where there is nothing else."""
        return self.flows or self.stocks


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
    def order(self) -> tuple[IndicatorPlan, ...]:
        """Every plan of every part, once."""
        return tuple(dict.fromkeys(plan for part in self.parts for plan in part.order))

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
    def uses_days(self) -> bool:
        """Whether a figure depends on how far the period has gone."""
        return any("days" in plan.formula for plan in self.order)


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
    return SectorPart(codes, tuple(plan for code, plan in compiled.plans.items() if code in needed))


def stock_feeds(plans: Iterable[SectorPlan]) -> frozenset[str]:
    """Return the feeds that need running totals."""
    return frozenset[str]().union(*(plan.stocks for plan in plans))
