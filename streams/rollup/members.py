"""Members of distinct counts: merged into the stored ones, and what that changes in the counts of all cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

import polars as pl
import psycopg
from psycopg.rows import class_row

from ioc.catalogue import StoredMeasure
from ioc.territory.area import AreaTree
from ioc.territory.placement import placements_frame
from sql import load_queries
from streams.rollup.waiting import MemberDelta
from streams.rules.contribute import MEMBER_SCHEMA
from streams.rules.member import TURNING_SCHEMA, sum_members, turnovers, within_areas

_STAGED = ("measure_id", "member", "bucket", "area_id", "n")
_NEAREST: dict[str, pl.DataType] = {"place": pl.Int64(), "earlier": pl.Date(), "later": pl.Date()}


class _Turning(NamedTuple):
    measure_id: int
    area_id: int
    bucket: date
    member: str
    appears: bool


class Counted(NamedTuple):
    """What a fold changes in distinct counts, by feed.

    changes:  `period`, `area_id`, `bucket`, `slot`, and the `change` of the count.
    turnings: `area_id`, `bucket`: areas and days on which members appeared or disappeared.
    """

    changes: Mapping[str, pl.DataFrame]
    turnings: Mapping[str, pl.DataFrame]


class MemberFold:
    """Folds members over the connection of the fold, in its transaction."""

    def __init__(self, measures: Sequence[StoredMeasure], areas: AreaTree) -> None:
        self._queries = load_queries("rollup")
        self._placements = placements_frame(areas)
        self._chains = areas.chains()
        self._feeds = pl.DataFrame(
            [(stored.measure_id, stored.measure.feed, stored.slot) for stored in measures],
            schema={"measure_id": pl.Int32, "feed": pl.String, "slot": pl.Int32},
            orient="row",
        )
        # The units that make an area up, as PostgreSQL reads an array.
        parts = self._chains.group_by("area_id").agg(pl.col("origin_id").sort())
        self._units = {area_id: f"{{{','.join(map(str, units))}}}" for area_id, units in parts.iter_rows()}

    def fold(self, connection: psycopg.Connection, rows: Sequence[MemberDelta]) -> Counted:
        """Merge members; return what that changes."""
        if not rows:
            return Counted({}, {})
        connection.execute(self._queries["clear_staged_members"])
        with connection.cursor().copy(self._queries["copy_staged_members"]) as copy:
            copy.write(sum_members(self._placed(rows)).select(_STAGED).write_csv(include_header=False).encode())
        turning = connection.cursor(row_factory=class_row(_Turning))
        found = turning.execute(self._queries["select_turning_members"], binary=True).fetchall()
        appeared = self._nearest(connection, [row for row in found if row.appears])
        connection.execute(self._queries["merge_members"])
        disappeared = self._nearest(connection, [row for row in found if not row.appears])
        turned = pl.concat([appeared, disappeared]).select("measure_id", "area_id", bucket="day")
        return Counted(
            self._by_feed(turnovers(appeared, disappeared), "period", "area_id", "bucket", "slot", "change"),
            self._by_feed(turned, "area_id", "bucket"),
        )

    def _by_feed(self, rows: pl.DataFrame, *columns: str) -> Mapping[str, pl.DataFrame]:
        """Return columns of rows of measures by feed, each row once."""
        parts = rows.join(self._feeds, on="measure_id").partition_by("feed", as_dict=True)
        return {str(feed): part.select(columns).unique(maintain_order=True) for (feed,), part in parts.items()}

    def _placed(self, rows: Sequence[MemberDelta]) -> pl.DataFrame:
        """Return the members (`MEMBER_SCHEMA`) in the units in which they count."""
        schema = {**MEMBER_SCHEMA, "placed": pl.Boolean()}
        members = pl.DataFrame([member[: len(schema)] for member in rows], schema=schema, orient="row")
        there = members.join(self._placements, on="area_id").filter(
            (pl.col("bucket") >= pl.col("since")) & (pl.col("bucket") < pl.col("until"))
        )
        there = there.with_columns(area_id=pl.when("placed").then("area_id").otherwise("unit_id"))
        return there.select(list(MEMBER_SCHEMA))

    def _nearest(self, connection: psycopg.Connection, turning: Sequence[_Turning]) -> pl.DataFrame:
        """Return what turns within each area, with the nearest days on which the member is there as things stand."""
        frame = within_areas(
            pl.DataFrame([row[: len(TURNING_SCHEMA)] for row in turning], schema=TURNING_SCHEMA, orient="row"),
            self._chains,
        )
        stored = []
        if frame.height:
            areas = frame["area_id"].unique().to_list()
            asked = {
                "areas": areas,
                "units": [self._units[area_id] for area_id in areas],
                "measure_ids": frame["measure_id"].to_list(),
                "members": frame["member"].to_list(),
                "area_ids": frame["area_id"].to_list(),
                "days": frame["day"].to_list(),
                "firsts": frame["first"].to_list(),
                "lasts": frame["last"].to_list(),
            }
            stored = connection.execute(self._queries["select_nearest_days"], asked, binary=True).fetchall()
        nearest = pl.DataFrame(stored, schema=_NEAREST, orient="row").sort("place")
        return frame.hstack(nearest.drop("place"))
