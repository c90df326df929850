"""The peer over the same events as flat rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from bench.bed import Bed
from bench.peer import Peer, columns_of, make_rows
from bench.site import fill_topic
from ioc.messaging.client import admin_client

_NARROW = 12


class FlatRows:
    """Rows a second that Kafka Connect and Debezium's JDBC sink upsert, as wide as the worker's record table."""

    name = "peer"
    title = "Kafka Connect + Debezium JDBC sink"
    every_round = True
    topic = "peer-row"
    measured = "peer_rows_s"

    def __init__(self) -> None:
        self._keys = 0

    def columns(self, bed: Bed) -> Sequence[str]:
        """Return the columns of a row."""
        return columns_of(bed.parser)

    def prepare(self, bed: Bed) -> None:
        settings = bed.site.settings
        with admin_client(settings) as admin:
            admin.create_topics({self.topic: {"num_partitions": settings.kafka_partitions, "replication_factor": 1}})
            admin.wait_for_topics([self.topic])
        rows = list(make_rows(bed.parser, bed.load, self.columns(bed), now=datetime.now(UTC)))
        self._keys = len({row.key for row in rows})
        fill_topic(settings, self.topic, rows)

    def measure(self, bed: Bed) -> Mapping[str, float]:
        peer = Peer(self.topic, self.columns(bed))
        with bed.site.fresh(topic_prefix="none") as settings:
            return {self.measured: peer.drain(settings, bed.parser, bed.load.events, self._keys)}


class NarrowRows(FlatRows):
    """The same with rows of 12 columns: what is usually measured, though it leaves most of an invoice out."""

    name = "peer_narrow"
    title = f"Kafka Connect + Debezium JDBC sink, {_NARROW} columns"
    every_round = False
    topic = "peer-narrow-row"
    measured = "peer_narrow_rows_s"

    def columns(self, bed: Bed) -> Sequence[str]:
        return columns_of(bed.parser)[:_NARROW]
