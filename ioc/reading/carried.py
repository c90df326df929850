"""Reports are carried forward until the next report: of which day a figure is, and whether it is stale by now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import psycopg
from psycopg.rows import class_row

from ioc.catalogue import StoredMeasure
from ioc.catalogue.indicator import REPORT_PERIODS
from ioc.period import end_of
from sql import load_queries


@dataclass(frozen=True)
class _CarriedRow:
    """One row of `select_carried`."""

    area_id: int
    day: date
    until: date
    parts: int
    areas: int


@dataclass(frozen=True)
class CarriedFigure:
    """A reported figure that is carried on, or of which a part is.

    until: the last day of the oldest report in it.
    stale: whether a whole period of its cadence has passed since without a report.
    parts: of how many of the `areas` that report for themselves the last report is of an earlier period.
    """

    until: date
    stale: bool
    parts: int = 1
    areas: int = 1

    @property
    def note(self) -> str:
        """The same in a sentence."""
        vi = f"số báo cáo của kỳ đến {self.until:%d/%m/%Y}" + (", đã cũ: chưa có báo cáo mới" if self.stale else "")
        en = f"as reported until {self.until}" + (", stale: no report since" if self.stale else "")
        if self.areas > 1:
            vi = f"gồm số kỳ trước của {self.parts}/{self.areas} nơi chưa báo cáo lại, cũ nhất là {vi}"
            en = f"with what {self.parts} of {self.areas} areas reported for earlier periods, the oldest {en}"
        return f"{vi} · {en}"


def is_stale(until: date, day: date, cadence: str) -> bool:
    """Return whether a report in force until one day is stale on another: the period after it has passed, too.

    >>> [is_stale(date(2024, 3, 31), day, "quarterly") for day in (date(2024, 6, 29), date(2024, 6, 30))]
    [False, True]
    """
    following = date.fromordinal(until.toordinal() + 1)
    return day >= end_of(REPORT_PERIODS[cadence], following)


def carried_figures(
    connection: psycopg.Connection,
    feed_id: int,
    reports: StoredMeasure,
    cadence: str,
    cells: Iterable[tuple[int, date]],
) -> Mapping[tuple[int, date], CarriedFigure]:
    """Return by area and day what is carried on that day; what is reported of the day itself is left out.

    reports: the measure that counts the reports of the indicator.
    """
    asked = sorted(set(cells))
    rows = connection.cursor(row_factory=class_row(_CarriedRow)).execute(
        load_queries("series")["select_carried"],
        {
            "feed_id": feed_id,
            "slot": reports.slot,
            "local": reports.measure.local,
            "areas": [area_id for area_id, _ in asked],
            "days": [day for _, day in asked],
        },
    )
    return {
        (row.area_id, row.day): CarriedFigure(row.until, is_stale(row.until, row.day, cadence), row.parts, row.areas)
        for row in rows
    }
