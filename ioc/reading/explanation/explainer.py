"""Why a figure is what it is: its definition, the figures and records it is made of, and what was left out.

Everything is read from the database, through the read-only role; the records' contributions are computed
by PostgreSQL from the catalogue's expressions, not taken from what the agents stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg.rows import dict_row

from ioc.catalogue import Compiled, IndicatorPlan, Measure, contribution_sql, member_sql
from ioc.catalogue.formula import evaluate, fraction_of
from ioc.errors import QuestionError
from ioc.feeds.feed import Feed
from ioc.reading.explanation.cell import Cell, CellFinder
from ioc.reading.explanation.completeness import CompletenessReader
from ioc.reading.explanation.counted import CountedMeasure, adds_sql, counted_in
from ioc.reading.explanation.history import CorrectionReader
from ioc.reading.explanation.model import (
    CalculationNode,
    CountedRecord,
    ExcludedRecord,
    Explanation,
    Fraction,
    Freshness,
    RejectionGroup,
    Version,
    shortened,
)
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
    ) -> None:
        self._connection = connection
        self._compiled = compiled
        self._feeds = feeds
        self._areas = areas
        self._queries = load_queries("explain")
        self._finder = CellFinder(areas)
        self._completeness = CompletenessReader(connection, compiled, feeds, areas, self._finder)
        self._history = CorrectionReader(connection, feeds, self._finder, timezone)
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
        stored = self._value(code, cell)
        counted = counted_in(self._compiled, code)
        records, total = self._records(counted, cell, limit, offset)
        excluded, excluded_total = self._excluded(counted, cell, limit, offset)
        corrections, changes, changes_total = self._history.read(counted, cell, limit, offset)
        used = sorted({one.measure.feed for one in counted})
        made_of = self._part(plan, cell)
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
            value=stored["value"] if stored else None,
            updated_at=stored["updated_at"] if stored else None,
            made_of=made_of,
            fraction=_fraction(plan, made_of),
            records=tuple(records),
            records_total=total,
            excluded=tuple(excluded),
            excluded_total=excluded_total,
            corrections=corrections,
            changes=changes,
            changes_total=changes_total,
            rejections=tuple(one for feed in used for one in self._rejections(feed, cell)),
            completeness=self._completeness.read(code, cell),
            freshness=tuple(Freshness(**row) for row in self._all("select_freshness", {"feeds": used})),
        )

    # ------------------------------------------------------------------------------------------ figures
    def _value(self, code: str, cell: Cell) -> dict[str, Any] | None:
        place = {"area_id": cell.area.area_id, "period": cell.period, "bucket": cell.start}
        return self._one("select_value", {"code": code, **place})

    def _versions(self, code: str) -> tuple[Version, ...]:
        rows = self._all("select_versions", [code])
        return tuple(Version(**row | {"definition": _filled(row["definition"])}) for row in rows)

    def _part(self, plan: IndicatorPlan, cell: Cell) -> CalculationNode:
        stored = self._value(plan.code, cell)
        value = stored["value"] if stored else None
        if plan.method == "formula":
            inputs = tuple(self._part(self._compiled.plans[source], cell) for source in plan.inputs)
            return CalculationNode(code=plan.code, what=plan.formula, value=value, inputs=inputs)
        sums = tuple(
            CalculationNode(what=_told(measure), value=self._recomputed(measure, cell, running=measure in plan.running))
            for measure in plan.measures[:2]
        )
        what = {
            "quotient": f"{plan.scale:g} x first / second",
            "running": "sum since the beginning",
            "sent": "sum of the values reported for the period; the second says how many",
            "state": "sum of the values reported for the period's last day; the second says how many",
            "mean": "value reported for the period's last day: first / second",
        }.get(plan.method, "")
        return CalculationNode(code=plan.code, what=what or _told(plan.measures[0]), value=value, inputs=sums)

    def _recomputed(self, measure: Measure, cell: Cell, *, running: bool) -> float:
        """Return a measure's sum, counted anew from the records."""
        if measure.kind == "distinct":
            text = f"count(DISTINCT {member_sql(measure)})"
        else:
            text = f"coalesce(sum({contribution_sql(measure)}), 0)"
        where = self._finder.counting(measure, cell, running=running)
        row = self._connection.execute(f"SELECT {text} FROM {self._feeds[measure.feed].table} WHERE {where}").fetchone()
        return float(row[0]) / 10**measure.decimals if row else 0.0

    # ------------------------------------------------------------------------------------------ records
    def _records(
        self, counted: Sequence[CountedMeasure], cell: Cell, limit: int, offset: int
    ) -> tuple[list[CountedRecord], int]:
        """Return a page of the records that count, newest business day first, and how many there are."""
        parts = [
            f"SELECT '{one.measure.feed}' AS feed, reporter, record_key, revision, {one.measure.at} AS counts_on, "
            f"{one.amount} AS adds, '{one.adds_to}' AS adds_to, {place} AS place, received_at "
            f"FROM {self._feeds[one.measure.feed].table} WHERE {self._counts(one, cell)}"
            for place, one in enumerate(counted)
        ]
        source = (
            f"SELECT DISTINCT ON (feed, record_key) * FROM ({' UNION ALL '.join(parts)}) one "
            "ORDER BY feed, record_key, place"
        )
        total, rows = self._page(source, "counts_on DESC, feed, record_key", limit, offset)
        return [CountedRecord(**{**row, "record": shortened(row.pop("record_key"))}) for row in rows], total

    def _excluded(
        self, counted: Sequence[CountedMeasure], cell: Cell, limit: int, offset: int
    ) -> tuple[list[ExcludedRecord], int]:
        """Return a page of the records that lie in the cell and add nothing to it, and how many there are."""
        parts = []
        for feed in dict.fromkeys(one.measure.feed for one in counted):
            counts = " OR ".join(f"({self._counts(one, cell)})" for one in counted if one.measure.feed == feed)
            parts.append(
                f"SELECT '{feed}' AS feed, reporter, record_key, revision, effective_on AS business_date, received_at "
                f"FROM {self._feeds[feed].table} WHERE {self._finder.lying(cell)} AND ({counts}) IS NOT TRUE"
            )
        total, rows = self._page(" UNION ALL ".join(parts), "business_date DESC, feed, record_key", limit, offset)
        return [ExcludedRecord(**{**row, "record": shortened(row.pop("record_key"))}) for row in rows], total

    def _counts(self, one: CountedMeasure, cell: Cell) -> str:
        """Return the condition under which a record adds something to a sum of the cell."""
        return f"{self._finder.counting(one.measure, cell, running=one.running)} AND ({adds_sql(one.measure)}) <> 0"

    def _page(self, source: str, order: str, limit: int, offset: int) -> tuple[int, list[dict[str, Any]]]:
        cursor = self._connection.cursor(row_factory=dict_row)
        row = cursor.execute(f"SELECT count(*) AS total FROM ({source}) counted").fetchone()
        page = f"SELECT * FROM ({source}) counted ORDER BY {order} LIMIT {limit:d} OFFSET {offset:d}"
        return (row["total"] if row else 0), cursor.execute(page).fetchall()

    # ------------------------------------------------------------------------------------------ what was left out
    def _rejections(self, feed: str, cell: Cell) -> list[RejectionGroup]:
        rows = self._all("select_rejections", {"feed": feed, "units": list(cell.units)})
        return [RejectionGroup(feed=feed, **row) for row in rows]

    def _one(self, query: str, parameters: Any) -> dict[str, Any] | None:
        cursor = self._connection.cursor(row_factory=dict_row)
        return cursor.execute(self._queries[query], parameters).fetchone()

    def _all(self, query: str, parameters: Any) -> list[dict[str, Any]]:
        cursor = self._connection.cursor(row_factory=dict_row)
        return cursor.execute(self._queries[query], parameters).fetchall()


def _told(measure: Measure) -> str:
    value = f"distinct {measure.value}" if measure.kind == "distinct" else f"sum of {measure.value}"
    until = f" until {measure.until}" if measure.until else ""
    return f"{value} of {measure.feed} where {measure.condition} by {measure.at}{until}"


def _fraction(plan: IndicatorPlan, part: CalculationNode) -> Fraction | None:
    """Return the two halves of a division, if the indicator is one."""
    if plan.method in ("quotient", "mean"):
        above, below = part.inputs
        return Fraction(
            numerator=above.what, numerator_value=above.value, denominator=below.what, denominator_value=below.value
        )
    halves = fraction_of(plan.formula) if plan.formula else None
    if halves is None:
        return None
    figures = {source.code: source.value for source in part.inputs if source.code}
    numerator, denominator = halves
    return Fraction(
        numerator=numerator,
        numerator_value=evaluate(numerator, figures),
        denominator=denominator,
        denominator_value=evaluate(denominator, figures),
    )


def _filled(definition: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in definition.items() if text}
