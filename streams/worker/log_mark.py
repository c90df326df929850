"""Whether a log is still the one that was read, when its topic's id and its end show no change.

A log that was truncated (an unclean election, a broker that lost its disk) may have grown past the position before
anyone looks. It is truncated only when its leader changes, and then the leader's epoch changes too. In that case
the stored records are compared with those at the same offsets.
"""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Mapping

from streams.rules.position import LogState, StoredPosition
from streams.worker.halt import PartitionId

_KEPT = 32  # batches of a partition between two looks; more are read on a fast partition, where the newest tell enough
ReadMarks = Callable[[PartitionId, Collection[int]], Mapping[int, str]]


class LogMarks:
    """Marks of what this worker has stored of each partition, and the epoch under which they were known to be there."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stored: defaultdict[PartitionId, deque[tuple[int, str]]] = defaultdict(lambda: deque(maxlen=_KEPT))
        self._epochs: dict[PartitionId, int] = {}

    def note(self, partition_id: PartitionId, offset: int, mark: str | None) -> None:
        """Remember a record that was stored; its mark is None where it is not known."""
        if mark is not None:
            with self._lock:
                self._stored[partition_id].append((offset, mark))

    def compare(
        self, stored: Mapping[PartitionId, StoredPosition], logs: Mapping[PartitionId, LogState], read: ReadMarks
    ) -> tuple[set[PartitionId], dict[PartitionId, int]]:
        """Return the partitions whose log does not hold what was stored, and the epochs that are new and known good.

        read: returns the marks of a partition's records at offsets, without those that the log does not hold.
        Raises while Kafka is away.
        """
        cut: set[PartitionId] = set()
        good: dict[PartitionId, int] = {}
        for partition_id, position in stored.items():
            state = logs.get(partition_id)
            if state is None or state.leader_epoch is None:
                continue
            noted = self._noted(partition_id)
            if position.leader_epoch == state.leader_epoch == self._epochs.get(partition_id, state.leader_epoch):
                self._keep_newest(partition_id, state.leader_epoch, noted)
                continue
            expected = dict(noted if position.mark is None else [*noted, position.mark])
            kept = {offset: mark for offset, mark in expected.items() if state.start <= offset < state.end}
            found = read(partition_id, kept.keys()) if kept else {}
            if any(found.get(offset, mark) != mark for offset, mark in kept.items()):
                cut.add(partition_id)
                continue
            self._keep_newest(partition_id, state.leader_epoch, noted)
            if position.leader_epoch != state.leader_epoch:
                good[partition_id] = state.leader_epoch
        return cut, good

    def _noted(self, partition_id: PartitionId) -> list[tuple[int, str]]:
        with self._lock:
            return list(self._stored.get(partition_id, ()))

    def _keep_newest(self, partition_id: PartitionId, epoch: int, known: list[tuple[int, str]]) -> None:
        """Forget what was looked at, but for the newest of it."""
        self._epochs[partition_id] = epoch
        with self._lock:
            kept = self._stored.get(partition_id)
            while kept and len(known) > 1 and kept[0] == known[0]:
                kept.popleft()
                known = known[1:]
