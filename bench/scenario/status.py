"""The cost of the statuses of all indicators: a full pass, and what one batch has changed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from psycopg.rows import scalar_row

from bench.site import Site
from ioc.database.connection import connect
from ioc.settings import Settings
from sql import load_queries
from streams.status.service import StatusService

_TIMES = 5
_TOUCHED = 20
T = TypeVar("T")


def measure_statuses(site: Site, settings: Settings) -> Mapping[str, float]:
    """Return seconds of full passes over all indicators and areas, and milliseconds of what a batch touched.

    settings: of a database with figures of every indicator in every area. The first pass also reads the past; the
    second is what happens every five minutes. A batch is entered and the newest figures of its sector are moved, as the
    roll-up does; then a look at statuses follows. The share is that of one core if each look waited for nothing else:
    the scheduler's own process and its database's part together.
    """
    own = settings.model_copy(update={"business_day": "data"})
    now = datetime.now(UTC)
    with connect(own, "writer", autocommit=True) as writer:
        service = StatusService(writer, own, site.profile, site.feeds)
        first, _ = _timed(lambda: service.full(now))
        full = sorted(_timed(lambda: service.full(now))[0] for _ in range(_TIMES))[_TIMES // 2]
        queries = load_queries("bench")
        touched = []
        for number in range(_TOUCHED):
            moment = now + timedelta(seconds=number * 30 % 240, milliseconds=number)
            writer.execute(queries["touch_feed"], {"feed": site.feed.key, "sector": "einvoice", "now": moment})
            touched.append(_timed(lambda moment=moment: service.follow(moment))[0])  # type: ignore[misc]
        rows = writer.cursor(row_factory=scalar_row).execute(queries["count_statuses"]).fetchone()
    touched.sort()
    look = touched[_TOUCHED // 2]
    return {
        "status_rows": rows or 0,
        "status_first_s": first,
        "status_full_s": full,
        "status_touched_ms": 1000 * look,
        "status_touched_p95_ms": 1000 * touched[_TOUCHED * 95 // 100],
        "status_core_share": look / own.scheduler_interval,
    }


def _timed(act: Callable[[], T]) -> tuple[float, T]:
    start = time.perf_counter()
    result = act()
    return time.perf_counter() - start, result
