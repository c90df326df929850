"""What Kafka has of the topics now: their ids, where each partition begins and where it ends."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Any
from uuid import UUID

import structlog

from ioc.messaging.client import client_options, open_admin
from ioc.settings import Settings
from streams.rules.position import LogState
from streams.rules.raw import mark_of

log = structlog.get_logger(__name__)

_SECONDS = 10.0
_UNKNOWN_TOPIC = 3


class LogStates:
    """Reads them with clients of its own, opened when they are first needed and anew after a failure; one thread."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._consumer: Any = None
        self._reader: Any = None
        self._admin: Any = None

    def __call__(self, topics: Collection[str]) -> dict[tuple[str, int], LogState]:
        """Return all partitions of those topics that exist, assigned to a worker or not; raises while Kafka is away."""
        try:
            return self._read(topics)
        except Exception:
            self.close()
            raise

    def close(self) -> None:
        """Close the clients."""
        for client in (self._consumer, self._reader, self._admin):
            if client is not None:
                client.close()
        self._consumer = self._reader = self._admin = None

    def _read(self, topics: Collection[str]) -> dict[tuple[str, int], LogState]:
        from kafka import KafkaConsumer, TopicPartition  # noqa: PLC0415

        if not topics:
            return {}
        if self._admin is None:
            self._admin = open_admin(self._settings, _SECONDS)
        if self._consumer is None:
            self._consumer = KafkaConsumer(
                **client_options(self._settings, _SECONDS),
                enable_auto_commit=False,
                # The end that a reader of committed events can reach: an open transaction does not count as lag.
                isolation_level="read_committed",
                allow_auto_create_topics=False,
            )
        ids: dict[tuple[str, int], tuple[UUID | None, int | None]] = {}
        for topic in self._admin.describe_topics(sorted(topics)):
            if topic["error_code"] == 0:
                for partition in topic["partitions"]:
                    epoch = partition["leader_epoch"]
                    known = _uuid(topic["topic_id"]), epoch if epoch >= 0 else None
                    ids[topic["name"], partition["partition_index"]] = known
            elif topic["error_code"] != _UNKNOWN_TOPIC:
                raise ConnectionError(f"Kafka does not describe {topic['name']}: error {topic['error_code']}")
        partitions = {partition_id: TopicPartition(*partition_id) for partition_id in ids}
        starts = self._consumer.beginning_offsets(list(partitions.values()))
        ends = self._consumer.end_offsets(list(partitions.values()))
        return {
            partition_id: LogState(ids[partition_id][0], starts[tp], ends[tp], ids[partition_id][1])
            for partition_id, tp in partitions.items()
        }

    def marks(self, partition_id: tuple[str, int], offsets: Collection[int]) -> dict[int, str]:
        """Return the marks of a partition's records at these offsets; those that the log does not hold are left out.

        Raises while Kafka is away.
        """
        try:
            return self._marks(partition_id, offsets)
        except Exception:
            self.close()
            raise

    def _marks(self, partition_id: tuple[str, int], offsets: Collection[int]) -> dict[int, str]:
        from kafka import KafkaConsumer, TopicPartition  # noqa: PLC0415

        if self._reader is None:
            self._reader = KafkaConsumer(
                **client_options(self._settings, _SECONDS),
                enable_auto_commit=False,
                allow_auto_create_topics=False,
                auto_offset_reset="latest",
                max_poll_records=1,
            )
        partition = TopicPartition(*partition_id)
        self._reader.assign([partition])
        found: dict[int, str] = {}
        for offset in sorted(offsets):
            self._reader.seek(partition, offset)
            deadline = time.monotonic() + _SECONDS
            while not (records := self._reader.poll(timeout_ms=500).get(partition)):
                if time.monotonic() > deadline:
                    log.warning("a record that was stored cannot be read again", topic=partition_id[0], offset=offset)
                    break
            if records and records[0].offset == offset:
                found[offset] = mark_of(records[0])
        return found


def _uuid(value: object) -> UUID | None:
    found = value if isinstance(value, UUID) else UUID(str(value))
    return found if found.int else None
