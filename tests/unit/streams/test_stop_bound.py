"""A worker that does not stop by itself is ended; with Faust's own app, whose services may wait for ever."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from ioc.settings import Settings
from streams.worker.app import IocApp
from streams.worker.stop_bound import StopBound

_NEVER = 3600.0


def test_who_begins_to_stop_is_ended() -> None:
    ended = threading.Event()
    StopBound(after_signal=0.01, after_failure=_NEVER, end=ended.set).stopping()
    assert ended.wait(60)


def test_a_failure_during_an_ordinary_stop_ends_it_sooner() -> None:
    ended = threading.Event()
    bound = StopBound(after_signal=_NEVER, after_failure=0.01, end=ended.set)
    bound.stopping()
    bound.failed()
    assert ended.wait(60)


def test_however_often_it_is_told_it_ends_once() -> None:
    ends: list[None] = []
    ended = threading.Event()

    def end() -> None:
        ends.append(None)
        ended.set()

    bound = StopBound(after_failure=0.01, after_signal=_NEVER, end=end)
    for _ in range(5):
        bound.failed()
        bound.stopping()
    assert ended.wait(60)
    assert len(ends) == 1


@pytest.mark.parametrize("way", ["crash", "crash of a part", "stop"])
def test_whatever_stops_faust_is_bounded(tmp_path: Path, way: str) -> None:
    ended = threading.Event()
    limits = {"after_signal": _NEVER, "after_failure": _NEVER}
    limits["after_signal" if way == "stop" else "after_failure"] = 0.01
    settings = Settings(_env_file=None, state_dir=tmp_path)

    async def stopped() -> None:
        app = IocApp(settings, ["ioc.test"], StopBound(**limits, end=ended.set))
        if way == "crash":
            await app.crash(RuntimeError("the agent has failed"))
        elif way == "crash of a part":
            # What a service does to those above it: the consumer's thread, when a rebalance fails.
            app._crash(RuntimeError("no position could be read"))
        else:
            await app.stop()

    asyncio.run(stopped())
    assert ended.wait(60)
