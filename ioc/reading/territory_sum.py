"""Sums of units of all times, read by bucket: what the figures of territories are added up from."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import psycopg
from psycopg.rows import dict_row

from ioc.catalogue import Measure, StoredMeasure
from ioc.catalogue.opening import OpenDays
from ioc.catalogue.step import How, TimeSpan
from ioc.errors import ConfigError
from ioc.feeds.feed import Feed
from ioc.period import CARRIED, CLOSING, end_of
from ioc.territory.area import AreaTree
from ioc.territory.crosswalk import Territory
from sql import load_queries

Days = tuple[date, date]


@dataclass(frozen=True)
class Spans:
    """First and last day of each span of each bucket of one period."""

    period: str
    days: Mapping[TimeSpan, Mapping[date, Days]]

    def last(self, span: TimeSpan, bucket: date) -> date:
        """Return the last day that a figure of a bucket speaks of."""
        return self.days[span][bucket][1]


@dataclass(frozen=True)
class TerritoryBucket:
    """The cell of a restated figure: a territory and a bucket."""

    territory: Territory
    bucket: date


@dataclass(frozen=True)
class SumsByUnit:
    """What one feed counted in units and buckets over a span, a row of integers in the order of `measures`.

    present: buckets in which it counted anything in the province; None where it does not matter.
    """

    feed: Feed
    how: How
    span: TimeSpan
    measures: tuple[StoredMeasure, ...]
    sums: Mapping[tuple[int, date], Sequence[int]]
    present: frozenset[date] | None

    def at(self, measure: Measure) -> int:
        """Return the position of a measure's sum in a row."""
        return next(at for at, stored in enumerate(self.measures) if stored.measure == measure)

    def of(self, area_id: int, bucket: date, at: int) -> int:
        """Return one sum, 0 where nothing was counted."""
        row = self.sums.get((area_id, bucket))
        return row[at] if row else 0

    def own(self, area_id: int, bucket: date, at: int, tree: AreaTree) -> int:
        """Return what was counted for the very area, not for units below it."""
        below = sum(self.of(area.area_id, bucket, at) for area in tree.children(area_id))
        return self.of(area_id, bucket, at) - below


class SumReader:
    """Reads sums over one read-only connection."""

    def __init__(
        self,
        connection: psycopg.Connection,
        stored: Iterable[StoredMeasure],
        feeds: Mapping[str, Feed],
        areas: AreaTree,
    ) -> None:
        self._connection = connection
        self._stored = {one.measure: one for one in stored}
        self._feeds = feeds
        self._areas = areas
        self._queries = load_queries("series")
        self._spans = load_queries("span")
        self._feed_ids: dict[str, int] = dict(connection.execute(load_queries("profile")["select_feed_ids"]).fetchall())

    def read(
        self, feed: str, how: How, span: TimeSpan, measures: Sequence[Measure], spans: Spans, areas: set[int]
    ) -> SumsByUnit:
        """Return the sums of the given units, and those below them where a record may name any.

        Raises ConfigError where the catalogue counts what the database does not.
        """
        stored = self._known(feed, measures)
        if self._feeds[feed].any_level:
            areas = areas | {below.area_id for area_id in areas for below in self._areas.children(area_id)}
        asked = {
            "feed_id": self._feed_ids[feed],
            "areas": sorted(areas),
            "slots": [one.slot for one in stored],
        }
        days = spans.days[span]
        match how:
            case "closing" | "carried":
                sums = self._by_last("select_running_totals", {**asked, "level": how}, days)
            case "standing_days" | "carried_days":
                level = CARRIED if how == "carried_days" else CLOSING
                sums = self._standing_days({**asked, "level": level}, sorted(areas), days)
            case "total":
                sums = self._totals(asked, sorted(areas), span, spans.period, days)
        present = self._present(feed, days) if how == "total" else None
        return SumsByUnit(self._feeds[feed], how, span, stored, sums, present)

    def column(self, sums: SumsByUnit, measure: Measure, cells: Sequence[TerritoryBucket], spans: Spans) -> pl.Series:
        """Return a measure's sum over each cell's territory, in its unit; null where its feed has counted nothing."""
        index = sums.at(measure)
        if measure.kind == "distinct":
            totals = self._members(sums, index, spans, cells)
        else:
            totals = [
                sum(
                    sums.of(area_id, cell.bucket, index)
                    for area_id in self._counting(sums, cell, spans.last(sums.span, cell.bucket), local=measure.local)
                )
                for cell in cells
            ]
        # NumPy divides as in the roll-up; Polars multiplies with the reciprocal, which differs in the last bit.
        values = (np.array(totals, dtype=np.int64) / 10**measure.decimals).tolist()
        known = [sums.present is None or cell.bucket in sums.present for cell in cells]
        return pl.Series(
            [value if is_known else None for value, is_known in zip(values, known, strict=True)], dtype=pl.Float64
        )

    def _counting(self, sums: SumsByUnit, cell: TerritoryBucket, last: date, *, local: bool) -> Iterable[int]:
        """Return the units whose sums make up a cell's."""
        units = cell.territory.same if local else cell.territory.whole
        if sums.how not in ("closing", "carried"):
            return units
        current = [area_id for area_id in units if self._areas[area_id].holds(last)]
        if not local:
            # The running total of a unit that has ended is carried over to the units that took it over.
            return current
        # A share holds for the unit that reported it, and no longer than that unit: in the period of its end until its
        # successor in the same territory reports.
        reported = [a for a in current if any(sums.of(a, cell.bucket, at) for at in range(len(sums.measures)))]
        return reported or [area_id for area_id in units if self._areas[area_id].valid_to > cell.bucket]

    def _known(self, feed: str, measures: Sequence[Measure]) -> tuple[StoredMeasure, ...]:
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
        return stored

    def _by_last(
        self, query: str, asked: Mapping[str, Any], days: Mapping[date, Days]
    ) -> dict[tuple[int, date], Sequence[int]]:
        lasts = sorted({last for _, last in days.values()})
        cursor = self._connection.cursor(row_factory=dict_row)
        rows = cursor.execute(self._queries[query], {**asked, "days": lasts}, binary=True)
        found = {(row["area_id"], row["day"]): row["sums"] for row in rows}
        return {
            (area_id, bucket): found[area_id, last]
            for bucket, (_, last) in days.items()
            for area_id in asked["areas"]
            if (area_id, last) in found
        }

    def _totals(
        self, asked: Mapping[str, Any], areas: Sequence[int], span: TimeSpan, period: str, days: Mapping[date, Days]
    ) -> dict[tuple[int, date], Sequence[int]]:
        cursor = self._connection.cursor(row_factory=dict_row)
        if span == "ytd":
            pairs = [(area_id, last) for area_id in areas for last in {last for _, last in days.values()}]
            rows = cursor.execute(
                self._spans["select_to_date"],
                {**asked, "areas": [area for area, _ in pairs], "lasts": [last for _, last in pairs]},
            )
            found = {(row["area_id"], row["last"]): row["sums"] for row in rows}
            key = {bucket: last for bucket, (_, last) in days.items()}
        else:
            key = {bucket: first for bucket, (first, _) in days.items()}
            rows = cursor.execute(
                self._queries["select_sums"],
                {**asked, "period": "year" if span == "year" else period, "days": sorted(set(key.values()))},
                binary=True,
            )
            found = {(row["area_id"], row["day"]): row["sums"] for row in rows}
        return {
            (area_id, bucket): found[area_id, day]
            for bucket, day in key.items()
            for area_id in areas
            if (area_id, day) in found
        }

    def _standing_days(
        self, asked: Mapping[str, Any], areas: Sequence[int], days: Mapping[date, Days]
    ) -> dict[tuple[int, date], Sequence[int]]:
        """Return the running totals of each day of the span on which the unit was there, added up."""
        wanted: dict[tuple[int, date], tuple[int, date, date]] = {}
        for area_id in areas:
            area = self._areas[area_id]
            for bucket, (first, last) in days.items():
                lived = max(first, area.valid_from), min(last, area.valid_to - timedelta(days=1))
                if lived[0] <= lived[1]:
                    wanted[area_id, bucket] = (area_id, *lived)
        spans = sorted(set(wanted.values()))
        rows = (
            self._connection.cursor(row_factory=dict_row)
            .execute(
                self._spans["select_standing_days"],
                {
                    **asked,
                    "areas": [area_id for area_id, _, _ in spans],
                    "firsts": [first for _, first, _ in spans],
                    "lasts": [last for _, _, last in spans],
                },
            )
            .fetchall()
        )
        found = {(row["area_id"], row["first"], row["last"]): row["sums"] for row in rows}
        return {key: found[span] for key, span in wanted.items() if span in found}

    def _present(self, feed: str, days: Mapping[date, Days]) -> frozenset[date]:
        """Return the buckets in whose span the feed has counted anything anywhere."""
        opened = OpenDays(self._connection).of([feed])
        return frozenset(
            bucket
            for bucket, (first, last) in days.items()
            if (at := bisect_left(opened, first)) < len(opened) and opened[at] <= last
        )

    def _members(self, sums: SumsByUnit, at: int, spans: Spans, cells: Sequence[TerritoryBucket]) -> list[int]:
        """Return how many different members each cell has; counted anew where several units have some, or may."""
        to_date = sums.span == "ytd"
        parts = [[n for area in p.territory.whole if (n := sums.of(area, p.bucket, at))] for p in cells]
        several = [p for p, found in zip(cells, parts, strict=True) if len(found) > 1 or to_date]
        territories = {cell.territory.unit.area_id: cell.territory for cell in several}
        pairs = [(unit_id, area_id) for unit_id, one in territories.items() for area_id in one.whole]
        days = spans.days[sums.span]
        day_of = {b: last if to_date else first for b, (first, last) in days.items()}
        together: dict[tuple[int, date], int] = {}
        if several:
            asked = {
                "measure_id": sums.measures[at].measure_id,
                "units": [unit_id for unit_id, _ in pairs],
                "areas": [area_id for _, area_id in pairs],
            }
            wanted = sorted({day_of[cell.bucket] for cell in several})
            period = "year" if sums.span == "year" else spans.period
            query, more = (
                (self._spans["count_union_to_date"], {"lasts": wanted})
                if to_date
                else (
                    self._queries["count_members"],
                    {"buckets": wanted, "lasts": [end_of(period, bucket) for bucket in wanted]},
                )
            )
            rows = self._connection.cursor(row_factory=dict_row).execute(query, {**asked, **more})
            together = {(row["unit_id"], row["day"]): row["members"] for row in rows}
        return [
            together.get((p.territory.unit.area_id, day_of[p.bucket]), 0) if len(found) > 1 or to_date else sum(found)
            for p, found in zip(cells, parts, strict=True)
        ]
