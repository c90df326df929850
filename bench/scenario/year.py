"""A year of every indicator in every area: roll-up, statuses, a leader's first page, and every panel of Grafana."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

import psycopg
from psycopg.rows import scalar_row

from bench.bed import Bed
from bench.scenario.status import measure_statuses
from grafana.bundle import load_bundle
from grafana.checking.check import board_queries, rule_queries
from grafana.checking.run import choose_variables
from grafana.query.macros import Situation, expand
from ioc.database.connection import connect
from ioc.settings import Settings
from sql import load_queries
from streams.rollup.service import Rollup

_TIMES = 200
_FIRST, _LAST = date(2024, 1, 1), date(2024, 12, 31)
_QUICK_FIRST = date(2024, 12, 1)
_PANEL_TIMES = 20
_ABOUT_NOW = ("pipeline", "incident")  # boards that show the last hours
_MONTH, _YEAR = (
    Situation(datetime(2024, month, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC), timedelta(days=1))
    for month in (12, 1)
)
_NAMED = 3  # slowest panels that are named


class Year:
    """Seconds to roll up, figures a second, and milliseconds of the overview query and of Grafana's panels."""

    name = "year"
    title = "Roll-up of all indicators, all areas, a year; statuses; overview query"
    every_round = False

    def prepare(self, bed: Bed) -> None:
        """Nothing: the contributions are made in the measurement's own database."""

    def measure(self, bed: Bed) -> Mapping[str, float]:
        first = _QUICK_FIRST if bed.quick else _FIRST
        with bed.site.fresh(topic_prefix="none") as settings:
            with connect(settings, "owner", autocommit=True) as owner:
                owner.execute("SET statement_timeout = '15min'")
                owner.execute(load_queries("bench")["make_contributions"], {"first": first, "last": _LAST})
                owner.execute("VACUUM ANALYZE measure_delta")
                rolled = _roll_up(settings)
                owner.execute("VACUUM ANALYZE indicator_cell")
                statuses = measure_statuses(bed.site, settings)
                owner.execute("TRUNCATE indicator_status")
                owner.execute(load_queries("bench")["make_statuses"], {"day": _LAST})
                owner.execute(load_queries("bench")["make_assessed"])
                owner.execute("VACUUM ANALYZE")
            with connect(settings, "reader", autocommit=True) as reader:
                overview = _overview(bed, reader)
            with connect(settings, "grafana", autocommit=True) as grafana:
                return {**rolled, **statuses, **overview, **_panels(bed, grafana)}


def _roll_up(settings: Settings) -> Mapping[str, float]:
    with connect(settings, "writer", autocommit=True) as writer:
        rollup = Rollup(settings, writer)
        start = time.perf_counter()
        taken = sum(rollup.catch_up(writer))
        seconds = time.perf_counter() - start
        figures = writer.cursor(row_factory=scalar_row).execute(load_queries("bench")["count_figures"]).fetchone()
    return {"year_rollup_s": seconds, "year_contributions_s": taken / seconds, "year_figures": figures or 0}


def _overview(bed: Bed, reader: psycopg.Connection) -> Mapping[str, float]:
    province = bed.site.profile.areas.find(bed.site.profile.province_code, _LAST)
    assert province is not None
    asked = {"area": province.area_id, "day": _LAST}
    query = load_queries("bench")["overview"]
    took = []
    rows = 0
    for _ in range(_TIMES):
        start = time.perf_counter()
        rows = len(reader.execute(query, asked).fetchall())
        took.append((time.perf_counter() - start) * 1000)
    took.sort()
    return {
        "overview_p50_ms": took[_TIMES // 2],
        "overview_p95_ms": took[_TIMES * 95 // 100],
        "overview_figures": rows,
    }


def _panels(bed: Bed, grafana: psycopg.Connection) -> Mapping[str, float]:
    """Every panel of every Vietnamese board and every rule, as Grafana's role: p95 of each; of these the median and the
    largest, where the boards show a month, and where they show the whole year."""
    month = _panels_that_show(_MONTH, bed, grafana)
    year = _panels_that_show(_YEAR, bed, grafana)
    return {
        "panels": len(month),
        "panel_p95_median_ms": month[len(month) // 2],
        "panel_p95_worst_ms": month[-1],
        "panel_year_p95_median_ms": year[len(year) // 2],
        "panel_year_p95_worst_ms": year[-1],
    }


def _panels_that_show(shown: Situation, bed: Bed, grafana: psycopg.Connection) -> Sequence[float]:
    """Return the p95 of each panel, rising; the slowest are named."""
    bundle = load_bundle(bed.site.settings, ["vi"])
    now = datetime.now(UTC)
    hours = Situation(now - timedelta(hours=3), now, timedelta(minutes=1))
    asked = [(query.place, expand(query.sql, hours)) for query in rule_queries(bundle.rules)]
    for board in bundle.boards:
        range_of_days = not board.uid.endswith(_ABOUT_NOW)
        situation = choose_variables(grafana, board.model, shown if range_of_days else hours)
        asked += [(query.place, expand(query.sql, situation)) for query in board_queries(board.model)]
    slowest: list[tuple[float, str]] = []
    for place, statement in asked:
        took = []
        for _ in range(_PANEL_TIMES):
            start = time.perf_counter()
            grafana.execute(statement.encode()).fetchall()
            took.append((time.perf_counter() - start) * 1000)
        slowest.append((sorted(took)[_PANEL_TIMES * 95 // 100], place))
    slowest.sort()
    for milliseconds, place in slowest[-_NAMED:]:
        bed.site.progress.done(f"{shown.start:%Y-%m-%d} on: {milliseconds:.1f} ms, {place}")
    return [milliseconds for milliseconds, _ in slowest]
