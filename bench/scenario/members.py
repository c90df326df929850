"""What the members of distinct counts take on disk."""

from __future__ import annotations

from collections.abc import Mapping

from psycopg.rows import scalar_row

from bench.bed import Bed
from bench.drain import consumed, rolled_up, services, wait_for
from ioc.database.connection import connect
from sql import load_queries

_PREFIX = "members"


class Members:
    """Bytes for each event of a simulated province, all feeds together, faults included."""

    name = "members"
    title = "Members of distinct counts"
    every_round = False

    def prepare(self, bed: Bed) -> None:
        bed.site.preload(_PREFIX, ())
        bed.site.fill(_PREFIX, bed.province[1])

    def measure(self, bed: Bed) -> Mapping[str, float]:
        events = bed.province[0]
        with (
            bed.site.fresh(topic_prefix=_PREFIX) as settings,
            connect(settings, "owner", autocommit=True) as owner,
            services(settings, "worker", "rollup") as started,
        ):
            wait_for(started["worker"], lambda: consumed(owner) >= events, timeout=900.0)
            wait_for(started["rollup"], lambda: rolled_up(owner), timeout=900.0)
            size = owner.cursor(row_factory=scalar_row).execute(load_queries("bench")["member_bytes"]).fetchone()
        return {"member_bytes_per_event": (size or 0) / events}
