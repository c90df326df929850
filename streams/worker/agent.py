"""The agent of a feed, one class for all feeds: receives whole fetches, parses, applies in order, acknowledges.

Two threads work beside the event loop: while the database applies what was parsed, the next fetches are parsed. Small
fetches wait a moment for others: those of all partitions are parsed in one go, and those of all feeds are applied in
one transaction (`commit.py`). Order is kept, and nothing is acknowledged before its commit.
A batch that fails on its data is divided until the faulty events are isolated (`last_line.py`). A feed that fails for
another reason is halted with an error in the log, and the other feeds go on. A fault that a restart fixes (a gap, a
changed catalogue, a database that stays away) ends the worker with nothing acknowledged; the next one starts at the
position in the database.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterable, Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import psycopg
import structlog
import tenacity

from ioc.errors import CatalogueChangedError, ConcurrentWriteError, FatalError, RetryableError, UnstorableError
from ioc.faultpoint import FaultPoint, no_fault
from ioc.tracing import NO_SPAN, NO_TRACING, TraceSpan, Tracing
from streams.rules.batch import Fetched, ParsedBatch
from streams.rules.fault import told
from streams.rules.parse import BatchParser
from streams.rules.raw import RawRecord
from streams.rules.refuse import UNSTORABLE
from streams.rules.span import BatchCounts
from streams.worker.backlog import Backlog
from streams.worker.commit import JointCommit
from streams.worker.halt import Halts
from streams.worker.last_line import LastLine
from streams.worker.log_mark import LogMarks
from streams.worker.metrics import WorkerMetrics
from streams.worker.store import LogStart, RecordStore, apply_together
from streams.worker.trace import begin_batches, traced_commit

log = structlog.get_logger(__name__)

_MOST_CONFLICTS = 8
# Of records as they came: what is parsed in one go without waiting for more, and what waits at most.
_ENOUGH_BYTES = 512 * 1024
_MOST_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Parsed:
    """A fetch on its way: Faust's event, what was read of it, the seconds that took, and its span."""

    event: Any
    batch: ParsedBatch
    seconds: float
    span: TraceSpan = NO_SPAN


@dataclass(frozen=True)
class Work:
    """One feed's rules and store."""

    feed: str
    parser: BatchParser
    store: RecordStore


class Writer:
    """A connection that is opened when it is needed and again after it was lost; used by one thread."""

    def __init__(self, connect: Callable[[], psycopg.Connection]) -> None:
        self._connect = connect
        self._connection: psycopg.Connection | None = None

    def apply(
        self, store: RecordStore, batches: Sequence[ParsedBatch], *, log_start: LogStart, keep: bool = True
    ) -> BatchCounts:
        """Apply batches once, and take it back unless `keep`; a connection that failed is thrown away."""
        if self._connection is None or self._connection.closed:
            self._connection = self._connect()
        try:
            return store.apply(self._connection, batches, log_start=log_start, keep=keep)
        except RetryableError:
            self.close()
            raise

    def apply_together(
        self, work: Sequence[tuple[RecordStore, Sequence[ParsedBatch]]], *, log_start: LogStart
    ) -> list[BatchCounts]:
        """Apply batches of several feeds in one transaction, once; a connection that failed is thrown away."""
        if self._connection is None or self._connection.closed:
            self._connection = self._connect()
        try:
            return apply_together(self._connection, work, log_start=log_start)
        except RetryableError:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class FeedAgent:
    """Runs the protocol of one feed over a stream of fetches."""

    def __init__(
        self,
        work: Work,
        writer: Writer,
        *,
        parse_pool: Executor,
        commit: JointCommit,
        metrics: WorkerMetrics,
        log_start: LogStart,
        halts: Halts,
        marks: LogMarks,
        patience: float,
        most_events: int,
        restart: Callable[[], None],
        linger: float = 0.0,
        crashed: Callable[[], None] = lambda: None,
        fault: FaultPoint = no_fault,
        tracing: Tracing = NO_TRACING,
    ) -> None:
        """
        log_start:   gives the first offset that Kafka still keeps of a partition.
        halts:       partitions whose records are left alone until an operator has decided.
        marks:       is told the last record of what was stored.
        patience:    seconds for which a batch is tried again before the worker gives up.
        most_events: most events of one transaction, unless a single fetch holds more; twice as many wait at most.
        restart:     stops the process in good order, and starts it anew.
        crashed:     is told when the agent has failed and the process is about to stop.
        linger:      seconds that little waits for more, at most; all feeds wait to the same moments.
        tracing:     of fetches that hold events of traced requests.
        """
        self._work = work
        self._writer = writer
        self._parse_pool = parse_pool
        self._commit = commit
        self._metrics = metrics
        self._log_start = log_start
        self._halts = halts
        self._marks = marks
        self._patience = patience
        self._most_events = most_events
        self._restart = restart
        self._linger = linger
        self._crashed = crashed
        self._fault = fault
        self._tracing = tracing
        self._last_line = LastLine(
            work.feed,
            self._write,
            partial(self._write, keep=False),
            partial(metrics.unstorable, work.feed),
        )

    async def run(self, events: AsyncIterable[Any]) -> None:
        """Work through a stream of Faust events whose values are fetches; returns when it ends.

        Raises what applying raised, at once: not when the next event comes.
        """
        fetched: Backlog[Any] = Backlog(_MOST_BYTES)
        backlog: Backlog[Parsed] = Backlog(2 * self._most_events)
        try:
            async with asyncio.TaskGroup() as group:
                applier = group.create_task(self._apply_all(backlog))
                parser = group.create_task(self._parse_all(fetched, backlog))
                await self._read_all(events, fetched)
                parser.cancel()
                applier.cancel()
        except BaseExceptionGroup as failures:
            self._crashed()
            raise failures.exceptions[0] from None

    async def _read_all(self, events: AsyncIterable[Any], fetched: Backlog[Any]) -> None:
        async for event in events:
            self._fault("after_fetch")
            message = event.message
            if self._halts.holds(message.topic, message.partition):
                event.ack()  # in Kafka's group only; the position in the database stays
                continue
            await fetched.put(event, _size_of(message.value.records))

    async def _parse_all(self, fetched: Backlog[Any], backlog: Backlog[Parsed]) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await fetched.gather(_ENOUGH_BYTES, self._till_next_moment)
            with self._commit.parsing():
                events = await fetched.take(_ENOUGH_BYTES)
                try:
                    batches, seconds, spans = await loop.run_in_executor(self._parse_pool, self._parse, events)
                except RetryableError:
                    raise
                except Exception as error:
                    self._halt(events[0].message.topic, error)
                    continue
                for event, batch, span in zip(events, batches, spans, strict=True):
                    self._tell_unstorable(batch)
                    parsed = Parsed(event, batch, seconds / len(events), span)
                    await backlog.put(parsed, sum(batch.consumed.values()))

    def _tell_unstorable(self, batch: ParsedBatch) -> None:
        """Count and log what could not be read though no rule refuses it."""
        found = [one for one in batch.rejections if one.reasons[0].rule == UNSTORABLE]
        if found:
            self._metrics.unstorable(self._work.feed, len(found))
            log.error(
                "events cannot be read and are set aside",
                feed=self._work.feed,
                topic=batch.topic,
                partition=batch.partition,
                offset=found[0].record_offset,
                events=len(found),
                error=found[0].reasons[0].value,
            )

    def _till_next_moment(self) -> float:
        """Return the seconds to the next of the moments, `linger` apart, at which all feeds go on together."""
        return self._linger and self._linger - time.monotonic() % self._linger

    def _parse(self, events: Sequence[Any]) -> tuple[list[ParsedBatch], float, list[TraceSpan]]:
        start, begun = time.perf_counter(), time.time_ns()
        fetches = [
            Fetched(
                event.message.topic, event.message.partition, event.message.value.records, event.message.value.begins_at
            )
            for event in events
        ]
        batches = self._work.parser.parse_together(fetches, now=datetime.now(UTC))
        if self._tracing.is_on:
            spans = begin_batches(self._tracing, self._work.feed, fetches, begun)
        else:
            spans = [NO_SPAN] * len(batches)
        return batches, time.perf_counter() - start, spans

    async def _apply_all(self, backlog: Backlog[Parsed]) -> None:
        while True:
            taken = await backlog.take(self._most_events)
            taken = [one for one in taken if not self._halts.holds(one.batch.topic, one.batch.partition)]
            if not taken:
                continue
            start = time.perf_counter()
            try:
                counts = await self._store(taken)
            except CatalogueChangedError as error:
                log.info("planned restart", feed=self._work.feed, reason=str(error))
                self._restart()
                await asyncio.Event().wait()  # until the process has stopped: nothing more is applied by this edition
            except (FatalError, RetryableError):
                raise
            except Exception as error:
                self._halt(taken[0].batch.topic, error)
                continue
            self._fault("before_ack")
            for batch in (parsed.batch for parsed in taken):
                self._marks.note((batch.topic, batch.partition), batch.next_offset - 1, batch.mark)
            for parsed in taken:
                parsed.event.ack()
            oldest = min(parsed.batch.oldest_received_at for parsed in taken)
            self._metrics.batch(
                self._work.feed,
                counts,
                parse_s=sum(parsed.seconds for parsed in taken),
                apply_s=time.perf_counter() - start,
                visible_s=(datetime.now(UTC) - oldest).total_seconds(),
            )

    async def _store(self, taken: Sequence[Parsed]) -> BatchCounts:
        batches = [one.batch for one in taken]
        if not self._tracing.is_on:
            return await self._commit.apply(self._work.store, batches, self._apply)
        with traced_commit(self._tracing, [one.span for one in taken], batches) as traced:
            return await self._commit.apply(self._work.store, traced, self._apply)

    def _halt(self, topic: str, error: Exception) -> None:
        """Stop this feed, and no other; a restart of the worker tries it again."""
        log.critical(
            "this feed fails and is halted; the others go on. Mend it and start the worker again",
            feed=self._work.feed,
            exc_info=error,
        )
        self._halts.halt_topic(topic, told(error))

    def _apply(self, batches: Sequence[ParsedBatch]) -> BatchCounts:
        return self._last_line.apply(batches)

    def _write(self, batches: Sequence[ParsedBatch], *, keep: bool = True) -> BatchCounts:
        """Write batches, again and again while the database is away, for as long as patience lasts."""
        patience_ends = tenacity.stop_after_delay(self._patience)
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(RetryableError),
            wait=tenacity.wait_random_exponential(multiplier=0.2, max=5.0),
            stop=lambda state: patience_ends(state) or _always_in_conflict(state),
            before_sleep=self._tell,
            reraise=True,
        )
        try:
            return retrying(self._writer.apply, self._work.store, batches, log_start=self._log_start, keep=keep)
        except ConcurrentWriteError as error:
            # No other worker is so persistent: it is what the batch itself holds.
            raise UnstorableError(str(error)) from error

    def _tell(self, state: tenacity.RetryCallState) -> None:
        self._metrics.retry(self._work.feed)
        error = state.outcome.exception() if state.outcome else None
        log.warning("batch is tried again", feed=self._work.feed, attempt=state.attempt_number, error=str(error))


def _size_of(records: Sequence[RawRecord]) -> int:
    return sum(len(record.value or b"") for record in records)


def _always_in_conflict(state: tenacity.RetryCallState) -> bool:
    error = state.outcome.exception() if state.outcome else None
    return isinstance(error, ConcurrentWriteError) and state.attempt_number >= _MOST_CONFLICTS
