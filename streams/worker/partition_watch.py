"""Looks at every partition of every feed, assigned to this worker or not: lag, and logs that were exchanged."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection

import structlog

from ioc.database.connection import connect
from ioc.errors import KafkaUnavailableError
from ioc.messaging.topic import broken_promises
from ioc.settings import Settings
from streams.rules.position import StoredPosition
from streams.worker.halt import Halts, PartitionId
from streams.worker.log_mark import LogMarks
from streams.worker.log_state import LogStates
from streams.worker.metrics import WorkerMetrics
from streams.worker.stored_position import judge, read_positions
from streams.worker.watchdog import EXIT_STALLED

log = structlog.get_logger(__name__)

_LOOKS_BETWEEN = 120  # ten minutes


class PartitionWatch:
    """What the watchdog's thread asks; `look` raises while Kafka or the database is away."""

    def __init__(
        self,
        settings: Settings,
        topics: Collection[str],
        *,
        assigned: Callable[[], set[PartitionId]],
        halts: Halts,
        marks: LogMarks,
        log_starts: dict[PartitionId, int],
        metrics: WorkerMetrics,
        on_accepted: Callable[[int], None] = os._exit,
    ) -> None:
        self._settings = settings
        self._topics = topics
        self._assigned = assigned
        self._halts = halts
        self._marks = marks
        self._log_starts = log_starts
        self._metrics = metrics
        self._on_accepted = on_accepted
        self._states = LogStates(settings)
        self._stored: dict[PartitionId, StoredPosition] = {}
        self._looks = 0

    def look(self) -> dict[PartitionId, int]:
        """Look at all partitions; return the log ends of those that this worker has to keep up with."""
        with connect(self._settings, "worker", autocommit=True) as connection:
            # Positions first: they move on, and none may seem to lie beyond an end that was read before it.
            self._stored = read_positions(connection, self._topics)
            logs = self._states(self._topics)
            self._log_starts.update({partition_id: state.start for partition_id, state in logs.items()})
            halted = judge(connection, self._stored, logs, self._halts, self._marks, self._states.marks)
        for partition_id, state in logs.items():
            stored = self._stored.get(partition_id)
            # A partition that no worker has been given yet is behind by all that it holds.
            behind = state.end - (stored.next_offset if stored else state.start)
            labels = (partition_id[0], str(partition_id[1]))
            self._metrics.lag.labels(*labels).set(max(behind, 0))
            self._metrics.halted.labels(*labels).set(self._halts.holds(*partition_id))
        self._look_at_topics()
        accepted = self._halts.partitions.keys() - halted
        if accepted:
            log.warning("positions were accepted; the worker starts again at them", partitions=sorted(accepted))
            self._on_accepted(EXIT_STALLED)
        return {
            partition_id: logs[partition_id].end
            for partition_id in self._assigned()
            if partition_id in logs and not self._halts.holds(*partition_id)
        }

    def _look_at_topics(self) -> None:
        """Say at the start, and from time to time, which topics keep their producers' time."""
        self._looks += 1
        if self._looks % _LOOKS_BETWEEN != 1:
            return
        try:
            broken = broken_promises(self._settings, sorted(self._topics))
        except KafkaUnavailableError as error:  # a user of Kafka that may read a topic and not its configuration
            log.warning("the topics' configuration cannot be looked at", error=str(error))
            return
        for topic in self._topics:
            self._metrics.producer_time.labels(topic).set(topic in broken)
        for topic, found in broken.items():
            log.error(
                "this topic keeps its producers' time; records count as received when they are read. "
                "`ioc topic create` fixes it",
                topic=topic,
                found=found,
            )

    def positions(self) -> dict[PartitionId, int]:
        """Return the positions at the last call of `look`."""
        return {partition_id: stored.next_offset for partition_id, stored in self._stored.items()}
