"""Where a record counts on a day on which its unit was not there: before it began, or after it ended.

A record names a unit, by itself or by its reporter, as of its business date. What it adds on another day (a guest who
leaves after the reform, a birth before it) belongs to the unit that held the ground on that day. And the running
totals of a unit are carried over to those that took it over: stocks do not start from 0 at a reform.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import polars as pl

from ioc.territory.area import FOREVER, Area, AreaTree

ALWAYS = date.min


@dataclass(frozen=True)
class Placement:
    """From `since` until before `until`, what is counted for `area_id` counts in `unit_id`."""

    area_id: int
    since: date
    until: date
    unit_id: int


@dataclass(frozen=True)
class CarryOver:
    """What has been counted in `origin_id` is part of the running totals of `area_id`, from `since` on."""

    origin_id: int
    area_id: int
    since: date


def unit_on(tree: AreaTree, area_id: int, day: date) -> int:
    """Return the unit that what is counted for an area counts in on a day.

    After its end its successor; before its beginning the smallest unit that is known to have held all of it. Where
    nobody knows, the area itself.
    """
    area = tree[area_id]
    while day >= area.valid_to and area.successor_id is not None:
        area = tree[area.successor_id]
    if day >= area.valid_from:
        return area.area_id
    before = [other for other in tree.areas if other.holds(day) and _becomes(tree, other, area)]
    held = [tree.chain(other.area_id) for other in before]
    common = [unit for unit in held[0] if all(unit in chain for chain in held)] if held else []
    return common[0] if common else area.area_id


def placements(tree: AreaTree) -> list[Placement]:
    """Return, for each unit, where it counts at all times, without gaps: from `ALWAYS` until `FOREVER`."""
    days = [ALWAYS, *tree.changes()[1:], FOREVER]
    found: list[Placement] = []
    for area in tree.areas:
        for since, until in pairwise(days):
            unit_id = unit_on(tree, area.area_id, since if since != ALWAYS else _first_day(tree))
            if found and found[-1].area_id == area.area_id and found[-1].unit_id == unit_id:
                found[-1] = Placement(area.area_id, found[-1].since, until, unit_id)
            else:
                found.append(Placement(area.area_id, since, until, unit_id))
    return found


def carry_overs(tree: AreaTree) -> list[CarryOver]:
    """Return in whose running totals each unit's counts are included: units above it, and their successors."""
    found: list[CarryOver] = []
    for origin in tree.areas:
        since: dict[int, date] = {}
        for area_id in tree.chain(origin.area_id):
            for heir, day in _heirs(tree, tree[area_id]):
                for above in tree.chain(heir):
                    since[above] = min(day, since.get(above, FOREVER))
        found += [CarryOver(origin.area_id, area_id, day) for area_id, day in sorted(since.items())]
    return found


def takeovers(tree: AreaTree) -> list[CarryOver]:
    """Return by whose reports those of each unit that has ended are replaced, and since when.

    They are the units that took its whole territory over, and those above them; where no unit did, those that took over
    the units below it. A unit above it at its end is none of them: it speaks of more than its ground.
    """
    found: list[CarryOver] = []
    known = carry_overs(tree)
    for ended in tree.areas:
        if ended.valid_to == FOREVER:
            continue
        within = {area.area_id for area in tree.areas if ended.area_id in tree.chain(area.area_id)}
        given = {ended.area_id} if ended.successor_id is not None else within
        others = within.union(tree.chain(ended.area_id))
        since: dict[int, date] = {}
        for one in known:
            if one.origin_id in given and one.area_id not in others:
                day = max(one.since, ended.valid_to)
                since[one.area_id] = min(day, since.get(one.area_id, FOREVER))
        found += [CarryOver(ended.area_id, area_id, day) for area_id, day in sorted(since.items())]
    return found


def placements_frame(tree: AreaTree) -> pl.DataFrame:
    """Return `placements` as a frame, for a join on `area_id`."""
    rows = [(one.area_id, one.since, one.until, one.unit_id) for one in placements(tree)]
    schema = {"area_id": pl.Int32, "since": pl.Date, "until": pl.Date, "unit_id": pl.Int32}
    return pl.DataFrame(rows, schema=schema, orient="row")


def carry_overs_frame(tree: AreaTree) -> pl.DataFrame:
    """Return `carry_overs` as a frame, for a join on `origin_id`."""
    rows = [(one.origin_id, one.area_id, one.since) for one in carry_overs(tree)]
    schema = {"origin_id": pl.Int32, "area_id": pl.Int32, "since": pl.Date}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _heirs(tree: AreaTree, area: Area) -> Iterator[tuple[int, date]]:
    """Yield the unit itself, and every unit that took its whole territory over, with the day it did."""
    yield area.area_id, ALWAYS
    while area.successor_id is not None:
        yield area.successor_id, area.valid_to
        area = tree[area.successor_id]


def _becomes(tree: AreaTree, earlier: Area, later: Area) -> bool:
    """Return whether a unit's territory, or that of one above it, went into a later unit."""
    return any(heir == later.area_id for heir, _ in _heirs(tree, earlier))


def _first_day(tree: AreaTree) -> date:
    return tree.changes()[0]
