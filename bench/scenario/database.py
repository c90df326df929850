"""The worker's writes alone, without Kafka, parsing or adding up: the statements of a load, played back."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import cast

import psycopg

from bench.bed import Bed
from bench.replay import RecordingConnection, Statement, play
from bench.storing import store_load, writer


class Database:
    """Events a second whose writes the database takes."""

    name = "database"
    title = "PostgreSQL alone, the same writes"
    every_round = True

    def __init__(self) -> None:
        self._transactions: list[list[Statement]] = []

    def prepare(self, bed: Bed) -> None:
        with bed.site.fresh(topic_prefix="none") as settings, writer(settings) as connection:
            recording = RecordingConnection(connection)
            store_load(bed, connection, cast(psycopg.Connection, recording))
            self._transactions = recording.transactions

    def measure(self, bed: Bed) -> Mapping[str, float]:
        with bed.site.fresh(topic_prefix="none") as settings, writer(settings) as connection:
            start = time.perf_counter()
            play(connection, self._transactions)
            return {"database_events_s": bed.load.events / (time.perf_counter() - start)}
