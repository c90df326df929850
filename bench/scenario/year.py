"""A year of every indicator in every area: how long the roll-up takes, and a leader's first page over the result."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import date

import psycopg

from bench.bed import Bed
from ioc.database.connection import connect
from ioc.settings import Settings
from sql import load_queries
from streams.rollup.service import Rollup

_TIMES = 200
_FIRST, _LAST = date(2024, 1, 1), date(2024, 12, 31)
_QUICK_FIRST = date(2024, 12, 1)


class Year:
    """Seconds to roll up, figures a second, and milliseconds of the overview query."""

    name = "year"
    title = "Roll-up of all indicators, all areas, a year; overview query"
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
            with connect(settings, "reader", autocommit=True) as reader:
                return {**rolled, **_overview(bed, reader)}


def _roll_up(settings: Settings) -> Mapping[str, float]:
    with connect(settings, "writer", autocommit=True) as writer:
        rollup = Rollup(settings, writer)
        start = time.perf_counter()
        taken = sum(rollup.catch_up(writer))
        seconds = time.perf_counter() - start
        row = writer.execute(load_queries("bench")["count_figures"]).fetchone()
    assert row is not None
    return {"year_rollup_s": seconds, "year_contributions_s": taken / seconds, "year_figures": row[0]}


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
