"""The peer over the same events as flat rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from bench.bed import Bed
from bench.peer import TOPIC, Peer, make_rows
from bench.site import fill_topic
from ioc.kafka import admin_client


class FlatRows:
    """Rows a second that Kafka Connect and Debezium's JDBC sink upsert."""

    name = "peer"
    title = "Kafka Connect + Debezium JDBC sink"
    every_round = True

    def __init__(self) -> None:
        self._keys = 0

    def prepare(self, bed: Bed) -> None:
        settings = bed.site.settings
        with admin_client(settings) as admin:
            admin.create_topics({TOPIC: {"num_partitions": settings.kafka_partitions, "replication_factor": 1}})
            admin.wait_for_topics([TOPIC])
        rows = list(make_rows(bed.parser, bed.load, now=datetime.now(UTC)))
        self._keys = len({row.key for row in rows})
        fill_topic(settings, TOPIC, rows)

    def measure(self, bed: Bed) -> Mapping[str, float]:
        with bed.site.fresh(topic_prefix="none") as settings:
            return {"peer_rows_s": Peer().drain(settings, bed.parser, bed.load.events, self._keys)}
