"""Prometheus metrics of a worker, in a registry of their own."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from streams.rules.span import BatchCounts

OUTCOMES = ("accepted", "rejected", "duplicate", "corrected", "voided", "superseded")


class WorkerMetrics:
    """What a worker counts; labels are the feed and the outcome."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._events = Counter("ioc_events_total", "Events by outcome", ["feed", "outcome"], registry=self.registry)
        self._consumed = Counter("ioc_events_consumed_total", "Events consumed", ["feed"], registry=self.registry)
        self._unbalanced = Counter(
            "ioc_batches_unbalanced_total",
            "Batches whose accepted + rejected + duplicate was not what they consumed",
            ["feed"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "ioc_batch_seconds",
            "Seconds to parse (off the database) and to apply a batch",
            ["feed", "step"],
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=self.registry,
        )
        self._latency = Histogram(
            "ioc_visible_seconds",
            "Seconds from Kafka's append of a batch's oldest event to its commit",
            ["feed"],
            buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 3600),
            registry=self.registry,
        )
        self._retries = Counter("ioc_batch_retries_total", "Batches tried again", ["feed"], registry=self.registry)
        self.left_out = Gauge(
            "ioc_feed_left_out", "1 where the feed's table does not fit it", ["feed"], registry=self.registry
        )
        self._read_singly = Counter(
            "ioc_column_read_failed_total",
            "Times that records could not be read by the column and were read one by one, which costs more",
            ["feed"],
            registry=self.registry,
        )
        self._unstorable = Counter(
            "ioc_events_unstorable_total",
            "Events that every rule let pass and no table could hold; they are dead letters",
            ["feed"],
            registry=self.registry,
        )
        self.halted = Gauge(
            "ioc_halted",
            "1 = records of this partition are not stored until an operator decides (ioc position)",
            ["topic", "partition"],
            registry=self.registry,
        )
        self.producer_time = Gauge(
            "ioc_topic_producer_time",
            "1 = records of this topic keep their producers' time (ioc topic create fixes it)",
            ["topic"],
            registry=self.registry,
        )
        self.lag = Gauge(
            "ioc_lag_records", "Records behind the log's end", ["topic", "partition"], registry=self.registry
        )

    def batch(self, feed: str, counts: BatchCounts, *, parse_s: float, apply_s: float, visible_s: float) -> None:
        """Count one committed batch."""
        self._consumed.labels(feed).inc(counts.consumed)
        for outcome in OUTCOMES:
            self._events.labels(feed, outcome).inc(getattr(counts, outcome))
        if counts.accepted + counts.rejected + counts.duplicate != counts.consumed:
            self._unbalanced.labels(feed).inc()
        self._seconds.labels(feed, "parse").observe(parse_s)
        self._seconds.labels(feed, "apply").observe(apply_s)
        self._latency.labels(feed).observe(visible_s)

    def unstorable(self, feed: str, events: int) -> None:
        """Count events that could not be stored."""
        self._unstorable.labels(feed).inc(events)

    def read_singly(self, feed: str) -> None:
        """Count records that were read one by one because reading them by the column failed."""
        self._read_singly.labels(feed).inc()

    def retry(self, feed: str) -> None:
        """Count a batch that is tried again."""
        self._retries.labels(feed).inc()
