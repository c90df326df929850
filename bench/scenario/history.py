"""Does an event cost more when there is much history?"""

from __future__ import annotations

from collections.abc import Mapping

from bench.bed import BULK, Bed
from bench.drain import drain
from ioc.database.connection import connect
from sql import load_queries

TIMES = 100


class History:
    """Speed with the identities of 100 times a fifth of the load in the database, over speed with that fifth."""

    name = "history"
    title = "Worker, with 100 times the history"
    every_round = False

    def prepare(self, bed: Bed) -> None:
        bed.site.preload(BULK, bed.load.batches)

    def measure(self, bed: Bed) -> Mapping[str, float]:
        if bed.quick:
            return {}
        short, long = (self._rate(bed, bed.load.events // 5 * times) for times in (1, TIMES))
        return {"history_short_events_s": short, "history_long_events_s": long}

    def _rate(self, bed: Bed, records: int) -> float:
        with bed.site.fresh(topic_prefix=BULK) as settings:
            with connect(settings, "owner", autocommit=True) as owner:
                owner.execute(load_queries("bench")["make_history"], {"feed": bed.site.feed.key, "records": records})
                owner.execute("VACUUM ANALYZE record_identity")
            return drain(settings, bed.load.events).rate
