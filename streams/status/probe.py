"""Whether the platform's own parts work: Kafka answers, positions move, contributions are folded."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import psycopg
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from psycopg.rows import dict_row, scalar_row

from ioc.feeds.feed import Feed
from ioc.messaging.client import client_options
from ioc.settings import Settings
from sql import load_queries
from streams.rules.wording import Bilingual
from streams.status.outage import Outage

_STANDSTILL = timedelta(seconds=150)  # as the worker's own watchdog allows
_WAITING = timedelta(seconds=90)
_TIMEOUT = 5.0  # seconds


class Probe:
    """Asks Kafka and the database; keeps since when a part has not worked. Every wait is bounded."""

    def __init__(self, settings: Settings, feeds: Mapping[str, Feed]) -> None:
        self._settings = settings
        self._topics = {feed.topic(settings.topic_prefix): feed.key for feed in feeds.values()}
        self._since: dict[str, datetime] = {}
        self._moved: dict[tuple[str, int], tuple[int, datetime]] = {}
        self._consumer: Any = None

    def outages(self, connection: psycopg.Connection, now: datetime) -> list[Outage]:
        """Return what does not work at a moment."""
        found: list[Outage] = []
        ends = self._log_ends()
        if ends is None:
            text = Bilingual("Kafka không trả lời", "Kafka does not answer")
            found.append(self._outage("kafka", text, now, {"bootstrap": self._settings.kafka_bootstrap}))
        else:
            found += self._stuck(connection, ends, now)
        cursor = connection.cursor(row_factory=scalar_row)
        oldest = cursor.execute(load_queries("status")["select_oldest_delta"]).fetchone()
        if oldest is not None and now - oldest > _WAITING:
            text = Bilingual("tổng hợp chỉ tiêu không chạy", "contributions are not folded")
            found.append(self._outage("rollup", text, now, {"waiting_since": oldest.isoformat()}))
        self._since = {part: since for part, since in self._since.items() if part in {one.part for one in found}}
        return found

    def close(self) -> None:
        """Give the connection to Kafka back."""
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None

    def _outage(self, part: str, text: Bilingual, now: datetime, detail: Mapping[str, Any]) -> Outage:
        return Outage(part, text, self._since.setdefault(part, now), detail)

    def _stuck(
        self, connection: psycopg.Connection, ends: Mapping[tuple[str, int], int], now: datetime
    ) -> list[Outage]:
        """Return one outage where events wait and no position of theirs moves."""
        cursor = connection.cursor(row_factory=dict_row)
        rows = cursor.execute(load_queries("status")["select_positions"], [list(self._topics)])
        stored = {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
        # What is halted does not move on purpose, and has an incident of its own.
        halted = set(connection.execute(load_queries("status")["select_halts"], [list(self._topics)]).fetchall())
        stuck: dict[str, int] = {}
        for key, end in ends.items():
            if key in halted:
                self._moved.pop(key, None)
                continue
            position = stored.get(key, 0)
            seen = self._moved.get(key)
            if seen is None or seen[0] != position or position >= end:
                self._moved[key] = (position, now)
            elif now - seen[1] > _STANDSTILL:
                feed = self._topics[key[0]]
                stuck[feed] = stuck.get(feed, 0) + end - position
        if not stuck:
            return []
        text = Bilingual("sự kiện chờ trong Kafka không được xử lý", "events wait in Kafka and are not read")
        return [self._outage("worker", text, now, {"waiting": stuck})]

    def _log_ends(self) -> dict[tuple[str, int], int] | None:
        """Return the end of every partition's log; None while Kafka does not answer."""
        try:
            if self._consumer is None:
                options = client_options(self._settings, _TIMEOUT)
                self._consumer = KafkaConsumer(**options, enable_auto_commit=False)
            partitions = [
                TopicPartition(topic, number)
                for topic in self._topics
                for number in self._consumer.partitions_for_topic(topic) or ()
            ]
            ends = self._consumer.end_offsets(partitions) if partitions else {}
        except (KafkaError, OSError, ValueError):
            self.close()
            return None
        return {(one.topic, one.partition): end for one, end in ends.items()}
