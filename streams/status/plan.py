"""What is judged: indicators of each sector in blocks that share a period, and the areas of a day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ioc.catalogue import Indicator
from ioc.catalogue.edition import Edition
from ioc.catalogue.indicator import REPORT_FEED
from ioc.feeds.feed import Feed
from ioc.territory.area import Area, AreaTree
from streams.rules.quality import LIMITS


@dataclass(frozen=True)
class Member:
    """One indicator: its place in the sector's wide row, the feeds it is computed from, what agencies report of it."""

    indicator: Indicator
    slot: int
    feeds: tuple[str, ...]
    reported: tuple[str, ...]


@dataclass(frozen=True)
class Block:
    """The indicators of one sector that are judged by the same period; columns of its arrays."""

    sector: str
    period: str
    members: tuple[Member, ...]

    @cached_property
    def slots(self) -> NDArray[np.int64]:
        """Index of each member's figure in a row of `indicator_cell.figures`."""
        return np.array([member.slot - 1 for member in self.members], dtype=np.int64)

    @cached_property
    def index(self) -> Mapping[str, int]:
        """Column of each code."""
        return {member.indicator.code: at for at, member in enumerate(self.members)}

    @cached_property
    def counts(self) -> NDArray[np.bool_]:
        """Which members are counts, whose chance grows with the root of their size."""
        return np.array([member.indicator.kind in ("flow", "distinct") for member in self.members])

    @cached_property
    def stocks(self) -> NDArray[np.bool_]:
        """Which members are stocks, whose change is compared instead of their level."""
        return np.array([_is_stock(member.indicator) for member in self.members])

    @cached_property
    def percentages(self) -> NDArray[np.bool_]:
        """Which members are percentages."""
        return np.array([member.indicator.unit == "%" for member in self.members])

    def levels(self, areas: tuple[Area, ...]) -> NDArray[np.bool_]:
        """Return areas x members: whether the indicator is kept for the area's level."""
        return np.array([[area.level in member.indicator.levels for member in self.members] for area in areas])


@dataclass(frozen=True)
class JudgedUnits:
    """The units of a day, the province first."""

    areas: tuple[Area, ...]

    @cached_property
    def ids(self) -> list[int]:
        """Their ids, in order."""
        return [area.area_id for area in self.areas]

    @cached_property
    def index(self) -> Mapping[int, int]:
        """Shown of each area."""
        return {area.area_id: at for at, area in enumerate(self.areas)}

    @property
    def root(self) -> Area:
        """The province."""
        return self.areas[0]


def ground_of(areas: AreaTree, today: date) -> JudgedUnits:
    """Return the units of a day, from the top down."""
    order = {"country": 0, "province": 1, "district": 2, "commune": 3}
    return JudgedUnits(tuple(sorted(areas.at(today), key=lambda area: (order[area.level], area.area_id))))


def sectors_served(edition: Edition, feeds: Mapping[str, Feed]) -> dict[str, str]:
    """Return by feed the catalogue's sector with most indicators computed from it; a feed without any has its domain's.

    A feed's domain is whose systems send it (`tax`); a sector is the catalogue's (`einvoice`), and has the duty ladder.
    """
    found: dict[str, Counter[str]] = {key: Counter() for key in feeds}
    for code, indicator in edition.indicators.items():
        for key in edition.compiled.feeds(code):
            found.setdefault(key, Counter())[indicator.sector] += 1
    return {
        key: min(counts, key=lambda sector: (-counts[sector], sector)) if counts else key.partition(".")[0]
        for key, counts in found.items()
    }


def plan_blocks(edition: Edition) -> tuple[Block, ...]:
    """Return the blocks of all live indicators, by sector."""
    members: dict[tuple[str, str], list[Member]] = {}
    for sector, slots in edition.slots.items():
        for code, slot in slots.items():
            indicator = edition.indicators[code]
            closure = sorted(edition.compiled.closure(code))
            reported = tuple(source for source in closure if edition.indicators[source].feed == REPORT_FEED)
            member = Member(indicator, slot, edition.compiled.feeds(code), reported)
            members.setdefault((sector, LIMITS[indicator.cadence].period), []).append(member)
    return tuple(Block(sector, period, tuple(found)) for (sector, period), found in sorted(members.items()))


def _is_stock(indicator: Indicator) -> bool:
    return indicator.kind == "stock" or (indicator.kind == "reported" and indicator.value == "stock")
