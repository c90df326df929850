"""Whether a log is still the one that was read, though its topic's id and its end say nothing else.

A log that was cut (an unclean election, a broker that lost its disk) may have grown past the position before anyone
looks. It is cut only when its leader changes, and the leader's epoch tells that; the records that were stored are then
looked at again where they lay.
"""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Mapping

from streams.rules.position import LogState, StoredPosition
from streams.worker.halt import PartitionKey

_KEPT = 32  # batches of a partition between two looks; more are read on a fast partition, where the newest tell enough
ReadMarks = Callable[[PartitionKey, Collection[int]], Mapping[int, str]]


class LogMarks:
    """Marks of what this worker has stored of each partition, and the epoch under which they were known to be there."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stored: defaultdict[PartitionKey, deque[tuple[int, str]]] = defaultdict(lambda: deque(maxlen=_KEPT))
        self._epochs: dict[PartitionKey, int] = {}

    def note(self, partition_key: PartitionKey, offset: int, mark: str | None) -> None:
        """Remember a record that was stored; its mark is None where it is not known."""
        if mark is not None:
            with self._lock:
                self._stored[partition_key].append((offset, mark))

    def compare(
        self, stored: Mapping[PartitionKey, StoredPosition], logs: Mapping[PartitionKey, LogState], read: ReadMarks
    ) -> tuple[set[PartitionKey], dict[PartitionKey, int]]:
        """Return the partitions whose log does not hold what was stored, and the epochs that are new and known good.

        read: returns the marks of a partition's records at offsets, without those that the log does not hold.
        Raises while Kafka is away.
        """
        cut: set[PartitionKey] = set()
        good: dict[PartitionKey, int] = {}
        for partition_key, position in stored.items():
            state = logs.get(partition_key)
            if state is None or state.leader_epoch is None:
                continue
            noted = self._noted(partition_key)
            if position.leader_epoch == state.leader_epoch == self._epochs.get(partition_key, state.leader_epoch):
                self._keep_newest(partition_key, state.leader_epoch, noted)
                continue
            expected = dict(noted if position.mark is None else [*noted, position.mark])
            kept = {offset: mark for offset, mark in expected.items() if state.start <= offset < state.end}
            found = read(partition_key, kept.keys()) if kept else {}
            if any(found.get(offset, mark) != mark for offset, mark in kept.items()):
                cut.add(partition_key)
                continue
            self._keep_newest(partition_key, state.leader_epoch, noted)
            if position.leader_epoch != state.leader_epoch:
                good[partition_key] = state.leader_epoch
        return cut, good

    def _noted(self, partition_key: PartitionKey) -> list[tuple[int, str]]:
        with self._lock:
            return list(self._stored.get(partition_key, ()))

    def _keep_newest(self, partition_key: PartitionKey, epoch: int, known: list[tuple[int, str]]) -> None:
        """Forget what was looked at, but for the newest of it."""
        self._epochs[partition_key] = epoch
        with self._lock:
            kept = self._stored.get(partition_key)
            while kept and len(known) > 1 and kept[0] == known[0]:
                kept.popleft()
                known = known[1:]
