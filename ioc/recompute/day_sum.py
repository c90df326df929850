"""SQL that computes from the records what the agents have counted: by PostgreSQL, from the catalogue's expressions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from psycopg import sql

from ioc.catalogue import StoredMeasure
from ioc.catalogue.composition import contribution, joined, member
from ioc.feeds.feed import Feed
from sql import load_queries

Days = tuple[date, date]


def day_sums_sql(
    feed: Feed, sums: Sequence[StoredMeasure], *, within: Days | None = None, source: sql.Composable | None = None
) -> sql.Composed:
    """Return a query of `area_id, day, s<slot>, ...`: what the records of each area add to each day.

    Slots hold numeric in units of 10^-decimals, which no sum can run over; what a stock takes back on its last day is
    negative there.
    within: only these days, the first to the last.
    source: where records are read from; the feed's table where nothing is said.
    """
    table = source or sql.Identifier(feed.table)
    dated = sorted({(s.measure.at, 1) for s in sums} | {(s.measure.until, -1) for s in sums if s.measure.until})
    parts: list[sql.Composable] = [
        _part("day_sums_of_column").format(
            column=sql.Identifier(column),
            terms=joined([_term(one, column, sign) for one in sums], ""),
            table=table,
            days=_on_a_day(column, within),
        )
        for column, sign in dated
    ] or [_part("no_day_sums").format(table=table)]
    return _part("day_sums").format(totals=_totals(sums), parts=joined(parts, " UNION ALL "))


def placed_sql(day_sums: sql.Composable, sums: Sequence[StoredMeasure]) -> sql.Composed:
    """Return a query as `day_sums_sql`, with everything in the unit in which it counts on its day.

    What is local stays with the area that the record names.
    """

    def slots(*, local: bool) -> sql.Composed:
        names = [("day_slot" if one.measure.local is local else "zero_slot", column_of(one)) for one in sums]
        return joined([_part(part).format(slot=slot) for part, slot in names], "")

    parts: list[sql.Composable] = [_part("moving").format(slots=slots(local=False))]
    if any(one.measure.local for one in sums):
        parts.append(_part("staying").format(slots=slots(local=True)))
    return _part("placed").format(day_sums=day_sums, totals=_totals(sums), parts=joined(parts, " UNION ALL "))


def members_sql(
    feed: Feed, distinct: Sequence[StoredMeasure], *, within: Days | None = None, source: sql.Composable | None = None
) -> sql.Composed:
    """Return a query of `slot, area_id, day, member`: a row for each record that speaks of a member (text).

    within, source: as in `day_sums_sql`.
    """
    parts: list[sql.Composable] = [
        _part("members").format(
            slot=sql.Literal(one.slot),
            column=sql.Identifier(one.measure.at),
            member=member(one.measure),
            table=source or sql.Identifier(feed.table),
            days=_on_a_day(one.measure.at, within),
        )
        for one in distinct
    ]
    return joined(parts or [_part("no_members")], " UNION ALL ")


def column_of(stored: StoredMeasure) -> sql.Identifier:
    """Return the column of a measure's sum: `s` and its slot."""
    return sql.Identifier(f"s{stored.slot}")


def _part(name: str) -> sql.SQL:
    return sql.SQL(load_queries("recompute")[name])


def _totals(sums: Sequence[StoredMeasure]) -> sql.Composed:
    return joined([_part("total").format(slot=column_of(one)) for one in sums], "")


def _on_a_day(column: str, within: Days | None) -> sql.Composable:
    name = sql.Identifier(column)
    if within is None:
        return _part("on_any_day").format(column=name)
    days = {"first": sql.Literal(within[0]), "last": sql.Literal(within[1])}
    return _part("on_business_days" if column == "effective_on" else "on_days").format(column=name, **days)


def _term(stored: StoredMeasure, column: str, sign: int) -> sql.Composable:
    """Return a measure's sum for the day in `column`, 0 for those that count on another."""
    if (stored.measure.until if sign < 0 else stored.measure.at) != column:
        return _part("no_term").format(slot=column_of(stored))
    return _part("term").format(
        sign=sql.SQL("-" if sign < 0 else ""), amount=contribution(stored.measure), slot=column_of(stored)
    )
