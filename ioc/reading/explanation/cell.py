"""A figure's cell, and which records count in it: the conditions are those of the roll-up, in SQL."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from psycopg import sql

from ioc.catalogue import Measure
from ioc.catalogue.composition import joined
from ioc.catalogue.opening import OpenPeriods
from ioc.catalogue.step import How, TimeSpan
from ioc.errors import QuestionError
from ioc.period import PERIODS, end_of, start_of
from ioc.territory.area import FOREVER, Area, AreaTree
from ioc.territory.placement import ALWAYS, carry_overs, placements
from sql import load_queries


@dataclass(frozen=True)
class Carried:
    """Reports of one area for the days from `begun` until before `until`, carried until before `carried_until`.

    amount: what they add, in units of 10^-decimals.
    """

    area_id: int
    begun: date
    until: date
    carried_until: date
    amount: int


@dataclass(frozen=True)
class Cell:
    """An area, itself and everything below it in `units`, and the days from `start` to `end` of a period.

    last:    the last day that its figures speak of, where that is before `end`: nothing is known of what follows.
    carried: of a level that agencies report, the reports that are carried until a day of the cell or beyond.
    silent:  areas that have reported nothing of it yet.
    """

    area: Area
    period: str
    start: date
    end: date
    units: tuple[int, ...]
    last: date
    carried: tuple[Carried, ...] = ()
    silent: tuple[int, ...] = ()

    @property
    def days(self) -> int:
        """How many days its figures speak of."""
        return max((self.last - self.start).days + 1, 1)

    def known(self, opened: OpenPeriods) -> Cell:
        """Return the cell with the last day that is known of."""
        if not opened.holds(self.period, self.start):
            return self  # nothing of it has been folded yet: what the records say is all there is
        return replace(self, last=opened.end(self.period, self.start))

    def over(self, span: TimeSpan, opened: OpenPeriods) -> Cell:
        """Return the cell that a function of time means: the year so far, or the whole year that the period ends in."""
        if span == "period":
            return self
        start = start_of("year", self.last)
        known = opened.end("year", start) if opened.holds("year", start) else end_of("year", start)
        last = self.last if span == "ytd" else known
        return replace(self, start=start, end=max(self.end, last), last=last)


class CellFinder:
    """Finds cells in an area tree, and the records that count in them."""

    def __init__(self, areas: AreaTree) -> None:
        self._areas = areas
        self._placements = placements(areas)
        self._carry_overs = carry_overs(areas)

    def find(self, area_code: str, period: str, on: date) -> Cell:
        """Return the cell of a figure; raises QuestionError for an unknown area or period."""
        if period not in PERIODS:
            raise QuestionError(
                f"no period is named {period!r}; there are {', '.join(PERIODS)}",
                f"không có kỳ {period!r}; các kỳ là {', '.join(PERIODS)}",
            )
        area = self._areas.find(area_code, on)
        if area is None:
            raise QuestionError(
                f"no area bears the code {area_code!r} on {on}; areas.csv lists them with their dates",
                f"không có địa bàn nào mang mã {area_code!r} vào ngày {on:%d/%m/%Y}; areas.csv ghi mã và thời hạn",
            )
        start = start_of(period, on)
        units = (unit.area_id for unit in self._areas.areas if area.area_id in self._areas.chain(unit.area_id))
        end = end_of(period, start)
        return Cell(area, period, start, end, tuple(units), end)

    def counting(self, measure: Measure, cell: Cell, how: How) -> sql.Composable:
        """Return the condition under which a record counts in a cell.

        how: `total`, its day lies in the cell; `closing`, it is in the running total of the last day; `standing_days`,
             it is in that of some day; `carried` and `carried_days`, the cell (`CarryingReader.cell`) says it.
        """
        if how in ("carried", "carried_days"):
            return _carrying(measure, cell, since=cell.last if how == "carried" else cell.start)
        column = sql.Identifier(measure.at)
        bounds = {"at": column, "first": sql.Literal(cell.start), "last": sql.Literal(cell.last)}
        if how == "total":
            days = _part("on_business_days" if measure.at == "effective_on" else "on_days").format(**bounds)
            return _part("both").format(here=self._within(cell, measure, cell.start, cell.units), when=days)
        origins = tuple(
            one.origin_id for one in self._carry_overs if one.area_id == cell.area.area_id and one.since <= cell.last
        )
        until: sql.Composable = sql.SQL("")
        if measure.until:
            since = cell.start if how == "standing_days" else cell.last
            until = _part("until").format(until=sql.Identifier(measure.until), since=sql.Literal(since))
        days = _part("since").format(at=column, last=sql.Literal(cell.last), until=until)
        return _part("both").format(here=self._within(cell, measure, ALWAYS, origins), when=days)

    def lying(self, cell: Cell) -> sql.Composable:
        """Return the condition under which a record has its business date in the period, and lies in the area."""
        return self.counting(Measure("", "sum", "1"), replace(cell, last=cell.end), "total")

    def _within(self, cell: Cell, measure: Measure, first: date, units: tuple[int, ...]) -> sql.Composable:
        """Return the condition that what a record adds on its day is placed in one of the units."""
        if measure.local:
            return _part("in_area").format(area_id=sql.Literal(cell.area.area_id))
        wanted = set(units)
        column = sql.Identifier(measure.at)
        always: list[int] = []
        parts: list[sql.Composable] = []
        for placement in self._placements:
            if placement.unit_id not in wanted or placement.until <= first or placement.since > cell.end:
                continue
            if placement.since <= first and placement.until > cell.end:
                always.append(placement.area_id)
                continue
            conditions: list[sql.Composable] = [_part("in_area").format(area_id=sql.Literal(placement.area_id))]
            if placement.since != ALWAYS:
                conditions.append(_part("from_day").format(at=column, day=sql.Literal(placement.since)))
            if placement.until != FOREVER:
                conditions.append(_part("before_day").format(at=column, day=sql.Literal(placement.until)))
            parts.append(_part("all_of").format(conditions=joined(conditions, " AND ")))
        parts.append(_part("in_areas").format(area_ids=sql.Literal(always)))
        return _part("all_of").format(conditions=joined(parts, " OR "))


def _carrying(measure: Measure, cell: Cell, *, since: date) -> sql.Composable:
    """Return the condition that a report is carried on a day of the cell from `since` on.

    Later reports of the areas are let through: they may have come after the moment for which the cell was read.
    """
    upto: dict[int, date] = {}
    for one in cell.carried:
        if one.carried_until > since:
            upto[one.area_id] = min(one.until, upto.get(one.area_id, one.until))
    return _part("carrying").format(
        at=sql.Identifier(measure.at),
        last=sql.Literal(cell.last),
        until=sql.Identifier(measure.until),
        units=sql.Literal(list(upto)),
        upto=sql.Literal(list(upto.values())),
        silent=sql.Literal(list(cell.silent)),
    )


def carried_days(measure: Measure, cell: Cell) -> sql.Composable:
    """Return on how many days of the cell a report is carried."""
    return _part("carried_days").format(
        at=sql.Identifier(measure.at),
        until=sql.Identifier(measure.until),
        first=sql.Literal(cell.start),
        last=sql.Literal(cell.last),
        units=sql.Literal([one.area_id for one in cell.carried]),
        ends=sql.Literal([one.until for one in cell.carried]),
        carried=sql.Literal([one.carried_until for one in cell.carried]),
    )


def _part(name: str) -> sql.SQL:
    return sql.SQL(load_queries("explain_part")[name])
