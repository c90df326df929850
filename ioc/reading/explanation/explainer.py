"""What a figure is made of: its definition, the figures and records it is made of, and what was left out.

Everything is read from the database, through the read-only role; the records' contributions are computed
by PostgreSQL from the catalogue's expressions, not taken from what the agents stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from ioc.catalogue import Compiled
from ioc.catalogue.composition import joined
from ioc.catalogue.opening import OpenDays, OpenPeriods
from ioc.catalogue.plan import IndicatorPlan, Reported
from ioc.catalogue.sector import part_of
from ioc.catalogue.step import Step
from ioc.errors import QuestionError
from ioc.feeds.feed import Feed
from ioc.reading.approved import ApprovalNote, approvals_of
from ioc.reading.carried import is_stale
from ioc.reading.explanation.anatomy import Anatomy, fraction_in
from ioc.reading.explanation.carrying import CarryingReader
from ioc.reading.explanation.cell import Cell, CellFinder
from ioc.reading.explanation.completeness import CompletenessReader
from ioc.reading.explanation.counted import CountedMeasure, adds_sql, counted_in
from ioc.reading.explanation.figure_source import FigureSource, PastSource, StoredFigures
from ioc.reading.explanation.history import CorrectionReader
from ioc.reading.explanation.model import (
    CalculationNode,
    CarriedReport,
    CountedRecord,
    ExcludedRecord,
    Explanation,
    Freshness,
    RejectionGroup,
    Version,
    shortened,
)
from ioc.reading.explanation.since import SinceReader
from ioc.reading.past import PastFigures, PastMoment
from ioc.territory.area import AreaTree
from sql import load_queries


class Explainer:
    """Explains cells over one read-only connection; `compiled` says which definitions hold.

    Figures and records agree where the caller holds a snapshot (`snapshot`): they are read one after the other.
    """

    def __init__(
        self,
        connection: psycopg.Connection,
        compiled: Compiled,
        feeds: Mapping[str, Feed],
        areas: AreaTree,
        *,
        timezone: str = "Asia/Ho_Chi_Minh",
        moment: PastMoment | None = None,
    ) -> None:
        """
        moment: as of which figures are explained; the connection is within `ioc.reading.past.past` then.
        """
        self._moment = moment
        self._timezone = timezone
        self._connection = connection
        self._compiled = compiled
        self._feeds = feeds
        self._areas = areas
        self._queries = load_queries("explain")
        self._finder = CellFinder(areas)
        self._completeness = CompletenessReader(connection, compiled, feeds, areas, self._finder)
        self._history = CorrectionReader(connection, feeds, self._finder, timezone, self._where)
        self._figures: FigureSource = StoredFigures(connection)
        self._carrying = CarryingReader(connection, feeds, areas)
        self._anatomy = Anatomy(connection, compiled, feeds, self._finder, self._figures, self._carrying)
        self._parts = load_queries("explain_part")
        self._periods = OpenPeriods(())
        self._since = SinceReader(connection, feeds, self._finder, self._where)
        self.cell = self._finder.find

    def explain(self, code: str, cell: Cell, *, limit: int = 20, offset: int = 0) -> Explanation:
        """Return what a figure is made of; raises QuestionError for an unknown code.

        limit, offset: which of the records that count, of those that do not, and of the corrections are shown; the
                       newest first.
        """
        row = self._one("select_indicator", [code])
        plan = self._compiled.plans.get(code)
        if row is None or plan is None:
            raise QuestionError(
                f"no indicator has the code {code!r}; `ioc indicator list --search` finds them",
                f"không có chỉ tiêu nào mang mã {code!r}; tìm bằng `ioc indicator list --search`",
            )
        self._periods = self._open_periods(row["sector"])
        cell = cell.known(self._periods)
        self._use_figures(code, row["sector"])
        counted = counted_in(self._compiled.plans, code)
        records, total = self._records(counted, cell, limit, offset)
        excluded, excluded_total = self._excluded(counted, cell, limit, offset)
        corrected = self._history.read(counted, cell, limit, offset)
        used = sorted({one.measure.feed for one in counted})
        made_of = self._anatomy.of(Step(plan), cell, self._periods)
        value = self._figures.of(code, cell)
        reported_for, carried = self._carried(plan, cell, row["cadence"])
        return Explanation(
            code=code,
            version=row["version"],
            name_vi=row["name_vi"],
            name_en=row["name_en"],
            unit=row["unit"],
            kind=row["kind"],
            definition=_filled(row["definition"]),
            versions=self._versions(code),
            area_code=cell.area.code,
            area_name=cell.area.name_vi,
            period=cell.period,
            start=cell.start,
            end=cell.end,
            value=value,
            updated_at=self._figures.updated_at(code, cell),
            as_of=reported_for,
            postponed=self._moment is None and self._postponed(row["sector"], cell),
            stale=any(one.stale for one in carried),
            carried=carried,
            known_at=self._moment.at if self._moment else None,
            status_then=self._since.status(code, cell) if self._moment else None,
            since_then=self._since.read(code, counted, cell, limit, offset) if self._moment else None,
            approval=None if self._moment else self._approval(code, row["sector"], cell, value),
            made_of=made_of,
            fraction=fraction_in(plan, made_of, cell),
            records=tuple(records),
            records_total=total,
            excluded=tuple(excluded),
            excluded_total=excluded_total,
            corrections=corrected.days,
            changes=corrected.page,
            changes_total=corrected.total,
            older_revisions=corrected.older,
            rejections=tuple(one for feed in used for one in self._rejections(feed, cell)),
            completeness=self._completeness.read(code, cell),
            freshness=tuple(Freshness(**row) for row in self._all("select_freshness", {"feeds": used})),
        )

    def made_of(self, code: str, cell: Cell) -> CalculationNode:
        """Return what a figure is made of, without the records; raises KeyError for an unknown code."""
        row = self._one("select_indicator", [code])
        if row is None:
            raise KeyError(code)
        self._periods = self._open_periods(row["sector"])
        self._use_figures(code, row["sector"])
        return self._anatomy.of(Step(self._compiled.plans[code]), cell.known(self._periods), self._periods)

    def came_since(self, code: str, cell: Cell) -> Mapping[str, int]:
        """Return how many records of a figure are new, changed or voided since the moment it is explained for."""
        row = self._one("select_indicator", [code])
        if row is None or code not in self._compiled.plans:
            return {}
        self._periods = self._open_periods(row["sector"])
        counted = counted_in(self._compiled.plans, code)
        return self._since.read(code, counted, cell.known(self._periods), 0, 0).counts

    def _carried(self, plan: IndicatorPlan, cell: Cell, cadence: str) -> tuple[date | None, tuple[CarriedReport, ...]]:
        """Return for which period a level was reported last, and the reports in it that are of earlier days."""
        if not isinstance(plan, Reported) or not plan.running:
            return None, ()
        where = self._carrying.cell(plan.amount, cell)
        reports = [one for one in where.carried if one.carried_until > where.last]
        carried = tuple(
            CarriedReport(
                area_code=self._areas[one.area_id].code,
                area_name=self._areas[one.area_id].name_vi,
                reported_for=one.begun,
                until=one.until - timedelta(days=1),
                value=one.amount / 10**plan.amount.decimals,
                stale=is_stale(one.until - timedelta(days=1), where.last, cadence),
            )
            for one in reports
            if one.until <= where.last
        )
        return max((one.begun for one in reports), default=None), carried

    def _approval(self, code: str, sector: str, cell: Cell, value: float | None) -> ApprovalNote | None:
        place = cell.area.area_id, cell.start
        found = approvals_of(self._connection, code, sector, cell.period, [cell.start], [place[0]], {place: value})
        return found.get(place)

    def _postponed(self, sector: str, cell: Cell) -> bool:
        """Return whether the figures of a cell are due and not computed yet."""
        due = {"sector": sector, "period": cell.period, "bucket": cell.start, "area_id": cell.area.area_id}
        row = self._one("is_postponed", due)
        return row is not None and row["postponed"]

    def _open_periods(self, sector: str) -> OpenPeriods:
        codes = [row["code"] for row in self._all("select_sector_codes", [sector])]
        part = part_of({code: 0 for code in codes if code in self._compiled.plans}, self._compiled)
        return OpenDays(self._connection).periods(part.opening, carries=bool(part.stocks))

    # ------------------------------------------------------------------------------------------ figures
    def _use_figures(self, code: str, sector: str) -> None:
        """Take the figures of the past from now on, where one is asked about."""
        if self._moment is not None:
            past = PastFigures(self._connection, self._compiled, self._feeds)
            self._figures = PastSource(past, self._compiled, code, sector)
            self._anatomy = Anatomy(
                self._connection, self._compiled, self._feeds, self._finder, self._figures, self._carrying
            )

    def _versions(self, code: str) -> tuple[Version, ...]:
        rows = self._all("select_versions", [code])
        return tuple(Version(**row | {"definition": _filled(row["definition"])}) for row in rows)

    # ------------------------------------------------------------------------------------------ records
    def _records(
        self, counted: Sequence[CountedMeasure], cell: Cell, limit: int, offset: int
    ) -> tuple[list[CountedRecord], int]:
        """Return a page of the records that count, newest business day first, and how many there are."""
        if not counted:  # reports that were due, and nothing else
            return [], 0
        counted_records = sql.SQL(self._parts["counted_records"])
        parts: list[sql.Composable] = []
        for index, one in enumerate(counted):
            where = self._where(one, cell)
            parts.append(
                counted_records.format(
                    feed=sql.Literal(one.measure.feed),
                    at=sql.Identifier(one.measure.at),
                    amount=one.amount(where),
                    adds_to=sql.Literal(one.adds_to),
                    place=sql.Literal(index),
                    table=sql.Identifier(self._feeds[one.measure.feed].table),
                    counts=self._counts(one, where),
                )
            )
        source = sql.SQL(self._parts["first_of_each"]).format(parts=joined(parts, " UNION ALL "))
        total, rows = self._page(source, "page_of_records", limit, offset)
        return [CountedRecord(**{**row, "record": shortened(row.pop("record_key"))}) for row in rows], total

    def _excluded(
        self, counted: Sequence[CountedMeasure], cell: Cell, limit: int, offset: int
    ) -> tuple[list[ExcludedRecord], int]:
        """Return a page of the records that lie in the cell and add nothing to it, and how many there are."""
        if not counted:
            return [], 0
        parts: list[sql.Composable] = []
        for feed in dict.fromkeys(one.measure.feed for one in counted):
            counts: list[sql.Composable] = [
                sql.SQL(self._parts["all_of"]).format(conditions=self._counts(one, self._where(one, cell)))
                for one in counted
                if one.measure.feed == feed
            ]
            parts.append(
                sql.SQL(self._parts["excluded_records"]).format(
                    feed=sql.Literal(feed),
                    table=sql.Identifier(self._feeds[feed].table),
                    lying=self._finder.lying(cell),
                    counts=joined(counts, " OR "),
                )
            )
        total, rows = self._page(joined(parts, " UNION ALL "), "page_of_excluded", limit, offset)
        return [ExcludedRecord(**{**row, "record": shortened(row.pop("record_key"))}) for row in rows], total

    def _counts(self, one: CountedMeasure, cell: Cell) -> sql.Composable:
        """Return the condition under which a record adds something to a sum of the cell of its span."""
        return sql.SQL(self._parts["adds_something"]).format(
            counting=self._finder.counting(one.measure, cell, one.how), adds=adds_sql(one.measure)
        )

    def _page(self, source: sql.Composable, page: str, limit: int, offset: int) -> tuple[int, list[dict[str, Any]]]:
        cursor = self._connection.cursor(row_factory=dict_row)
        row = cursor.execute(sql.SQL(self._parts["count_rows"]).format(source=source), {}).fetchone()
        rows = cursor.execute(sql.SQL(self._parts[page]).format(source=source), {"limit": limit, "offset": offset})
        return (row["total"] if row else 0), rows.fetchall()

    def _where(self, one: CountedMeasure, cell: Cell) -> Cell:
        """Return the days on which records count in a sum of the cell."""
        where = cell.over(one.span, self._periods)
        return self._carrying.cell(one.measure, where) if one.how in ("carried", "carried_days") else where

    # ------------------------------------------------------------------------------------------ what was left out
    def _rejections(self, feed: str, cell: Cell) -> list[RejectionGroup]:
        asked = {"feed": feed, "units": list(cell.units), "whole": cell.area.parent_id is None}
        asked |= {"start": cell.start, "end": cell.end, "timezone": self._timezone}
        rows = self._all("select_rejections", asked)
        return [RejectionGroup(feed=feed, **row) for row in rows]

    def _one(self, query: str, parameters: Any) -> dict[str, Any] | None:
        cursor = self._connection.cursor(row_factory=dict_row)
        return cursor.execute(self._queries[query], parameters).fetchone()

    def _all(self, query: str, parameters: Any) -> list[dict[str, Any]]:
        cursor = self._connection.cursor(row_factory=dict_row)
        return cursor.execute(self._queries[query], parameters).fetchall()


def _filled(definition: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in definition.items() if text}
