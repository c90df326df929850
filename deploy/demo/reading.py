"""What the demo reads from the database while it runs, as the reader role."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from kafka import KafkaConsumer, TopicPartition

from deploy.demo.account import FeedCounts
from ioc.database.connection import connect, translated_errors
from ioc.feeds.feed import Feed
from ioc.messaging.client import client_options
from ioc.messaging.client import translated_errors as translated_kafka_errors
from ioc.settings import Settings
from sql import load_queries

LATENCY_WINDOW: Final = 10.0  # seconds

REPORT_HOUR: Final = 12  # by noon the establishments should have reported the day before

# A dozen of the catalogue that move while guests and patients arrive, shops sell and offices work.
INDICATORS: Final = (
    "lodging.guests.total",
    "lodging.in_house.domestic",
    "lodging.occupancy.total",
    "einvoice.invoices.total",
    "einvoice.value.total",
    "petrol.volume.total",
    "health_visit.visits.total",
    "health_visit.current_inpatients",
    "vaccination.doses_all.total",
    "dossier.received.total",
    "feedback.received.total",
    "environment.air.pm25",
)


@dataclass(frozen=True)
class IndicatorTitle:
    """An indicator's title."""

    code: str
    name_vi: str
    unit: str


@dataclass(frozen=True)
class Snapshot:
    """The database at one moment.

    p50, p99: seconds from an event's acknowledgement by Kafka to its commit, over the last `LATENCY_WINDOW`.
    age: seconds since the newest event was received. figures: (indicator, area code) -> value of the month.
    reported, expected: establishments that have reported `report_day`.
    """

    taken_at: float
    counts: Mapping[str, FeedCounts]
    p50: float | None
    p99: float | None
    age: float | None
    figures: Mapping[tuple[str, str], float]
    reported: int
    expected: int
    report_day: date


class SnapshotReader:
    """Reads over one connection; every statement is bounded by the settings' timeout."""

    def __init__(self, settings: Settings, feeds: Mapping[str, Feed]) -> None:
        self._settings = settings
        self._feeds = feeds
        self._queries = load_queries("demo")
        self._connection = connect(settings, "reader", autocommit=True)
        self.indicators = self._indicators()

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()

    def snapshot(self, today: date, hour: int) -> Snapshot:
        """Everything that the live table shows; `today` and `hour` are the simulated clock's."""
        report_day = today - timedelta(days=1 if hour >= REPORT_HOUR else 2)
        latencies = [(float(s), int(n)) for s, n in self._rows("latencies", [LATENCY_WINDOW])]
        month = today.replace(day=1)
        figures = self._rows("figures", {"codes": list(INDICATORS), "month": month})
        reported, expected = self._rows("reporters_of_day", {"on": report_day})[0]
        return Snapshot(
            taken_at=time.monotonic(),
            counts=self.counts(),
            p50=percentile(latencies, 0.50),
            p99=percentile(latencies, 0.99),
            age=self._rows("newest_age")[0][0],
            figures={(code, area): value for code, area, value in figures},
            reported=reported,
            expected=expected,
            report_day=report_day,
        )

    def counts(self) -> dict[str, FeedCounts]:
        """What the agents have counted so far, by feed."""
        return {key: FeedCounts(name, *numbers) for key, name, *numbers in self._rows("feed_counts")}

    def districts(self, on: date) -> dict[str, str]:
        """Vietnamese names of the districts of a day, by code."""
        return dict(self._rows("districts", {"on": on}))

    def behind(self) -> tuple[int, int]:
        """Kafka records that no agent has stored yet, and contributions that are not folded yet."""
        topics = [feed.topic(self._settings.topic_prefix) for feed in self._feeds.values()]
        with translated_kafka_errors(self._settings):
            ends = _end_offsets(self._settings, topics)
        stored = {(topic, partition): offset for topic, partition, offset in self._rows("positions", [topics])}
        records = sum(end - stored.get(partition, 0) for partition, end in ends.items())
        return records, self._rows("waiting")[0][0]

    def province_totals(self, codes: Sequence[str]) -> dict[str, float]:
        """Sums over all months of the province's figures."""
        return dict(self._rows("province_totals", [list(codes)]))

    def _indicators(self) -> tuple[IndicatorTitle, ...]:
        found = {
            code: IndicatorTitle(code, name, unit) for code, name, unit in self._rows("indicators", [list(INDICATORS)])
        }
        return tuple(found[code] for code in INDICATORS if code in found)

    def _rows(
        self, query: str, parameters: Sequence[object] | Mapping[str, object] | None = None
    ) -> list[tuple[Any, ...]]:
        with translated_errors():
            return self._connection.execute(self._queries[query].encode(), parameters).fetchall()


def percentile(weighted: Iterable[tuple[float, int]], share: float) -> float | None:
    """The smallest value that at least `share` of the weight does not exceed; None without any weight."""
    ordered = sorted(weighted)
    total = sum(weight for _, weight in ordered)
    passed = 0
    for value, weight in ordered:
        passed += weight
        if total and passed >= share * total:
            return value
    return None


def _end_offsets(settings: Settings, topics: Iterable[str]) -> dict[tuple[str, int], int]:
    consumer = KafkaConsumer(**client_options(settings, timeout=10.0))
    try:
        partitions = [
            TopicPartition(topic, number) for topic in topics for number in consumer.partitions_for_topic(topic) or ()
        ]
        return {(tp.topic, tp.partition): end for tp, end in consumer.end_offsets(partitions).items()}
    finally:
        consumer.close()
