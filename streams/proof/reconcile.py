"""The proof that the figures are right: everything recomputed from the records by PostgreSQL, and compared.

The agents compute with Polars, fold with NumPy and store; this recomputes the same from the record tables alone, with
the same expressions in another engine, another way of walking the area tree and of cutting periods. What the two
disagree on is listed; nothing is repaired here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

import psycopg

from ioc.catalogue import (
    IndicatorPlan,
    Measure,
    StoredMeasure,
    formula_sql,
)
from ioc.catalogue.indicator import REPORT_FEED
from ioc.catalogue.sector import SectorPlan, plan_sectors
from ioc.catalogue.store import load_editions, load_measures
from ioc.database.connection import connect, translated_errors
from ioc.feeds.feed import Feed, load_feeds
from ioc.settings import Settings
from sql import load_queries
from streams.proof.recompute import day_sums_sql, members_sql, placed_sql

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
    """How much was compared, and what differs."""

    cells: int
    figures: int
    differences: tuple[Difference, ...]

    def to_json(self) -> str:
        """Return the result as JSON."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=2)


def reconcile(settings: Settings) -> ReconcileResult:
    """Compare every stored sum and figure with its recompute, in one snapshot of the database.

    Contributions that wait to be folded would show as differences: let the roll-up catch up first.
    """
    feeds = load_feeds()
    with connect(settings, "owner") as connection, translated_errors():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        connection.execute("SET LOCAL statement_timeout = '10min'")
        return Reconciler(settings, feeds, connection).run()


class Reconciler:
    """Recomputes within one transaction; everything it makes is temporary."""

    def __init__(self, settings: Settings, feeds: Mapping[str, Feed], connection: psycopg.Connection) -> None:
        self._feeds = feeds
        self._connection = connection
        self._queries = load_queries("reconcile")
        # What waits for `ioc rebuild` lacks what came before it, and nothing shown rests on it.
        measures = [stored for stored in load_measures(connection) if stored.complete]
        self._stored: dict[Measure, StoredMeasure] = {stored.measure: stored for stored in measures}
        self._by_feed = {
            key: [stored for stored in measures if stored.measure.feed == key]
            for key in feeds
            if any(stored.measure.feed == key for stored in measures)
        }
        self._feed_ids: dict[str, int] = dict(connection.execute(load_queries("profile")["select_feed_ids"]).fetchall())
        self._plans = plan_sectors(load_editions(connection))

    def run(self) -> ReconcileResult:
        """Recompute all feeds, then all sectors."""
        self._execute(self._queries["create_chains"])
        differences: list[Difference] = []
        cells = figures = 0
        for key, measures in self._by_feed.items():
            self._recompute(self._feeds[key], measures)
            checked, found = self._compare_cells(self._feeds[key], measures)
            cells += checked
            differences += found
        for plan in self._plans:
            checked, found = self._compare_figures(plan)
            figures += checked
            differences += found
        return ReconcileResult(cells, figures, tuple(differences))

    def _execute(self, text: str, parameters: Sequence[object] | None = None) -> psycopg.Cursor:
        return self._connection.execute(text, parameters)

    def _recompute(self, feed: Feed, measures: list[StoredMeasure]) -> None:
        """Make from the records `day_<table>` (area, day, sums), `cell_<table>`, `member_<table>` and `open_<table>`.

        `open_<table>` holds the periods in which the feed has counted anything in the whole province.
        """
        sums = [stored for stored in measures if stored.measure.kind == "sum"]
        self._execute(
            f"CREATE TEMPORARY TABLE day_{feed.table} ON COMMIT DROP AS {placed_sql(day_sums_sql(feed, sums), sums)}"
        )
        self._execute(
            f"CREATE TEMPORARY TABLE cell_{feed.table} ON COMMIT DROP AS "
            f"SELECT p.period, c.area_id, date_trunc(p.period, d.day)::date AS bucket{_rolled_up(sums)} "
            f"FROM day_{feed.table} d JOIN chain c ON c.origin_id = d.area_id CROSS JOIN period p GROUP BY 1, 2, 3"
        )
        self._execute(f"CREATE INDEX ON cell_{feed.table} (period, area_id, bucket)")
        source = members_sql(feed, [stored for stored in measures if stored.measure.kind == "distinct"])
        self._execute(
            f"CREATE TEMPORARY TABLE member_{feed.table} ON COMMIT DROP AS "
            "SELECT m.slot, p.period, c.area_id, date_trunc(p.period, m.day)::date AS bucket, "
            "count(DISTINCT m.member) AS n "
            f"FROM ({source}) m JOIN area_place a ON a.area_id = m.area_id AND m.day >= a.since AND m.day < a.until "
            "JOIN chain c ON c.origin_id = a.place_id CROSS JOIN period p GROUP BY 1, 2, 3, 4"
        )
        self._execute(f"CREATE INDEX ON member_{feed.table} (slot, period, area_id, bucket)")
        # Reports say ahead when they end: such a day, on which only counts go down, opens no period.
        counts = ">" if feed.key == REPORT_FEED else "<>"
        anything = " OR ".join(f"s{s.slot} {counts} 0" for s in sums) or "false"
        roots = "area_id IN (SELECT area_id FROM area WHERE parent_id IS NULL)"
        self._execute(
            f"CREATE TEMPORARY TABLE open_{feed.table} ON COMMIT DROP AS "
            f"SELECT period, bucket FROM cell_{feed.table} WHERE {roots} AND ({anything}) "
            f"UNION SELECT period, bucket FROM member_{feed.table} WHERE {roots}"
        )
        for kind in ("day", "cell", "member", "open"):
            self._execute(f"ANALYZE {kind}_{feed.table}")

    def _compare_cells(self, feed: Feed, measures: list[StoredMeasure]) -> tuple[int, list[Difference]]:
        """Compare `measure_cell` with the recomputed sums and counts, whichever side has a cell."""
        wanted = " UNION ALL ".join(
            [
                f"SELECT {s.slot} AS slot, period, area_id, bucket, s{s.slot} AS amount FROM cell_{feed.table}"
                for s in measures
                if s.measure.kind == "sum"
            ]
            + [f"SELECT slot, period, area_id, bucket, n FROM member_{feed.table}"]
        )
        slots = [stored.slot for stored in measures]
        rows = self._execute(
            "WITH stored AS ("
            "  SELECT m.slot, c.period, c.area_id, c.bucket, coalesce(c.sums[m.slot], 0) AS amount"
            "  FROM measure_cell c CROSS JOIN unnest(%s::int[]) AS m (slot)"
            "  WHERE c.feed_id = %s AND c.period <> 'closing'"
            f"), wanted AS ({wanted}) "
            "SELECT slot, period, area_id, bucket, coalesce(s.amount, 0), coalesce(w.amount, 0), count(*) OVER () "
            "FROM stored s FULL JOIN wanted w USING (slot, period, area_id, bucket) "
            "WHERE coalesce(s.amount, 0) <> coalesce(w.amount, 0) LIMIT 1000",
            [slots, self._feed_ids[feed.key]],
        ).fetchall()
        count = self._execute(
            "SELECT count(*) FROM measure_cell WHERE feed_id = %s AND period <> 'closing'",
            [self._feed_ids[feed.key]],
        ).fetchone()
        assert count is not None
        names = {
            stored.slot: f"{feed.key}: {stored.measure.value} where {stored.measure.condition}" for stored in measures
        }
        found = [
            Difference(names[slot], period, area_id, str(bucket), float(stored), float(recomputed))
            for slot, period, area_id, bucket, stored, recomputed, _ in rows
        ]
        return count[0] * len(slots), found

    def _compare_figures(self, plan: SectorPlan) -> tuple[int, list[Difference]]:
        """Compare `indicator_cell` with the figures that follow from the recomputed sums, whichever side has a row."""
        texts = Figures(plan, self._stored, self._feeds)
        codes = plan.live.codes
        if not codes:
            return 0, []
        pairs = ", ".join(f"({slot}, {texts.by_code[code]})" for code, slot in codes.items())
        opened = " UNION ".join(
            f"SELECT period, bucket FROM open_{self._feeds[feed].table}"
            for feed in plan.opening
            if feed in self._by_feed
        )
        rows = self._execute(
            f"WITH opened AS ({opened}), wanted AS ("
            "  SELECT o.period, a.area_id, o.bucket FROM opened o JOIN period p USING (period)"
            "  JOIN area a ON a.valid_from < o.bucket + p.length AND a.valid_to > o.bucket"
            "), stored AS ("
            "  SELECT period, area_id, bucket, figures FROM indicator_cell WHERE sector = %(sector)s"
            "), key AS MATERIALIZED ("
            "  SELECT period, area_id, bucket, s.figures, w.here IS NOT NULL AS wanted, e.until,"
            "         greatest(e.until - bucket + 1, 1) AS days"
            "  FROM stored s FULL JOIN (SELECT *, true AS here FROM wanted) w USING (period, area_id, bucket)"
            "  JOIN period p USING (period)"
            "  CROSS JOIN (SELECT max(bucket) AS day FROM opened WHERE period = 'day') h"
            "  CROSS JOIN LATERAL (SELECT least(h.day, (bucket + p.length - interval '1 day')::date) AS until) e"
            "), figure AS ("
            "  SELECT f.slot, key.period, key.area_id, key.bucket, key.figures[f.slot] AS stored,"
            "         CASE WHEN key.wanted THEN f.figure END AS recomputed"
            f"  FROM key {texts.joins} CROSS JOIN LATERAL (VALUES {pairs}) AS f (slot, figure)"
            ") "
            "SELECT slot, period, area_id, bucket, stored, recomputed FROM figure "
            "WHERE (stored IS NULL) <> (recomputed IS NULL) "
            "   OR abs(stored - recomputed) > %(tolerance)s * greatest(abs(recomputed), 1) LIMIT 1000",
            {"sector": plan.sector, "tolerance": _TOLERANCE},  # type: ignore[arg-type]
        ).fetchall()
        count = self._execute("SELECT count(*) FROM indicator_cell WHERE sector = %s", [plan.sector]).fetchone()
        assert count is not None
        by_slot = {slot: code for code, slot in codes.items()}
        found = [
            Difference(by_slot[slot], period, area_id, str(bucket), stored, recomputed)
            for slot, period, area_id, bucket, stored, recomputed in rows
        ]
        return count[0] * len(codes), found


class Figures:
    """SQL of a sector's figures over the recomputed tables: the joins to `key`, and an expression a code."""

    def __init__(self, plan: SectorPlan, stored: Mapping[Measure, StoredMeasure], feeds: Mapping[str, Feed]) -> None:
        self._stored = stored
        self._feeds = feeds
        self.by_code: dict[str, str] = {}
        for step in plan.live.order:
            self.by_code[step.code] = self._figure(step)
        self.joins = " ".join(self._joins(plan))

    def _figure(self, plan: IndicatorPlan) -> str:
        if plan.method == "formula":
            return formula_sql(plan.formula, lambda name: "key.days" if name == "days" else self.by_code[name])
        if plan.method in ("sent", "state", "mean"):
            source = "cell" if plan.method == "sent" else "closing"
            amount, count = (self._value(measure, source) for measure in plan.measures[:2])
            figure = f"({amount} / {count})" if plan.method == "mean" else amount
            periods = ", ".join(f"'{period}'" for period in plan.periods)
            return f"(CASE WHEN {count} <> 0 AND key.period IN ({periods}) THEN {figure} END)"
        if plan.method == "quotient":
            part, whole = (self._value(measure, "cell") for measure in plan.measures)
            return f"({plan.scale}::double precision * {part} / nullif({whole}, 0))"
        return self._value(plan.measures[0], "closing" if plan.method == "running" else "cell")

    def _value(self, measure: Measure, source: str) -> str:
        stored = self._stored[measure]
        table = self._feeds[measure.feed].table
        if source == "closing":
            amount = f"coalesce(closing_{table}.s{stored.slot}, 0)"
        elif measure.kind == "sum":
            amount = f"CASE WHEN here_{table}.present THEN coalesce(cell_{table}.s{stored.slot}, 0) END"
        else:
            amount = (
                f"CASE WHEN here_{table}.present THEN coalesce((SELECT n FROM member_{table} m "
                f"WHERE m.slot = {stored.slot} AND m.period = key.period AND m.area_id = key.area_id "
                "AND m.bucket = key.bucket), 0) END"
            )
        return f"(({amount})::double precision / {10**measure.decimals})"

    def _joins(self, plan: SectorPlan) -> Iterator[str]:
        for feed in sorted(plan.live.flows):
            table = self._feeds[feed].table
            yield (
                f"LEFT JOIN cell_{table} ON cell_{table}.period = key.period AND cell_{table}.area_id = key.area_id "
                f"AND cell_{table}.bucket = key.bucket "
                f"LEFT JOIN (SELECT period, bucket, true AS present FROM open_{table}) here_{table} "
                f"ON here_{table}.period = key.period AND here_{table}.bucket = key.bucket"
            )
        for feed in sorted(plan.live.stocks):
            table = self._feeds[feed].table
            wanted = {measure for step in plan.live.order for measure in step.running if measure.feed == feed}
            totals = _rolled_up([self._stored[measure] for measure in wanted]).removeprefix(", ")
            yield (
                f"LEFT JOIN LATERAL (SELECT {totals} "
                f"FROM day_{table} d JOIN area_standing c ON c.origin_id = d.area_id "
                f"WHERE c.area_id = key.area_id AND greatest(d.day, c.since) <= key.until) closing_{table} ON true"
            )


def _rolled_up(sums: list[StoredMeasure]) -> str:
    """Return the sums over all areas (`c`) of which an area is made, or of the area alone for what is local."""
    alone = " FILTER (WHERE c.origin_id = c.area_id)"
    return "".join(
        f", coalesce(sum(d.s{s.slot}){alone if s.measure.local else ''}, 0)::bigint AS s{s.slot}" for s in sums
    )
