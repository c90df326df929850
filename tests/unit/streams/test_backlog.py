"""The queue between parsing and applying: order, room, and all that waits at once."""

from __future__ import annotations

import asyncio

from streams.worker.backlog import Backlog


def test_all_that_waits_is_taken_at_once_up_to_a_weight() -> None:
    async def scene() -> list[list[str]]:
        backlog: Backlog[str] = Backlog(100)
        for item, weight in (("a", 3), ("b", 3), ("c", 3), ("d", 50), ("e", 1)):
            await backlog.put(item, weight)
        return [await backlog.take(6), await backlog.take(6), await backlog.take(6), await backlog.take(6)]

    assert asyncio.run(scene()) == [["a", "b"], ["c"], ["d"], ["e"]]


def test_an_item_heavier_than_all_room_waits_for_an_empty_queue() -> None:
    async def scene() -> tuple[bool, list[str]]:
        backlog: Backlog[str] = Backlog(4)
        await backlog.put("a", 1)
        heavy = asyncio.create_task(backlog.put("heavy", 9))
        await asyncio.sleep(0)
        waited = not heavy.done()
        first = await backlog.take(4)
        await heavy
        return waited, first + await backlog.take(4)

    assert asyncio.run(scene()) == (True, ["a", "heavy"])


def test_taking_waits_for_the_first() -> None:
    async def scene() -> list[str]:
        backlog: Backlog[str] = Backlog(4)
        taken = asyncio.create_task(backlog.take(4))
        await asyncio.sleep(0)
        assert not taken.done()
        await backlog.put("a", 1)
        return await taken

    assert asyncio.run(scene()) == ["a"]
