"""From an event's append in Kafka to its commit, and to the indicators, at a quarter of full load."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence

import psycopg
from psycopg.rows import scalar_row

from bench.bed import PACED, Bed
from bench.drain import Curve, services, wait_for
from bench.pace import Paced
from bench.workload import make_load
from ioc.database.connection import connect
from ioc.errors import FatalError
from ioc.messaging.record import OutgoingRecord
from sql import load_queries

_INDICATOR = "einvoice.invoices.total"
_WARM_UP = 3.0


class Latency:
    """Seconds, over a steady stream of one business day's events, whose first seconds do not count."""

    name = "latency"
    title = "Latency at a quarter of full load"
    every_round = False

    def prepare(self, bed: Bed) -> None:
        """Nothing: the topic has to be empty when the stream begins."""

    def measure(self, bed: Bed) -> Mapping[str, float]:
        rate = bed.median("bulk_events_s") / 4 or 5000.0
        seconds = (8.0 if bed.quick else 20.0) + _WARM_UP
        load = make_load(bed.site.profile, bed.site.feed, int(rate * seconds), seed=2, faults=0.0, days=1)
        bed.site.preload(PACED, ())
        with bed.site.fresh(topic_prefix=PACED) as settings, services(settings, "worker", "rollup") as started:
            for service in started.values():
                service.wait_ready()
            with connect(settings, "reader", autocommit=True) as reader, Watch(reader) as watch:
                paced = Paced(settings, bed.site.feed.topic(PACED), load.batches, sizes_of(load.batches), rate)
                sent = paced.run()
                wait_for(started["rollup"], lambda: watch.seen >= load.events, timeout=60.0)
            with connect(settings, "owner", autocommit=True) as owner:  # the reader may not see rejections' tables
                since = sent[0][0] + _WARM_UP
                commits = sorted(
                    latency for (latency,) in owner.execute(load_queries("bench")["commit_latencies"], [since])
                )
        visible = sorted(between(sent, watch.curve, since=since))
        return {
            "latency_p50_s": quantile(commits, 0.5),
            "latency_p99_s": quantile(commits, 0.99),
            "indicator_p50_s": quantile(visible, 0.5),
            "indicator_p99_s": quantile(visible, 0.99),
            "latency_events_s": rate,
        }


class Watch:
    """Looks at the province's figure ten times a second, in a thread, as a dashboard's reader would."""

    def __init__(self, reader: psycopg.Connection) -> None:
        self._reader = reader
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self.curve: list[tuple[float, int]] = []

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    @property
    def seen(self) -> int:
        """How many events the figure counts now."""
        return self.curve[-1][1] if self.curve else 0

    def _run(self) -> None:
        query = load_queries("bench")["counted"]
        cursor = self._reader.cursor(row_factory=scalar_row)
        while not self._stopped.wait(0.1):
            counted = cursor.execute(query, {"code": _INDICATOR}).fetchone()
            at = time.time()
            if counted is not None and counted > self.seen:
                self.curve.append((at, counted))


def sizes_of(records: Sequence[OutgoingRecord]) -> list[int]:
    """Return how many events each record of a batched load holds."""
    return [(record.value or b"").count(b'"specversion"') for record in records]


def between(sent: Curve, seen: Curve, *, since: float) -> list[float]:
    """Return for each event how long after it was sent as many events as were sent by then had been seen.

    Only what was sent at or after `since` counts. Raises FatalError when less was seen than sent.
    """
    found: list[float] = []
    index, before = 0, 0
    for when, until in sent:
        while index < len(seen) and seen[index][1] < until:
            index += 1
        if index == len(seen):
            raise FatalError(f"{until:,} events were sent and {seen[-1][1] if seen else 0:,} seen")
        if when >= since:
            found += [seen[index][0] - when] * (until - before)
        before = until
    return found


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` of the values do not exceed."""
    if not ordered:
        raise FatalError("nothing was measured: no event arrived after the warm-up")
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]
