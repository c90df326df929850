"""Faust's Kafka transport, reading from the positions in the database instead of the group's committed offsets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, cast

from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.worker.delivery import Following
from streams.worker.foreign_record import read_foreign_records


class Positions(Protocol):
    """Gives, for each partition of an assignment, the stored position and the offset to begin to read at."""

    async def __call__(self, assignment: set[TP], /) -> tuple[Mapping[TP, int], Mapping[TP, int]]: ...


class _ConsumerThread(driver.AIOKafkaConsumerThread):
    def _create_worker_consumer(self, transport: Any) -> Any:
        read_foreign_records()
        consumer = super()._create_worker_consumer(transport)
        # What a producer's transaction took back was never an event. Faust offers this with its own transactions only.
        consumer._isolation_level = "read_committed"
        return consumer

    async def _fetch_records(self, *args: Any, **kwargs: Any) -> Any:
        records = await super()._fetch_records(*args, **kwargs)
        # In the client's own thread, just behind its step forward: see `PositionConsumer.passed`.
        fetched_to = cast(PositionConsumer, self.consumer).fetched_to
        for tp, fetched in records.items():
            if fetched:
                fetched_to[tp] = fetched[-1].offset + 1
        return records


class PositionConsumer(driver.Consumer):
    """Seeks to the stored positions after every rebalance, before Faust lets the flow go on."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.fetched_to: dict[TP, int] = {}
        super().__init__(*args, **kwargs)

    def _new_consumer_thread(self) -> Any:
        return _ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Return the positions sought to.

        Faust calls this once the assignment is known. What Kafka has deleted meanwhile is skipped here, knowingly: the
        next message says that it begins at the stored position, and the store records what is missing.
        """
        transport = cast(PositionTransport, self.transport)
        assignment = set(self.assignment())
        if not assignment:
            return {}
        stored, begins = await transport.positions(assignment)
        await self.seek_wait(begins)
        self.fetched_to.clear()
        self._following.begin(stored)
        return begins

    @property
    def _following(self) -> Following:
        return cast(Following, self.scheduler)

    def went_on(self, tp: TP, start: int, end: int) -> None:
        """Let the next message of a partition begin at `end`, where it would have begun at `start`."""
        if self._following.stands.get(tp) == start:
            self._following.stands[tp] = end

    def passed(self) -> dict[TP, tuple[int, int]]:
        """Return partitions whose client stands beyond what it delivered: (end of the last message, where it stands).

        Nothing but markers, or nothing at all, lies between; no message will ever say so where the log ends there. A
        fetch that is on its way between the client's thread and Faust looks alike for a moment: ask twice, a second
        apart, and trust what has not changed.
        """
        stands = self._following.stands
        consumer = self._thread._consumer
        if consumer is None or not self.flow_active:
            return {}
        found = {}
        for tp in self.assignment():
            delivered = stands.get(tp)
            position = _client_position(consumer, tp)
            if delivered is None or position is None or self.fetched_to.get(tp, 0) > delivered:
                continue
            if position > delivered:
                found[tp] = (delivered, position)
        return found


def _client_position(consumer: Any, tp: TP) -> int | None:
    """Return the offset that the client fetches next, None while it does not know."""
    subscription = consumer._subscription.subscription
    assignment = None if subscription is None else subscription.assignment
    state = None if assignment is None else assignment.state_value(tp)
    return state._position if state is not None else None


class PositionTransport(driver.Transport):
    """Kafka by aiokafka; `positions` reads the database."""

    Consumer = PositionConsumer

    def __init__(self, *args: Any, positions: Positions, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.positions = positions
