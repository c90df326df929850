"""Figures as they were at a past moment, by the statements that prove the figures of today.

What a feed's records add to each day is taken from the stored sums of days, less what came since, plus what has been
replaced since. So the cost depends on how much came since, not on how many records there are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta

import psycopg
from psycopg import sql
from psycopg.rows import class_row, dict_row

from ioc.catalogue import Compiled, IndicatorPlan, Measure, StoredMeasure
from ioc.catalogue.composition import joined
from ioc.catalogue.indicator import REPORT_FEED
from ioc.catalogue.opening import OpenDays, OpenPeriods
from ioc.catalogue.plan import Reported
from ioc.catalogue.sector import part_of
from ioc.catalogue.step import Step, amounts_of, unfold
from ioc.catalogue.store import load_measures
from ioc.feeds.feed import Feed
from ioc.period import end_of, start_of
from ioc.reading.past.stored_rows import StoredRows
from ioc.recompute.day_sum import Days, column_of, day_sums_sql, members_sql, placed_sql
from ioc.recompute.figure_sql import FigureSql, rolled_up
from ioc.territory.area import Area
from sql import load_queries

_EVER = date(1, 1, 1)


@dataclass(frozen=True)
class _KeptCell:
    """One row of `select_known`."""

    area_id: int
    bucket: date
    figures: list[float | None]


@dataclass
class _FeedNeeds:
    """What is read of one feed: its measures, and the days on which they count."""

    measures: dict[Measure, StoredMeasure] = field(default_factory=dict)
    first: date = date.max
    last: date = date.min

    def widen(self, first: date, last: date) -> None:
        self.first, self.last = min(self.first, first), max(self.last, last)

    def of(self, kind: str) -> list[StoredMeasure]:
        """Return the measures of a kind."""
        return [stored for stored in self.measures.values() if stored.measure.kind == kind]


class PastFigures:
    """Tells figures within `ioc.reading.past.past`; `compiled` holds the definitions of that moment."""

    def __init__(
        self, connection: psycopg.Connection, compiled: Compiled, feeds: Mapping[str, Feed], *, anew: bool = False
    ) -> None:
        """
        anew: compute every figure, also those that are stored or kept as they were then.
        """
        self._anew = anew
        self._connection = connection
        self._compiled = compiled
        self._feeds = feeds
        self._queries = load_queries("past")
        self._proof = load_queries("reconcile")
        self._feed_ids: dict[str, int] = dict(connection.execute(load_queries("profile")["select_feed_ids"]).fetchall())
        self._stored = {stored.measure: stored for stored in load_measures(connection)}

    def opened(self, sector: str) -> OpenPeriods:
        """Return the periods of a sector that were open, and how far they went."""
        rows = self._connection.execute(load_queries("series")["select_sector_slots"], [sector])
        slots: dict[str, int] = dict(rows.fetchall())
        part = part_of({code: slot for code, slot in slots.items() if code in self._compiled.plans}, self._compiled)
        return OpenDays(self._connection).periods(part.opening, carries=bool(part.stocks))

    def read(
        self, codes: Collection[str], sector: str, period: str, buckets: Sequence[date], areas: Sequence[Area]
    ) -> dict[tuple[str, int, date], float]:
        """Return the figures by code, `area_id` and bucket; what had none is left out.

        sector: whose periods are asked about; all codes are evaluated in them.
        """
        opened = self.opened(sector)
        shown = sorted({day for day in buckets if opened.holds(period, day)})
        if not shown or not areas:
            return {}
        found, cells = self._kept(codes, sector, period, shown, areas)
        if cells:
            by_id = {area.area_id: area for area in areas}
            left = [by_id[area_id] for area_id in dict.fromkeys(area_id for area_id, _ in cells)]
            days = sorted({day for _, day in cells})
            for key, value in self._computed(codes, opened, period, days, left).items():
                if key[1:] in cells:
                    found[key] = value
        return found

    @contextmanager
    def sums(
        self,
        codes: Collection[str],
        sector: str,
        period: str,
        buckets: Sequence[date],
        areas: Collection[int],
        *,
        every: bool,
    ) -> Iterator[None]:
        """Let `measure_cell` and `distinct_member` be read as they were of some units, for what figures are made of.

        every: all sums of their feeds, so that a row is there wherever a feed had counted anything.
        """
        opened = self.opened(sector)
        shown = sorted({day for day in buckets if opened.holds(period, day)})
        if not shown:
            yield
            return
        plans = self._plans(codes)
        with self._connection.transaction():  # temporary tables of these names hide the stored ones until its end
            self._execute("create_ground", periods=sql.Literal(sorted({"day", "month", "year", period})))
            needs = self._needs(plans, codes, opened, period, shown)
            self._execute("create_stored")
            for key, need in needs.items():
                if every:
                    # Of what agencies report, the number of reports says it.
                    need.measures |= {
                        one: kept
                        for one, kept in self._stored.items()
                        if one.feed == key != REPORT_FEED and one.kind == "sum"
                    }
                self._recompute(self._feeds[key], need, sorted(areas), plans)
                rows = StoredRows(self._feeds[key], self._feed_ids[key], list(need.measures.values()))
                levels = [
                    (self._stored[plan.amount], self._stored[plan.reports])
                    for plan in plans.values()
                    if isinstance(plan, Reported) and plan.running and plan.amount.feed == key
                ]
                for statement in rows.statements(sorted(areas), levels):
                    self._connection.execute(statement, {}, prepare=False)
            yield
            raise psycopg.Rollback

    def _kept(
        self, codes: Collection[str], sector: str, period: str, shown: Sequence[date], areas: Sequence[Area]
    ) -> tuple[dict[tuple[str, int, date], float], set[tuple[int, date]]]:
        """Return the figures that nothing has moved since they were written or kept, and the cells of the others."""
        there = {
            (area.area_id, day) for area in areas for day in shown
            if area.valid_from <= end_of(period, day) and area.valid_to > day
        }  # fmt: skip
        queries = load_queries("snapshot")
        slots: dict[str, int] = dict(self._connection.execute(queries["select_slots"], [sector]).fetchall())
        if self._anew or not slots.keys() >= set(codes):
            return {}, there
        asked = {"sector": sector, "period": period, "buckets": list(shown)}
        asked["areas"] = sorted({area_id for area_id, _ in there})
        found: dict[tuple[str, int, date], float] = {}
        cursor = self._connection.cursor(row_factory=class_row(_KeptCell))
        for row in cursor.execute(queries["select_known"], asked):
            there.discard((row.area_id, row.bucket))
            for code in codes:
                at = slots[code] - 1
                if at < len(row.figures) and (value := row.figures[at]) is not None:
                    found[code, row.area_id, row.bucket] = value
        return found, there

    def _computed(
        self, codes: Collection[str], opened: OpenPeriods, period: str, shown: Sequence[date], areas: Sequence[Area]
    ) -> dict[tuple[str, int, date], float]:
        """Compute figures from sums of days and what came since."""
        plans = self._plans(codes)
        days = sorted({day for bucket in shown for day in self._days(codes, opened, period, bucket)})
        found: dict[tuple[str, int, date], float] = {}
        # Temporary tables end with this block; nothing of it is kept.
        with self._connection.transaction():
            self._execute("create_ground", periods=sql.Literal(sorted({"day", "year", period})))
            self._write_keys(opened, period, shown, days, areas)
            needs = self._needs(plans, codes, opened, period, shown)
            for key, need in needs.items():
                self._recompute(self._feeds[key], need, [area.area_id for area in areas], plans)
            figures = FigureSql(plans, self._stored, self._feeds)
            if days:
                self._compute_days(plans, codes)
            pairs = [self._pair(figures, plans[code]) for code in codes]
            statement = sql.SQL(self._queries["select_figures"]).format(joins=figures.joins, pairs=joined(pairs, ", "))
            cursor = self._connection.cursor(row_factory=dict_row)
            for row in cursor.execute(statement, {}, prepare=False):
                found[row["code"], row["area_id"], row["bucket"]] = row["figure"]
            raise psycopg.Rollback
        return found

    def _plans(self, codes: Iterable[str]) -> dict[str, IndicatorPlan]:
        needed = frozenset[str]().union(*(self._compiled.closure(code) for code in codes))
        return {code: plan for code, plan in self._compiled.plans.items() if code in needed}

    # ------------------------------------------------------------------------------------------ what is asked
    def _extremes(self, codes: Collection[str]) -> set[str]:
        """Return the codes of which a formula names the highest or lowest day."""
        steps = unfold(self._compiled.plans, codes)
        return {one.name for step in steps for one in step.references if one.function in ("max", "min")}

    def _days(self, codes: Collection[str], opened: OpenPeriods, period: str, bucket: date) -> Iterable[date]:
        """Yield the single days whose figures are looked at, where an extreme of days is asked for."""
        if not self._extremes(codes):
            return
        first, last = bucket, opened.end(period, bucket)
        spans = {step.span for step in unfold(self._compiled.plans, codes)}
        if spans - {"period"}:
            first = start_of("year", last)
            last = opened.end("year", first) if "year" in spans else last
        for at in range((last - first).days + 1):
            if opened.holds("day", day := first + timedelta(days=at)):
                yield day

    def _write_keys(
        self, opened: OpenPeriods, period: str, shown: Sequence[date], days: Sequence[date], areas: Sequence[Area]
    ) -> None:
        wanted = dict.fromkeys([(period, day, True) for day in shown], None)
        asked = set(shown) if period == "day" else set()
        wanted.update(dict.fromkeys([("day", day, False) for day in days if day not in asked], None))
        with self._connection.cursor().copy(self._queries["copy_keys"]) as copy:
            for length, bucket, is_asked in wanted:
                last = opened.end(length, bucket)
                year = start_of("year", last)
                bounds = (bucket, last, year, last, year, opened.end("year", year))
                for area in areas:
                    if area.valid_from <= end_of(length, bucket) and area.valid_to > bucket:
                        row = (length, area.area_id, bucket, is_asked, True, area.valid_from, area.valid_to, *bounds)
                        copy.write_row(row)

    def _needs(
        self,
        plans: Mapping[str, IndicatorPlan],
        codes: Collection[str],
        opened: OpenPeriods,
        period: str,
        shown: Sequence[date],
    ) -> dict[str, _FeedNeeds]:
        """Return by feed what the figures read."""
        needs: dict[str, _FeedNeeds] = {}
        ends = [opened.end(period, day) for day in shown]
        years = [start_of("year", last) for last in ends]
        first, last = min(*shown, *years), max(*ends, *(end_of("year", year) for year in years))
        extremes = self._extremes(codes)
        for step in unfold(self._compiled.plans, [*codes, *sorted(extremes)]):
            for amount in amounts_of(step, self._compiled.plans):
                need = needs.setdefault(amount.measure.feed, _FeedNeeds())
                need.measures[amount.measure] = self._stored[amount.measure]
                need.widen(_EVER if amount.how != "total" else first, last)
        # The number of reports is stored next to the reported sum, and is read with it.
        for plan in plans.values():
            for measure in plan.measures:
                if measure.feed in needs:
                    needs[measure.feed].measures[measure] = self._stored[measure]
        return needs

    # ------------------------------------------------------------------------------------------ days, and what follows
    def _recompute(self, feed: Feed, need: _FeedNeeds, area_ids: list[int], plans: Mapping[str, IndicatorPlan]) -> None:
        """Make the tables of a feed, as `streams.proof` does, as they were."""
        names = ("day", "cell", "spoken", "member", "first", "open")
        table = {name: sql.Identifier(f"{name}_{feed.table}") for name in names}
        sums, distinct = need.of("sum"), need.of("distinct")
        feed_id, areas = sql.Literal(self._feed_ids[feed.key]), sql.Literal(area_ids)
        bounds: dict[str, sql.Composable] = {"first": sql.Literal(need.first), "last": sql.Literal(need.last)}
        within: Days = (need.first, need.last)
        replaced = sql.Identifier("as_of", f"{feed.table}_replaced")
        since = self._part("came_since").format(table=sql.Identifier(feed.table))
        waiting = self._part("waiting_day_sums").format(delta=self._columns("delta", sums), feed_id=feed_id, **bounds)
        self._execute(
            "create_days",
            day=table["day"],
            feed_id=feed_id,
            totals=joined([_recompute_part("total").format(slot=column_of(one)) for one in sums], ""),
            stored=self._columns("stored", sums),
            below=joined([self._below(one) for one in sums], ""),
            same=self._columns("same", sums),
            stored_sums=self._columns("same", sums),
            negative=self._columns("negative", sums),
            delta=self._columns("delta", sums),
            waiting=placed_sql(waiting, sums),
            replaced=placed_sql(day_sums_sql(feed, sums, within=within, source=replaced), sums),
            since=placed_sql(day_sums_sql(feed, sums, within=within, source=since), sums),
            **bounds,
        )
        self._execute(
            "create_cells",
            cell=table["cell"],
            day=table["day"],
            areas=areas,
            sums=joined([sql.SQL(", "), rolled_up(sums)], ""),
        )
        self._execute("create_open", open=table["open"], feed_id=feed_id)
        self._recompute_levels(feed, need, plans)
        if distinct:
            self._execute(
                "create_members",
                spoken=table["spoken"],
                member=table["member"],
                measures=sql.Literal([one.measure_id for one in distinct]),
                slots=sql.Literal([one.slot for one in distinct]),
                areas=areas,
                replaced=members_sql(feed, distinct, within=within, source=replaced),
                since=members_sql(feed, distinct, within=within, source=since),
                **bounds,
            )
            self._execute("create_first_days", first=table["first"], spoken=table["spoken"])

    def _recompute_levels(self, feed: Feed, need: _FeedNeeds, plans: Mapping[str, IndicatorPlan]) -> None:
        part = sql.SQL(self._proof["level_pair"])
        pairs: list[sql.Composable] = [
            part.format(
                number=sql.Literal(self._stored[plan.reports].slot),
                amount=column_of(self._stored[plan.amount]),
                reports=column_of(self._stored[plan.reports]),
                alone=sql.Literal(plan.amount.local),
            )
            for plan in plans.values()
            if isinstance(plan, Reported) and plan.running and plan.amount.feed == feed.key
        ]
        if pairs:
            level, named = sql.Identifier(f"level_{feed.table}"), self._named_days(feed, need)
            for text in self._proof["create_levels"].split(";\n"):
                statement = sql.SQL(text).format(level=level, named=named, pairs=joined(pairs, ", "))
                self._connection.execute(statement, {}, prepare=False)

    def _named_days(self, feed: Feed, need: _FeedNeeds) -> sql.Composed:
        """Return a query of what reports had added to the days of the areas that they name."""
        sums, within = need.of("sum"), (need.first, need.last)
        replaced = sql.Identifier("as_of", f"{feed.table}_replaced")
        since = self._part("came_since").format(table=sql.Identifier(feed.table))
        return self._part("named_days").format(
            feed_id=sql.Literal(self._feed_ids[feed.key]),
            stored=self._columns("changed_on", sums),
            waiting=self._columns("delta", sums),
            same=self._columns("same", sums),
            negative=self._columns("negative", sums),
            replaced=day_sums_sql(feed, sums, within=within, source=replaced),
            since=day_sums_sql(feed, sums, within=within, source=since),
            last=sql.Literal(need.last),
        )

    def _compute_days(self, plans: Mapping[str, IndicatorPlan], codes: Collection[str]) -> None:
        """Compute the figures of the single days of which a formula names an extreme."""
        figures = FigureSql(plans, self._stored, self._feeds)
        pairs = [self._pair(figures, plans[code]) for code in sorted(self._extremes(codes))]
        statement = sql.SQL(self._proof["insert_day_figures"]).format(joins=figures.joins, pairs=joined(pairs, ", "))
        self._connection.execute(statement, {}, prepare=False)

    def _pair(self, figures: FigureSql, plan: IndicatorPlan) -> sql.Composable:
        figure = figures.figure(Step(plan))
        return sql.SQL(self._proof["pair"]).format(slot=sql.Literal(plan.code), figure=figure)

    def _columns(self, part: str, sums: Iterable[StoredMeasure]) -> sql.Composed:
        return joined([self._part(part).format(slot=sql.Literal(one.slot), name=column_of(one)) for one in sums], "")

    def _below(self, one: StoredMeasure) -> sql.Composable:
        """Return what units below an area have added to it: nothing of what is local."""
        part = self._part("below_nothing" if one.measure.local else "below")
        return part.format(slot=sql.Literal(one.slot), name=column_of(one))

    def _part(self, name: str) -> sql.SQL:
        return sql.SQL(self._queries[name])

    def _execute(self, name: str, **parts: sql.Composable) -> None:
        for text in self._queries[name].split(";\n"):
            self._connection.execute(sql.SQL(text).format(**parts), {}, prepare=False)


def _recompute_part(name: str) -> sql.SQL:
    return sql.SQL(load_queries("recompute")[name])
