"""From cells to figures: every indicator of a sector, for the areas and periods that a fold touched.

A flow has no figure in a period in which its feed has counted nothing anywhere (no report has come), and 0 where
others have reported and this area had nothing. Ratios and averages divide sums of the same area and period. Stocks
are carried forward through periods in which nothing happened (`ioc.catalogue.opening`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
import psycopg

from ioc.catalogue import StoredMeasure
from ioc.catalogue.figure import figure_expr
from ioc.catalogue.opening import Bucket, OpenDays, OpenPeriods, changed_buckets
from ioc.catalogue.sector import SectorPart, SectorPlan
from ioc.period import end_of, ends_of
from ioc.province.expected import ExpectedReports
from ioc.territory.area import AreaTree
from sql import load_queries
from streams.change.outbox import ChangeOutbox
from streams.rollup.amounts import AmountReader
from streams.rollup.cells import Touched
from streams.rollup.figure_store import FigureStore
from streams.rollup.known_periods import KnownPeriods
from streams.rollup.postponed import Postponed, day_number, ends, newest_since
from streams.rollup.report_carry import KEY_SCHEMA
from streams.rollup.stored_sums import PLACE, StoredSums
from streams.rules.fold import CELL_KEY, Cells, changed

_CHUNK = 5000
# Most rows that one fold computes, but for those that it touched and those of the present: about a tenth of a second.
MOST_ROWS = 3000


@dataclass
class _DueCells:
    """What a fold has to compute of a sector: cells (`KEY_SCHEMA`), and those of them whose own sums changed."""

    sector: _PlannedSector
    keys: pl.DataFrame
    touched: pl.DataFrame
    after: OpenPeriods
    before: OpenPeriods


class FigureWriter:
    """Computes and stores the figures that a fold touched."""

    def __init__(
        self,
        plans: Sequence[SectorPlan],
        measures: Sequence[StoredMeasure],
        feed_ids: Mapping[str, int],
        areas: AreaTree,
        expected: Mapping[str, ExpectedReports],
        outbox: ChangeOutbox | None = None,
        *,
        most_rows: int = MOST_ROWS,
    ) -> None:
        """
        outbox:    gets every cell whose figures change; without it no changes are sent.
        most_rows: how many rows one fold computes at most, where more are due; the others are postponed.
        """
        self._measures = measures
        self._plans = [_PlannedSector(plan, measures) for plan in plans]
        self._areas = areas
        self._amounts = AmountReader(measures, feed_ids, areas, expected)
        self._feed_ids = feed_ids
        self._lives = _Lives(areas)
        self._made_periods: dict[tuple[frozenset[str], bool], OpenPeriods] = {}
        self._store = FigureStore(outbox)
        self._postponed = Postponed()
        self._most_rows = most_rows

    def write(self, connection: psycopg.Connection, touched: Touched) -> int:
        """Bring the figures to the cells, within the fold's transaction; return how many rows were computed."""
        self._store.forget()  # what a fold that failed has left
        known = KnownPeriods(connection, touched, self._made_periods)
        sums = self._amounts.stored(connection)
        for feed, totals in touched.totals.items():
            sums.keep_totals(self._feed_ids[feed], totals)
        due: list[_DueCells] = []
        for sector in self._plans:
            cells, changed_since = sector.cells_of(touched), sector.totals_changed_since(touched)
            if cells or changed_since or known.turns(sector.plan):
                after = known.after(sector.plan)
                before = known.before(sector.plan)
                days = sector.days_of(touched, cells)
                keys = self._keys(sector.plan, cells, days, changed_since, known, before, after)
                own = pl.concat([pl.DataFrame(schema=KEY_SCHEMA), *cells])
                due.append(_DueCells(sector, keys, own, after, before))
        self._postpone(connection, due)
        for one in due:
            self._write(connection, sums, one.sector, one.keys, one.after, one.before)
        self._store.flush(connection)
        return sum(one.keys.height for one in due)

    def compute_postponed(self, connection: psycopg.Connection, most: int) -> int:
        """Compute some of what was postponed, the newest first; return how many cells, about `most`.

        The caller holds the roll-up's lock.
        """
        connection.execute(load_queries("rollup")["create_staging"])
        self._store.forget()
        taken = self._postponed.take(connection, most)
        if not taken:
            return 0
        known = KnownPeriods(connection, Touched(), self._made_periods)
        sums = self._amounts.stored(connection)
        for sector in self._plans:
            if (keys := taken.get(sector.plan.sector)) is not None:
                self._write(connection, sums, sector, keys, known.after(sector.plan), None)
        self._store.flush(connection)
        return sum(keys.height for keys in taken.values())

    def _postpone(self, connection: psycopg.Connection, due: Sequence[_DueCells]) -> None:
        """Where too much is due for one fold, list what of it comes later.

        At once come the cells whose own sums changed, all periods that hold the last known day, and of the others the
        newest. Days of which an extreme is asked for are read from their stored figures, and are never postponed.
        """
        if sum(one.keys.height for one in due) <= self._most_rows:
            return
        lasts = [ends(one.keys) for one in due]
        since = newest_since(lasts, self._most_rows)
        for one, last in zip(due, lasts, strict=True):
            late = one.keys.filter(pl.Series(last < min(since, day_number(one.after.carried_to))))
            if one.sector.plan.reads_days:
                late = late.filter(pl.col("period") != "day")
            late = late.join(one.touched, on=CELL_KEY, how="anti")
            if late.height:
                self._postponed.put(connection, one.sector.plan.sector, late)
                one.keys = one.keys.join(late, on=CELL_KEY, how="anti")

    def refresh(self, connection: psycopg.Connection, plan: SectorPlan, keys: pl.DataFrame) -> None:
        """Compute the figures of given cells (`KEY_SCHEMA`) anew; the caller holds the roll-up's lock."""
        connection.execute(load_queries("rollup")["create_staging"])
        self._store.forget()
        known = (sector for sector in self._plans if sector.plan is plan)
        sector = next(known, None) or _PlannedSector(plan, self._measures)
        self._write(connection, self._amounts.stored(connection), sector, keys, self._opened(connection, plan), None)
        self._store.flush(connection)

    def cells(self, connection: psycopg.Connection, plan: SectorPlan) -> pl.DataFrame:
        """Return every cell (`KEY_SCHEMA`) that the sector has or should have, by bucket, days before other periods."""
        stored = connection.execute(load_queries("rollup")["select_sector_keys"], [plan.sector]).fetchall()
        opened = self._opened(connection, plan)
        keys = pl.concat([self._grid(opened.buckets), pl.DataFrame(stored, schema=KEY_SCHEMA, orient="row")])
        # Extremes of days are read from the stored figures of the days.
        return keys.unique().sort(pl.col("period") != "day" if plan.reads_days else "bucket", *CELL_KEY[::-1])

    def _opened(self, connection: psycopg.Connection, plan: SectorPlan) -> OpenPeriods:
        return OpenDays(connection).periods(plan.opening, carries=bool(plan.stocks))

    def _write(
        self,
        connection: psycopg.Connection,
        sums: StoredSums,
        sector: _PlannedSector,
        keys: pl.DataFrame,
        opened: OpenPeriods,
        before: OpenPeriods | None,
    ) -> None:
        plan = sector.plan
        shown = self._remove_shut(connection, plan, keys, opened, before)
        days, longer = shown.filter(pl.col("period") == "day"), shown.filter(pl.col("period") != "day")
        # A day is its own extreme: where one is asked for, days are written before they are read.
        for part in (days, days, longer) if plan.reads_days else (shown,):
            for chunk in part.iter_slices(_CHUNK):
                frame = self._amounts.read(connection, sums, plan, chunk, opened)
                columns: dict[int, pl.Series] = {}
                for one, stages in zip(plan.parts, sector.stages, strict=True):
                    extremes = self._amounts.with_extremes(connection, frame, plan, one)
                    columns |= _figures(extremes, one, stages)
                self._store.add(connection, plan, chunk, columns)
            if plan.reads_days:
                self._store.flush(connection)

    def _keys(
        self,
        plan: SectorPlan,
        cells: Sequence[pl.DataFrame],
        days: pl.DataFrame,
        changed_since: Mapping[int, date],
        known: KnownPeriods,
        before: OpenPeriods,
        after: OpenPeriods,
    ) -> pl.DataFrame:
        """Return the cells (`KEY_SCHEMA`) to compute.

        They are those that were touched, all areas of a period that opened or shut or whose last day moved, later ones
        of stocks, and where a formula looks at the year, those of the same year: all of them, or those that end on the
        day of a change (`days`) or later where it looks no further than the year so far.
        """
        parts = [pl.DataFrame(schema=KEY_SCHEMA), *cells]
        parts.append(self._grid(changed_buckets(before, after, ends=plan.uses_days or bool(plan.stocks))))
        parts.append(self._grid(known.turned(plan)))
        parts.append(self._later(changed_since, after))
        if plan.spans - {"period"}:
            changed = list(changed_since.items())
            changed += days.iter_rows()
            everywhere = [area.area_id for area in self._areas.areas]
            moved = set(known.begun(plan))
            if before.horizon != after.horizon:
                moved |= {day for day in (before.horizon, after.horizon) if day != date.min}
            changed += [(area, day) for area in everywhere for day in moved]
            parts.append(self._of_year(changed, after, whole="year" in plan.spans))
        return pl.concat(parts).unique().sort(CELL_KEY)

    def _remove_shut(
        self,
        connection: psycopg.Connection,
        plan: SectorPlan,
        keys: pl.DataFrame,
        opened: OpenPeriods,
        before: OpenPeriods | None,
    ) -> pl.DataFrame:
        """Remove the figures of periods that are shut or in which the area is not; return the other keys.

        before: what was open before; None where anything may be stored.
        """
        buckets = keys.select("period", "bucket").unique()
        schema = {"period": pl.String(), "bucket": pl.Date()}
        wanted = [bucket for bucket in buckets.iter_rows() if opened.holds(*bucket)]
        shown = self._lives.existing(keys)
        if len(wanted) < buckets.height:
            present = pl.DataFrame(wanted, schema=schema, orient="row")
            shown = shown.join(present, on=["period", "bucket"], how="semi")
        if shown.height == keys.height:
            return shown.sort(CELL_KEY)
        shut = keys.join(shown, on=CELL_KEY, how="anti")
        if before is not None and shut.height:
            stored = [bucket for bucket in buckets.iter_rows() if opened.holds(*bucket) or before.holds(*bucket)]
            shut = shut.join(pl.DataFrame(stored, schema=schema, orient="row"), on=["period", "bucket"], how="semi")
        if shut.height:
            self._store.remove(connection, plan, shut)
        return shown.sort(CELL_KEY)

    def _grid(self, periods: Iterable[Bucket]) -> pl.DataFrame:
        """Return a cell for every area that exists in each period."""
        wanted = list(periods)
        buckets = pl.DataFrame(wanted, schema={"period": pl.String(), "bucket": pl.Date()}, orient="row")
        if not wanted:
            return pl.DataFrame(schema=KEY_SCHEMA)
        return self._lives.existing(buckets.join(self._lives.areas, how="cross").select(CELL_KEY))

    def _later(self, changed_since: Mapping[int, date], after: OpenPeriods) -> pl.DataFrame:
        """Return the cells whose end lies on or after the day from which running totals changed."""
        if not changed_since:
            return pl.DataFrame(schema=KEY_SCHEMA)
        first = min(changed_since.values())
        ends = [(period, bucket, end) for period, bucket in after.buckets if (end := end_of(period, bucket)) >= first]
        schema = {"period": pl.String(), "bucket": pl.Date(), "end": pl.Date()}
        changed = pl.DataFrame(
            list(changed_since.items()), schema={"area_id": pl.Int32, "since": pl.Date}, orient="row"
        )
        later = changed.join(pl.DataFrame(ends, schema=schema, orient="row"), how="cross")
        return self._lives.existing(later.filter(pl.col("end") >= pl.col("since")).select(CELL_KEY))

    def _of_year(self, changed: Sequence[tuple[int, date]], after: OpenPeriods, *, whole: bool) -> pl.DataFrame:
        """Return the cells that end in the years in which something changed: areas, and a day of the year.

        whole: those that end before the first of these days as well.
        """
        since: dict[tuple[int, int], date] = {}
        for area_id, day in changed:
            since[area_id, day.year] = min(day, since.get((area_id, day.year), day))
        years = pl.DataFrame(
            [(area_id, year, day) for (area_id, year), day in sorted(since.items())],
            schema={"area_id": pl.Int32(), "year": pl.Int32(), "since": pl.Date()},
            orient="row",
        )
        rows = [
            (period, bucket, end, year)
            for period, bucket in after.buckets
            for end in (end_of(period, bucket),)
            for year in {bucket.year, end.year}
        ]
        schema = {"period": pl.String(), "bucket": pl.Date(), "end": pl.Date(), "year": pl.Int32()}
        found = pl.DataFrame(rows, schema=schema, orient="row").join(years, on="year")
        if not whole:
            found = found.filter(pl.col("end") >= pl.col("since"))
        return self._lives.existing(found.select(CELL_KEY).unique())


def _figures(frame: pl.DataFrame, part: SectorPart, stages: Sequence[Sequence[pl.Expr]]) -> dict[int, pl.Series]:
    """Return a column a slot that the part writes."""
    for expressions in stages:
        frame = frame.with_columns(expressions)
    return {slot: frame[code] for code, slot in part.codes.items()}


class _PlannedSector:
    """A sector's plan, with what is made once for all folds.

    stages: of each part, the expressions of its figures in the order of its stages.
    """

    def __init__(self, plan: SectorPlan, measures: Sequence[StoredMeasure]) -> None:
        self.plan = plan
        # Building an expression costs more than evaluating it over a small fold.
        self.stages = [
            [
                [figure_expr(step, part.plans).cast(pl.Float64).alias(step.column) for step in steps]
                for steps in part.stages
            ]
            for part in plan.parts
        ]
        slots = {stored.measure: stored.slot - 1 for stored in measures}
        read = sorted({(amount.measure.feed, slots[amount.measure]) for amount in plan.amounts})
        self._slots = {feed: [slot for key, slot in read if key == feed] for feed in plan.feeds}

    def cells_of(self, touched: Touched) -> list[pl.DataFrame]:
        """Return the touched cells (`KEY_SCHEMA`) in which something changed that the sector reads."""
        feeds = [feed for feed in self.plan.flows | self.plan.opening if feed in touched.cells]
        found = [self._changed(touched.cells[feed], feed).keys.select(CELL_KEY) for feed in feeds]
        return [keys for keys in found if keys.height]

    def days_of(self, touched: Touched, cells: Sequence[pl.DataFrame]) -> pl.DataFrame:
        """Return areas and days (`area_id`, `bucket`) of what changed in its touched cells; none if no formula asks."""
        if not cells or self.plan.spans == {"period"}:
            return pl.DataFrame(schema={"area_id": pl.Int32(), "bucket": pl.Date()})
        keys = pl.concat(cells)
        parts = [keys.filter(pl.col("period") == "day").select("area_id", "bucket")]
        parts += [touched.turnings[feed] for feed in self.plan.flows | self.plan.opening if feed in touched.turnings]
        return pl.concat(parts).filter(pl.col("area_id").is_in(keys["area_id"].unique().implode())).unique()

    def totals_changed_since(self, touched: Touched) -> dict[int, date]:
        """Return for each area the first day from which running totals changed that the sector reads."""
        first: dict[int, date] = {}
        for feed in self.plan.stocks:
            if feed in touched.running_totals:
                keys = self._changed(touched.running_totals[feed], feed).keys
                for area_id, day in keys.group_by("area_id").agg(pl.col("bucket").min()).iter_rows():
                    first[area_id] = min(day, first.get(area_id, day))
        return first

    def _changed(self, cells: Cells, feed: str) -> Cells:
        return changed(Cells(cells.keys, cells.sums[:, self._slots[feed]]))


class _Lives:
    """When each area is there."""

    def __init__(self, areas: AreaTree) -> None:
        known = sorted((area.area_id, area.valid_from, area.valid_to) for area in areas.areas)
        schema = {"area_id": pl.Int32, "valid_from": pl.Date, "valid_to": pl.Date}
        frame = pl.DataFrame(known, schema=schema, orient="row")
        self.areas = frame.select("area_id")
        self._ids, self._from, self._to = (column.to_physical().to_numpy().astype(np.int64) for column in frame)

    def existing(self, keys: pl.DataFrame) -> pl.DataFrame:
        """Return the cells (`KEY_SCHEMA`) whose area exists in their period, in their order."""
        if not keys.height:
            return keys.select(CELL_KEY)
        numbers = keys.select(place=PLACE, bucket=pl.col("bucket").to_physical().cast(pl.Int64), area="area_id")
        buckets, areas = numbers["bucket"].to_numpy(), numbers["area"].to_numpy()
        at = np.minimum(np.searchsorted(self._ids, areas), len(self._ids) - 1)
        there = (self._ids[at] == areas) & (self._from[at] <= ends_of(numbers["place"].to_numpy(), buckets))
        there &= self._to[at] > buckets
        return keys.select(CELL_KEY) if there.all() else keys.select(CELL_KEY).filter(pl.Series(there))
