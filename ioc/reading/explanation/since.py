"""What became of a figure after a past moment: the records that came, were corrected or were voided since."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import class_row, dict_row, scalar_row

from ioc.catalogue.composition import joined
from ioc.feeds.feed import Feed
from ioc.reading.explanation.cell import Cell, CellFinder
from ioc.reading.explanation.counted import CountedMeasure
from ioc.reading.explanation.model import ChangeSince, Effect, MovedSum, SinceThen, StatusThen, shortened
from sql import load_queries


class SinceReader:
    """Reads within `ioc.reading.past.past`: both what was known then and what is now."""

    def __init__(
        self,
        connection: psycopg.Connection,
        feeds: Mapping[str, Feed],
        finder: CellFinder,
        where: Callable[[CountedMeasure, Cell], Cell],
    ) -> None:
        self._connection = connection
        self._feeds = feeds
        self._finder = finder
        self._where = where
        self._queries = load_queries("past")

    def status(self, code: str, cell: Cell) -> StatusThen | None:
        """Return the indicator's status then, in the area of the cell."""
        cursor = self._connection.cursor(row_factory=class_row(StatusThen))
        asked = {"code": code, "area_id": cell.area.area_id}
        return cursor.execute(self._queries["select_status"], asked).fetchone()

    def read(self, code: str, counted: Sequence[CountedMeasure], cell: Cell, limit: int, offset: int) -> SinceThen:
        """Return what is known now, and a page of the changes that lead from then to now, newest first."""
        cell = replace(cell, last=cell.end)  # more days of the period may be known by now
        cursor = self._connection.cursor(row_factory=dict_row)
        place = {"code": code, "area_id": cell.area.area_id, "period": cell.period, "bucket": cell.start}
        now = cursor.execute(self._queries["select_now"], place).fetchone() or {"version": None, "value": None}
        by_feed: dict[str, list[CountedMeasure]] = {}
        for one in counted:
            by_feed.setdefault(one.measure.feed, []).append(one)
        counting = self._connection.cursor(row_factory=scalar_row)
        register = counting.execute(self._queries["count_register_changes"], {"feeds": list(by_feed)}).fetchone()
        names = {feed: [one.adds_to for one in group] for feed, group in by_feed.items()}
        found: dict[str, Any] = {"total": 0, "counts": {}, "moved": [], "page": []}
        if by_feed:
            steps = joined(
                [self._steps(self._feeds[feed], group, cell) for feed, group in by_feed.items()], " UNION ALL "
            )
            statement = sql.SQL(self._queries["changes"]).format(steps=steps)
            found = cursor.execute(statement, {"limit": limit, "offset": offset}).fetchone() or found
        return SinceThen(
            value_now=now["value"],
            version_now=now["version"],
            register_changes=register or 0,
            counts=found["counts"],
            moved=tuple(MovedSum(adds_to=names[one["feed"]][one["at"]], by=one["by"]) for one in found["moved"]),
            changes=tuple(_change(one, names[one["feed"]]) for one in found["page"]),
            changes_total=found["total"],
        )

    def _steps(self, feed: Feed, counted: Sequence[CountedMeasure], cell: Cell) -> sql.Composable:
        """Return SQL of the records that changed, with what each added then and adds now."""
        amount = sql.SQL(load_queries("history")["amount_here"])
        amounts: list[sql.Composable] = []
        for one in counted:
            where = self._where(one, cell)
            place = self._finder.counting(one.measure, where, one.how)
            amounts.append(amount.format(place=place, adds=one.amount(where)))
        nothing = sql.SQL(self._queries["nothing"]).format(zeros=joined([sql.SQL("0")] * len(amounts), ", "))
        return sql.SQL(self._queries["changes_of_feed"]).format(
            feed=sql.Literal(feed.key),
            table=sql.Identifier(feed.table),
            replaced=sql.Identifier(f"{feed.table}_replaced"),
            amounts=joined(amounts, ", "),
            nothing=nothing,
        )


def _change(row: Mapping[str, Any], names: Sequence[str]) -> ChangeSince:
    sums = zip(names, row["before"], row["after"], strict=True)
    effects = (Effect(adds_to=name, before=before, after=after) for name, before, after in sums if before != after)
    return ChangeSince(
        feed=row["feed"],
        reporter=row["reporter"],
        record=shortened(row["record_key"]),
        revision=row["revision"],
        changed_at=row["changed_at"],
        what=row["what"],
        effects=tuple(effects),
    )
