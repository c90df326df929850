"""A figure's place, and which records count in it: the conditions are those of the roll-up, told in SQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ioc.catalogue import Measure
from ioc.errors import QuestionError
from ioc.period import PERIODS, end_of, start_of
from ioc.territory.area import FOREVER, Area, AreaTree
from ioc.territory.placement import ALWAYS, places, standings


@dataclass(frozen=True)
class Cell:
    """An area, itself and everything below it in `units`, and a period."""

    area: Area
    period: str
    start: date
    end: date
    units: tuple[int, ...]


class CellFinder:
    """Finds cells in an area tree, and the records that count in them."""

    def __init__(self, areas: AreaTree) -> None:
        self._areas = areas
        self._places = places(areas)
        self._standings = standings(areas)

    def find(self, area_code: str, period: str, on: date) -> Cell:
        """Return the place of a figure; raises QuestionError for an unknown area or period."""
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
        return Cell(area, period, start, end_of(period, start), tuple(units))

    def counting(self, measure: Measure, cell: Cell, *, running: bool) -> str:
        """Return the condition under which a record counts in a cell: in the period, or standing at its end."""
        last = f"{measure.at} <= DATE '{cell.end}'"
        if not running:
            days = f"{measure.at} >= DATE '{cell.start}' AND {last}{_chunks(measure.at, cell)}"
            return f"{self._within(cell, measure, cell.start, cell.units)} AND {days}"
        until = measure.until
        standing = f" AND ({until} IS NULL OR {until} > DATE '{cell.end}')" if until else ""
        origins = tuple(
            one.origin_id for one in self._standings if one.area_id == cell.area.area_id and one.since <= cell.end
        )
        return f"{self._within(cell, measure, ALWAYS, origins)} AND {last}{standing}"

    def lying(self, cell: Cell) -> str:
        """Return the condition under which a record has its business date in the period, and lies in the area."""
        measure = Measure("", "sum", "1")
        return self.counting(measure, cell, running=False)

    def _within(self, cell: Cell, measure: Measure, first: date, units: tuple[int, ...]) -> str:
        """Return the condition that what a record adds on its day is placed in one of the units."""
        if measure.local:
            return f"area_id = {cell.area.area_id}"
        wanted = set(units)
        always: list[int] = []
        parts: list[str] = []
        for place in self._places:
            if place.place_id not in wanted or place.until <= first or place.since > cell.end:
                continue
            bounds = [f"{measure.at} >= DATE '{place.since}'"] if place.since != ALWAYS else []
            bounds += [f"{measure.at} < DATE '{place.until}'"] if place.until != FOREVER else []
            if place.since <= first and place.until > cell.end:
                always.append(place.area_id)
            else:
                parts.append(" AND ".join([f"area_id = {place.area_id}", *bounds]))
        ids = ", ".join(map(str, always))
        return "(" + " OR ".join([f"area_id = ANY(ARRAY[{ids}]::integer[])", *(f"({part})" for part in parts)]) + ")"


def _chunks(column: str, cell: Cell) -> str:
    """Return the bounds that let PostgreSQL read only the chunks of the period; a day's margin for time zones."""
    if column != "effective_on":
        return ""
    return f" AND effective_at >= DATE '{cell.start}' - 1 AND effective_at < DATE '{cell.end}' + 2"
