"""Where an explanation takes figures from: as they are stored, or as they were at a past moment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

import psycopg
from psycopg.rows import class_row

from ioc.catalogue import Compiled
from ioc.reading.explanation.cell import Cell
from ioc.reading.past import PastFigures
from sql import load_queries


@dataclass(frozen=True)
class _StoredFigure:
    """One row of `select_value`."""

    value: float
    updated_at: datetime


@dataclass(frozen=True)
class _DayExtremes:
    """The row of `select_extreme_days`."""

    least: float | None
    most: float | None


class FigureSource(Protocol):
    """Gives figures of a cell."""

    def of(self, code: str, cell: Cell) -> float | None: ...
    def updated_at(self, code: str, cell: Cell) -> datetime | None: ...
    def extreme(self, code: str, function: str, cell: Cell) -> float | None:
        """Return the highest (`max`) or lowest (`min`) of the figures of the days of a cell."""


class StoredFigures:
    """Figures as the roll-up has stored them."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._queries = load_queries("explain")

    def of(self, code: str, cell: Cell) -> float | None:
        """Return a figure, None where there is none."""
        row = self._row(code, cell)
        return None if row is None else row.value

    def updated_at(self, code: str, cell: Cell) -> datetime | None:
        """Return when the figures of the cell last changed."""
        row = self._row(code, cell)
        return None if row is None else row.updated_at

    def _row(self, code: str, cell: Cell) -> _StoredFigure | None:
        cell_key = {"area_id": cell.area.area_id, "period": cell.period, "bucket": cell.start}
        cursor = self._connection.cursor(row_factory=class_row(_StoredFigure))
        return cursor.execute(self._queries["select_value"], {"code": code, **cell_key}).fetchone()

    def extreme(self, code: str, function: str, cell: Cell) -> float | None:
        """Return the highest or lowest figure of a day."""
        cursor = self._connection.cursor(row_factory=class_row(_DayExtremes))
        asked = {"code": code, "area_id": cell.area.area_id, "first": cell.start, "last": cell.last}
        row = cursor.execute(self._queries["select_extreme_days"], asked).fetchone()
        return None if row is None else (row.most if function == "max" else row.least)


class PastSource:
    """Figures of a past moment, of an indicator and all that it is computed from, computed together."""

    def __init__(self, figures: PastFigures, compiled: Compiled, code: str, sector: str) -> None:
        self._figures = figures
        self._codes = [one for one in compiled.plans if one in compiled.closure(code)]
        self._sector = sector
        self._known: dict[tuple[int, str, date], dict[str, float]] = {}

    def of(self, code: str, cell: Cell) -> float | None:
        """Return a figure, None where there was none."""
        cell_key = (cell.area.area_id, cell.period, cell.start)
        if cell_key not in self._known:
            found = self._figures.read(self._codes, self._sector, cell.period, [cell.start], [cell.area])
            self._known[cell_key] = {one: value for (one, _, _), value in found.items()}
        return self._known[cell_key].get(code)

    def updated_at(self, code: str, cell: Cell) -> datetime | None:
        """Return nothing: when a figure last changed before a moment is not kept."""
        return None

    def extreme(self, code: str, function: str, cell: Cell) -> float | None:
        """Return the highest or lowest figure of a day."""
        found = self._figures.read([code], self._sector, "day", list(_days(cell)), [cell.area])
        choose = max if function == "max" else min
        return choose(found.values(), default=None)


def _days(cell: Cell) -> Iterable[date]:
    return (cell.start + timedelta(days=at) for at in range((cell.last - cell.start).days + 1))
