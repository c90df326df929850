"""Why a figure is what it is: its definition, the figures and records it is made of, and what was left out.

Everything is read from the database as it stands, through the read-only role; the records' contributions are computed
by PostgreSQL from the catalogue's expressions, not taken from what the agents stored.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row
from pydantic import BaseModel, ConfigDict

from ioc.area import Area, AreaTree
from ioc.catalogue import Catalogue, IndicatorPlan, Measure, compile_measures, contribution_sql, member_sql
from ioc.errors import ConfigError
from ioc.feed import Feed
from ioc.period import PERIODS, end_of, start_of
from sql import load_queries


class Part(BaseModel):
    """A figure or a sum that an indicator is made of; `inputs` are what this part is made of in turn."""

    model_config = ConfigDict(frozen=True)

    code: str | None = None
    what: str
    value: float | None
    inputs: tuple[Part, ...] = ()


class CountedRecord(BaseModel):
    """A record that counts, and how much it adds. The key is cut: it may hold a pseudonym."""

    model_config = ConfigDict(frozen=True)

    feed: str
    reporter: str
    record: str
    revision: int
    counts_on: date
    adds: float
    received_at: datetime


class Completeness(BaseModel):
    """Who should report and who has, of the feed and area, in the period."""

    model_config = ConfigDict(frozen=True)

    feed: str
    expected: int
    reported: int
    missing: tuple[str, ...]


class Explanation(BaseModel):
    """Everything that stands behind one cell."""

    model_config = ConfigDict(frozen=True)

    code: str
    version: int
    name_vi: str
    name_en: str
    unit: str
    kind: str
    definition: dict[str, str]
    area_code: str
    area_name: str
    period: str
    start: date
    end: date
    value: float | None
    updated_at: str | None
    made_of: Part
    records: tuple[CountedRecord, ...]
    records_total: int
    superseded: int
    rejections: tuple[dict[str, Any], ...]
    completeness: tuple[Completeness, ...]


@dataclass(frozen=True)
class Cell:
    """One figure's place: an area, itself and everything below it in `units`, and a period."""

    area: Area
    period: str
    start: date
    end: date
    units: list[int] = field(default_factory=list)


class Explainer:
    """Explains cells over one read-only connection."""

    def __init__(
        self, connection: psycopg.Connection, catalogue: Catalogue, feeds: dict[str, Feed], areas: AreaTree
    ) -> None:
        self._connection = connection
        self._compiled = compile_measures(catalogue)
        self._feeds = feeds
        self._areas = areas
        self._queries = load_queries("explain")

    def cell(self, area_code: str, period: str, on: date) -> Cell:
        """Return the place of a figure; raises ConfigError for an unknown area or period."""
        if period not in PERIODS:
            raise ConfigError(f"no period is named {period!r}; there are {', '.join(PERIODS)}")
        area = self._areas.find(area_code, on)
        if area is None:
            raise ConfigError(
                f"no area bears the code {area_code!r} on {on}; `ioc profile show` and areas.csv list them"
            )
        start = start_of(period, on)
        end = end_of(period, start)
        units = [unit.area_id for unit in self._areas.areas if area.area_id in self._areas.chain(unit.area_id)]
        return Cell(area, period, start, end, units)

    def explain(self, code: str, cell: Cell, *, limit: int = 20, offset: int = 0) -> Explanation:
        """Return what stands behind a figure; raises ConfigError for an unknown code."""
        row = self._one("select_indicator", [code])
        plan = self._compiled.plans.get(code)
        if row is None or plan is None:
            raise ConfigError(f"no indicator has the code {code!r}; `ioc indicator list --search` finds them")
        stored = self._value(code, cell)
        measures: list[tuple[Measure, bool]] = [
            (measure, measure in self._compiled.plans[source].running)
            for source in sorted(self._compiled.closure(code))
            for measure in _counted(self._compiled.plans[source])
        ]
        records, total = self._records(measures, cell, limit, offset)
        used = sorted({measure.feed for measure, _ in measures})
        return Explanation(
            code=code,
            version=row["version"],
            name_vi=row["name_vi"],
            name_en=row["name_en"],
            unit=row["unit"],
            kind=row["kind"],
            definition={name: text for name, text in row["definition"].items() if text},
            area_code=cell.area.code,
            area_name=cell.area.name_vi,
            period=cell.period,
            start=cell.start,
            end=cell.end,
            value=stored["value"] if stored else None,
            updated_at=stored["updated_at"].isoformat(timespec="seconds") if stored else None,
            made_of=self._part(plan, cell),
            records=tuple(records),
            records_total=total,
            superseded=self._superseded(used, cell),
            rejections=tuple(row for feed in used for row in self._rejections(feed, cell)),
            completeness=tuple(self._completeness(self._feeds[feed], cell) for feed in used),
        )

    def _one(self, query: str, parameters: Any) -> dict[str, Any] | None:
        cursor = self._connection.cursor(row_factory=dict_row)
        return cursor.execute(self._queries[query], parameters).fetchone()

    def _value(self, code: str, cell: Cell) -> dict[str, Any] | None:
        place = {"area_id": cell.area.area_id, "period": cell.period, "bucket": cell.start}
        return self._one("select_value", {"code": code, **place})

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
        row = self._connection.execute(
            f"SELECT {text} FROM {self._feeds[measure.feed].table} WHERE {_counting(measure, running=running)}",
            {"units": cell.units, "area": cell.area.area_id, "start": cell.start, "end": cell.end},
        ).fetchone()
        return float(row[0]) / 10**measure.decimals if row else 0.0

    def _records(
        self, measures: list[tuple[Measure, bool]], cell: Cell, limit: int, offset: int
    ) -> tuple[list[CountedRecord], int]:
        """Return a page of the records that count, newest business day first, and how many there are."""
        parts = []
        for measure, running in dict.fromkeys(measures):
            table = self._feeds[measure.feed].table
            adds = (
                f"({member_sql(measure)} IS NOT NULL)::int" if measure.kind == "distinct" else contribution_sql(measure)
            )
            parts.append(
                f"SELECT '{measure.feed}' AS feed, reporter, record_key, revision, {measure.at} AS counts_on, "
                f"({adds})::double precision / {10**measure.decimals} AS adds, received_at FROM {table} "
                f"WHERE {_counting(measure, running=running)} AND ({adds}) <> 0"
            )
        rows = self._connection.execute(
            "SELECT *, count(*) OVER () FROM ("
            f"SELECT DISTINCT ON (feed, record_key) * FROM ({' UNION ALL '.join(parts)}) one ORDER BY feed, record_key"
            ") counted ORDER BY counts_on DESC, record_key LIMIT %(limit)s OFFSET %(offset)s",
            {
                "units": cell.units,
                "area": cell.area.area_id,
                "start": cell.start,
                "end": cell.end,
                "limit": limit,
                "offset": offset,
            },
        ).fetchall()
        records = [
            CountedRecord(
                feed=feed,
                reporter=reporter,
                record=_shortened(key),
                revision=revision,
                counts_on=day,
                adds=adds,
                received_at=received_at,
            )
            for feed, reporter, key, revision, day, adds, received_at, _ in rows
        ]
        return records, rows[0][-1] if rows else 0

    def _superseded(self, feeds: list[str], cell: Cell) -> int:
        """Return how many older revisions of the period's records were replaced or voided."""
        row = self._connection.execute(
            "SELECT count(*) FROM record_revision r JOIN feed f USING (feed_id) WHERE f.key = ANY(%s) "
            "AND (r.record ->> 'effective_on')::date BETWEEN %s AND %s AND r.record ->> 'area_code' = ANY(%s)",
            [feeds, cell.start, cell.end, [self._areas[unit].code for unit in cell.units]],
        ).fetchone()
        return int(row[0]) if row else 0

    def _rejections(self, feed: str, cell: Cell) -> list[dict[str, Any]]:
        cursor = self._connection.cursor(row_factory=dict_row)
        rows = cursor.execute(self._queries["select_rejections"], {"feed": feed, "units": cell.units}).fetchall()
        return [{"feed": feed, **row, "last_at": row["last_at"].isoformat(timespec="seconds")} for row in rows]

    def _completeness(self, feed: Feed, cell: Cell) -> Completeness:
        codes = [self._areas[unit].code for unit in cell.units]
        rows = self._connection.execute(
            "SELECT p.code, EXISTS (SELECT FROM "
            f"{feed.table} r WHERE r.reporter = p.code AND r.effective_on BETWEEN %(start)s AND %(end)s) "
            "FROM reporter p JOIN feed f USING (feed_id) WHERE f.key = %(feed)s AND p.area_code = ANY(%(codes)s) "
            "AND p.valid_from <= %(end)s AND p.valid_to > %(start)s ORDER BY p.code",
            {"feed": feed.key, "codes": codes, "start": cell.start, "end": cell.end},
        ).fetchall()
        missing = tuple(code for code, reported in rows if not reported)
        return Completeness(feed=feed.key, expected=len(rows), reported=len(rows) - len(missing), missing=missing[:20])


def _counting(measure: Measure, *, running: bool) -> str:
    """Return the condition under which a record counts in a cell: in the period, or standing at its end."""
    where = "area_id = %(area)s" if measure.local else "area_id = ANY(%(units)s)"
    if not running:
        return f"{where} AND {measure.at} BETWEEN %(start)s AND %(end)s"
    standing = f" AND ({measure.until} IS NULL OR {measure.until} > %(end)s)" if measure.until else ""
    return f"{where} AND {measure.at} <= %(end)s{standing}"


def _counted(plan: IndicatorPlan) -> tuple[Measure, ...]:
    """Return the measures whose records count; the others only say how many there are."""
    return plan.measures[:1] if plan.method in ("sent", "state", "mean") else plan.measures


def _told(measure: Measure) -> str:
    value = f"distinct {measure.value}" if measure.kind == "distinct" else f"sum of {measure.value}"
    until = f" until {measure.until}" if measure.until else ""
    return f"{value} of {measure.feed} where {measure.condition} by {measure.at}{until}"


def _shortened(key: str) -> str:
    """Return a record's key with pseudonyms cut to their first digits."""
    return "/".join(part[:11] + "…" if len(part) > 24 else part for part in key.split("/"))
