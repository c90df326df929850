"""Rebuilding a sector over a month of records that were stored before anything of it was counted."""

from __future__ import annotations

import time
from collections.abc import Mapping

from psycopg.rows import scalar_row

from bench.bed import Bed
from bench.storing import store_load, writer
from ioc.catalogue.store import load_editions, sync_catalogue
from ioc.database.connection import connect
from ioc.province.profile import load_profile_catalogue
from sql import load_queries
from streams.rebuild.run import open_rebuild

_RECORDS = 1_000_000
_SECTOR = "einvoice"


class RebuildDuration:
    """Seconds from the command to the swap, and the part of it that reads the records."""

    name = "rebuild"
    title = "Rebuild of a sector over a month"
    every_round = False

    def prepare(self, bed: Bed) -> None:
        """Nothing: the records are stored in the measurement's own database."""

    def measure(self, bed: Bed) -> Mapping[str, float]:
        queries = load_queries("bench")
        wanted = bed.load.events if bed.quick else _RECORDS
        with bed.site.fresh(topic_prefix="none") as settings:
            with writer(settings) as connection:
                store_load(bed, connection)
            with connect(settings, "owner", autocommit=True) as owner:
                owner.execute("SET statement_timeout = '15min'")
                owner.execute(queries["copy_records"], {"records": wanted})
                owner.execute(queries["forget_counting"])
                owner.execute("VACUUM ANALYZE tax_einvoice")
                sync_catalogue(owner, load_profile_catalogue(settings.profile, bed.site.feeds))
                records = owner.cursor(row_factory=scalar_row).execute("SELECT count(*) FROM tax_einvoice").fetchone()
                codes = list(load_editions(owner).next.slots[_SECTOR])  # type: ignore[union-attr]
            start = time.perf_counter()
            with open_rebuild(settings, codes) as job:
                read = 0.0

                def watch(step: str, done: int, total: int) -> None:
                    nonlocal read
                    if step.startswith("records"):
                        read = time.perf_counter() - start

                job.run(watch)
                job.swap()
                indicators = len(job.plan.codes)
            return {
                "rebuild_s": time.perf_counter() - start,
                "rebuild_read_s": read,
                "rebuild_records": records or 0,
                "rebuild_indicators": indicators,
            }
