"""Who should have reported what a figure rests on, and who has not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from ioc.catalogue import Compiled
from ioc.catalogue.composition import expression
from ioc.catalogue.plan import Reported
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
        self._parts = load_queries("explain_part")

    def read(self, code: str, cell: Cell) -> tuple[Completeness, ...]:
        """Return one entry a feed, by its key, then one a reported indicator, that a figure rests on."""
        plans = [self._compiled.plans[source] for source in sorted(self._compiled.closure(code))]
        feeds = sorted({measure.feed for plan in plans if not isinstance(plan, Reported) for measure in plan.measures})
        reported = [plan for plan in plans if isinstance(plan, Reported)]
        return (
            *(self._of_feed(self._feeds[feed], cell) for feed in feeds),
            *(self._of_report(plan, cell) for plan in reported),
        )

    def _of_feed(self, feed: Feed, cell: Cell) -> Completeness:
        speaking: sql.Composable = sql.Identifier("reporter")
        if feed.place is not None:
            speaking = sql.SQL(self._parts["speaking_places"]).format(place=sql.Identifier(feed.place))
        rows = self._connection.execute(
            sql.SQL(self._parts["speaking_reporters"]).format(speaking=speaking, table=sql.Identifier(feed.table)),
            {"start": cell.start, "end": cell.end},
        ).fetchall()
        said = [code for (code,) in rows if code is not None]
        codes = sorted({self._areas[unit].code for unit in cell.units})
        return self._entry(feed.key, None, "select_expected", cell, {"codes": codes, "said": said})

    def _of_report(self, plan: Reported, cell: Cell) -> Completeness:
        measure = plan.amount
        statement = sql.SQL(self._parts["reporting_agencies"]).format(
            table=sql.Identifier(self._feeds[measure.feed].table),
            counting=self._finder.counting(measure, cell, "closing" if plan.running else "total"),
            condition=expression(measure.condition),
        )
        rows = self._connection.execute(statement, {}).fetchall()
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
