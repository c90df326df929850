"""From cells to figures: every indicator of a sector, for the areas and periods that a fold touched.

A flow has no figure in a period in which its feed has counted nothing anywhere (nobody has reported), and 0 where
others have reported and this area had nothing. Ratios and averages divide sums of the very area and period. What
stands is carried on through periods in which nothing happened (`ioc.catalogue.opening`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

import polars as pl
import psycopg

from ioc.catalogue import StoredMeasure
from ioc.catalogue.figure import figure_expr
from ioc.catalogue.opening import Bucket, OpenDays, OpenPeriods, buckets_of, changed_buckets
from ioc.catalogue.sector import SectorPart, SectorPlan
from ioc.database.array_text import array_texts
from ioc.period import end_expr, end_of
from ioc.province.expected import ExpectedReports
from ioc.territory.area import AreaTree
from sql import load_queries
from streams.change.outbox import ChangeOutbox
from streams.rollup.amounts import AmountReader
from streams.rollup.cells import KEY_SCHEMA, Touched
from streams.rules.fold import CELL_KEY

_CHUNK = 5000


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
    ) -> None:
        """outbox: is told of every cell whose figures change; without it nobody hears of changes."""
        self._plans = plans
        self._outbox = outbox
        self._areas = areas
        self._amounts = AmountReader(measures, feed_ids, areas, expected)
        self._lives = pl.DataFrame(
            [(area.area_id, area.valid_from, area.valid_to) for area in areas.areas],
            schema={"area_id": pl.Int32, "valid_from": pl.Date, "valid_to": pl.Date},
            orient="row",
        )
        self._queries = load_queries("rollup")

    def write(self, connection: psycopg.Connection, touched: Touched) -> int:
        """Bring the figures to the cells, within the fold's transaction; return how many rows were computed."""
        written = 0
        known = _Known(connection, touched)
        for plan in self._plans:
            if touched.cells.keys() & plan.feeds or (plan.stocks and known.moved):
                after = known.after(plan)
                keys = self._keys(connection, plan, touched, known, after)
                self._write(connection, plan, keys, after)
                written += keys.height
        return written

    def refresh(self, connection: psycopg.Connection, plan: SectorPlan, keys: pl.DataFrame) -> None:
        """Compute the figures of given cells (`KEY_SCHEMA`) anew; the caller holds the roll-up's lock."""
        connection.execute(self._queries["create_staging"])
        self._write(connection, plan, keys, self._opened(connection, plan))

    def cells(self, connection: psycopg.Connection, plan: SectorPlan) -> pl.DataFrame:
        """Return every cell (`KEY_SCHEMA`) that the sector has or should have, by bucket, days before other periods."""
        stored = connection.execute(self._queries["select_sector_keys"], [plan.sector]).fetchall()
        opened = self._opened(connection, plan)
        keys = pl.concat([self._grid(opened.buckets), pl.DataFrame(stored, schema=KEY_SCHEMA, orient="row")])
        # Extremes of days are read from the stored figures of the days.
        return keys.unique().sort(pl.col("period") != "day" if plan.reads_days else "bucket", *CELL_KEY[::-1])

    def _opened(self, connection: psycopg.Connection, plan: SectorPlan) -> OpenPeriods:
        return OpenDays(connection).periods(plan.opening, carries=bool(plan.stocks))

    def _write(self, connection: psycopg.Connection, plan: SectorPlan, keys: pl.DataFrame, opened: OpenPeriods) -> None:
        shown = self._remove_shut(connection, plan, keys, opened)
        days, longer = shown.filter(pl.col("period") == "day"), shown.filter(pl.col("period") != "day")
        # A day is its own extreme: where one is asked for, days are written before they are read.
        for part in (days, days, longer) if plan.reads_days else (shown,):
            for chunk in part.iter_slices(_CHUNK):
                frame = self._amounts.read(connection, plan, chunk, opened)
                columns: dict[int, pl.Series] = {}
                for one in plan.parts:
                    columns |= self._figures(self._amounts.with_extremes(connection, frame, plan, one), one)
                self._store(connection, plan, chunk, columns)

    def _keys(
        self,
        connection: psycopg.Connection,
        plan: SectorPlan,
        touched: Touched,
        known: _Known,
        after: OpenPeriods,
    ) -> pl.DataFrame:
        """Return the cells (`KEY_SCHEMA`) to compute.

        They are those that were touched, all areas of a period that opened or shut or whose last day moved, later ones
        of stocks, and those of the same year where a formula looks at the year.
        """
        cells = [touched.cells[feed].select(CELL_KEY) for feed in plan.flows | plan.opening if feed in touched.cells]
        before = known.before(plan)
        parts = [pl.DataFrame(schema=KEY_SCHEMA), *cells]
        parts.append(self._grid(changed_buckets(before, after, ends=plan.uses_days or bool(plan.stocks))))
        parts.append(self._grid(known.turned(plan)))
        later = [self._later(connection, plan, touched.closing.get(feed, {})) for feed in plan.stocks]
        if plan.spans - {"period"}:
            changed = [(area_id, day) for feed in plan.stocks for area_id, day in touched.closing.get(feed, {}).items()]
            changed += [row for frame in cells for row in frame.select("area_id", "bucket").unique().iter_rows()]
            later.append(self._of_year(connection, plan, changed))
            if before.horizon != after.horizon:
                everywhere = [area.area_id for area in self._areas.areas]
                days = [day for day in (before.horizon, after.horizon) if day != date.min]
                later.append(self._of_year(connection, plan, [(area, day) for area in everywhere for day in days]))
            begun = known.begun(plan)
            if begun:
                everywhere = [area.area_id for area in self._areas.areas]
                later.append(self._of_year(connection, plan, [(area, day) for area in everywhere for day in begun]))
        return pl.concat([*parts, *later]).unique().sort(CELL_KEY)

    def _existing(self, keys: pl.DataFrame) -> pl.DataFrame:
        """Return the cells whose area exists in their period."""
        found = keys.join(self._lives, on="area_id")
        ends = end_expr(pl.col("period"), pl.col("bucket"))
        return found.filter((pl.col("valid_from") <= ends) & (pl.col("valid_to") > pl.col("bucket"))).select(CELL_KEY)

    def _remove_shut(
        self, connection: psycopg.Connection, plan: SectorPlan, keys: pl.DataFrame, opened: OpenPeriods
    ) -> pl.DataFrame:
        """Remove the figures of periods that are shut or in which the area is not; return the other keys."""
        wanted = [bucket for bucket in keys.select("period", "bucket").unique().iter_rows() if opened.holds(*bucket)]
        present = pl.DataFrame(wanted, schema={"period": pl.String(), "bucket": pl.Date()}, orient="row")
        shown = self._existing(keys).join(present, on=["period", "bucket"], how="semi")
        shut = keys.join(shown, on=CELL_KEY, how="anti")
        if shut.height:
            columns = {"periods": "period", "areas": "area_id", "buckets": "bucket"}
            gone = {name: shut[column].to_list() for name, column in columns.items()}
            if self._outbox is not None:
                self._outbox.mark_removed(connection, plan.sector, gone)
            query = "remove_figures" if all(plan.own) else "clear_figures"
            connection.execute(self._queries[query], {"sector": plan.sector, "own": list(plan.own), **gone})
        return shown.sort(CELL_KEY)

    def _grid(self, periods: Iterable[Bucket]) -> pl.DataFrame:
        """Return a cell for every area that exists in each period."""
        rows = [
            (period, area.area_id, bucket)
            for period, bucket in periods
            for area in self._areas.areas
            if area.valid_from <= end_of(period, bucket) and area.valid_to > bucket
        ]
        return pl.DataFrame(rows, schema=KEY_SCHEMA, orient="row")

    def _later(self, connection: psycopg.Connection, plan: SectorPlan, closing: Mapping[int, date]) -> pl.DataFrame:
        """Return the sector's cells whose end lies on or after the day from which running totals changed."""
        if not closing:
            return pl.DataFrame(schema=KEY_SCHEMA)
        first = min(closing.values())
        rows = connection.execute(
            self._queries["select_later_keys"],
            {"sector": plan.sector, "areas": list(closing), "since": first.replace(month=1, day=1)},
        ).fetchall()
        changed = pl.DataFrame(list(closing.items()), schema={"area_id": pl.Int32, "since": pl.Date}, orient="row")
        keys = pl.DataFrame(rows, schema=KEY_SCHEMA, orient="row").join(changed, on="area_id")
        return keys.filter(end_expr(pl.col("period"), pl.col("bucket")) >= pl.col("since")).select(CELL_KEY)

    def _of_year(
        self, connection: psycopg.Connection, plan: SectorPlan, changed: Sequence[tuple[int, date]]
    ) -> pl.DataFrame:
        """Return the sector's cells of the years in which something changed: areas, and a day of the year."""
        wanted = sorted({(area_id, day.replace(month=1, day=1)) for area_id, day in changed})
        rows = connection.execute(
            self._queries["select_cells_of_year"],
            {
                "sector": plan.sector,
                "areas": [area_id for area_id, _ in wanted],
                "days": [day for _, day in wanted],
            },
        ).fetchall()
        return pl.DataFrame(rows, schema=KEY_SCHEMA, orient="row")

    def _figures(self, frame: pl.DataFrame, part: SectorPart) -> dict[int, pl.Series]:
        """Return a column a slot that the part writes."""
        for steps in part.stages:
            frame = frame.with_columns(
                figure_expr(step, part.plans).cast(pl.Float64).alias(step.column) for step in steps
            )
        return {slot: frame[code] for code, slot in part.codes.items()}

    def _store(
        self, connection: psycopg.Connection, plan: SectorPlan, keys: pl.DataFrame, figures: Mapping[int, pl.Series]
    ) -> None:
        nothing = pl.Series([None], dtype=pl.Float64).new_from_index(0, keys.height)
        columns = {str(slot): figures[slot] if own else nothing for slot, own in enumerate(plan.own, start=1)}
        arrays = array_texts(pl.DataFrame(columns).rows())
        rows = keys.select(pl.lit(plan.sector).alias("sector"), *CELL_KEY, pl.Series("figures", arrays))
        with connection.cursor().copy(self._queries["copy_staged_figures"]) as copy:
            copy.write(rows.write_csv(include_header=False).encode())
        if self._outbox is not None:
            self._outbox.mark_staged(connection, keys)
        if all(plan.own):
            connection.execute(self._queries["set_staged_figures"])
        else:
            connection.execute(self._queries["merge_staged_figures"], {"own": list(plan.own)})
        connection.execute(self._queries["clear_staged_figures"])


class _Known:
    """The open periods before and after one fold; each set of feeds is read once."""

    def __init__(self, connection: psycopg.Connection, touched: Touched) -> None:
        self._days = OpenDays(connection)
        self._turned = touched.turned
        self._found: dict[frozenset[str], list[date]] = {}
        self._last = self._days.last()
        self._last_before = self._last
        turned = {day for days in touched.turned.values() for day in days}
        if turned and self._last is not None and max(turned) >= self._last:
            self._last_before = self._days.last_before(touched.turned)
        elif turned and self._last is None:
            self._last_before = max(turned)

    @property
    def moved(self) -> bool:
        """Whether the last day that anything is known of has moved."""
        return self._last != self._last_before

    def after(self, plan: SectorPlan) -> OpenPeriods:
        """Return a sector's open periods as they are now."""
        days = self._found.get(plan.opening)
        if days is None:
            days = self._found[plan.opening] = self._days.of(plan.opening)
        return OpenPeriods(days, self._last if plan.stocks else None)

    def before(self, plan: SectorPlan) -> OpenPeriods:
        """Return a sector's open periods as they were."""
        if not any(self._turned.get(feed) for feed in plan.opening) and not (plan.stocks and self.moved):
            return self.after(plan)
        return OpenPeriods(self._days.before(plan.opening, self._turned), self._last_before if plan.stocks else None)

    def turned(self, plan: SectorPlan) -> frozenset[Bucket]:
        """Return the periods in which one of a sector's feeds begins to count, or ceases: no figure becomes 0 there."""
        changed: frozenset[Bucket] = frozenset()
        for now, before in self._changes(plan):
            changed |= buckets_of(now) ^ buckets_of(before)
        return changed

    def begun(self, plan: SectorPlan) -> set[date]:
        """Return a day of each year in which the first day of one of a sector's feeds is another than before."""
        found: set[date] = set()
        for now, before in self._changes(plan):
            found |= _first_days(now) ^ _first_days(before)
        return found

    def _changes(self, plan: SectorPlan) -> Iterator[tuple[set[date], set[date]]]:
        feeds = [feed for feed in sorted(plan.flows | plan.opening) if self._turned.get(feed)]
        if not feeds:
            return
        days = self._days.by_feed(feeds)
        for feed in feeds:
            now = days.get(feed, set())
            yield now, now ^ set(self._turned[feed])


def _first_days(days: set[date]) -> set[date]:
    """Return the first of the days of each year."""
    years: dict[int, date] = {}
    for day in sorted(days):
        years.setdefault(day.year, day)
    return set(years.values())
