"""Running totals of a feed from which no stock was read before: added up once, from the days that are stored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
import psycopg
from psycopg.rows import class_row

from ioc.database.array_text import array_texts
from ioc.period import CLOSING
from sql import load_queries
from streams.rules.fold import matrix_of


class _DayRow(NamedTuple):
    """What an area counts on a day of what was counted for another, or for itself."""

    bucket: date
    origin_id: int
    sums: list[int]


def areas_of(connection: psycopg.Connection, feed_id: int) -> list[int]:
    """Return the areas whose running totals hold anything of the feed."""
    rows = connection.execute(load_queries("rebuild")["select_carrying_areas"], [feed_id]).fetchall()
    return [area_id for (area_id,) in rows]


def write_running_totals(connection: psycopg.Connection, feed_id: int, area_id: int, local: Sequence[int]) -> None:
    """Write an area's running totals anew; the caller's transaction holds the roll-up's lock.

    local: columns of the sums that do not stand in other areas than their own.
    """
    queries = load_queries("rebuild")
    cursor = connection.cursor(row_factory=class_row(_DayRow))
    rows = cursor.execute(queries["select_days"], {"feed_id": feed_id, "area_id": area_id}, binary=True).fetchall()
    sums = matrix_of([row.sums for row in rows], max((len(row.sums) for row in rows), default=1))
    taken_over = np.array([row.origin_id != area_id for row in rows], dtype=bool)
    columns = [column for column in local if column < sums.shape[1]]
    sums[np.ix_(taken_over, np.array(columns, dtype=int))] = 0
    totals = np.cumsum(sums, axis=0).tolist()
    # Of several rows of a day (its own, and what was taken over on it) the last holds the day's end.
    latest = {row.bucket: total for row, total in zip(rows, totals, strict=True)}
    connection.execute(queries["remove_running_totals"], [feed_id, area_id])
    with connection.cursor().copy(queries["copy_running_totals"]) as copy:
        for bucket, text in zip(latest, array_texts(list(latest.values())), strict=True):
            copy.write(f'{feed_id},{CLOSING},{area_id},{bucket},"{text}"\n')
