"""Running totals of a feed from which no stock was read before: added up once, from the days that are stored."""

from __future__ import annotations

import numpy as np
import psycopg

from sql import load_queries
from streams.rules.fold import matrix_of


def areas_of(connection: psycopg.Connection, feed_id: int) -> list[int]:
    """Return the areas in which the feed has counted anything."""
    rows = connection.execute(load_queries("rebuild")["select_areas_of_feed"], [feed_id]).fetchall()
    return [area_id for (area_id,) in rows]


def close(connection: psycopg.Connection, feed_id: int, area_id: int) -> None:
    """Write an area's running totals anew; the caller's transaction holds the roll-up's lock."""
    queries = load_queries("rebuild")
    rows = connection.execute(queries["select_days"], [feed_id, area_id], binary=True).fetchall()
    width = max((len(sums) for _, sums in rows), default=1)
    totals = np.cumsum(matrix_of([sums for _, sums in rows], width), axis=0)
    connection.execute(queries["remove_closing"], [feed_id, area_id])
    with connection.cursor().copy(queries["copy_closing"]) as copy:
        for (bucket, _), sums in zip(rows, totals.tolist(), strict=True):
            array = ",".join(map(str, sums))
            copy.write(f'{feed_id},closing,{area_id},{bucket},"{{{array}}}"\n')
