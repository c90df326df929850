"""Which reporters should have reported for a figure, and which of them have not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import class_row, dict_row

from ioc.catalogue import Compiled
from ioc.catalogue.composition import expression
from ioc.catalogue.plan import Reported
from ioc.feeds.feed import Feed
from ioc.reading.explanation.cell import Cell, CellFinder
from ioc.reading.explanation.model import Completeness, MissingReporter
from ioc.territory.area import AreaTree
from sql import load_queries

NAMED = 20  # missing reporters that are named


@dataclass(frozen=True)
class _Due:
    """One row of `select_due`."""

    code: str
    name: str
    due: int
    sent: int


class CompletenessReader:
    """Reads over the explainer's connection.

    Of a feed whose reporters owe a report for each day (or week, month, ...), every deadline counts by itself. Events
    of other feeds come when something happens, so that nobody is missing there; who has sent some is counted, and so is
    every place of which records tell by name (a shop whose firm may sit elsewhere). Of what agencies report, each
    indicator has an agency of its own, which owes a report for each period of its cadence.
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
            *(
                self._of_deadlines(feed, cell) if feed.reports_every else self._of_feed(feed, cell)
                for feed in map(self._feeds.__getitem__, feeds)
            ),
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
        found = self._entry(feed.key, None, "select_expected", cell, {"codes": codes, "said": said})
        # Events come when something happens: who sent none may have had none.
        return found.model_copy(update={"expected": None, "missing": ()})

    def _of_deadlines(self, feed: Feed, cell: Cell) -> Completeness:
        """Return how many reports were due up to the last known day, and came; who owes most is named first."""
        statement = sql.SQL(self._parts["reports_by_day"]).format(table=sql.Identifier(feed.table))
        cursor = self._connection.cursor(row_factory=dict_row)
        rows = cursor.execute(statement, {"start": cell.start, "end": cell.last}).fetchall()
        asked = {
            "feed": feed.key,
            "every": feed.reports_every,
            "codes": sorted({self._areas[unit].code for unit in cell.units}),
            "start": cell.start,
            "end": cell.last,
            "reporters": [row["reporter"] for row in rows],
            "days": [row["day"] for row in rows],
        }
        owed = (
            self._connection.cursor(row_factory=class_row(_Due)).execute(self._queries["select_due"], asked).fetchall()
        )
        return _counted(feed.key, None, owed)

    def _of_report(self, plan: Reported, cell: Cell) -> Completeness:
        measure = plan.amount
        asked = {
            "feed": measure.feed,
            "indicator": plan.code,
            "units": list(cell.units),
            "start": cell.start,
            "end": cell.last,
        }
        cursor = self._connection.cursor(row_factory=class_row(_Due))
        if owed := cursor.execute(self._queries["select_agency_reports"], asked).fetchall():
            return _counted(measure.feed, plan.code, owed)
        # The days are shorter than the cadence: one report was due.
        statement = sql.SQL(self._parts["reporting_agencies"]).format(
            table=sql.Identifier(self._feeds[measure.feed].table),
            counting=self._finder.counting(measure, cell, "closing" if plan.running else "total"),
            condition=expression(measure.condition),
        )
        rows = self._connection.execute(statement, {}).fetchall()
        said = {"indicator": plan.code, "said": [code for (code,) in rows]}
        return self._entry(measure.feed, plan.code, "select_agencies", cell, said)

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


def _counted(feed: str, indicator: str | None, owed: Sequence[_Due]) -> Completeness:
    """Return how many reports were due, and came; who owes most is named first."""
    missing = [
        MissingReporter(code=one.code, name=one.name, reports=one.due - one.sent) for one in owed if one.sent < one.due
    ]
    return Completeness(
        feed=feed,
        indicator=indicator,
        expected=sum(one.due for one in owed),
        reported=sum(one.sent for one in owed),
        missing=tuple(missing[:NAMED]),
    )
