"""Figures over the territories of units of any date: sums of all units that lie in them, then the figure, anew.

Counts are summed up over the cells of units of all times (`ioc.territory.crosswalk`), members of distincts are
counted over their union, ratios and formulas are evaluated from these; never is a figure averaged or divided. What
only partly contained units counted makes a figure unknown. Which buckets have figures, and where the last one ends,
is as in the roll-up: a unit that always was what it is has the figures that are stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
import psycopg

from ioc.catalogue import Compiled, IndicatorPlan, Measure, StoredMeasure
from ioc.catalogue.figure import figure_expr
from ioc.catalogue.indicator import REPORT_FEED
from ioc.catalogue.sector import part_of
from ioc.catalogue.store import load_measures
from ioc.errors import ConfigError
from ioc.feeds.feed import Feed
from ioc.period import end_of
from ioc.territory.area import Area, AreaTree
from ioc.territory.crosswalk import Crosswalk, Territory
from sql import load_queries

_NAMED = 2  # units that a note names


@dataclass(frozen=True)
class Figure:
    """A figure, or why there is none; without either nobody has reported, or there is nothing to divide by."""

    value: float | None = None
    note: str | None = None


@dataclass(frozen=True)
class _FigureKey:
    """One figure's place: a territory, the bucket and the last day that the figure speaks of."""

    territory: Territory
    bucket: date
    end: date

    def at(self, *, running: bool) -> date:
        """The day under which its sums stand."""
        return self.end if running else self.bucket


@dataclass(frozen=True)
class _FeedSums:
    """Sums of one feed by area and day; running totals, or those of the buckets."""

    feed: Feed
    running: bool
    measures: tuple[StoredMeasure, ...]
    sums: Mapping[tuple[int, date], Sequence[int]]

    def place(self, measure: Measure) -> int:
        """Where a measure's sum stands in a row."""
        return next(at for at, stored in enumerate(self.measures) if stored.measure == measure)

    def of(self, area_id: int, at: date, place: int) -> int:
        """Return one sum, 0 where nothing was counted."""
        row = self.sums.get((area_id, at))
        return row[place] if row else 0

    def own(self, area_id: int, at: date, place: int, tree: AreaTree) -> int:
        """Return what was counted for the very area, not for units below it."""
        return self.of(area_id, at, place) - sum(self.of(a.area_id, at, place) for a in tree.children(area_id))


class Restatement:
    """Computes the figures of one catalogue over one read-only connection."""

    def __init__(
        self, connection: psycopg.Connection, compiled: Compiled, feeds: Mapping[str, Feed], areas: AreaTree
    ) -> None:
        self._connection = connection
        self._compiled = compiled
        self._feeds = feeds
        self._areas = areas
        self._crosswalk = Crosswalk(areas)
        self._queries = load_queries("series")
        self._stored = {stored.measure: stored for stored in load_measures(connection)}
        self._feed_ids: dict[str, int] = dict(connection.execute(load_queries("profile")["select_feed_ids"]).fetchall())
        self._roots = [area.area_id for area in areas.areas if area.parent_id is None]

    def figures(
        self, code: str, sector: str, period: str, buckets: Sequence[date], units: Sequence[Area]
    ) -> dict[tuple[int, date], Figure]:
        """Return the figures by unit (`area_id`) and bucket; a bucket that nobody has reported for is left out.

        Raises ConfigError where the catalogue counts what the database does not.
        """
        needed = self._compiled.closure(code)
        plans = [plan for plan in self._compiled.plans.values() if plan.code in needed]
        opening = self._opening(sector)
        present = self._present({*opening, *self._compiled.feeds(code)}, period, buckets)
        opened = [day for day in buckets if any(present.get((feed, day)) for feed in opening)]
        if not opened:
            return {}
        horizon = self._horizon(opening)
        territories = [self._crosswalk.territory(unit.area_id) for unit in units]
        cells = [_FigureKey(one, day, min(end_of(period, day), horizon)) for one in territories for day in opened]
        frame = pl.DataFrame(
            {
                "period": [period] * len(cells),
                "days": [max((cell.end - cell.bucket).days + 1, 1) for cell in cells],
            }
        )
        notes: dict[int, str] = {}
        for (feed, running), measures in _read_together(plans).items():
            counted = self._read(feed, measures, period, cells, running=running)
            for measure in measures:
                name = _name(measure, running=running)
                frame = frame.with_columns(self._column(counted, measure, period, cells, present).alias(name))
            for plan in plans:
                if plan.measures and (plan.measures[0].feed, bool(plan.running)) == (feed, running):
                    self._doubt(plan, counted, cells, notes)
        for plan in plans:
            expression = figure_expr(plan, lambda m: pl.col(_name(m)), lambda m: pl.col(_name(m, running=True)))
            frame = frame.with_columns(expression.cast(pl.Float64).alias(plan.code))
        return {
            (cell.territory.unit.area_id, cell.bucket): Figure(note=notes[at]) if at in notes else Figure(value)
            for at, (cell, value) in enumerate(zip(cells, frame[code].to_list(), strict=True))
        }

    # ------------------------------------------------------------------------------------------ which buckets, how far
    def _opening(self, sector: str) -> frozenset[str]:
        """Return the feeds whose events open a sector's periods: of flows, or of stocks where it has nothing else."""
        rows = self._connection.execute(self._queries["select_sector_slots"], [sector]).fetchall()
        return part_of({code: slot for code, slot in rows if code in self._compiled.plans}, self._compiled).opening

    def _present(self, feeds: Iterable[str], period: str, buckets: Sequence[date]) -> dict[tuple[str, date], bool]:
        """Return where feeds have counted anything, and whether that opens a period (a report's end does not)."""
        keys = {self._feed_ids[feed]: feed for feed in feeds}
        rows = self._connection.execute(
            self._queries["select_present"],
            {
                "feeds": list(keys),
                "period": period,
                "roots": self._roots,
                "first": buckets[0],
                "last": buckets[-1],
            },
        ).fetchall()
        return {(keys[feed_id], day): begun or keys[feed_id] != REPORT_FEED for feed_id, day, begun in rows}

    def _horizon(self, opening: Iterable[str]) -> date:
        row = self._connection.execute(
            self._queries["select_horizon"],
            {
                "feeds": [self._feed_ids[feed] for feed in opening],
                "roots": self._roots,
                "foretold": [self._feed_ids[REPORT_FEED]] if REPORT_FEED in self._feed_ids else [],
            },
        ).fetchone()
        return row[0] if row and row[0] is not None else date.min

    # ------------------------------------------------------------------------------------------ sums
    def _read(
        self, feed: str, measures: Sequence[Measure], period: str, cells: Sequence[_FigureKey], *, running: bool
    ) -> _FeedSums:
        """Return the sums of all areas that any of the territories touches."""
        try:
            stored = tuple(self._stored[measure] for measure in measures)
        except KeyError:
            raise ConfigError(
                f"the catalogue counts something of {feed} that the database does not hold; load it first "
                "(`ioc profile load`)"
            ) from None
        if not all(one.complete for one in stored):
            raise ConfigError(
                f"what these figures count of {feed} lacks the records from before it was loaded; `ioc rebuild` adds "
                "them"
            )
        areas = {a for cell in cells for a in (*cell.territory.whole, *cell.territory.same, *cell.territory.partly)}
        if self._feeds[feed].any_level:
            areas |= {below.area_id for area_id in areas for below in self._areas.children(area_id)}
        days = sorted({cell.at(running=running) for cell in cells})
        rows = self._connection.execute(
            self._queries["select_standing" if running else "select_sums"],
            {
                "feed_id": self._feed_ids[feed],
                "period": period,
                "areas": sorted(areas),
                "days": days,
                "first": days[0],
                "last": days[-1],
                "slots": [one.slot for one in stored],
            },
            binary=True,
        ).fetchall()
        return _FeedSums(self._feeds[feed], running, stored, {(area_id, day): sums for area_id, day, sums in rows})

    def _column(
        self,
        counted: _FeedSums,
        measure: Measure,
        period: str,
        cells: Sequence[_FigureKey],
        present: Mapping[tuple[str, date], bool],
    ) -> pl.Series:
        """Return a measure's sum over each cell's territory, in its unit; null where its feed has counted nothing."""
        place = counted.place(measure)
        if measure.kind == "distinct":
            sums = self._members(counted, place, period, cells)
        else:
            sums = [
                sum(
                    counted.of(area_id, cell.at(running=counted.running), place)
                    for area_id in (cell.territory.same if measure.local else cell.territory.whole)
                    # What stood in a unit that has ended stands in those that took it over.
                    if measure.local or not counted.running or self._areas[area_id].holds(cell.end)
                )
                for cell in cells
            ]
        # NumPy divides as in the roll-up; Polars multiplies with the reciprocal, which differs in the last bit.
        values = (np.array(sums, dtype=np.int64) / 10**measure.decimals).tolist()
        known = [counted.running or (measure.feed, cell.bucket) in present for cell in cells]
        return pl.Series(
            [value if is_known else None for value, is_known in zip(values, known, strict=True)], dtype=pl.Float64
        )

    def _members(self, counted: _FeedSums, place: int, period: str, cells: Sequence[_FigureKey]) -> list[int]:
        """Return how many different members each cell has; counted anew only where several areas have some."""
        parts = [[n for a in cell.territory.whole if (n := counted.of(a, cell.bucket, place))] for cell in cells]
        several = [cell for cell, found in zip(cells, parts, strict=True) if len(found) > 1]
        territories = {cell.territory.unit.area_id: cell.territory for cell in several}
        pairs = [(unit_id, area_id) for unit_id, one in territories.items() for area_id in one.whole]
        together: dict[tuple[int, date], int] = {}
        if several:
            rows = self._connection.execute(
                self._queries["count_members"],
                {
                    "measure_id": counted.measures[place].measure_id,
                    "period": period,
                    "units": [unit_id for unit_id, _ in pairs],
                    "areas": [area_id for _, area_id in pairs],
                    "buckets": sorted({cell.bucket for cell in several}),
                },
            ).fetchall()
            together = {(unit_id, day): count for unit_id, day, count in rows}
        return [
            together[cell.territory.unit.area_id, cell.bucket] if len(found) > 1 else sum(found)
            for cell, found in zip(cells, parts, strict=True)
        ]

    # ------------------------------------------------------------------------------------------ what cannot be known
    def _doubt(
        self, plan: IndicatorPlan, counted: _FeedSums, cells: Sequence[_FigureKey], notes: dict[int, str]
    ) -> None:
        """Note the cells whose figure cannot be known."""
        for at, cell in enumerate(cells):
            if at in notes:
                continue
            if any(measure.local for measure in plan.measures):
                if not self._was_reported(plan, counted, cell):
                    notes[at] = _NOT_THE_SAME
            elif unknown := [a for a in cell.territory.partly if self._has_counted(plan, counted, a, cell)]:
                notes[at] = _partly([self._areas[area_id] for area_id in unknown])

    def _was_reported(self, plan: IndicatorPlan, counted: _FeedSums, cell: _FigureKey) -> bool:
        """Return whether a number that holds for the area that reported it is there, or could have been."""
        place, day = counted.place(plan.measures[1]), cell.at(running=counted.running)
        same = cell.territory.same
        return any(self._areas[a].holds(cell.end) or counted.of(a, day, place) for a in same)

    def _has_counted(self, plan: IndicatorPlan, counted: _FeedSums, area_id: int, cell: _FigureKey) -> bool:
        """Return whether an area has counted anything of its own that may belong to a figure."""
        day = cell.at(running=counted.running)
        match plan.method:
            case "sent" | "state":
                return counted.own(area_id, day, counted.place(plan.measures[1]), self._areas) != 0
            case "distinct":
                return counted.of(area_id, day, counted.place(plan.measures[0])) != 0
        if self._areas.is_leaf(self._areas[area_id]):
            return (area_id, day) in counted.sums  # sums of signed amounts may be 0 although their parts are not
        return counted.feed.any_level and any(
            counted.own(area_id, day, place, self._areas) for place in range(len(counted.measures))
        )


def _read_together(plans: Iterable[IndicatorPlan]) -> dict[tuple[str, bool], tuple[Measure, ...]]:
    """Return the measures of figures by feed and by whether running totals are wanted."""
    found: dict[tuple[str, bool], dict[Measure, None]] = {}
    for plan in plans:
        # The third measure of reports only opens periods.
        for measure in plan.measures[:2]:
            found.setdefault((measure.feed, bool(plan.running)), {})[measure] = None
    return {key: tuple(measures) for key, measures in found.items()}


def _name(measure: Measure, *, running: bool = False) -> str:
    return f"{'standing' if running else 'total'}:{measure}"


_NOT_THE_SAME = (
    "số do cơ quan báo cáo chỉ đúng với địa giới đã báo cáo; khi đó không có đơn vị nào cùng địa giới · a reported "
    "ratio or score holds for the very territory it was reported for; no unit had this territory then"
)


def _partly(areas: Sequence[Area]) -> str:
    more = ", …" if len(areas) > _NAMED else ""
    vi, en = (", ".join(names[:_NAMED]) + more for names in zip(*map(_names, areas), strict=True))
    return (
        f"không biết được: {vi} chỉ nằm một phần trong đơn vị này, số đã đếm không tách ra được · cannot be known: "
        f"{en} lies only partly in this unit, and what was counted there cannot be divided"
    )


def _names(area: Area) -> tuple[str, str]:
    return f"{area.name_vi} (từ {area.valid_from})", f"{area.name_en} (from {area.valid_from})"
