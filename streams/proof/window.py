"""The proof of one feed and month: the day's sums of every area, recomputed from the records and compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from ioc.catalogue import StoredMeasure
from ioc.catalogue.composition import joined
from ioc.feeds.feed import Feed
from ioc.recompute.day_sum import column_of, day_sums_sql, placed_sql
from ioc.recompute.figure_sql import rolled_up
from sql import load_queries


@dataclass(frozen=True)
class DayProof:
    """How many sums of a day were compared, and how many are equal."""

    day: date
    compared: int
    equal: int


def prove_window(
    connection: psycopg.Connection, feed: Feed, measures: Sequence[StoredMeasure], first: date, last: date
) -> list[DayProof] | None:
    """Compare the stored sums of days with their recompute, in one snapshot; None while contributions of them wait.

    Distinct counts and longer periods are left to `ioc reconcile`, which compares everything.
    """
    sums = [stored for stored in measures if stored.measure.kind == "sum"]
    if not sums:
        return []
    queries = load_queries("reconcile")
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        parameters = {"feed": feed.key, "first": first, "last": last}
        if connection.execute(queries["select_waiting"], parameters).fetchone() == (True,):
            return None
        wanted: list[sql.Composable] = [
            sql.SQL(queries["wanted_day_sum"]).format(number=sql.Literal(one.slot), slot=column_of(one)) for one in sums
        ]
        statement = sql.SQL(queries["prove_days"]).format(
            placed=placed_sql(day_sums_sql(feed, sums, within=(first, last)), sums),
            sums=rolled_up(sums),
            wanted=joined(wanted, " UNION ALL "),
        )
        asked = {**parameters, "slots": [stored.slot for stored in sums]}
        return connection.cursor(row_factory=class_row(DayProof)).execute(statement, asked).fetchall()
