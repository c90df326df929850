"""What several feeds have ready at the same moment is written in one transaction.

Few events of many feeds are many small batches, and the cost of a transaction hardly depends on its size. If the joint
transaction fails, each feed's batches are written in their own transaction: then the faulty feed is found, and the
others are not affected.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field

import structlog

from ioc.errors import FatalError, RetryableError
from streams.rules.batch import ParsedBatch
from streams.rules.span import BatchCounts
from streams.worker.store import RecordStore

log = structlog.get_logger(__name__)

# With so many events a transaction is worth its cost: do not wait for more.
_ENOUGH = 1000
_LONGEST_WAIT = 0.25
# Between the end of parsing and the request to write lie a few turns of the event loop.
_MOMENT = 0.002

Batches = Sequence[ParsedBatch]
Together = Callable[[Sequence[tuple[RecordStore, Batches]]], Sequence[BatchCounts]]
Outcome = BatchCounts | Exception


@dataclass
class _Request:
    store: RecordStore
    batches: Batches
    alone: Callable[[Batches], BatchCounts]
    done: asyncio.Future[BatchCounts] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    @property
    def events(self) -> int:
        return sum(sum(batch.consumed.values()) for batch in self.batches)


class JointCommit:
    """Gathers what feeds want to write while others still parse, and writes it; one transaction at a time."""

    def __init__(self, pool: Executor, together: Together, *, most_events: int) -> None:
        """
        pool:        of one thread: transactions follow each other.
        together:    writes batches of several feeds in one transaction, or raises and has written nothing.
        most_events: of one transaction; what one feed brings is never cut.
        """
        self._pool = pool
        self._together = together
        self._most_events = most_events
        self._requests: list[_Request] = []
        self._parsing = 0
        self._changed = asyncio.Event()
        self._writing: asyncio.Task[None] | None = None

    @contextmanager
    def parsing(self) -> Iterator[None]:
        """Say that a feed will soon have something to write: others wait for it, as parsing takes a moment only."""
        self._parsing += 1
        try:
            yield
        finally:
            self._parsing -= 1
            self._changed.set()

    async def apply(self, store: RecordStore, batches: Batches, alone: Callable[[Batches], BatchCounts]) -> BatchCounts:
        """Write a feed's batches, together with others' where that goes; raises what `alone` raises."""
        request = _Request(store, batches, alone)
        self._requests.append(request)
        self._changed.set()
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all())
        return await request.done

    async def _write_all(self) -> None:
        loop = asyncio.get_running_loop()
        while self._requests:
            await self._gather()
            taken = self._take()
            try:
                outcomes = await loop.run_in_executor(self._pool, self._write, taken)
            except RuntimeError as error:  # the pool takes no more: the process ends
                outcomes = [error] * len(taken)
            for request, outcome in zip(taken, outcomes, strict=True):
                if request.done.done():  # the caller has been cancelled
                    continue
                if isinstance(outcome, BatchCounts):
                    request.done.set_result(outcome)
                else:
                    request.done.set_exception(outcome)

    async def _gather(self) -> None:
        """Wait while others parse and little is there to be written."""
        deadline = asyncio.get_running_loop().time() + _LONGEST_WAIT
        if not self._parsing:
            return
        while self._parsing and sum(request.events for request in self._requests) < _ENOUGH:
            self._changed.clear()
            try:
                async with asyncio.timeout_at(deadline):
                    await self._changed.wait()
            except TimeoutError:
                return
        await asyncio.sleep(_MOMENT)

    def _take(self) -> list[_Request]:
        taken: list[_Request] = []
        events = 0
        while self._requests and (not taken or events + self._requests[0].events <= self._most_events):
            request = self._requests.pop(0)
            events += request.events
            taken.append(request)
        return taken

    def _write(self, requests: Sequence[_Request]) -> list[Outcome]:
        if len(requests) > 1:
            try:
                return list(self._together([(request.store, request.batches) for request in requests]))
            except Exception as error:  # whatever it is, each feed meets it again by itself, or not at all
                log.info("feeds are written one by one", feeds=len(requests), error=type(error).__name__)
        outcomes: list[Outcome] = []
        given_up: Exception | None = None
        for request in requests:
            if given_up is not None:
                outcomes.append(given_up)  # the worker ends: no use to try with each feed for as long again
                continue
            try:
                outcomes.append(request.alone(request.batches))
            except (FatalError, RetryableError) as error:
                given_up = error
                outcomes.append(error)
            except Exception as error:
                outcomes.append(error)
        return outcomes
