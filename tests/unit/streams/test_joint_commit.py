"""Feeds that are ready at the same moment share a transaction; where that fails, each is written as if alone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ioc.errors import DatabaseUnavailableError, UnstorableError
from streams.rules.span import BatchCounts
from streams.worker.commit import JointCommit
from streams.worker.store import RecordStore


def batches(events: int) -> Any:
    return [SimpleNamespace(consumed={0: events})]


@dataclass
class Database:
    """Notes which feeds were written together and which alone; `broken` fails in both ways, `joint` together only."""

    joint: Exception | None = None
    broken: dict[str, Exception] = field(default_factory=dict)
    together_calls: list[list[str]] = field(default_factory=list)
    alone_calls: list[str] = field(default_factory=list)

    def together(self, work: Sequence[tuple[Any, Any]]) -> list[BatchCounts]:
        self.together_calls.append([store for store, _ in work])
        failures = [self.joint, *(self.broken.get(store) for store, _ in work)]
        if found := [failure for failure in failures if failure]:
            raise found[0]
        return [BatchCounts(consumed=sum(work[0][1][0].consumed.values())) for _ in work]

    def alone(self, store: str) -> Callable[[Any], BatchCounts]:
        def write(_: Any) -> BatchCounts:
            self.alone_calls.append(store)
            if store in self.broken:
                raise self.broken[store]
            return BatchCounts(consumed=1)

        return write


def run(database: Database, *feeds: str, most: int = 100, events: int = 1) -> list[BatchCounts | BaseException]:
    """Let feeds parse and then write, all at the same moment."""

    async def go() -> list[BatchCounts | BaseException]:
        with ThreadPoolExecutor(1) as pool:
            commit = JointCommit(pool, database.together, most_events=most)

            async def feed(name: str) -> BatchCounts:
                with commit.parsing():
                    await asyncio.sleep(0.01)
                return await commit.apply(cast(RecordStore, name), batches(events), database.alone(name))

            return await asyncio.gather(*(cast(Awaitable[Any], feed(name)) for name in feeds), return_exceptions=True)

    return asyncio.run(go())


def test_what_is_ready_at_the_same_moment_shares_a_transaction() -> None:
    database = Database()
    assert run(database, "a", "b", "c") == [BatchCounts(consumed=1)] * 3
    assert (database.together_calls, database.alone_calls) == ([["a", "b", "c"]], [])


def test_one_feed_is_written_in_its_own_way() -> None:
    database = Database()
    run(database, "a")
    assert (database.together_calls, database.alone_calls) == ([], ["a"])


def test_a_transaction_holds_no_more_events_than_it_may() -> None:
    database = Database()
    run(database, "a", "b", "c", "d", most=20, events=10)
    assert database.together_calls == [["a", "b"], ["c", "d"]]


@pytest.mark.parametrize("fault", [UnstorableError("out of range"), KeyError("a mistake of ours")])
def test_what_is_at_fault_in_one_feed_costs_the_others_nothing(fault: Exception) -> None:
    database = Database(broken={"b": fault})
    assert run(database, "a", "b", "c") == [BatchCounts(consumed=1), fault, BatchCounts(consumed=1)]
    assert database.alone_calls == ["a", "b", "c"]


def test_what_fails_together_only_is_written_one_by_one() -> None:
    database = Database(joint=UnstorableError("together"))
    assert run(database, "a", "b") == [BatchCounts(consumed=1)] * 2
    assert database.alone_calls == ["a", "b"]


def test_a_database_that_stays_away_is_waited_for_once() -> None:
    """The worker ends then: each further feed would be patient for as long again."""
    away = DatabaseUnavailableError("away")
    database = Database(broken={"a": away})
    assert run(database, "a", "b", "c") == [away] * 3
    assert database.alone_calls == ["a"]
