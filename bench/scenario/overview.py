"""A leader's first page: every indicator of the province, today, this month and this year."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import date

from bench.bed import Bed
from ioc.db import connect
from sql import load_queries

_TIMES = 200
_DAY = date(2024, 10, 31)


class Overview:
    """Milliseconds of the page's query, over a year of figures of every sector, area and period."""

    name = "overview"
    title = "Overview query"
    every_round = False

    def prepare(self, bed: Bed) -> None:
        """Nothing: the figures are made in the measurement's own database."""

    def measure(self, bed: Bed) -> Mapping[str, float]:
        queries = load_queries("bench")
        province = bed.site.profile.areas.find(bed.site.profile.province_code, _DAY)
        assert province is not None
        with bed.site.fresh(topic_prefix="none") as settings:
            with connect(settings, "owner", autocommit=True) as owner:
                owner.execute(queries["make_year"])
                owner.execute("VACUUM ANALYZE indicator_cell")
            with connect(settings, "reader", autocommit=True) as reader:
                took = []
                rows = 0
                for _ in range(_TIMES):
                    start = time.perf_counter()
                    asked = {"area": province.area_id, "day": _DAY}
                    rows = len(reader.execute(queries["overview"], asked).fetchall())
                    took.append((time.perf_counter() - start) * 1000)
        took.sort()
        return {
            "overview_p50_ms": took[_TIMES // 2],
            "overview_p95_ms": took[_TIMES * 95 // 100],
            "overview_figures": rows,
        }
