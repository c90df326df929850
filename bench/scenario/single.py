"""The same events, one a Kafka record."""

from __future__ import annotations

from collections.abc import Mapping

from bench.bed import SINGLE, Bed
from bench.drain import drain


class Single:
    """Events a second from the first to the last commit."""

    name = "single"
    title = "Worker, single events"
    every_round = True

    def prepare(self, bed: Bed) -> None:
        bed.site.preload(SINGLE, bed.load.singles)

    def measure(self, bed: Bed) -> Mapping[str, float]:
        with bed.site.fresh(topic_prefix=SINGLE) as settings:
            drained = drain(settings, bed.load.events)
        return {"single_events_s": drained.rate, "single_rss_mib": drained.memory.peak}
