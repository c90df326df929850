"""From cells to figures: every indicator of a sector, for the areas and periods that a fold touched.

A flow has no figure in a period in which its feed has counted nothing anywhere (nobody has reported), and 0 where
others have reported and this area had nothing. Ratios and averages divide sums of the very area and period.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import numpy as np
import polars as pl
import psycopg

from ioc.catalogue import Measure, StoredMeasure
from ioc.catalogue.figure import figure_expr
from ioc.catalogue.indicator import REPORT_FEED
from ioc.catalogue.sector import SectorPlan
from ioc.period import PERIODS, end_expr, end_of, start_of
from ioc.territory.area import AreaTree
from sql import load_queries
from streams.rollup.cells import KEY_SCHEMA, Touched, array_texts
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
    ) -> None:
        self._plans = plans
        self._stored = {stored.measure: stored for stored in measures}
        self._feed_ids = feed_ids
        self._areas = areas
        self._lives = pl.DataFrame(
            [(area.area_id, area.valid_from, area.valid_to) for area in areas.areas],
            schema={"area_id": pl.Int32, "valid_from": pl.Date, "valid_to": pl.Date},
            orient="row",
        )
        self._roots = [area.area_id for area in areas.areas if area.parent_id is None]
        # Reports say ahead when they end: such a day opens no period.
        self._foretold = [feed_id for key, feed_id in feed_ids.items() if key == REPORT_FEED]
        self._queries = load_queries("rollup")

    def write(self, connection: psycopg.Connection, touched: Touched) -> int:
        """Bring the figures to the cells, within the fold's transaction; return how many rows were computed."""
        written = 0
        for plan in self._plans:
            if touched.cells.keys() & plan.feeds:
                horizon = self._horizon(connection, plan)
                keys = self._keys(connection, plan, touched, horizon)
                self._write(connection, plan, keys, horizon)
                written += keys.height
        return written

    def refresh(self, connection: psycopg.Connection, plan: SectorPlan, keys: pl.DataFrame) -> None:
        """Compute the figures of given cells (`KEY_SCHEMA`) anew; the caller holds the roll-up's lock."""
        connection.execute(self._queries["create_staging"])
        self._write(connection, plan, keys, self._horizon(connection, plan))

    def cells(self, connection: psycopg.Connection, plan: SectorPlan) -> pl.DataFrame:
        """Return every cell (`KEY_SCHEMA`) that the sector has or should have, by bucket."""
        feeds = [self._feed_ids[feed] for feed in plan.opening]
        periods = connection.execute(
            self._queries["select_all_present"], [feeds, self._roots, self._foretold, list(PERIODS)]
        ).fetchall()
        stored = connection.execute(self._queries["select_sector_keys"], [plan.sector]).fetchall()
        keys = pl.concat([self._grid(periods), pl.DataFrame(stored, schema=KEY_SCHEMA, orient="row")])
        return keys.unique().sort("bucket", "period", "area_id")

    def _write(self, connection: psycopg.Connection, plan: SectorPlan, keys: pl.DataFrame, horizon: date) -> None:
        for chunk in self._remove_shut(connection, plan, keys).iter_slices(_CHUNK):
            self._store(connection, plan, chunk, self._figures(connection, plan, chunk, horizon))

    def _horizon(self, connection: psycopg.Connection, plan: SectorPlan) -> date:
        """Return the last business day that the sector knows of: periods go as far as that."""
        feeds = [self._feed_ids[feed] for feed in plan.opening]
        row = connection.execute(self._queries["select_horizon"], [feeds, self._roots, self._foretold]).fetchone()
        return row[0] if row and row[0] is not None else date.min

    def _keys(self, connection: psycopg.Connection, plan: SectorPlan, touched: Touched, horizon: date) -> pl.DataFrame:
        """Return the cells (`KEY_SCHEMA`) to compute.

        They are those that were touched, all areas of a period that opened or shut, later ones of stocks, and all
        areas of the periods in which the last known day lies, or lay before: their ends have moved.
        """
        parts = [pl.DataFrame(schema=KEY_SCHEMA)]
        for feed in plan.opening:
            parts.append(touched.cells.get(feed, parts[0]).select(CELL_KEY))
            parts.append(self._grid(touched.turned.get(feed, [])))
        for feed in plan.stocks:
            parts.append(self._later(connection, plan, touched.closing.get(feed, {})))
        if plan.uses_days or plan.stocks:
            row = connection.execute(self._queries["select_shown_horizon"], [plan.sector, self._roots]).fetchone()
            shown = row[0] if row else None
            if shown is not None and shown != horizon:
                days = (day for day in (shown, horizon) if day != date.min)
                parts.append(self._grid((period, start_of(period, day)) for day in days for period in PERIODS))
        return pl.concat(parts).unique().sort(CELL_KEY)

    def _existing(self, keys: pl.DataFrame) -> pl.DataFrame:
        """Return the cells whose area exists in their period."""
        found = keys.join(self._lives, on="area_id")
        ends = end_expr(pl.col("period"), pl.col("bucket"))
        return found.filter((pl.col("valid_from") <= ends) & (pl.col("valid_to") > pl.col("bucket"))).select(CELL_KEY)

    def _remove_shut(self, connection: psycopg.Connection, plan: SectorPlan, keys: pl.DataFrame) -> pl.DataFrame:
        """Remove the figures of periods in which nobody has counted anything or the area is not; return other keys."""
        periods = keys.select("period", "bucket").unique()
        wanted = {
            "periods": periods["period"].to_list(),
            "buckets": periods["bucket"].to_list(),
            "roots": self._roots,
            "foretold": self._foretold,
        }
        found = {
            row
            for feed in plan.opening
            for row in connection.execute(
                self._queries["select_present"], {"feed_id": self._feed_ids[feed], **wanted}
            ).fetchall()
        }
        present = pl.DataFrame(list(found), schema={"period": pl.String(), "bucket": pl.Date()}, orient="row")
        shown = self._existing(keys).join(present, on=["period", "bucket"], how="semi")
        shut = keys.join(shown, on=CELL_KEY, how="anti")
        if shut.height:
            columns = {"periods": "period", "areas": "area_id", "buckets": "bucket"}
            gone = {name: shut[column].to_list() for name, column in columns.items()}
            query = "remove_figures" if all(plan.own) else "clear_figures"
            connection.execute(self._queries[query], {"sector": plan.sector, "own": list(plan.own), **gone})
        return shown.sort(CELL_KEY)

    def _grid(self, periods: Iterable[tuple[str, date]]) -> pl.DataFrame:
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

    def _figures(
        self, connection: psycopg.Connection, plan: SectorPlan, keys: pl.DataFrame, horizon: date
    ) -> dict[int, pl.Series]:
        """Return a column a slot that is written."""
        end = pl.min_horizontal(end_expr(pl.col("period"), pl.col("bucket")), pl.lit(horizon))
        frame = keys.with_columns(end=end).with_columns(
            days=((pl.col("end") - pl.col("bucket")).dt.total_days() + 1).clip(lower_bound=1)
        )
        for feed in sorted(plan.flows):
            frame = self._with_cells(connection, frame, feed, self._needed(plan, feed, running=False))
        for feed in sorted(plan.stocks):
            frame = self._with_closing(connection, frame, feed, self._needed(plan, feed, running=True))
        columns: dict[int, pl.Series] = {}
        for part in plan.parts:
            figures = frame
            for steps in part.stages:
                figures = figures.with_columns(figure_expr(step, _total, _standing).alias(step.code) for step in steps)
            columns |= {slot: figures[code].cast(pl.Float64) for code, slot in part.codes.items()}
        return columns

    def _needed(self, plan: SectorPlan, feed: str, *, running: bool) -> list[StoredMeasure]:
        wanted = (m for p in plan.order for m in (p.running if running else p.periodic) if m.feed == feed)
        return [self._stored[measure] for measure in dict.fromkeys(wanted)]

    def _with_cells(
        self, connection: psycopg.Connection, frame: pl.DataFrame, feed: str, measures: list[StoredMeasure]
    ) -> pl.DataFrame:
        """Add the period's sums: null where the feed has counted nothing anywhere, 0 where only this area has none."""
        parts = [pl.DataFrame(schema={**KEY_SCHEMA, **{_name(s.measure): pl.Float64() for s in measures}})]
        for (period,), group in frame.group_by("period"):
            rows = connection.execute(
                self._queries["select_cells"],
                {
                    "feed_id": self._feed_ids[feed],
                    "period": period,
                    "buckets": group["bucket"].unique().to_list(),
                    "areas": [*group["area_id"].unique().to_list(), *self._roots],
                },
                binary=True,
            ).fetchall()
            parts.append(_unpacked([row[:3] for row in rows], [row[3] for row in rows], measures, running=False))
        cells = pl.concat(parts)
        present = cells.filter(pl.col("area_id").is_in(self._roots)).select("period", "bucket", present=pl.lit(True))
        names = [_name(stored.measure) for stored in measures]
        return (
            frame.join(cells, on=CELL_KEY, how="left", maintain_order="left")
            .join(present.unique(), on=["period", "bucket"], how="left", maintain_order="left")
            .with_columns(pl.when(pl.col("present")).then(pl.col(name).fill_null(0)).alias(name) for name in names)
            .drop("present")
        )

    def _with_closing(
        self, connection: psycopg.Connection, frame: pl.DataFrame, feed: str, measures: list[StoredMeasure]
    ) -> pl.DataFrame:
        """Add the running totals at the end of each period; 0 before the first record."""
        wanted = frame.select("area_id", "end").unique()
        rows = connection.execute(
            self._queries["select_closing_at"],
            {
                "feed_id": self._feed_ids[feed],
                "areas": wanted["area_id"].to_list(),
                "days": wanted["end"].to_list(),
            },
            binary=True,
        ).fetchall()
        keys = [("closing", area_id, day) for area_id, day, _ in rows]
        totals = _unpacked(keys, [row[2] for row in rows], measures, running=True).drop("period")
        names = [_name(stored.measure, running=True) for stored in measures]
        return frame.join(
            totals.rename({"bucket": "end"}), on=["area_id", "end"], how="left", maintain_order="left"
        ).with_columns(pl.col(name).fill_null(0) for name in names)

    def _store(
        self, connection: psycopg.Connection, plan: SectorPlan, keys: pl.DataFrame, figures: Mapping[int, pl.Series]
    ) -> None:
        nothing = pl.Series([None], dtype=pl.Float64).new_from_index(0, keys.height)
        columns = {str(slot): figures[slot] if own else nothing for slot, own in enumerate(plan.own, start=1)}
        arrays = array_texts(pl.DataFrame(columns).rows())
        rows = keys.select(pl.lit(plan.sector).alias("sector"), *CELL_KEY, pl.Series("figures", arrays))
        with connection.cursor().copy(self._queries["copy_staged_figures"]) as copy:
            copy.write(rows.write_csv(include_header=False).encode())
        if all(plan.own):
            connection.execute(self._queries["set_staged_figures"])
        else:
            connection.execute(self._queries["merge_staged_figures"], {"own": list(plan.own)})
        connection.execute("DELETE FROM staged_figures")


def _name(measure: Measure, *, running: bool = False) -> str:
    """Return the name of a measure's column while figures are computed."""
    return f"{'closing' if running else 'sum'}:{measure}"


def _total(measure: Measure) -> pl.Expr:
    return pl.col(_name(measure))


def _standing(measure: Measure) -> pl.Expr:
    return pl.col(_name(measure, running=True))


def _unpacked(
    keys: Sequence[tuple[str, int, date]],
    sums: Sequence[Sequence[int]],
    measures: list[StoredMeasure],
    *,
    running: bool,
) -> pl.DataFrame:
    """Return wide rows as a frame with one column a measure, in its unit."""
    width = max((stored.slot for stored in measures), default=1)
    matrix = np.zeros((len(sums), max([width, *map(len, sums)])), dtype=np.int64)
    for at, row in enumerate(sums):
        matrix[at, : len(row)] = row
    frame = pl.DataFrame(keys, schema=KEY_SCHEMA, orient="row")
    return frame.with_columns(
        # NumPy divides; Polars multiplies with the reciprocal, which differs in the last bit.
        pl.Series(_name(stored.measure, running=running), matrix[:, stored.slot - 1] / 10**stored.measure.decimals)
        for stored in measures
    )
