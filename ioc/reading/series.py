"""Series of an indicator's figures: as they were stored, each area as it was, or in the units of any date.

In the units of a date every unit that existed then has a figure of every bucket over the very same territory, whatever
units there were: counts through the crosswalk, ratios from re-summed counts, distincts over the union of their
members. What cannot be known has no value and says why.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

import psycopg
from psycopg.rows import dict_row
from pydantic import BaseModel, ConfigDict

from ioc.catalogue import Compiled
from ioc.catalogue.opening import OpenDays
from ioc.catalogue.plan import Reported
from ioc.catalogue.store import load_measures
from ioc.errors import ConfigError, QuestionError
from ioc.feeds.feed import Feed
from ioc.period import PERIODS, end_of, start_of
from ioc.reading.approved import ApprovalNote, Approved, approvals_of
from ioc.reading.carried import CarriedFigure, carried_figures
from ioc.reading.past import PastFigures, PastMoment
from ioc.reading.restatement import Figure, Restatement
from ioc.reading.small_cell import SUPPRESSED_NOTE, hidden_cells, small_cell_plan
from ioc.territory.area import LEVELS, Area, AreaTree
from sql import load_queries

MAX_POINTS = 20_000


class Point(BaseModel):
    """A figure of one bucket; without a value, `note` says why it cannot be known; no note: no report has come.

    until:    of a level that agencies report and that is carried on, the last day on which a report stood.
    stale:    whether it is carried longer than its cadence allows.
    approval: whether somebody has signed the period off, and it is what was signed, or was revised since.
    suppressed: there is a figure, and readers do not see it: a small count of persons, or what would give one away.
    """

    model_config = ConfigDict(frozen=True)

    bucket: date
    value: float | None
    note: str | None = None
    until: date | None = None
    stale: bool = False
    approval: Approved | None = None
    suppressed: bool = False


class AreaSeries(BaseModel):
    """The figures of one area, by bucket."""

    model_config = ConfigDict(frozen=True)

    area_id: int
    area_code: str
    name_vi: str
    name_en: str
    level: str
    points: tuple[Point, ...]


class Series(BaseModel):
    """Figures of an indicator; `first` and `last` are the first days of the first and last bucket.

    as_of: the moment at which they were so; None for now.
    """

    model_config = ConfigDict(frozen=True)

    code: str
    version: int
    name_vi: str
    name_en: str
    unit: str
    kind: str
    period: str
    first: date
    last: date
    units_on: date | None
    as_of: datetime | None = None
    areas: tuple[AreaSeries, ...]


class SeriesReader:
    """Reads series over one read-only connection; `compiled` says which definitions hold.

    moment: as of which figures are read; the connection is within `ioc.reading.past.past` then.
    """

    def __init__(
        self,
        connection: psycopg.Connection,
        compiled: Compiled,
        feeds: Mapping[str, Feed],
        areas: AreaTree,
        *,
        moment: PastMoment | None = None,
    ) -> None:
        self._moment = moment
        self._connection = connection
        self._compiled = compiled
        self._feeds = feeds
        self._areas = areas
        self._queries = load_queries("series")

    def read(
        self,
        code: str,
        *,
        period: str,
        first: date,
        last: date,
        area_code: str | None = None,
        level: str | None = None,
        units_on: date | None = None,
    ) -> Series:
        """Return the buckets from the one that holds `first` to the one that holds `last`.

        area_code, level: one area (every unit that bore the code meanwhile), or all areas of a level.
        units_on:         the day whose units are shown; without it each area is shown as it was, for the buckets in
                          which it existed (and for others in which something of it still counted).

        Raises QuestionError, saying what to ask instead, for what does not exist and for more than `MAX_POINTS` points.
        """
        indicator = self._indicator(code)
        buckets = _buckets(period, first, last)
        if (area_code is None) == (level is None):
            raise QuestionError(
                "name an area by its code or a level, one of the two",
                "hãy nêu mã một địa bàn hoặc một cấp hành chính, chỉ một trong hai",
            )
        if level is not None and level not in LEVELS:
            raise QuestionError(
                f"no level is named {level!r}; there are {', '.join(LEVELS)}",
                f"không có cấp {level!r}; các cấp là {', '.join(LEVELS)}",
            )
        if units_on is None:
            end = end_of(period, buckets[-1])
            units = self._bearing(area_code, level, buckets[0], end)
            wanted = {
                unit.area_id: [day for day in buckets if _exists(unit, day, end_of(period, day))] for unit in units
            }
        else:
            units = self._existing(area_code, level, units_on)
            wanted = {unit.area_id: buckets for unit in units}
        _check_size(sum(map(len, wanted.values())), len(units), len(buckets))
        if units_on is not None:
            figures = self._restated(code, indicator["sector"], period, buckets, units)
        elif self._moment is not None:
            figures = self._past(code, indicator["sector"], period, buckets, units)
        else:
            figures = self._stored(code, period, buckets, units)
        carried = self._carried(code, period, figures) if self._moment is None else {}
        hidden = self._hidden_cells(indicator, period, buckets, figures, units_on)
        for cell in hidden:
            figures[cell] = Figure(None, SUPPRESSED_NOTE)
            carried.pop(cell, None)
        values = {cell: figure.value for cell, figure in figures.items()}
        notes: dict[tuple[int, date], ApprovalNote] = {}
        if units_on is None and self._moment is None:  # what was signed are figures of units as they were
            ids = [unit.area_id for unit in units]
            notes = approvals_of(self._connection, code, indicator["sector"], period, buckets, ids, values)
        by_area: defaultdict[int, dict[date, Figure]] = defaultdict(dict)
        for (area_id, bucket), figure in figures.items():
            by_area[area_id][bucket] = figure
        return Series(
            **{name: indicator[name] for name in ("code", "version", "name_vi", "name_en", "unit", "kind")},
            period=period,
            first=buckets[0],
            last=buckets[-1],
            units_on=units_on,
            as_of=self._moment.at if self._moment else None,
            areas=tuple(
                _area_series(unit, wanted[unit.area_id], by_area[unit.area_id], notes, carried, hidden)
                for unit in units
            ),
        )

    @cached_property
    def _restatement(self) -> Restatement:
        past = self._past_figures if self._moment is not None else None
        return Restatement(self._connection, self._compiled, self._feeds, self._areas, past=past)

    @cached_property
    def _past_figures(self) -> PastFigures:
        return PastFigures(self._connection, self._compiled, self._feeds)

    def _indicator(self, code: str) -> dict[str, Any]:
        cursor = self._connection.cursor(row_factory=dict_row)
        row = cursor.execute(self._queries["select_indicator"], [code]).fetchone()
        if row is None:
            raise QuestionError(
                f"no indicator has the code {code!r}; `ioc indicator list --search` finds them",
                f"không có chỉ tiêu nào mang mã {code!r}; tìm bằng `ioc indicator list --search`",
            )
        return row

    def _bearing(self, area_code: str | None, level: str | None, first: date, last: date) -> list[Area]:
        """Return the units of a code or level that existed at any time between two days."""
        units = [
            area
            for area in self._areas.areas
            if (area.code == area_code or area.level == level) and _exists(area, first, last)
        ]
        if not units:
            told = f"area bears the code {area_code!r}" if level is None else f"area of level {level} exists"
            raise QuestionError(
                f"no {told} between {first} and {last}; areas.csv lists them with their dates",
                f"không có {_told_vi(area_code, level)} từ {first:%d/%m/%Y} đến {last:%d/%m/%Y}; areas.csv ghi mã và "
                "thời hạn",
            )
        return sorted(units, key=lambda area: (area.code, area.valid_from))

    def _existing(self, area_code: str | None, level: str | None, on: date) -> list[Area]:
        """Return the units of a code or level that exist on a day."""
        units = [area for area in self._areas.at(on) if area.code == area_code or area.level == level]
        if not units:
            ever = [area for area in self._areas.areas if area.code == area_code or area.level == level]
            told = f"area bears the code {area_code!r}" if level is None else f"area of level {level} exists"
            raise QuestionError(
                f"no {told} on {on}{_when(ever)}; choose another day for the units, or another area",
                f"không có {_told_vi(area_code, level)} vào ngày {on:%d/%m/%Y}; hãy chọn ngày khác hoặc địa bàn khác",
            )
        return sorted(units, key=lambda area: area.code)

    def _stored(
        self, code: str, period: str, buckets: Sequence[date], units: Iterable[Area]
    ) -> dict[tuple[int, date], Figure]:
        rows = (
            self._connection.cursor(row_factory=dict_row)
            .execute(
                self._queries["select_stored"],
                {
                    "code": code,
                    "period": period,
                    "areas": [unit.area_id for unit in units],
                    "first": buckets[0],
                    "last": buckets[-1],
                },
            )
            .fetchall()
        )
        return {
            (row["area_id"], row["bucket"]): Figure(row["value"], SUPPRESSED_NOTE if row["hidden"] else None)
            for row in rows
        }

    def _hidden_cells(
        self,
        indicator: Mapping[str, Any],
        period: str,
        buckets: Sequence[date],
        figures: Mapping[tuple[int, date], Figure],
        units_on: date | None,
    ) -> frozenset[tuple[int, date]]:
        """Return the cells whose figure readers do not see.

        What is stored was decided of when it changed. Figures of the past and those in the units of another date are
        computed for this answer, so that it is decided now, from all units and all figures that could give one away.
        """
        if self._moment is None and units_on is None:
            return frozenset(cell for cell, figure in figures.items() if figure.note == SUPPRESSED_NOTE)
        plan = small_cell_plan(self._connection, indicator["sector"], self._compiled)
        code = indicator["code"]
        if plan is None or code not in plan.codes:
            return frozenset()
        related = plan.of(plan.related(code))
        units = list(self._areas.at(units_on) if units_on is not None else self._areas.areas)
        if units_on is None:
            told = self._past_figures.read(related.codes, indicator["sector"], period, buckets, units)
            return hidden_cells(told, code, buckets, units, related)
        found: dict[tuple[str, int, date], float] = {}
        for one in related.codes:
            anew = self._restated(one, indicator["sector"], period, buckets, units)
            found.update({(one, *cell): figure.value for cell, figure in anew.items() if figure.value is not None})
        return hidden_cells(found, code, buckets, units, related)

    def _carried(
        self, code: str, period: str, figures: Mapping[tuple[int, date], Figure]
    ) -> dict[tuple[int, date], CarriedFigure]:
        """Return what of a reported level is carried on from a report of an earlier day, by area and bucket."""
        plan = self._compiled.plans.get(code)
        if not isinstance(plan, Reported) or not plan.running:
            return {}
        last = OpenDays(self._connection).last() or date.max
        days = {cell: min(end_of(period, cell[1]), last) for cell, one in figures.items() if one.value is not None}
        stored = next(one for one in load_measures(self._connection) if one.measure == plan.reports)
        feed_ids: dict[str, int] = dict(self._connection.execute(load_queries("profile")["select_feed_ids"]).fetchall())
        cadence = self._indicator(code)["cadence"]
        asked = [(area_id, day) for (area_id, _), day in days.items()]
        found = carried_figures(self._connection, feed_ids[plan.reports.feed], stored, cadence, asked)
        return {cell: found[cell[0], day] for cell, day in days.items() if (cell[0], day) in found}

    def _past(
        self, code: str, sector: str, period: str, buckets: Sequence[date], units: Sequence[Area]
    ) -> dict[tuple[int, date], Figure]:
        found = self._past_figures.read([code], sector, period, buckets, units)
        return {(area_id, bucket): Figure(value) for (_, area_id, bucket), value in found.items()}

    def _restated(
        self, code: str, sector: str, period: str, buckets: Sequence[date], units: Sequence[Area]
    ) -> dict[tuple[int, date], Figure]:
        if code not in self._compiled.plans:
            raise ConfigError(f"the catalogue given has no row {code!r}; load it as it is (`ioc profile load`)")
        return self._restatement.figures(code, sector, period, buckets, units)


def _buckets(period: str, first: date, last: date) -> list[date]:
    """Return the first days of the periods from one day to another."""
    if period not in PERIODS:
        raise QuestionError(
            f"no period is named {period!r}; there are {', '.join(PERIODS)}",
            f"không có kỳ {period!r}; các kỳ là {', '.join(PERIODS)}",
        )
    if last < first:
        raise QuestionError(
            f"the series ends on {last}, before it begins on {first}; exchange the two",
            f"chuỗi kết thúc ngày {last:%d/%m/%Y}, trước ngày bắt đầu {first:%d/%m/%Y}; hãy đổi chỗ hai ngày",
        )
    if last.year == date.max.year:
        raise QuestionError(
            f"the series ends on {last}; name a day before {date.max.year}-01-01",
            f"ngày kết thúc phải trước 01/01/{date.max.year}",
        )
    buckets = [start_of(period, first)]
    while (following := end_of(period, buckets[-1]) + timedelta(days=1)) <= last:
        if len(buckets) == MAX_POINTS:
            _check_size(len(buckets) + 1, 1, len(buckets) + 1)
        buckets.append(following)
    return buckets


def _check_size(points: int, areas: int, buckets: int) -> None:
    if points > MAX_POINTS:
        raise QuestionError(
            f"{areas:,} areas and {buckets:,} buckets or more make over {MAX_POINTS:,} points; ask for fewer days, a "
            "longer period, or one area",
            f"{areas:,} địa bàn và ít nhất {buckets:,} kỳ cho hơn {MAX_POINTS:,} điểm; hãy hỏi ít ngày hơn, kỳ dài "
            "hơn, hoặc một địa bàn",
        )


def _told_vi(area_code: str | None, level: str | None) -> str:
    return f"địa bàn nào mang mã {area_code!r}" if level is None else f"địa bàn nào ở cấp {level}"


def _exists(area: Area, first: date, last: date) -> bool:
    return area.valid_from <= last and area.valid_to > first


def _when(areas: Sequence[Area]) -> str:
    """Return when there were such units, as the end of a sentence."""
    if not areas:
        return ""
    begin = min(area.valid_from for area in areas)
    end = max(area.valid_to for area in areas)
    last = f" to {end - timedelta(days=1)}" if end != date.max else ""
    return f" (there were some from {begin}{last})"


def _area_series(
    unit: Area,
    wanted: Iterable[date],
    figures: Mapping[date, Figure],
    notes: Mapping[tuple[int, date], ApprovalNote],
    carried: Mapping[tuple[int, date], CarriedFigure],
    hidden: Collection[tuple[int, date]],
) -> AreaSeries:
    points = []
    for day in sorted({*wanted, *figures}):
        figure = figures.get(day, Figure())
        approval = notes.get((unit.area_id, day))
        status = approval.status if approval else None
        told = carried.get((unit.area_id, day))
        mark = {"until": told.until, "stale": told.stale, "note": told.note} if told else {"note": figure.note}
        suppressed = (unit.area_id, day) in hidden
        points.append(Point(bucket=day, value=figure.value, approval=status, suppressed=suppressed, **mark))
    return AreaSeries(
        area_id=unit.area_id,
        area_code=unit.code,
        name_vi=unit.name_vi,
        name_en=unit.name_en,
        level=unit.level,
        points=tuple(points),
    )
