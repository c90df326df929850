"""Cells whose figures are computed by later transactions, because one fold would take too long for all of them.

The first record of a feed that lies years back opens every month, quarter and year since then, in every area: a fold
that computed all of these figures would keep everything waiting that came meanwhile, for seconds. The cells are listed
in the transaction that makes them due, and leave the list in the one that computes them: a crash loses none.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
import polars as pl
import psycopg
from psycopg.rows import class_row

from ioc.period import ends_of
from sql import load_queries
from streams.rollup.report_carry import KEY_SCHEMA
from streams.rollup.stored_sums import PLACE
from streams.rules.fold import CELL_KEY

Days = np.ndarray[tuple[int], np.dtype[np.int64]]


class _PostponedPeriod(NamedTuple):
    """Areas of one period of a sector."""

    sector: str
    period: str
    bucket: date
    areas: list[int]


class Postponed:
    """The list, over the fold's connection."""

    def __init__(self) -> None:
        self._queries = load_queries("rollup")

    def put(self, connection: psycopg.Connection, sector: str, keys: pl.DataFrame) -> None:
        """Put cells (`KEY_SCHEMA`) of a sector on the list; those that are there already stay there once."""
        groups = keys.group_by("period", "bucket").agg(pl.col("area_id").cast(pl.String).sort())
        connection.execute(
            self._queries["postpone"],
            {
                "sector": sector,
                "periods": groups["period"].to_list(),
                "buckets": groups["bucket"].to_list(),
                "areas": [f"{{{','.join(areas)}}}" for areas in groups["area_id"].to_list()],
            },
        )

    def take(self, connection: psycopg.Connection, most: int) -> dict[str, pl.DataFrame]:
        """Take the newest cells from the list, about `most`; return them (`KEY_SCHEMA`) by sector."""
        cursor = connection.cursor(row_factory=class_row(_PostponedPeriod))
        found: dict[str, list[tuple[str, int, date]]] = {}
        for group in cursor.execute(self._queries["take_postponed"], {"most": most}):
            cells = found.setdefault(group.sector, [])
            cells += [(group.period, area_id, group.bucket) for area_id in group.areas]
        return {
            sector: pl.DataFrame(cells, schema=KEY_SCHEMA, orient="row").sort(CELL_KEY)
            for sector, cells in sorted(found.items())
        }


def day_number(day: date) -> int:
    """Return a day as days since 1970."""
    return (day - date(1970, 1, 1)).days


def ends(keys: pl.DataFrame) -> Days:
    """Return the last days of cells' periods, as days since 1970."""
    numbers = keys.select(place=PLACE, bucket=pl.col("bucket").to_physical().cast(pl.Int64))
    return ends_of(numbers["place"].to_numpy(), numbers["bucket"].to_numpy())


def newest_since(parts: Sequence[Days], most: int) -> int:
    """Return the first day (since 1970) such that at most so many of the given days lie on it or later."""
    days = np.sort(np.concatenate(parts))
    return int(days[-most - 1]) + 1 if len(days) > most else -(1 << 40)
