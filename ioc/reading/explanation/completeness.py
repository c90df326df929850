"""Who should have reported what a figure rests on, and who has not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg.rows import dict_row

from ioc.catalogue import Compiled, IndicatorPlan
from ioc.catalogue.indicator import REPORT_FEED
from ioc.feeds.feed import Feed
from ioc.reading.explanation.cell import Cell, CellFinder
from ioc.reading.explanation.model import Completeness, MissingReporter
from ioc.territory.area import AreaTree
from sql import load_queries

NAMED = 20  # missing reporters that are named


class CompletenessReader:
    """Reads over the explainer's connection.

    Of a feed, every reporter of the area should report, and so should every place in it of which records tell by name
    (a shop whose firm may sit elsewhere). Of what agencies report, each indicator has an agency of its own.
    """

    def __init__(
        self,
        connection: psycopg.Connection,
        compiled: Compiled,
        feeds: Mapping[str, Feed],
        areas: AreaTree,
        finder: CellFinder,
    ) -> None:
        self._connection = connection
        self._compiled = compiled
        self._feeds = feeds
        self._areas = areas
        self._finder = finder
        self._queries = load_queries("completeness")

    def read(self, code: str, cell: Cell) -> tuple[Completeness, ...]:
        """Return one entry a feed, by its key, then one a reported indicator, that a figure rests on."""
        plans = [self._compiled.plans[source] for source in sorted(self._compiled.closure(code))]
        feeds = [feed for feed in self._compiled.feeds(code) if feed != REPORT_FEED]
        reported = [plan for plan in plans if plan.measures and plan.measures[0].feed == REPORT_FEED]
        return (
            *(self._of_feed(self._feeds[feed], cell) for feed in feeds),
            *(self._of_report(plan, cell) for plan in reported),
        )

    def _of_feed(self, feed: Feed, cell: Cell) -> Completeness:
        speaking = "reporter" if feed.place is None else f"unnest(ARRAY[reporter, {feed.place}])"
        rows = self._connection.execute(
            f"SELECT DISTINCT {speaking} FROM {feed.table} WHERE effective_on BETWEEN %(start)s AND %(end)s "
            # The chunks of the period alone are read; a day's margin for time zones.
            "AND effective_at >= %(start)s::date - 1 AND effective_at < %(end)s::date + 2",
            {"start": cell.start, "end": cell.end},
        ).fetchall()
        said = [code for (code,) in rows if code is not None]
        codes = sorted({self._areas[unit].code for unit in cell.units})
        return self._entry(feed.key, None, "select_expected", cell, {"codes": codes, "said": said})

    def _of_report(self, plan: IndicatorPlan, cell: Cell) -> Completeness:
        measure = plan.measures[0]
        where = self._finder.counting(measure, cell, running=measure in plan.running)
        table = self._feeds[measure.feed].table
        rows = self._connection.execute(
            f"SELECT DISTINCT reporter FROM {table} WHERE {where} AND ({measure.condition})"
        ).fetchall()
        asked = {"indicator": plan.code, "said": [code for (code,) in rows]}
        return self._entry(measure.feed, plan.code, "select_agencies", cell, asked)

    def _entry(
        self, feed: str, indicator: str | None, query: str, cell: Cell, asked: Mapping[str, Any]
    ) -> Completeness:
        cursor = self._connection.cursor(row_factory=dict_row)
        parameters = {"feed": feed, "start": cell.start, "end": cell.end, **asked}
        rows = cursor.execute(self._queries[query], parameters).fetchall()
        missing = [MissingReporter(code=row["code"], name=row["name"]) for row in rows if not row["reported"]]
        return Completeness(
            feed=feed,
            indicator=indicator,
            expected=len(rows),
            reported=len(rows) - len(missing),
            missing=tuple(missing[:NAMED]),
        )
