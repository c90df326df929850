"""SQL that computes from the records what the agents have counted: by PostgreSQL, from the catalogue's expressions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from ioc.catalogue import StoredMeasure, contribution_sql, member_sql
from ioc.feeds.feed import Feed

Days = tuple[date, date]


def day_sums_sql(feed: Feed, sums: Sequence[StoredMeasure], *, within: Days | None = None) -> str:
    """Return a query of `area_id, day, s<slot>, ...`: what the records of each area add to each day.

    Slots hold bigint in units of 10^-decimals; what a stock takes back on its last day is negative there.
    within: only these days, the first to the last.
    """
    dated = sorted({(s.measure.at, 1) for s in sums} | {(s.measure.until, -1) for s in sums if s.measure.until})
    parts = [
        f"SELECT area_id, {column} AS day, {', '.join(_terms(sums, column, sign))} "
        f"FROM {feed.table} WHERE {_on_a_day(column, within)} GROUP BY 1, 2"
        for column, sign in dated
    ] or [f"SELECT area_id, effective_on AS day FROM {feed.table} WHERE false"]
    totals = "".join(f", sum(s{s.slot})::bigint AS s{s.slot}" for s in sums)
    return f"SELECT area_id, day{totals} FROM ({' UNION ALL '.join(parts)}) part GROUP BY 1, 2"


def placed_sql(day_sums: str, sums: Sequence[StoredMeasure]) -> str:
    """Return a query as `day_sums_sql`, with everything in the unit in which it counts on its day.

    What is local stays with the area that the record names.
    """
    moving = "".join(f", {'0' if s.measure.local else f'd.s{s.slot}'} AS s{s.slot}" for s in sums)
    parts = [
        f"SELECT p.place_id AS area_id, d.day{moving} FROM day_sum d "
        "JOIN area_place p ON p.area_id = d.area_id AND d.day >= p.since AND d.day < p.until"
    ]
    if any(s.measure.local for s in sums):
        staying = "".join(f", {f'd.s{s.slot}' if s.measure.local else '0'}" for s in sums)
        parts.append(f"SELECT d.area_id, d.day{staying} FROM day_sum d")
    totals = "".join(f", sum(s{s.slot})::bigint AS s{s.slot}" for s in sums)
    return (
        f"WITH day_sum AS ({day_sums}) "
        f"SELECT area_id, day{totals} FROM ({' UNION ALL '.join(parts)}) placed GROUP BY 1, 2"
    )


def members_sql(feed: Feed, distinct: Sequence[StoredMeasure], *, within: Days | None = None) -> str:
    """Return a query of `slot, area_id, day, member`: a row for each record that speaks of a member (text).

    within: as in `day_sums_sql`.
    """
    parts = (
        f"SELECT {s.slot} AS slot, area_id, {s.measure.at} AS day, {member_sql(s.measure)} AS member "
        f"FROM {feed.table} WHERE {_on_a_day(s.measure.at, within)} AND {member_sql(s.measure)} IS NOT NULL"
        for s in distinct
    )
    nothing = "SELECT 0 AS slot, 0 AS area_id, NULL::date AS day, NULL::text AS member WHERE false"
    return " UNION ALL ".join(parts) or nothing


def _on_a_day(column: str, within: Days | None) -> str:
    if within is None:
        return f"{column} IS NOT NULL"
    first, last = (f"DATE '{day.isoformat()}'" for day in within)
    days = f"{column} BETWEEN {first} AND {last}"
    if column != "effective_on":
        return days
    # The business day follows from the time, so only the chunks around it are read; a day's margin for time zones.
    return f"{days} AND effective_at >= {first} - 1 AND effective_at < {last} + 2"


def _terms(sums: Sequence[StoredMeasure], column: str, sign: int) -> list[str]:
    """Return each measure's sum for the day in `column`, 0 for those that count on another."""
    terms = []
    for stored in sums:
        counts = (stored.measure.until if sign < 0 else stored.measure.at) == column
        amount = f"{'-' if sign < 0 else ''}sum({contribution_sql(stored.measure)})" if counts else "0"
        terms.append(f"{amount}::bigint AS s{stored.slot}")
    return terms
