"""Dead letters: from the table to the topic, grouped for people, and back into their feed after the fault is fixed.

`rejected_event` is written in the batch's own transaction and is authoritative; the relay copies it to
`<prefix>.dead-letter.v1` afterwards, at least once, keyed by the event's place in its log. A replay sends the
event to its own feed again; what was already counted is a duplicate there, so that replaying twice is harmless.
"""

from __future__ import annotations

import json
import threading
from typing import Any

import structlog
from kafka import KafkaProducer
from psycopg.rows import class_row, dict_row

from ioc.database.connection import connect, translated_errors
from ioc.errors import RetryableError
from ioc.feeds.feed import Feed
from ioc.messaging.client import ACK_SECONDS, open_producer, send_all
from ioc.messaging.record import OutgoingRecord
from ioc.messaging.topic import dead_letter_topic
from ioc.settings import Settings
from sql import load_queries
from streams.dead_letter.refused_event import RefusedEvent, record_of

log = structlog.get_logger(__name__)

RELAY_BATCH = 500


class DeadLetterRelay:
    """Copies rejected events to the dead-letter topic from a thread, every second, until stopped."""

    def __init__(self, settings: Settings, *, interval: float = 1.0) -> None:
        self._settings = settings
        self._interval = interval
        self._producer: KafkaProducer | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dead-letter-relay", daemon=True)

    def start(self) -> None:
        """Begin to relay."""
        self._thread.start()

    def stop(self) -> None:
        """End; waits for the letters in hand, at most as long as Kafka may take to acknowledge."""
        self._stopped.set()
        self._thread.join(ACK_SECONDS)

    def relay_once(self) -> int:
        """Relay what is waiting, at most `RELAY_BATCH` events; return how many."""
        queries = load_queries("deadletter")
        topic = dead_letter_topic(self._settings.topic_prefix)
        with connect(self._settings, "worker") as connection, translated_errors():
            cursor = connection.cursor(row_factory=class_row(RefusedEvent))
            rows = cursor.execute(queries["take_unrelayed"], [RELAY_BATCH]).fetchall()
            if not rows:
                return 0
            if self._producer is None:
                self._producer = open_producer(self._settings)
            send_all(self._producer, [_letter(topic, row) for row in rows])
            connection.cursor().executemany(queries["mark_relayed"], [row.place for row in rows])
        return len(rows)

    def _run(self) -> None:
        pause = self._interval
        while not self._stopped.wait(pause):
            try:
                relayed = self.relay_once()
                pause = 0.0 if relayed == RELAY_BATCH else self._interval
            except RetryableError as error:
                log.warning("dead letters wait", error=str(error))
                pause = min(max(pause, self._interval) * 2, 30.0)


def _letter(topic: str, refused: RefusedEvent) -> OutgoingRecord:
    headers = [
        ("ioc-feed", refused.feed.encode()),
        ("ioc-topic", refused.topic.encode()),
        ("ioc-partition", str(refused.partition).encode()),
        ("ioc-offset", str(refused.record_offset).encode()),
        ("ioc-position", str(refused.position).encode()),
        ("ioc-rejected-at", refused.recorded_at.isoformat().encode()),
        ("ioc-reporter", (refused.reporter or "").encode()),
        ("ioc-event-id", (refused.event_id or "").encode()),
        ("ioc-reasons", json.dumps(refused.reasons, ensure_ascii=False).encode()),
    ]
    key = "/".join(map(str, refused.place[1:]))
    return OutgoingRecord(topic, key.encode(), refused.payload, headers)


def list_causes(settings: Settings, *, feed: str | None, within: str) -> list[dict[str, Any]]:
    """Return rejections grouped by feed, rule and field, most frequent first."""
    return _read(settings, "list_causes", {"feed": feed, "within": within})


def show_events(
    settings: Settings, *, feed: str | None, rule: str | None, within: str, limit: int
) -> list[dict[str, Any]]:
    """Return single rejections, newest first, without their payloads."""
    return _read(settings, "show_events", {"feed": feed, "rule": rule, "within": within, "limit": limit})


def replay(settings: Settings, feed: Feed, *, rule: str | None, limit: int) -> int:
    """Send rejected events of a feed to its topic again; return how many. Each is replayed once at most."""
    queries = load_queries("deadletter")
    topic = feed.topic(settings.topic_prefix)
    replayed = 0
    producer = open_producer(settings)
    try:
        while replayed < limit:
            with connect(settings, "owner") as connection, translated_errors():
                batch = min(RELAY_BATCH, limit - replayed)
                rows = (
                    connection.cursor(row_factory=class_row(RefusedEvent))
                    .execute(queries["take_replayable"], {"feed": feed.key, "rule": rule, "limit": batch})
                    .fetchall()
                )
                letters = [record_of(topic, row.payload, row.reporter) for row in rows if row.payload is not None]
                send_all(producer, letters)
                connection.cursor().executemany(queries["mark_replayed"], [row.place for row in rows])
            replayed += len(rows)
            if not rows:
                break
    finally:
        producer.close(timeout=ACK_SECONDS)
    return replayed


def _read(settings: Settings, query: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    with connect(settings, "owner") as connection, translated_errors():
        cursor = connection.cursor(row_factory=dict_row)
        return cursor.execute(load_queries("deadletter")[query], parameters).fetchall()
