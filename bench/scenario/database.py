"""The worker's writes alone, without Kafka, parsing or adding up: the statements of a load, played back."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import cast

import psycopg

from bench.bed import Bed, contributions_of
from bench.replay import RecordingConnection, Statement, play
from bench.workload import EVENTS_A_RECORD, as_fetched
from ioc.db import connect
from ioc.settings import Settings
from sql import load_queries
from streams.rules.contribute import Contributor
from streams.store import RecordStore

_EVENTS_A_BATCH = 10_000
_TOPIC = "replay"


class Database:
    """Events a second whose writes the database takes."""

    name = "database"
    title = "PostgreSQL alone, the same writes"
    every_round = True

    def __init__(self) -> None:
        self._transactions: list[list[Statement]] = []

    def prepare(self, bed: Bed) -> None:
        with bed.site.fresh(topic_prefix="none") as settings, _writer(settings) as connection:
            recording = RecordingConnection(connection)
            self._record(bed, connection, cast(psycopg.Connection, recording))
            self._transactions = recording.transactions

    def measure(self, bed: Bed) -> Mapping[str, float]:
        with bed.site.fresh(topic_prefix="none") as settings, _writer(settings) as connection:
            start = time.perf_counter()
            play(connection, self._transactions)
            return {"database_events_s": bed.load.events / (time.perf_counter() - start)}

    def _record(self, bed: Bed, connection: psycopg.Connection, recording: psycopg.Connection) -> None:
        feed, parser = bed.site.feed, bed.parser
        row = connection.execute(load_queries("stream")["select_feed_id"], [feed.key]).fetchone()
        assert row is not None
        measures = bed.measures(connection)
        store = RecordStore(feed, row[0], Contributor(measures))
        now = datetime.now(UTC)
        fetched = as_fetched(bed.load.batches, at=now)
        size = _EVENTS_A_BATCH // EVENTS_A_RECORD
        for start in range(0, len(fetched), size):
            batch = parser.parse(_TOPIC, 0, fetched[start : start + size], now=now)
            if start == 0:
                counted = {"contributions_per_event": contributions_of(batch.events, measures)}
                bed.keep(counted | {"measures": len(measures)})
            store.apply(recording, [batch])


def _writer(settings: Settings) -> psycopg.Connection:
    connection = connect(settings, "writer", autocommit=True)
    connection.execute(load_queries("stream")["ensure_position"], [_TOPIC, 0])
    return connection
