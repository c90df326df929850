"""The gateway's figures for Prometheus, in a registry of their own."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from connectors.gateway.verdict import Verdict
from ioc.feeds.feed import Feed

_ACK_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)


class GatewayMetrics:
    """Requests by route and status, events by feed and outcome, and how long Kafka takes to acknowledge."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "ioc_gateway_requests", "Requests answered.", ["route", "status"], registry=self._registry
        )
        self._events = Counter("ioc_gateway_events", "Events judged.", ["feed", "outcome"], registry=self._registry)
        self.acknowledgement = Histogram(
            "ioc_gateway_acknowledgement_seconds",
            "From handing a request's records to the Kafka client until all are acknowledged.",
            buckets=_ACK_BUCKETS,
            registry=self._registry,
        )

    def count(self, verdicts: Iterable[Verdict]) -> None:
        """Count judged events; those of no known feed under `unknown`."""
        counts: dict[tuple[str, str], int] = {}
        for verdict in verdicts:
            key = (verdict.feed.key if verdict.feed else "unknown", verdict.result.status)
            counts[key] = counts.get(key, 0) + 1
        for (feed, outcome), number in counts.items():
            self._events.labels(feed, outcome).inc(number)

    def count_accepted(self, feed: Feed, events: int) -> None:
        """Count events of a feed that were accepted together."""
        self._events.labels(feed.key, "accepted").inc(events)

    def expose(self) -> bytes:
        """Return the figures in Prometheus's text format."""
        return generate_latest(self._registry)
