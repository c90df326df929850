"""A bounded queue between parsing and applying that hands over all that waits at once.

While the database is busy, small batches of many partitions gather and are then applied in one transaction: the worse
the backlog, the larger the batches, and the less each event costs.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")


class Backlog(Generic[T]):
    """Items in their order, each with a weight; holds at most `capacity`, or one item however heavy."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._items: deque[tuple[T, int]] = deque()
        self._weight = 0
        self._changed = asyncio.Condition()

    async def put(self, item: T, weight: int) -> None:
        """Add an item; waits while there is no room for it."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._items or self._weight + weight <= self._capacity)
            self._items.append((item, weight))
            self._weight += weight
            self._changed.notify_all()

    async def gather(self, enough: int, until: Callable[[], float]) -> None:
        """Wait for the first item, then for more until `enough` weight has gathered, or for `until()` seconds."""
        async with self._changed:
            await self._changed.wait_for(lambda: bool(self._items))
        with suppress(TimeoutError):
            async with asyncio.timeout(until()), self._changed:
                await self._changed.wait_for(lambda: self._weight >= enough)

    async def take(self, most: int) -> list[T]:
        """Remove and return the first items whose weights come to at most `most`, at least one; waits for the first."""
        async with self._changed:
            await self._changed.wait_for(lambda: bool(self._items))
            taken: list[T] = []
            total = 0
            while self._items and (not taken or total + self._items[0][1] <= most):
                item, weight = self._items.popleft()
                taken.append(item)
                total += weight
            self._weight -= total
            self._changed.notify_all()
            return taken
