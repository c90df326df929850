"""The steps of a rebuild: fill measures, fold, close, compute figures beside the live ones, compare, swap."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg.rows import dict_row, scalar_row

from ioc.catalogue import StoredMeasure
from ioc.catalogue.edition import Edition
from ioc.catalogue.plan import RunningTotal
from ioc.catalogue.sector import SectorPlan, stock_feeds
from ioc.catalogue.store import load_measures, swap_in
from ioc.database.connection import connect, translated_errors
from ioc.errors import ConfigError, FatalError
from ioc.feeds.feed import load_feeds
from ioc.province.profile import load_profile
from ioc.settings import Settings
from sql import load_queries
from streams.rebuild.comparison import Comparison, compare
from streams.rebuild.fill import Appended, MeasureFill
from streams.rebuild.running_total import areas_of, write_running_totals
from streams.rollup.service import Rollup

# What is shown while it runs: the step, how much of it is done, and how much there is.
ProgressCallback = Callable[[str, int, int], None]
CELLS = 4000  # figures of so many cells are computed while the roll-up waits


def unwatched(step: str, done: int, total: int) -> None:
    """Report no progress: for callers that show none."""


@dataclass(frozen=True)
class RebuildPlan:
    """What is to be done.

    codes:    the candidates that are swapped in together.
    asked:    how many of them were asked for; the others use them, or are used by them.
    measures: by feed, those that lack records from before they were counted.
    running_totals: feeds whose running totals are added up anew: a stock is read from them for the first time.
    reports:  feeds whose reports are carried forward anew: measures of them are filled.
    sectors:  plans of the sectors whose figures are computed.
    recount:  everything that is stored is compared with the records, and mended where it differs.
    """

    codes: frozenset[str]
    asked: int
    measures: dict[str, list[StoredMeasure]]
    running_totals: tuple[str, ...]
    reports: tuple[str, ...]
    sectors: tuple[SectorPlan, ...]
    recount: bool = False


class Rebuild:
    """One rebuild over one connection of the owner (autocommit), while workers and roll-up go on."""

    def __init__(
        self,
        settings: Settings,
        connection: psycopg.Connection,
        codes: Iterable[str] = (),
        *,
        recount: bool = False,
        cells: int = CELLS,
    ) -> None:
        """Raises ConfigError where a code has no change that waits, or nothing waits at all.

        recount: not a change of the catalogue, but all that is stored, after units changed. Nothing is swapped then;
                 what is shown is counted where the units are now.
        cells:   most cells whose figures are computed in one transaction.
        """
        self._settings = settings
        self._cells = cells
        self._connection = connection
        self._feeds = load_feeds()
        self._areas = load_profile(settings.profile).areas
        self._queries = load_queries("rebuild")
        self._rollup = Rollup(settings, connection)
        self._feed_ids: dict[str, int] = dict(connection.execute(load_queries("profile")["select_feed_ids"]).fetchall())
        self.plan = self._recount() if recount else self._plan(list(codes))
        self.appended = Appended()
        self.set_aside = 0  # contributions that could not be folded, not even now: figures lack them

    def run(self, watch: ProgressCallback = unwatched) -> list[Comparison]:
        """Compute the candidates' figures beside the live ones and compare them; nothing that is shown changes.

        What was set aside is folded first, where it fits now; what does not stays set aside, and counts as waiting:
        its records are not added a second time.
        Interrupted, it goes on where it was: months that were filled are not read again. Raises
        CatalogueChangedError when another catalogue is loaded meanwhile.
        """
        self._rollup.retry_all_set_aside(self._connection)
        for feed, measures in self.plan.measures.items():
            self._fill(feed, measures, watch)
        self._catch_up(watch)
        _, self.set_aside = self._rollup.retry_all_set_aside(self._connection)
        for feed in self.plan.running_totals:
            self._close(feed, watch)
        for feed in self.plan.reports:
            watch(f"reports · số báo cáo: {feed}", 0, 1)
            with translated_errors(), self._rollup.exclusively(self._connection):
                self._rollup.rewrite_reports(self._connection, feed)
            watch(f"reports · số báo cáo: {feed}", 1, 1)
        for plan in self.plan.sectors:
            self._compute(plan, watch)
        with translated_errors():
            return compare(self._connection, self.plan.codes)

    def swap(self, watch: ProgressCallback = unwatched) -> None:
        """Make the candidates live, all in one transaction; their figures are as the roll-up has kept them."""
        before = {plan.sector: (plan.opening, bool(plan.stocks)) for plan in self._rollup.plans}
        with translated_errors(), self._rollup.exclusively(self._connection):
            self._mark_swapped()
            swap_in(self._connection, self.plan.codes)
        self._rollup = Rollup(self._settings, self._connection)
        for plan in self._rollup.plans:
            # Periods that only a replaced version knew are shut, and the last known day may have moved.
            if (plan.opening, bool(plan.stocks)) != before[plan.sector]:
                self._compute(plan, watch)

    def _mark_swapped(self) -> None:
        """Mark the cells whose shown figures the swap changes: other systems are told of it as of any change."""
        if not self._settings.figure_changes and self._settings.small_cell_below < 2:
            return
        changes, disclosure = load_queries("figure_change"), load_queries("disclosure")
        slots: dict[str, list[tuple[int | None, int]]] = {}
        named = self._connection.cursor(row_factory=dict_row)
        for row in named.execute(self._queries["select_versions"], [sorted(self.plan.codes)]):
            slots.setdefault(row["sector"], []).append((row["old_slot"], row["new_slot"]))
        for sector, pairs in slots.items():
            old, new = zip(*pairs, strict=True)
            self._connection.execute(changes["mark_swapped"], {"sector": sector, "old": [*old], "new": [*new]})
        # What readers may see of other slots is decided anew.
        guarded = {row["sector"] for row in named.execute(disclosure["select_rules"])} & slots.keys()
        if guarded:
            self._connection.execute(disclosure["forget_decided"], {"sectors": [*guarded]})
            self._connection.execute(disclosure["mark_sectors"], {"sectors": [*guarded]})

    def _plan(self, asked: list[str]) -> RebuildPlan:
        editions = self._rollup.editions
        if editions.next is None:
            raise ConfigError(
                "nothing waits to be rebuilt: the figures are those of the catalogue in the database. "
                "After a change of its files, run `ioc profile load` first."
            )
        unknown = sorted(set(asked) - set(editions.candidates))
        if unknown:
            raise ConfigError(
                f"{', '.join(unknown)}: no change of it waits. Those that wait: {', '.join(editions.candidates[:20])}"
            )
        codes = editions.together(asked or editions.candidates)
        compiled = editions.next.compiled
        steps = [compiled.plans[step] for step in frozenset[str]().union(*(compiled.closure(code) for code in codes))]
        needed = {measure for plan in steps for measure in plan.measures}
        measures: dict[str, list[StoredMeasure]] = {}
        for stored in load_measures(self._connection):
            if stored.measure in needed and not stored.complete:
                measures.setdefault(stored.measure.feed, []).append(stored)
        new_stocks = _stock_feeds(editions.next) - _stock_feeds(editions.live)
        sectors = {editions.next.indicators[code].sector for code in codes}
        return RebuildPlan(
            codes,
            len(asked) or len(codes),
            measures,
            tuple(sorted(new_stocks)),
            tuple(sorted(self._rollup.reports.keys() & measures.keys())),
            tuple(plan for plan in self._rollup.plans if plan.sector in sectors),
        )

    def _recount(self) -> RebuildPlan:
        measures: dict[str, list[StoredMeasure]] = {}
        for stored in load_measures(self._connection):
            measures.setdefault(stored.measure.feed, []).append(stored)
        plans = self._rollup.plans
        reports = tuple(sorted(self._rollup.reports))
        stocks = tuple(sorted(stock_feeds(plans)))
        return RebuildPlan(frozenset(), 0, measures, stocks, reports, tuple(plans), recount=True)

    def _fill(self, feed: str, measures: list[StoredMeasure], watch: ProgressCallback) -> None:
        fill = MeasureFill(self._feeds[feed], self._feed_ids[feed], measures, self._areas)
        if self.plan.recount:
            fill.begin_anew(self._connection)
        months = fill.months(self._connection)
        for done, month in enumerate(months):
            watch(f"records · bản ghi: {feed} {month:%Y-%m}", done, len(months))
            self.appended += fill.fill(self._connection, month)
        watch(f"records · bản ghi: {feed}", len(months), len(months))
        fill.finish(self._connection)

    def _catch_up(self, watch: ProgressCallback) -> None:
        cursor = self._connection.cursor(row_factory=scalar_row)
        total = cursor.execute(self._queries["select_waiting"]).fetchone() or 0
        done = 0
        for taken in self._rollup.catch_up(self._connection):
            done += taken
            watch("contributions · cộng dồn", min(done, total), total)

    def _close(self, feed: str, watch: ProgressCallback) -> None:
        feed_id = self._feed_ids[feed]
        areas = areas_of(self._connection, feed_id)
        stored = (stored for stored in load_measures(self._connection) if stored.measure.feed == feed)
        local = [one.slot - 1 for one in stored if one.measure.local]
        for done, area_id in enumerate(areas, start=1):
            with translated_errors(), self._rollup.exclusively(self._connection):
                write_running_totals(self._connection, feed_id, area_id, local)
            watch(f"running totals · lũy kế: {feed}", done, len(areas))

    def _compute(self, plan: SectorPlan, watch: ProgressCallback) -> None:
        with translated_errors():
            keys = self._rollup.figures.cells(self._connection, plan)
        done = 0
        for chunk in keys.iter_slices(self._cells):
            with translated_errors(), self._rollup.exclusively(self._connection):
                self._rollup.figures.refresh(self._connection, plan, chunk)
            done += chunk.height
            watch(f"figures · số liệu: {plan.sector}", done, keys.height)


@contextmanager
def open_rebuild(
    settings: Settings, codes: Iterable[str] = (), *, recount: bool = False, cells: int = CELLS
) -> Iterator[Rebuild]:
    """Prepare a rebuild over a connection of its own; raises FatalError while another one runs."""
    queries = load_queries("rebuild")
    with connect(settings, "owner", autocommit=True) as connection, translated_errors():
        connection.execute("SET statement_timeout = '15min'")
        if connection.execute(queries["try_lock"]).fetchone() != (True,):
            raise FatalError("another rebuild is running in this database; wait until it has ended")
        try:
            yield Rebuild(settings, connection, codes, recount=recount, cells=cells)
        finally:
            if not connection.closed:
                connection.execute(queries["unlock"])


def _stock_feeds(edition: Edition) -> frozenset[str]:
    plans = edition.compiled.plans.values()
    return frozenset(plan.stock.feed for plan in plans if isinstance(plan, RunningTotal))
