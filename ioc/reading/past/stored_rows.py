"""The rows of `measure_cell` and `distinct_member` as they were, written into temporary tables of these names.

PostgreSQL looks into temporary tables first, so that every query of stored sums then reads those of the moment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from psycopg import sql

from ioc.catalogue import StoredMeasure
from ioc.catalogue.composition import joined
from ioc.feeds.feed import Feed
from ioc.recompute.day_sum import column_of
from ioc.recompute.figure_sql import rolled_up
from sql import load_queries


class StoredRows:
    """Composes the statements of one feed over the tables that `PastFigures` has made of it."""

    def __init__(self, feed: Feed, feed_id: int, measures: Sequence[StoredMeasure]) -> None:
        self._feed = feed
        self._feed_id = sql.Literal(feed_id)
        self._sums = [one for one in measures if one.measure.kind == "sum"]
        self._distinct = [one for one in measures if one.measure.kind == "distinct"]
        self._queries = load_queries("past")

    def statements(
        self, areas: list[int], levels: Sequence[tuple[StoredMeasure, StoredMeasure]]
    ) -> Iterator[sql.Composed]:
        """Yield what fills the tables, for the given units.

        levels: amount and number of reports of what agencies report and is carried to their next report.
        """
        named = {"feed_id": self._feed_id, "areas": sql.Literal(areas), "day": self._table("day")}
        columns = {one.slot: column_of(one) for one in [*self._sums, *self._distinct]}
        pivot: list[sql.Composable] = [
            self._part("members_of_slot").format(number=sql.Literal(one.slot), slot=column_of(one))
            for one in self._distinct
        ]
        if self._distinct:
            members = self._part("members_by_slot").format(
                member=self._table("member"), pivot=joined(pivot, ""), **named
            )
            yield self._part("insert_sums_and_members").format(
                cell=self._table("cell"),
                members=members,
                sums=self._row(columns),
                anything=self._anything(columns),
                **named,
            )
            numbers = {
                "measures": sql.Literal([one.measure_id for one in self._distinct]),
                "slots": sql.Literal([one.slot for one in self._distinct]),
            }
            yield self._part("insert_members").format(spoken=self._table("spoken"), **numbers, **named)
        else:
            yield self._part("insert_sums").format(
                cell=self._table("cell"), sums=self._row(columns), anything=self._anything(columns), **named
            )
        if self._sums:
            totals: list[sql.Composable] = [self._part("running_sum").format(slot=column_of(one)) for one in self._sums]
            yield self._part("insert_closing").format(
                totals=rolled_up(self._sums),
                running=joined(totals, ""),
                sums=self._row({one.slot: column_of(one) for one in self._sums}),
                **named,
            )
        if levels:
            yield self._carried(levels, named)

    def _carried(
        self, levels: Sequence[tuple[StoredMeasure, StoredMeasure]], named: Mapping[str, sql.Composable]
    ) -> sql.Composed:
        last: list[sql.Composable] = []
        columns: dict[int, sql.Composable] = {}
        for amount, reports in levels:
            alias = sql.Identifier(f"last_{reports.slot}")
            last.append(
                self._part("last_level").format(
                    level=self._table("level"), number=sql.Literal(reports.slot), alias=alias
                )
            )
            for one, column in ((amount, "amount"), (reports, "reports")):
                columns[one.slot] = self._part("of_last_level").format(alias=alias, column=sql.Identifier(column))
        return self._part("insert_carried").format(
            level=self._table("level"), last=joined(last, "\n"), sums=self._row(columns), **named
        )

    def _row(self, columns: Mapping[int, sql.Composable]) -> sql.Composed:
        """Return the elements of an array of sums, each at its slot."""
        nothing = sql.SQL("NULL")
        return joined([columns.get(slot, nothing) for slot in range(1, max(columns, default=1) + 1)], ", ")

    def _anything(self, columns: Mapping[int, sql.Composable]) -> sql.Composed:
        return joined([self._part("not_nothing").format(slot=column) for column in columns.values()], " OR ")

    def _table(self, name: str) -> sql.Identifier:
        return sql.Identifier(f"{name}_{self._feed.table}")

    def _part(self, name: str) -> sql.SQL:
        return sql.SQL(self._queries[name])
