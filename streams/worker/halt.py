"""Halted partitions: what is read of them is not stored until an operator has decided, or a fix is deployed."""

from __future__ import annotations

import threading
from collections.abc import Mapping

PartitionId = tuple[str, int]


class Halts:
    """Halted partitions and topics, each with its reason; shared by the threads of one worker."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._partitions: dict[PartitionId, str] = {}
        self._topics: dict[str, str] = {}

    def halt(self, partition_id: PartitionId, reason: str) -> bool:
        """Leave a partition alone; tell whether that is new."""
        with self._lock:
            new = partition_id not in self._partitions
            self._partitions[partition_id] = reason
            return new

    def halt_topic(self, topic: str, reason: str) -> None:
        """Leave a whole topic alone, for as long as this worker runs."""
        with self._lock:
            self._topics[topic] = reason

    def holds(self, topic: str, partition: int) -> bool:
        """Whether a partition is left alone."""
        return bool(self._topics or self._partitions) and (
            topic in self._topics or (topic, partition) in self._partitions
        )

    @property
    def partitions(self) -> Mapping[PartitionId, str]:
        """The partitions that wait for an operator."""
        with self._lock:
            return dict(self._partitions)

    @property
    def topics(self) -> Mapping[str, str]:
        """The topics whose feed has failed."""
        with self._lock:
            return dict(self._topics)
