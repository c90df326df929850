"""What was corrected: revisions that are not in force any more, of records that are or count in a cell, or did before.

Both a record that a correction moved into the cell and one that it moved away belong to the cell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from ioc.catalogue.composition import joined
from ioc.feeds.feed import Feed
from ioc.reading.explanation.cell import Cell, CellFinder
from ioc.reading.explanation.counted import CountedMeasure
from ioc.reading.explanation.model import Correction, Corrections, Effect, shortened
from sql import load_queries

_NEWEST = 100  # revisions of one record that are looked at


class _CorrectionRows(NamedTuple):
    """Corrections by day, a page of the single ones, how many these are, and how many older ones were not looked at."""

    days: list[dict[str, Any]]
    total: int
    older: int
    page: list[dict[str, Any]]


@dataclass(frozen=True)
class CorrectionsFound:
    """Corrections by day, a page of the single ones, newest first, and how many these are.

    older: how many revisions of these records are older than those that were looked at.
    """

    days: tuple[Corrections, ...] = ()
    page: tuple[Correction, ...] = ()
    total: int = 0
    older: int = 0


class CorrectionReader:
    """Reads corrections over one connection; days are those of `timezone`."""

    def __init__(
        self,
        connection: psycopg.Connection,
        feeds: Mapping[str, Feed],
        finder: CellFinder,
        timezone: str,
        where: Callable[[CountedMeasure, Cell], Cell],
    ) -> None:
        self._connection = connection
        self._feeds = feeds
        self._finder = finder
        self._timezone = timezone
        self._where = where
        self._queries = load_queries("history")

    def read(self, counted: Sequence[CountedMeasure], cell: Cell, limit: int, offset: int) -> CorrectionsFound:
        """Return the corrections of a cell; of each record, its newest 100 revisions are looked at."""
        if not counted:
            return CorrectionsFound()
        by_feed: dict[str, list[CountedMeasure]] = {}
        for one in counted:
            by_feed.setdefault(one.measure.feed, []).append(one)
        steps = joined([self._steps(self._feeds[feed], group, cell) for feed, group in by_feed.items()], " UNION ALL ")
        row = (
            self._connection.cursor(row_factory=class_row(_CorrectionRows))
            .execute(
                sql.SQL(self._queries["corrections"]).format(steps=steps),
                {"timezone": self._timezone, "limit": limit, "offset": offset},
            )
            .fetchone()
        )
        assert row is not None
        names = {feed: [one.adds_to for one in group] for feed, group in by_feed.items()}
        changes = tuple(_change(one, names[one["feed"]]) for one in row.page)
        days = tuple(Corrections.model_validate(day) for day in row.days)
        return CorrectionsFound(days, changes, row.total, row.older)

    def _steps(self, feed: Feed, counted: Sequence[CountedMeasure], cell: Cell) -> sql.Composable:
        """Return SQL of the revisions that are not in force, with what each adds and what its successor adds.

        A revision is kept without the columns that the worker adds; the conditions need where it lay and when.
        """
        cells = [self._where(one, cell) for one in counted]
        places = [self._finder.counting(one.measure, where, one.how) for one, where in zip(counted, cells, strict=True)]
        triples = [
            {"place": place, "adds": one.amount(where)}
            for place, one, where in zip(places, counted, cells, strict=True)
        ]
        adding, amount = sql.SQL(self._queries["adding"]), sql.SQL(self._queries["amount_here"])
        here = [self._finder.lying(cell), *(adding.format(**triple) for triple in triples)]
        return sql.SQL(self._queries["steps_of_feed"]).format(
            feed=sql.Literal(feed.key),
            table=sql.Identifier(feed.table),
            dated=self._dated(counted, cells, cell),
            newest=sql.Literal(_NEWEST),
            here=joined(here, " OR "),
            amounts=joined([amount.format(**triple) for triple in triples], ", "),
        )

    def _dated(self, counted: Sequence[CountedMeasure], cells: Sequence[Cell], cell: Cell) -> sql.Composable:
        """Return a cheap condition that kept revisions of the cell's days meet: dates are ISO texts in JSON."""
        parts = {("effective_on", cell.start, cell.end)}
        for one, where in zip(counted, cells, strict=True):
            parts.add((one.measure.at, where.start if one.how == "total" else date.min, where.end))
        dated = sql.SQL(self._queries["dated"])
        return joined(
            [
                dated.format(column=sql.Literal(at), first=sql.Literal(str(first)), last=sql.Literal(str(last)))
                for at, first, last in sorted(parts)
            ],
            " OR ",
        )


def _change(row: Mapping[str, Any], names: Sequence[str]) -> Correction:
    """Return a correction with the sums that it moved; one that came late moved none."""
    effects: tuple[Effect, ...] = ()
    if not row["late"]:
        sums = zip(names, row["before"], row["after"], strict=True)
        effects = tuple(
            Effect(adds_to=name, before=before, after=after) for name, before, after in sums if before != after
        )
    key = row["record_key"]
    return Correction(
        feed=row["feed"],
        reporter=row["reporter"],
        record=None if key is None else shortened(key),
        revision=row["revision"],
        recorded_at=row["recorded_at"],
        late=row["late"],
        effects=effects,
    )
