"""The proof that the figures are right: everything recomputed from the records by PostgreSQL, and compared.

The agents compute with Polars, fold with NumPy and store; this recomputes the same from the record tables alone, with
the same expressions in another engine, another way of walking the area tree, of cutting periods and of deciding which
are open. Differences are listed; nothing is repaired here.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import NamedTuple

import psycopg
from psycopg import sql
from psycopg.rows import class_row, scalar_row

from ioc.catalogue import Measure, StoredMeasure
from ioc.catalogue.composition import joined
from ioc.catalogue.plan import DistinctCount
from ioc.catalogue.sector import SectorPart, SectorPlan, plan_sectors, reported_levels
from ioc.catalogue.step import Step
from ioc.catalogue.store import load_editions, load_measures
from ioc.database.connection import connect, translated_errors
from ioc.feeds.feed import Feed, load_feeds
from ioc.recompute.day_sum import column_of, day_sums_sql, members_sql, placed_sql
from ioc.recompute.figure_sql import FigureSql, rolled_up
from ioc.settings import Settings
from sql import load_queries

_PAUSE = 0.05  # seconds between two snapshots
_TOLERANCE = 1e-9  # of the larger of two figures; sums are compared exactly


@dataclass(frozen=True)
class Difference:
    """One sum or figure that is not what the records say."""

    what: str
    period: str
    area_id: int
    bucket: str
    stored: float | None
    recomputed: float | None


@dataclass(frozen=True)
class ReconcileResult:
    """How much was compared, and what differs.

    waiting: contributions that the roll-up has not folded yet: what they move is no difference, and nothing was
             compared.
    set_aside: contributions that the roll-up could not fold: sums and figures lack them, and differ so far.
    """

    cells: int
    figures: int
    differences: tuple[Difference, ...]
    waiting: int = 0
    set_aside: int = 0

    def to_json(self) -> str:
        """Return the result as JSON."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=2)


def reconcile(settings: Settings, *, patience: float = 0.0) -> ReconcileResult:
    """Compare every stored sum and figure with its recompute, in one snapshot of the database.

    Contributions that wait to be folded in a snapshot are in the records and not yet in the sums. While events flow
    the roll-up takes all of them every half second: snapshots are taken until one has none, for `patience` seconds.
    Then the number that waits is returned, and nothing is compared.
    """
    feeds = load_feeds()
    end = time.monotonic() + patience
    with connect(settings, "owner") as connection, translated_errors():
        while True:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            connection.execute("SET LOCAL statement_timeout = '10min'")
            counting = connection.cursor(row_factory=scalar_row)
            waiting = counting.execute(load_queries("reconcile")["count_waiting"]).fetchone()
            if not waiting:
                return Reconciler(feeds, connection).run()
            connection.rollback()
            if time.monotonic() >= end:
                return ReconcileResult(0, 0, (), waiting)
            time.sleep(_PAUSE)


class _CellDifference(NamedTuple):
    """One row of `compare_cells`."""

    slot: int
    period: str
    area_id: int
    bucket: date
    stored: int
    recomputed: int


class _FigureDifference(NamedTuple):
    """One row of `compare_figures`."""

    slot: int
    period: str
    area_id: int
    bucket: date
    stored: float | None
    recomputed: float | None


class Reconciler:
    """Recomputes within one transaction; everything it makes is temporary."""

    def __init__(self, feeds: Mapping[str, Feed], connection: psycopg.Connection) -> None:
        self._feeds = feeds
        self._connection = connection
        self._queries = load_queries("reconcile")
        # Candidates that wait for `ioc rebuild` lack older records, and no shown figure uses them.
        measures = [stored for stored in load_measures(connection) if stored.complete]
        self._stored: dict[Measure, StoredMeasure] = {stored.measure: stored for stored in measures}
        self._by_feed = {
            key: [stored for stored in measures if stored.measure.feed == key]
            for key in feeds
            if any(stored.measure.feed == key for stored in measures)
        }
        self._feed_ids: dict[str, int] = dict(connection.execute(load_queries("profile")["select_feed_ids"]).fetchall())
        self._plans = plan_sectors(load_editions(connection))
        self._to_date = frozenset(_counted_to_date(self._plans))

    def run(self) -> ReconcileResult:
        """Recompute all feeds, then all sectors."""
        self._connection.execute(self._queries["create_chains"])
        differences: list[Difference] = []
        cells = figures = 0
        for key, measures in self._by_feed.items():
            self._recompute(self._feeds[key], measures)
            checked, found = self._compare_cells(self._feeds[key], measures)
            cells += checked
            differences += found
        for plan in self._plans:
            if plan.live.codes:
                checked, found = self._compare_figures(plan)
                figures += checked
                differences += found
        return ReconcileResult(cells, figures, tuple(differences), set_aside=self._set_aside())

    def _execute(self, name: str, **parts: sql.Composable) -> None:
        """Run a statement made of parts; one with parameters, so that psycopg reads percent signs alike everywhere."""
        for text in self._queries[name].split(";\n"):
            self._connection.execute(sql.SQL(text).format(**parts), {}, prepare=False)

    def _recompute(self, feed: Feed, measures: list[StoredMeasure]) -> None:
        """Make tables of the records: `day_<table>` (area, day, sums), `cell_<table>`, `member_<table>`, ...."""
        sums = [stored for stored in measures if stored.measure.kind == "sum"]
        distinct = [stored for stored in measures if stored.measure.kind == "distinct"]
        kinds = ("day", "cell", "spoken", "member", "first", "open")
        tables: dict[str, sql.Composable] = {kind: sql.Identifier(f"{kind}_{feed.table}") for kind in kinds}
        self._execute("create_days", placed=placed_sql(day_sums_sql(feed, sums), sums), **_only(tables, "day"))
        self._execute("create_cells", sums=joined([sql.SQL(", "), rolled_up(sums)], ""), **_only(tables, "cell", "day"))
        self._execute("create_members", members=members_sql(feed, distinct), **_only(tables, "spoken", "member"))
        to_date = [stored.slot for stored in distinct if stored.measure in self._to_date]
        self._execute("create_first_days", slots=sql.Literal(to_date), **_only(tables, "first", "spoken"))
        self._recompute_levels(feed, sums)
        counts = "more_than_nothing" if feed.foretells_ends else "not_nothing"
        anything = [sql.SQL(self._queries[counts]).format(slot=column_of(stored)) for stored in sums]
        self._execute(
            "create_open",
            anything=joined([*anything, sql.SQL("false")], " OR "),
            feed=sql.Literal(feed.key),
            **_only(tables, "open", "cell", "member"),
        )
        for table in tables.values():
            self._execute("analyze", table=table)

    def _recompute_levels(self, feed: Feed, sums: list[StoredMeasure]) -> None:
        """Make `level_<table>`: the reports of stocks, ratios and scores, carried forward day by day."""
        part = sql.SQL(self._queries["level_pair"])
        pairs: list[sql.Composable] = [
            part.format(
                number=sql.Literal(self._stored[reports].slot),
                amount=column_of(self._stored[amount]),
                reports=column_of(self._stored[reports]),
                alone=sql.Literal(amount.local),
            )
            for amount, reports in sorted(reported_levels(self._plans), key=str)
            if amount.feed == feed.key and amount in self._stored and reports in self._stored
        ]
        if pairs:
            self._execute(
                "create_levels",
                level=sql.Identifier(f"level_{feed.table}"),
                named=day_sums_sql(feed, sums),
                pairs=joined(pairs, ", "),
            )

    def _compare_cells(self, feed: Feed, measures: list[StoredMeasure]) -> tuple[int, list[Difference]]:
        """Compare `measure_cell` with the recomputed sums and counts, whichever side has a cell."""
        cell, member = sql.Identifier(f"cell_{feed.table}"), sql.Identifier(f"member_{feed.table}")
        part = sql.SQL(self._queries["wanted_sum"])
        wanted: list[sql.Composable] = [
            part.format(number=sql.Literal(stored.slot), slot=column_of(stored), cell=cell)
            for stored in measures
            if stored.measure.kind == "sum"
        ]
        wanted.append(sql.SQL(self._queries["wanted_members"]).format(member=member))
        slots = [stored.slot for stored in measures]
        statement = sql.SQL(self._queries["compare_cells"]).format(wanted=joined(wanted, " UNION ALL "))
        cursor = self._connection.cursor(row_factory=class_row(_CellDifference))
        rows = cursor.execute(statement, {"slots": slots, "feed_id": self._feed_ids[feed.key]}).fetchall()
        names = {
            stored.slot: f"{feed.key}: {stored.measure.value} where {stored.measure.condition}" for stored in measures
        }
        found = [
            Difference(
                names[row.slot], row.period, row.area_id, str(row.bucket), float(row.stored), float(row.recomputed)
            )
            for row in rows
        ]
        return self._count("count_cells", self._feed_ids[feed.key]) * len(slots), found

    def _compare_figures(self, plan: SectorPlan) -> tuple[int, list[Difference]]:
        """Compare `indicator_cell` with the figures that follow from the recomputed sums, whichever side has a row."""
        part, codes = plan.live, plan.live.codes
        self._execute(
            "create_keys",
            opening=sql.Literal(sorted(plan.opening)),
            carries=sql.Literal(bool(plan.stocks)),
            sector=sql.Literal(plan.sector),
        )
        self._compute_days(part)
        figures = FigureSql(part.plans, self._stored, self._feeds)
        pairs = [self._pair(slot, figures, part, code) for code, slot in codes.items()]
        statement = sql.SQL(self._queries["compare_figures"]).format(joins=figures.joins, pairs=joined(pairs, ", "))
        cursor = self._connection.cursor(row_factory=class_row(_FigureDifference))
        rows = cursor.execute(statement, {"tolerance": _TOLERANCE}).fetchall()
        self._execute("drop_keys")
        by_slot = {slot: code for code, slot in codes.items()}
        found = [
            Difference(by_slot[row.slot], row.period, row.area_id, str(row.bucket), row.stored, row.recomputed)
            for row in rows
        ]
        return self._count("count_figures", plan.sector) * len(codes), found

    def _compute_days(self, part: SectorPart) -> None:
        """Compute the figures of single days of which a formula names an extreme."""
        self._execute("clear_day_figures")
        codes = sorted({reference.name for name in ("max", "min") for reference, _ in part.named(name)})
        if codes:
            figures = FigureSql(part.plans, self._stored, self._feeds)
            pairs = [self._pair(code, figures, part, code) for code in codes]
            self._execute("insert_day_figures", joins=figures.joins, pairs=joined(pairs, ", "))

    def _pair(self, name: str | int, figures: FigureSql, part: SectorPart, code: str) -> sql.Composable:
        figure = figures.figure(Step(part.plans[code]))
        return sql.SQL(self._queries["pair"]).format(slot=sql.Literal(name), figure=figure)

    def _set_aside(self) -> int:
        cursor = self._connection.cursor(row_factory=scalar_row)
        return int(cursor.execute(load_queries("rollup")["count_set_aside"]).fetchone() or 0)

    def _count(self, name: str, of: object) -> int:
        counted = self._connection.cursor(row_factory=scalar_row).execute(self._queries[name], [of]).fetchone()
        return int(counted or 0)


def _only(tables: Mapping[str, sql.Composable], *names: str) -> dict[str, sql.Composable]:
    return {name: tables[name] for name in names}


def _counted_to_date(plans: Sequence[SectorPlan]) -> Iterator[Measure]:
    """Yield the distinct measures whose members of the year so far are counted."""
    for plan in plans:
        for step in plan.live.steps:
            if step.span == "ytd" and isinstance(step.plan, DistinctCount):
                yield step.plan.members
