"""The last defence against events that no rule refuses and no table can hold.

A batch whose transaction fails on data is divided into halves until the faulty events are isolated. They are refused as
`unstorable`, everything else is written, and the position moves: such events do not end the process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from streams.rules.batch import ParsedBatch
from streams.rules.fault import DATA_FAULTS, told
from streams.rules.span import BatchCounts, bare, halves, only, refused

log = structlog.get_logger(__name__)


class LastLine:
    """Applies batches of one feed by `write`; `attempt` does the same and takes it back."""

    def __init__(
        self,
        feed: str,
        write: Callable[[Sequence[ParsedBatch]], BatchCounts],
        attempt: Callable[[Sequence[ParsedBatch]], object],
        on_unstorable: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._feed = feed
        self._write = write
        self._attempt = attempt
        self._on_unstorable = on_unstorable

    def apply(self, batches: Sequence[ParsedBatch]) -> BatchCounts:
        """Write all that can be written of `batches`; in several transactions where one of them fails on data."""
        try:
            return self._write(batches)
        except DATA_FAULTS as error:
            if len(batches) > 1:
                middle = len(batches) // 2
                return self.apply(batches[:middle]) + self.apply(batches[middle:])
            parts = halves(batches[0])
            if parts is not None:
                return self.apply(parts[:1]) + self.apply(parts[1:])
            return self._refuse(batches[0], error)

    def _refuse(self, batch: ParsedBatch, error: BaseException) -> BatchCounts:
        """Write one Kafka record without the events at fault."""
        while batch.events.height:
            # Events that only fail together (a sum of them runs over) go one by one, the last first.
            rows = self._at_fault(batch, range(batch.events.height)) or [batch.events.height - 1]
            log.error(
                "events cannot be stored and are set aside",
                feed=self._feed,
                topic=batch.topic,
                partition=batch.partition,
                offset=batch.first_offset,
                events=len(rows),
                error=told(error),
            )
            batch = refused(batch, rows, told(error))
            try:
                counts = self._write([batch])
            except DATA_FAULTS as again:
                error = again
            else:
                self._on_unstorable(sum(r.reasons[0].rule == "unstorable" for r in batch.rejections))
                return counts
        # Nothing is left but rejections: then it is a reason or a name in them that no column holds.
        return self._write([bare(batch)])

    def _at_fault(self, batch: ParsedBatch, rows: Sequence[int]) -> list[int]:
        try:
            self._attempt([only(batch, rows)])
        except DATA_FAULTS:
            if len(rows) == 1:
                return list(rows)
            middle = len(rows) // 2
            return self._at_fault(batch, rows[:middle]) + self._at_fault(batch, rows[middle:])
        return []
