"""The agent of a feed, one class for all feeds: receive whole fetches, parse them, apply them in order, acknowledge.

Two threads work beside the event loop: while the database applies what was parsed, the next fetches are parsed, and
all that gather meanwhile are applied in one transaction. Order is kept, and nothing is acknowledged before its commit.
A failure that retrying cannot mend ends the worker with nothing acknowledged; its successor starts at the position in
the database.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterable, Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
import structlog
import tenacity

from ioc.errors import CatalogueChangedError, RetryableError
from streams.process.faultpoint import FaultPoint, no_fault
from streams.rules.parse import BatchParser, ParsedBatch
from streams.rules.span import BatchCounts
from streams.worker.backlog import Backlog
from streams.worker.metrics import WorkerMetrics
from streams.worker.store import KnownGap, RecordStore

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Parsed:
    """A fetch on its way: Faust's event, what was read of it, and the seconds that took."""

    event: Any
    batch: ParsedBatch
    seconds: float


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

    def apply(self, store: RecordStore, batches: Sequence[ParsedBatch], *, is_known_gap: KnownGap) -> BatchCounts:
        """Apply batches once; a connection that failed is thrown away."""
        if self._connection is None or self._connection.closed:
            self._connection = self._connect()
        try:
            return store.apply(self._connection, batches, is_known_gap=is_known_gap)
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
        apply_pool: Executor,
        metrics: WorkerMetrics,
        is_known_gap: KnownGap,
        patience: float,
        most_events: int,
        restart: Callable[[], None],
        fault: FaultPoint = no_fault,
    ) -> None:
        """
        is_known_gap: tells whether Kafka has deleted everything of a partition up to an offset.
        patience:     seconds for which a batch is tried again before the worker gives up.
        restart:      stops the process in good order, and starts it anew.
        most_events:  most events of one transaction, unless a single fetch holds more; twice as many wait at most.
        """
        self._work = work
        self._writer = writer
        self._parse_pool = parse_pool
        self._apply_pool = apply_pool
        self._metrics = metrics
        self._is_known_gap = is_known_gap
        self._patience = patience
        self._most_events = most_events
        self._restart = restart
        self._fault = fault

    async def run(self, events: AsyncIterable[Any]) -> None:
        """Work through a stream of Faust events whose values are lists of raw records; returns when it ends.

        Raises what applying raised, at once: not when the next event comes.
        """
        loop = asyncio.get_running_loop()
        reader = asyncio.current_task()
        assert reader is not None
        backlog: Backlog[Parsed] = Backlog(2 * self._most_events)
        applier = asyncio.create_task(self._apply_all(backlog))

        def wake(_: object) -> None:
            reader.cancel()

        applier.add_done_callback(wake)
        try:
            async for event in events:
                self._fault("after_fetch")
                batch, seconds = await loop.run_in_executor(self._parse_pool, self._parse, event.message)
                await backlog.put(Parsed(event, batch, seconds), sum(batch.consumed.values()))
        except asyncio.CancelledError:
            if applier.done():
                reader.uncancel()
                applier.result()
            raise
        finally:
            applier.remove_done_callback(wake)
            applier.cancel()
            await asyncio.gather(applier, return_exceptions=True)

    def _parse(self, message: Any) -> tuple[ParsedBatch, float]:
        start = time.perf_counter()
        batch = self._work.parser.parse(message.topic, message.partition, message.value, now=datetime.now(UTC))
        return batch, time.perf_counter() - start

    async def _apply_all(self, backlog: Backlog[Parsed]) -> None:
        loop = asyncio.get_running_loop()
        while True:
            taken = await backlog.take(self._most_events)
            start = time.perf_counter()
            try:
                counts = await loop.run_in_executor(self._apply_pool, self._apply, [parsed.batch for parsed in taken])
            except CatalogueChangedError as error:
                log.info("planned restart", feed=self._work.feed, reason=str(error))
                self._restart()
                await asyncio.Event().wait()  # until the process has stopped: nothing more is applied by this edition
            self._fault("before_ack")
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

    def _apply(self, batches: Sequence[ParsedBatch]) -> BatchCounts:
        """Apply batches, again and again while the database is away, for as long as patience lasts."""
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(RetryableError),
            wait=tenacity.wait_random_exponential(multiplier=0.2, max=5.0),
            stop=tenacity.stop_after_delay(self._patience),
            before_sleep=self._tell,
            reraise=True,
        )
        return retrying(self._writer.apply, self._work.store, batches, is_known_gap=self._is_known_gap)

    def _tell(self, state: tenacity.RetryCallState) -> None:
        self._metrics.retry(self._work.feed)
        error = state.outcome.exception() if state.outcome else None
        log.warning("batch is tried again", feed=self._work.feed, attempt=state.attempt_number, error=str(error))
