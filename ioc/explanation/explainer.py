"""Why a figure is what it is: its definition, the figures and records it is made of, and what was left out.

Everything is read from the database as it stands, through the read-only role; the records' contributions are computed
by PostgreSQL from the catalogue's expressions, not taken from what the agents stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg.rows import dict_row

from ioc.area import AreaTree
from ioc.catalogue import Compiled, IndicatorPlan, Measure, contribution_sql, member_sql
from ioc.catalogue.formula import evaluate, fraction_of
from ioc.errors import ConfigError
from ioc.explanation.cell import Cell, CellFinder
from ioc.explanation.completeness import CompletenessReader
from ioc.explanation.model import (
    Corrections,
    CountedRecord,
    ExcludedRecord,
    Explanation,
    Fraction,
    Freshness,
    Part,
    Rejection,
    Version,
)
from ioc.feed import Feed
from sql import load_queries

_Counted = Sequence[tuple[Measure, bool]]


class Explainer:
    """Explains cells over one read-only connection; `compiled` says which definitions hold."""

    def __init__(
        self, connection: psycopg.Connection, compiled: Compiled, feeds: Mapping[str, Feed], areas: AreaTree
    ) -> None:
        self._connection = connection
        self._compiled = compiled
        self._feeds = feeds
        self._areas = areas
        self._queries = load_queries("explain")
        self._finder = CellFinder(areas)
        self._completeness = CompletenessReader(connection, compiled, feeds, areas, self._finder)
        self.cell = self._finder.find

    def explain(self, code: str, cell: Cell, *, limit: int = 20, offset: int = 0) -> Explanation:
        """Return what stands behind a figure; raises ConfigError for an unknown code.

        limit, offset: which of the records that count, and of those that do not, are shown; the newest days first.
        """
        row = self._one("select_indicator", [code])
        plan = self._compiled.plans.get(code)
        if row is None or plan is None:
            raise ConfigError(f"no indicator has the code {code!r}; `ioc indicator list --search` finds them")
        stored = self._value(code, cell)
        counted = [
            (measure, measure in self._compiled.plans[source].running)
            for source in sorted(self._compiled.closure(code))
            for measure in _counted(self._compiled.plans[source])
        ]
        records, total = self._records(list(dict.fromkeys(counted)), cell, limit, offset)
        excluded, excluded_total = self._excluded(list(dict.fromkeys(counted)), cell, limit, offset)
        used = sorted({measure.feed for measure, _ in counted})
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
            corrections=self._corrections(used, cell),
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

    def _part(self, plan: IndicatorPlan, cell: Cell) -> Part:
        stored = self._value(plan.code, cell)
        value = stored["value"] if stored else None
        if plan.method == "formula":
            inputs = tuple(self._part(self._compiled.plans[source], cell) for source in plan.inputs)
            return Part(code=plan.code, what=plan.formula, value=value, inputs=inputs)
        sums = tuple(
            Part(what=_told(measure), value=self._recomputed(measure, cell, running=measure in plan.running))
            for measure in plan.measures[:2]
        )
        what = {
            "quotient": f"{plan.scale:g} x first / second",
            "running": "sum since the beginning",
            "sent": "sum of the values reported for the period; the second says how many",
            "state": "sum of the values reported for the period's last day; the second says how many",
            "mean": "value reported for the period's last day: first / second",
        }.get(plan.method, "")
        return Part(code=plan.code, what=what or _told(plan.measures[0]), value=value, inputs=sums)

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
    def _records(self, counted: _Counted, cell: Cell, limit: int, offset: int) -> tuple[list[CountedRecord], int]:
        """Return a page of the records that count, newest business day first, and how many there are."""
        parts = [
            f"SELECT '{measure.feed}' AS feed, reporter, record_key, revision, {measure.at} AS counts_on, "
            f"({_adds(measure)})::double precision / {10**measure.decimals} AS adds, received_at "
            f"FROM {self._feeds[measure.feed].table} "
            f"WHERE {self._finder.counting(measure, cell, running=running)} AND ({_adds(measure)}) <> 0"
            for measure, running in counted
        ]
        source = (
            f"SELECT DISTINCT ON (feed, record_key) * FROM ({' UNION ALL '.join(parts)}) one "
            "ORDER BY feed, record_key, counts_on DESC"
        )
        total, rows = self._page(source, "counts_on DESC, record_key", limit, offset)
        return [CountedRecord(**{**row, "record": _shortened(row.pop("record_key"))}) for row in rows], total

    def _excluded(self, counted: _Counted, cell: Cell, limit: int, offset: int) -> tuple[list[ExcludedRecord], int]:
        """Return a page of the records that lie in the cell and add nothing to it, and how many there are."""
        parts = []
        for feed in dict.fromkeys(measure.feed for measure, _ in counted):
            counts = " OR ".join(
                f"({self._finder.counting(measure, cell, running=running)} AND ({_adds(measure)}) <> 0)"
                for measure, running in counted
                if measure.feed == feed
            )
            parts.append(
                f"SELECT '{feed}' AS feed, reporter, record_key, revision, effective_on AS business_date, received_at "
                f"FROM {self._feeds[feed].table} WHERE {self._finder.lying(cell)} AND ({counts}) IS NOT TRUE"
            )
        total, rows = self._page(" UNION ALL ".join(parts), "business_date DESC, record_key", limit, offset)
        return [ExcludedRecord(**{**row, "record": _shortened(row.pop("record_key"))}) for row in rows], total

    def _page(self, source: str, order: str, limit: int, offset: int) -> tuple[int, list[dict[str, Any]]]:
        cursor = self._connection.cursor(row_factory=dict_row)
        row = cursor.execute(f"SELECT count(*) AS total FROM ({source}) counted").fetchone()
        page = f"SELECT * FROM ({source}) counted ORDER BY {order} LIMIT {limit:d} OFFSET {offset:d}"
        return (row["total"] if row else 0), cursor.execute(page).fetchall()

    # ------------------------------------------------------------------------------------------ what was left out
    def _corrections(self, feeds: Sequence[str], cell: Cell) -> tuple[Corrections, ...]:
        codes = [self._areas[unit].code for unit in cell.units]
        asked = {"feeds": list(feeds), "start": cell.start, "end": cell.end, "areas": codes}
        return tuple(Corrections(**row) for row in self._all("select_corrections", asked))

    def _rejections(self, feed: str, cell: Cell) -> list[Rejection]:
        rows = self._all("select_rejections", {"feed": feed, "units": list(cell.units)})
        return [Rejection(feed=feed, **row) for row in rows]

    def _one(self, query: str, parameters: Any) -> dict[str, Any] | None:
        cursor = self._connection.cursor(row_factory=dict_row)
        return cursor.execute(self._queries[query], parameters).fetchone()

    def _all(self, query: str, parameters: Any) -> list[dict[str, Any]]:
        cursor = self._connection.cursor(row_factory=dict_row)
        return cursor.execute(self._queries[query], parameters).fetchall()


def _counted(plan: IndicatorPlan) -> tuple[Measure, ...]:
    """Return the measures whose records count; the others only say how many there are."""
    return plan.measures[:1] if plan.method in ("sent", "state", "mean") else plan.measures


def _adds(measure: Measure) -> str:
    return f"({member_sql(measure)} IS NOT NULL)::int" if measure.kind == "distinct" else contribution_sql(measure)


def _told(measure: Measure) -> str:
    value = f"distinct {measure.value}" if measure.kind == "distinct" else f"sum of {measure.value}"
    until = f" until {measure.until}" if measure.until else ""
    return f"{value} of {measure.feed} where {measure.condition} by {measure.at}{until}"


def _fraction(plan: IndicatorPlan, part: Part) -> Fraction | None:
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


def _shortened(key: str) -> str:
    """Return a record's key with pseudonyms cut to their first digits."""
    return "/".join(part[:11] + "…" if len(part) > 24 else part for part in key.split("/"))
