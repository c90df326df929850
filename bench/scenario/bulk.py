"""Bulk load: events in batches, preloaded, drained by one worker with the roll-up beside it."""

from __future__ import annotations

from collections.abc import Mapping

from bench.bed import BULK, Bed
from bench.drain import drain


class Bulk:
    """Events a second from the first to the last commit, and the worker's memory meanwhile."""

    name = "bulk"
    title = "Worker, events in batches"
    every_round = True

    def prepare(self, bed: Bed) -> None:
        bed.site.preload(BULK, bed.load.batches)

    def measure(self, bed: Bed) -> Mapping[str, float]:
        with bed.site.fresh(topic_prefix=BULK) as settings:
            drained = drain(settings, bed.load.events)
        return {
            "bulk_events_s": drained.rate,
            "worker_rss_mib": drained.memory.peak,
            "worker_rss_growth": drained.memory.growth,
        }
