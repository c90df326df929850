"""Which reports a level is made of on a day: of every area its last ones, carried forward until its next one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from ioc.catalogue import Measure
from ioc.catalogue.composition import contribution, expression
from ioc.feeds.feed import Feed
from ioc.reading.explanation.cell import Carried, Cell
from ioc.territory.area import AreaTree
from ioc.territory.placement import carry_overs, takeovers
from sql import load_queries

_ENDLESS = date.max


@dataclass(frozen=True)
class HeldReports:
    """Reports of one area that hold from one day until before another, as SQL finds them.

    amount: what they add, in units of 10^-decimals.
    """

    area_id: int
    begun: date
    until: date
    amount: int


class CarryingReader:
    """Reads over the explainer's connection, from the records."""

    def __init__(self, connection: psycopg.Connection, feeds: Mapping[str, Feed], areas: AreaTree) -> None:
        self._connection = connection
        self._feeds = feeds
        self._areas = areas
        self._carry_overs = carry_overs(areas)
        self._takeovers = takeovers(areas)
        self._parts = load_queries("explain_part")

    def cell(self, measure: Measure, cell: Cell) -> Cell:
        """Return the cell with the reports that are carried to its last day, and those that were on its earlier days.

        A unit that has ended keeps what stood in it at its end.
        """
        last = min(cell.last, cell.area.valid_to - timedelta(days=1))
        units = self._units(measure, cell, last)
        heirs = [one for one in self._takeovers if one.origin_id in units and one.since <= last]
        found: dict[int, list[HeldReports]] = {}
        for held in self._held(measure, sorted({*units, *(one.area_id for one in heirs)}), last):
            found.setdefault(held.area_id, []).append(held)
        carried: list[Carried] = []
        silent: list[int] = []
        for unit in units:
            replaced = min(
                (
                    max(held.begun, one.since)
                    for one in heirs
                    if one.origin_id == unit
                    for held in found.get(one.area_id, ())
                    if held.until > one.since
                ),
                default=_ENDLESS,
            )
            rows = found.get(unit, [])
            if not rows and replaced > last:
                silent.append(unit)
            carried += [_carried(held, rows, replaced) for held in rows]
        return replace(cell, last=last, carried=tuple(carried), silent=tuple(silent))

    def _units(self, measure: Measure, cell: Cell, last: date) -> list[int]:
        """Return the areas whose reports are part of the cell."""
        if measure.local:
            return [cell.area.area_id]
        return sorted(
            {one.origin_id for one in self._carry_overs if one.area_id == cell.area.area_id and one.since <= last}
        )

    def _held(self, measure: Measure, areas: Sequence[int], last: date) -> list[HeldReports]:
        statement = sql.SQL(self._parts["held_reports"]).format(
            at=sql.Identifier(measure.at),
            until=sql.Identifier(measure.until),
            amount=contribution(measure),
            table=sql.Identifier(self._feeds[measure.feed].table),
            areas=sql.Literal(list(areas)),
            last=sql.Literal(last),
            condition=expression(measure.condition),
        )
        return self._connection.cursor(row_factory=class_row(HeldReports)).execute(statement, {}).fetchall()


def _carried(held: HeldReports, rows: Sequence[HeldReports], replaced: date) -> Carried:
    """Return until when a report is carried: until the next of its area, or one of those that took over its ground."""
    if any(other.begun <= held.until < other.until for other in rows):
        following = held.until
    else:
        following = min((other.begun for other in rows if other.begun > held.until), default=_ENDLESS)
    return Carried(held.area_id, held.begun, held.until, max(held.until, min(following, replaced)), held.amount)
