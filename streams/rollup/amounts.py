"""Reading what figures are computed from: a column for each amount, of the cells that are wanted.

A cell's spans are the period itself, the year up to the period's end, and the whole year that it ends in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import NamedTuple

import numpy as np
import polars as pl
import psycopg
from psycopg.rows import class_row

from ioc.catalogue import StoredMeasure
from ioc.catalogue.opening import OpenPeriods
from ioc.catalogue.sector import SectorPart, SectorPlan
from ioc.catalogue.step import Amount, How, TimeSpan, days_column, reference_column
from ioc.database.array_text import array_of_texts
from ioc.period import CARRIED, CLOSING, end_expr
from ioc.province.expected import ExpectedReports
from ioc.territory.area import AreaTree
from sql import load_queries
from streams.rollup.stored_sums import StoredSums, codes_of, day_codes
from streams.rules.fold import Matrix

_SPAN = ("area_id", "first", "last")
_ROOT = {"area_id": pl.Int32()}
_END_SCHEMA = {"area_id": pl.Int32(), "last": pl.Date()}


class _SpanRow(NamedTuple):
    """Sums of an area over a span of days."""

    area_id: int
    first: date
    last: date
    sums: list[int]


class AmountReader:
    """Reads over the fold's connection and adds to a frame of cells."""

    def __init__(
        self,
        measures: Sequence[StoredMeasure],
        feed_ids: Mapping[str, int],
        areas: AreaTree,
        expected: Mapping[str, ExpectedReports],
    ) -> None:
        self._stored = {stored.measure: stored for stored in measures}
        self._feed_ids = feed_ids
        self._widths = {
            feed_id: max((stored.slot for stored in measures if stored.measure.feed == key), default=1)
            for key, feed_id in feed_ids.items()
        }
        self._expected = expected
        self._roots = [area.area_id for area in areas.areas if area.parent_id is None]
        self._lives = pl.DataFrame(
            [(area.area_id, area.valid_from, area.valid_to) for area in areas.areas],
            schema={"area_id": pl.Int32, "valid_from": pl.Date, "valid_to": pl.Date},
            orient="row",
        )
        self._queries = load_queries("rollup")
        self._spans = load_queries("span")

    def stored(self, connection: psycopg.Connection) -> StoredSums:
        """Return the sums as they are stored now, to be read once for all sectors."""
        return StoredSums(connection, self._widths, self._roots)

    def read(
        self,
        connection: psycopg.Connection,
        sums: StoredSums,
        plan: SectorPlan,
        keys: pl.DataFrame,
        opened: OpenPeriods,
    ) -> pl.DataFrame:
        """Return the cells (`KEY_SCHEMA`) with a column for everything that the sector's steps read."""
        frame = keys
        for span in ("period", "ytd", "year"):
            if span == "period" or span in plan.spans or any(s == span for _, s in plan.named("expected")):
                frame = self._with_span(frame, span, opened)
        wanted = sorted(plan.amounts, key=_group)
        for (feed, how, span), group in groupby(wanted, _group):
            measures = [self._stored[amount.measure] for amount in group]
            if (how, span) == ("total", "ytd"):
                # Up to the end of what is known, the year so far is the year's own cell.
                year_end = frame.select(_end(pl.lit("year"), pl.col("first@ytd"), opened).alias("end"))["end"]
                amounts = self._to_date(connection, sums, frame, feed, measures, frame["last@ytd"] == year_end)
            else:
                amounts = self._amounts(connection, sums, frame, feed, how, span, measures)
            columns = [Amount(stored.measure, how, span).column for stored in measures]
            frame = frame.hstack([amounts[str(at)].alias(name) for at, name in enumerate(columns)])
        for reference, span in plan.named("expected"):
            spans = _span_of(frame, span)
            owed = self._expected[reference.name].count(spans).cast(pl.Float64)
            frame = frame.with_columns(owed.alias(reference_column(reference, span)))
        return frame

    def _with_span(self, frame: pl.DataFrame, span: TimeSpan, opened: OpenPeriods) -> pl.DataFrame:
        """Add the first and last day of a span, and how many days it has."""
        if span == "period":
            first, last = pl.col("bucket"), _end(pl.col("period"), pl.col("bucket"), opened)
        else:
            first = pl.col("last@period").dt.truncate("1y")
            last = pl.col("last@period") if span == "ytd" else _end(pl.lit("year"), first, opened)
        frame = frame.with_columns(first.alias(f"first@{span}"), last.alias(f"last@{span}"))
        length = (pl.col(f"last@{span}") - pl.col(f"first@{span}")).dt.total_days() + 1
        return frame.with_columns(length.clip(lower_bound=1).alias(days_column(span)))

    def _amounts(
        self,
        connection: psycopg.Connection,
        sums: StoredSums,
        frame: pl.DataFrame,
        feed: str,
        how: How,
        span: TimeSpan,
        measures: list[StoredMeasure],
    ) -> pl.DataFrame:
        """Return the amounts of one feed and span, a column a measure, named by its place."""
        if how in ("closing", "carried"):
            found = sums.running_totals(self._feed_ids[feed], how, day_codes(frame, f"last@{span}"))
            return _in_units(found, measures)
        if how in ("standing_days", "carried_days"):
            level = CARRIED if how == "carried_days" else CLOSING
            return self._standing_days(connection, _span_of(frame, span), feed, level, measures)
        return self._totals(sums, frame, span, feed, measures)

    def _totals(
        self, sums: StoredSums, frame: pl.DataFrame, span: TimeSpan, feed: str, measures: list[StoredMeasure]
    ) -> pl.DataFrame:
        """Return the sums of cells: null where the feed counted nothing anywhere, 0 where only this area has none."""
        codes = codes_of(frame) if span == "period" else codes_of(frame, period="year", bucket=f"first@{span}")
        found, present = sums.totals(self._feed_ids[feed], codes)
        return _in_units(found, measures, present)

    def _present(self, keys: pl.DataFrame, found: pl.DataFrame, span: list[str]) -> pl.DataFrame:
        """Return the found sums row by row: those of areas without any are 0 where the province has some."""
        names = [name for name in found.columns if name.isdigit()]
        present = found.filter(pl.col("area_id").is_in(self._roots)).select(*span, present=pl.lit(True)).unique()
        return (
            keys.join(found, on=["area_id", *span], how="left", maintain_order="left")
            .join(present, on=span, how="left", maintain_order="left")
            .select(pl.when("present").then(pl.col(name).fill_null(0)) for name in names)
        )

    def _standing_days(
        self, connection: psycopg.Connection, spans: pl.DataFrame, feed: str, level: str, measures: list[StoredMeasure]
    ) -> pl.DataFrame:
        """Return the running totals of each day of the span on which the area was there, added up."""
        lived = (
            spans.join(self._lives, on="area_id", how="left", maintain_order="left")
            .with_columns(
                first=pl.max_horizontal("first", "valid_from"),
                last=pl.min_horizontal("last", pl.col("valid_to").dt.offset_by("-1d")),
            )
            .select(_SPAN)
        )
        wanted = lived.filter(pl.col("first") <= pl.col("last")).unique()
        cursor = connection.cursor(row_factory=class_row(_SpanRow))
        rows = cursor.execute(
            self._spans["select_standing_days"],
            {
                "feed_id": self._feed_ids[feed],
                "level": level,
                "areas": wanted["area_id"].to_list(),
                "firsts": wanted["first"].to_list(),
                "lasts": wanted["last"].to_list(),
                "slots": [stored.slot for stored in measures],
            },
        ).fetchall()
        return _matched(lived, self._narrow(rows, measures), list(_SPAN))

    def _to_date(
        self,
        connection: psycopg.Connection,
        stored_sums: StoredSums,
        frame: pl.DataFrame,
        feed: str,
        measures: list[StoredMeasure],
        whole: pl.Series,
    ) -> pl.DataFrame:
        """Return the sums of the year so far: those of the year's cell where that goes no further (`whole`)."""
        spans = _span_of(frame, "ytd")
        totals = self._totals(stored_sums, frame, "ytd", feed, measures)
        past = spans.filter(~whole).select("area_id", "last").unique()
        if not past.height:
            return totals
        provinces = past.select("last").unique().join(pl.DataFrame({"area_id": self._roots}, schema=_ROOT), how="cross")
        asked = pl.concat([past, provinces.select("area_id", "last")]).unique().sort("area_id", "last")
        slots = [stored.slot - 1 for stored in measures]
        # The slots of all measures are asked for, so that a day on which only members were counted is there as well.
        sums, there = stored_sums.to_date(self._feed_ids[feed], asked, slots)
        known = asked.with_columns(
            pl.Series(str(index), sums[:, index] / 10**stored.measure.decimals, dtype=pl.Float64)
            for index, stored in enumerate(measures)
        ).filter(pl.Series(there))
        place = {"areas": asked["area_id"].to_list(), "lasts": asked["last"].to_list()}
        for index, stored in enumerate(measures):
            if stored.measure.kind != "sum":
                counted = connection.execute(
                    self._spans["count_members_to_date"], {"measure_id": stored.measure_id, **place}
                ).fetchall()
                members = pl.DataFrame(counted, schema={**_END_SCHEMA, "members": pl.Float64()}, orient="row").unique()
                places = known.select("area_id", "last")
                column = _matched(places, members.rename({"members": "0"}), ["area_id", "last"])["0"]
                known = known.with_columns(column.alias(str(index)))
        past_sums = self._present(spans, known, ["last"])
        return totals.select(
            pl.when(whole).then(pl.col(name)).otherwise(past_sums[name]).alias(name) for name in totals.columns
        )

    def _narrow(self, rows: Sequence[_SpanRow], measures: list[StoredMeasure]) -> pl.DataFrame:
        schema = {"area_id": pl.Int32(), "first": pl.Date(), "last": pl.Date()}
        spans = [(row.area_id, row.first, row.last) for row in rows]
        found = pl.DataFrame(spans, schema=schema, orient="row")
        return found.with_columns(
            pl.Series(str(at), np.array([row.sums[at] for row in rows], dtype=np.int64) / 10**stored.measure.decimals)
            for at, stored in enumerate(measures)
        )

    def with_extremes(
        self, connection: psycopg.Connection, frame: pl.DataFrame, plan: SectorPlan, part: SectorPart
    ) -> pl.DataFrame:
        """Add the extremes of figures of single days, which are stored already, as a part names them."""
        for reference, span in sorted({*part.named("max"), *part.named("min")}, key=str):
            spans = _span_of(frame, span)
            wanted = spans.unique()
            rows = connection.execute(
                self._queries["select_extremes"],
                {
                    "sector": plan.sector,
                    "periods": array_of_texts(["day"] * wanted.height),
                    "areas": array_of_texts(wanted["area_id"].cast(pl.String)),
                    "firsts": array_of_texts(wanted["first"].cast(pl.String)),
                    "lasts": array_of_texts(wanted["last"].cast(pl.String)),
                    "slot": part.codes.get(reference.name) or plan.live.codes[reference.name],
                },
            ).fetchall()
            schema = {"area_id": pl.Int32(), "first": pl.Date(), "last": pl.Date(), "min": pl.Float64()}
            found = pl.DataFrame(rows, schema={**schema, "max": pl.Float64()}, orient="row")
            column = spans.join(found, on=list(_SPAN), how="left", maintain_order="left")[reference.function]
            frame = frame.with_columns(column.alias(reference_column(reference, span)))
        return frame


def _group(amount: Amount) -> tuple[str, How, TimeSpan]:
    return amount.measure.feed, amount.how, amount.span


def _end(period: pl.Expr, bucket: pl.Expr, opened: OpenPeriods) -> pl.Expr:
    """Return the last day that a period's figures speak of, as `OpenPeriods.end`."""
    known = pl.when(bucket <= opened.horizon).then(pl.lit(opened.horizon)).otherwise(pl.lit(opened.carried_to))
    return pl.min_horizontal(end_expr(period, bucket), known)


def _span_of(frame: pl.DataFrame, span: TimeSpan) -> pl.DataFrame:
    return frame.select("area_id", first=f"first@{span}", last=f"last@{span}")


def _matched(rows: pl.DataFrame, found: pl.DataFrame, on: list[str]) -> pl.DataFrame:
    """Return the found amounts row by row, 0 where there are none."""
    names = [name for name in found.columns if name.isdigit()]
    return rows.join(found, on=on, how="left", maintain_order="left").select(pl.col(names).fill_null(0))


def _in_units(
    sums: Matrix, measures: Sequence[StoredMeasure], present: np.ndarray[tuple[int], np.dtype[np.bool_]] | None = None
) -> pl.DataFrame:
    """Return rows of sums with a column a measure, named by its place, in its unit; null where not `present`."""
    columns = []
    for index, stored in enumerate(measures):
        # NumPy divides; Polars multiplies with the reciprocal, which differs in the last bit.
        amounts = sums[:, stored.slot - 1] / 10**stored.measure.decimals
        if present is not None:
            amounts[~present] = np.nan
        columns.append(pl.Series(str(index), amounts, nan_to_null=True))
    return pl.DataFrame(columns)
