"""Figures over the territories of units of any date: sums of all units that lie in them, then the figure, anew.

Counts are summed up over the cells of units of all times (`ioc.territory.crosswalk`), members of distincts are
counted over their union, ratios and formulas are evaluated from these; never is a figure averaged or divided. What
only partly contained units counted makes a figure unknown. Which buckets have figures, and where the last one ends,
is as in the roll-up: a unit that always was what it is has the figures that are stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

import polars as pl
import psycopg
from psycopg.rows import class_row

from ioc.catalogue import Compiled, IndicatorPlan
from ioc.catalogue.figure import figure_expr
from ioc.catalogue.opening import OpenDays, OpenPeriods
from ioc.catalogue.plan import DistinctCount, Reported, ReportedMean
from ioc.catalogue.sector import part_of
from ioc.catalogue.step import Amount, How, Step, TimeSpan, amounts_of, days_column, reference_column, unfold
from ioc.catalogue.store import load_measures
from ioc.feeds.feed import Feed
from ioc.period import start_of
from ioc.province.expected import ExpectedReports
from ioc.province.reporter import Reporter
from ioc.reading.past import PastFigures
from ioc.reading.territory_sum import Days, Spans, SumReader, SumsByUnit, TerritoryBucket
from ioc.territory.area import Area, AreaTree
from ioc.territory.crosswalk import Crosswalk
from sql import load_queries

_NAMED = 2  # units that a note names


@dataclass(frozen=True)
class Figure:
    """A figure, or why there is none; if both are missing, no report has come or the divisor is 0."""

    value: float | None = None
    note: str | None = None


class Restatement:
    """Computes the figures of one catalogue over one read-only connection."""

    def __init__(
        self,
        connection: psycopg.Connection,
        compiled: Compiled,
        feeds: Mapping[str, Feed],
        areas: AreaTree,
        *,
        past: PastFigures | None = None,
    ) -> None:
        """
        past: gives the sums of a past moment, within `ioc.reading.past.past`; None for those of now.
        """
        self._past = past
        self._connection = connection
        self._plans = compiled.plans
        self._compiled = compiled
        self._feeds = feeds
        self._areas = areas
        self._crosswalk = Crosswalk(areas)
        self._queries = load_queries("series")
        self._reader = SumReader(connection, load_measures(connection), feeds, areas)

    def figures(
        self, code: str, sector: str, period: str, buckets: Sequence[date], units: Sequence[Area]
    ) -> dict[tuple[int, date], Figure]:
        """Return the figures by unit (`area_id`) and bucket; a bucket without any report is left out.

        Raises ConfigError where the catalogue counts what the database does not.
        """
        if self._past is None:
            return self._figures(code, sector, period, buckets, units)
        territories = [self._crosswalk.territory(unit.area_id) for unit in units]
        touched = {a for one in territories for a in (*one.whole, *one.same, *one.partly)}
        touched |= {below.area_id for area_id in touched for below in self._areas.children(area_id)}
        partly = any(one.partly for one in territories)
        with self._past.sums([code], sector, period, buckets, touched, every=partly):
            return self._figures(code, sector, period, buckets, units)

    def _figures(
        self, code: str, sector: str, period: str, buckets: Sequence[date], units: Sequence[Area]
    ) -> dict[tuple[int, date], Figure]:
        opened = self._opened(sector)
        shown = [day for day in buckets if opened.holds(period, day)]
        if not shown:
            return {}
        steps = unfold(self._plans, [code])
        spans = _spans(opened, period, shown)
        territories = [self._crosswalk.territory(unit.area_id) for unit in units]
        cells = [TerritoryBucket(one, day) for one in territories for day in shown]
        frame = pl.DataFrame({"period": [period] * len(cells)}).with_columns(
            pl.Series(days_column(span), [_length(days[cell.bucket]) for cell in cells])
            for span, days in spans.days.items()
        )
        notes: dict[int, str] = {}
        read: dict[tuple[str, How, TimeSpan], SumsByUnit] = {}
        amounts = sorted({amount for step in steps for amount in amounts_of(step, self._plans)}, key=_group)
        touched = {a for one in territories for a in (*one.whole, *one.same, *one.partly)}
        for key, group in groupby(amounts, _group):
            measures = [amount.measure for amount in group]
            read[key] = self._reader.read(*key, measures, spans, touched)
            frame = frame.with_columns(
                self._reader.column(read[key], measure, cells, spans).alias(Amount(measure, *key[1:]).column)
                for measure in measures
            )
        for step in steps:
            for key in {_group(amount) for amount in amounts_of(step, self._plans)}:
                self._doubt(step.plan, read[key], cells, spans, notes)
            frame = self._with_references(frame, step, sector, period, cells, spans, notes)
            frame = frame.with_columns(figure_expr(step, self._plans).cast(pl.Float64).alias(step.column))
        return {
            (cell.territory.unit.area_id, cell.bucket): Figure(note=notes[at]) if at in notes else Figure(value)
            for at, (cell, value) in enumerate(zip(cells, frame[code].to_list(), strict=True))
        }

    def _opened(self, sector: str) -> OpenPeriods:
        slots: dict[str, int] = dict(
            self._connection.execute(self._queries["select_sector_slots"], [sector]).fetchall()
        )
        part = part_of({code: slot for code, slot in slots.items() if code in self._plans}, self._compiled)
        return OpenDays(self._connection).periods(part.opening, carries=bool(part.stocks))

    # ------------------------------------------------------------------------------------------ beyond sums
    def _with_references(
        self,
        frame: pl.DataFrame,
        step: Step,
        sector: str,
        period: str,
        cells: Sequence[TerritoryBucket],
        spans: Spans,
        notes: dict[int, str],
    ) -> pl.DataFrame:
        """Add the reports that were due, and the extremes of the figures of single days."""
        for one in step.references:
            days = spans.days[step.span]
            if one.function == "expected":
                column = self._expected(self._feeds[one.name], cells, days)
            elif one.function in ("max", "min"):
                column = self._extreme(one.name, one.function, sector, cells, days, notes)
            else:
                continue
            frame = frame.with_columns(column.alias(reference_column(one, step.span)))
        return frame

    def _expected(self, feed: Feed, cells: Sequence[TerritoryBucket], days: Mapping[date, Days]) -> pl.Series:
        cursor = self._connection.cursor(row_factory=class_row(Reporter))
        reporters = cursor.execute(self._queries["select_reporters"], [feed.key]).fetchall()
        rows = [(at, area, *days[cell.bucket]) for at, cell in enumerate(cells) for area in cell.territory.whole]
        schema = {"at": pl.Int64(), "area_id": pl.Int32(), "first": pl.Date(), "last": pl.Date()}
        spans = pl.DataFrame(rows, schema=schema, orient="row")
        owed = spans.with_columns(ExpectedReports(feed, reporters, self._areas).count(spans).alias("owed"))
        found = dict(owed.group_by("at").agg(pl.col("owed").sum()).iter_rows())
        return pl.Series([found.get(at, 0) for at in range(len(cells))], dtype=pl.Float64)

    def _extreme(
        self,
        code: str,
        function: str,
        sector: str,
        cells: Sequence[TerritoryBucket],
        days: Mapping[date, Days],
        notes: dict[int, str],
    ) -> pl.Series:
        first, last = min(days.values())[0], max(last for _, last in days.values())
        single = [first + timedelta(days=index) for index in range((last - first).days + 1)]
        units = list({cell.territory.unit.area_id: cell.territory.unit for cell in cells}.values())
        found = self._figures(code, sector, "day", single, units)
        choose = max if function == "max" else min
        values: list[float | None] = []
        for index, cell in enumerate(cells):
            begin, end = days[cell.bucket]
            unit_id = cell.territory.unit.area_id
            within = [found.get((unit_id, day), Figure()) for day in single if begin <= day <= end]
            unknown = next((figure.note for figure in within if figure.note), None)
            if unknown is not None:
                notes.setdefault(index, unknown)
            values.append(choose((one.value for one in within if one.value is not None), default=None))
        return pl.Series(values, dtype=pl.Float64)

    # ------------------------------------------------------------------------------------------ what cannot be known
    def _doubt(
        self,
        plan: IndicatorPlan,
        sums: SumsByUnit,
        cells: Sequence[TerritoryBucket],
        spans: Spans,
        notes: dict[int, str],
    ) -> None:
        """Note the cells whose figure cannot be known."""
        for index, cell in enumerate(cells):
            if index in notes:
                continue
            if isinstance(plan, ReportedMean):
                if not self._was_reported(plan, sums, cell, spans):
                    notes[index] = _NOT_THE_SAME
            elif unknown := [a for a in cell.territory.partly if self._has_counted(plan, sums, a, cell.bucket)]:
                notes[index] = _partly([self._areas[area_id] for area_id in unknown])

    def _was_reported(self, plan: Reported, sums: SumsByUnit, cell: TerritoryBucket, spans: Spans) -> bool:
        """Return whether a number that holds for the area that reported it is there, or could have been."""
        at, last = sums.at(plan.reports), spans.last(sums.span, cell.bucket)
        same = [area_id for area_id in cell.territory.same if self._areas[area_id].valid_to > cell.bucket]
        return any(self._areas[a].holds(last) or sums.of(a, cell.bucket, at) for a in same)

    def _has_counted(self, plan: IndicatorPlan, sums: SumsByUnit, area_id: int, bucket: date) -> bool:
        """Return whether an area has counted anything of its own that may belong to a figure."""
        match plan:
            case Reported(reports=reports):
                return sums.own(area_id, bucket, sums.at(reports), self._areas) != 0
            case DistinctCount(members=members):
                return sums.of(area_id, bucket, sums.at(members)) != 0
        if self._areas.is_leaf(self._areas[area_id]):
            return (area_id, bucket) in sums.sums  # sums of signed amounts may be 0 although their parts are not
        return sums.feed.any_level and any(
            sums.own(area_id, bucket, at, self._areas) for at in range(len(sums.measures))
        )


def _spans(opened: OpenPeriods, period: str, buckets: Sequence[date]) -> Spans:
    """Return the spans of buckets: the period, the year up to its end, and the whole year that it ends in."""
    own = {bucket: (bucket, opened.end(period, bucket)) for bucket in buckets}
    to_date = {bucket: (start_of("year", last), last) for bucket, (_, last) in own.items()}
    year = {bucket: (first, opened.end("year", first)) for bucket, (first, _) in to_date.items()}
    return Spans(period, {"period": own, "ytd": to_date, "year": year})


def _length(days: Days) -> int:
    return max((days[1] - days[0]).days + 1, 1)


def _group(amount: Amount) -> tuple[str, How, TimeSpan]:
    return amount.measure.feed, amount.how, amount.span


_NOT_THE_SAME = (
    "số do cơ quan báo cáo chỉ đúng với địa giới đã báo cáo; khi đó không có đơn vị nào cùng địa giới · a reported "
    "ratio or score holds for the very territory it was reported for; no unit had this territory then"
)


def _partly(areas: Sequence[Area]) -> str:
    more = ", …" if len(areas) > _NAMED else ""
    vi, en = (", ".join(names[:_NAMED]) + more for names in zip(*map(_names, areas), strict=True))
    return (
        f"không biết được: {vi} chỉ nằm một phần trong đơn vị này, số đã đếm không tách ra được · cannot be known: "
        f"{en} lies only partly in this unit, and what was counted there cannot be divided"
    )


def _names(area: Area) -> tuple[str, str]:
    return f"{area.name_vi} (từ {area.valid_from})", f"{area.name_en} (from {area.valid_from})"
