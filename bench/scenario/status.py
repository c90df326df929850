"""The cost of the statuses of all indicators: a full pass, and what one batch has changed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import psycopg
from psycopg.rows import scalar_row

from bench.site import Site
from ioc.database.connection import connect
from ioc.settings import Settings
from sql import load_queries
from streams.status.service import StatusService

_TIMES = 5
_TOUCHED = 20
# Of a batch of 1,000 events those of a day that is over: only they move what is judged. An invoice moves 27 of the 127
# indicators of its feed in its commune, fifteen of them together 56.
_LATE, _OF_ONE = 50, 4
_EVERYWHERE = 10_000
T = TypeVar("T")


def measure_statuses(site: Site, settings: Settings) -> Mapping[str, float]:
    """Return seconds of full passes over all indicators and areas, and milliseconds of what a batch touched.

    settings: of a database with figures of every indicator in every area. The first pass also reads the past; the
    second is what happens every five minutes. A batch is entered and the newest figures of its sector are moved, as the
    roll-up does: those that its late events move, and, dearest, all of them everywhere; then a look at
    statuses follows. The share is that of one core if each look waited for nothing else: the scheduler's own process
    and its database's part together.
    """
    own = settings.model_copy(update={"business_day": "data"})
    now = datetime.now(UTC)
    with connect(own, "writer", autocommit=True) as writer:
        service = StatusService(writer, own, site.profile, site.feeds)
        first, _ = _timed(lambda: service.full(now))
        full = sorted(_timed(lambda: service.full(now))[0] for _ in range(_TIMES))[_TIMES // 2]
        touched, everywhere = (
            sorted(_look_after_batches(writer, service, site, now + timedelta(seconds=shift), communes, every))
            for shift, communes, every in ((0, _LATE, _OF_ONE), (1, _EVERYWHERE, 1))
        )
        rows = writer.cursor(row_factory=scalar_row).execute(load_queries("bench")["count_statuses"]).fetchone()
    look = touched[_TOUCHED // 2]
    return {
        "status_rows": rows or 0,
        "status_first_s": first,
        "status_full_s": full,
        "status_touched_ms": 1000 * look,
        "status_touched_p95_ms": 1000 * touched[_TOUCHED * 95 // 100],
        "status_everywhere_ms": 1000 * everywhere[_TOUCHED // 2],
        "status_core_share": look / own.scheduler_interval,
    }


def _look_after_batches(
    writer: psycopg.Connection, service: StatusService, site: Site, now: datetime, communes: int, every: int
) -> Sequence[float]:
    touch = load_queries("bench")["touch_feed"]
    took = []
    for number in range(_TOUCHED):
        moment = now + timedelta(seconds=number * 30 % 240, milliseconds=number)
        batch = {"feed": site.feed.key, "sector": "einvoice", "now": moment}
        batch |= {"communes": communes, "every": every, "salt": number}
        writer.execute(touch, batch)
        took.append(_timed(lambda moment=moment: service.follow(moment))[0])  # type: ignore[misc]
    return took


def _timed(act: Callable[[], T]) -> tuple[float, T]:
    start = time.perf_counter()
    result = act()
    return time.perf_counter() - start, result
