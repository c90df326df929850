"""Faust's Kafka transport, reading from the positions in the database instead of the group's committed offsets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

from faust.transport.drivers import aiokafka as driver
from faust.types import TP

Positions = Callable[[set[TP]], Awaitable[Mapping[TP, int]]]


class PositionConsumer(driver.Consumer):
    """Seeks to the stored positions after every rebalance, before Faust lets the flow go on."""

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Return the positions sought to.

        Faust calls this once the assignment is known. What Kafka has deleted meanwhile is skipped here, knowingly:
        `deleted_up_to` lets the store accept, and record, a batch that starts just there.
        """
        transport = cast(PositionTransport, self.transport)
        assignment = set(self.assignment())
        if not assignment:
            return {}
        stored = await transport.positions(assignment)
        earliest = await self.earliest_offsets(*assignment)
        positions = {tp: max(offset, earliest.get(tp) or 0) for tp, offset in stored.items()}
        transport.deleted_up_to.update({tp: positions[tp] for tp in stored if positions[tp] > stored[tp]})
        await self.seek_wait(positions)
        return positions


class PositionTransport(driver.Transport):
    """Kafka by aiokafka; `positions` reads the database, `deleted_up_to` tells what Kafka deleted unread."""

    Consumer = PositionConsumer

    def __init__(self, *args: Any, positions: Positions, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.positions = positions
        self.deleted_up_to: dict[TP, int] = {}


async def with_retries(
    read: Callable[[], Awaitable[Mapping[TP, int]]], *, attempts: int, pause: float
) -> Mapping[TP, int]:
    """Call `read` until it succeeds; the last failure is raised. Bounded, because a rebalance waits for it."""
    for attempt in range(1, attempts):
        try:
            return await read()
        except Exception:  # whatever the database driver raises, the last attempt raises it too
            await asyncio.sleep(pause * attempt)
    return await read()
