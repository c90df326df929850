"""When a worker stands still, by a clock that the test turns."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from streams.worker.watchdog import EXIT_STALLED, Offsets, Watchdog

A, B = ("t", 0), ("t", 1)


@dataclass
class World:
    """Log ends, positions and the time."""

    ends: dict[tuple[str, int], int] = field(default_factory=dict)
    positions: dict[tuple[str, int], int] = field(default_factory=dict)
    now: float = 0.0
    away: bool = False
    lag: list[dict[tuple[str, int], int]] = field(default_factory=list)

    def log_ends(self) -> Offsets:
        if self.away:
            raise ConnectionError("no broker")
        return dict(self.ends)

    def watchdog(self, timeout: float = 10.0) -> Watchdog:
        return Watchdog(
            self.log_ends,
            lambda: dict(self.positions),
            timeout=timeout,
            clock=lambda: self.now,
            on_lag=lambda lag: self.lag.append(dict(lag)),
        )

    def after(self, watchdog: Watchdog, seconds: float) -> list[tuple[str, int]]:
        self.now += seconds
        return watchdog.check()


def test_a_partition_that_is_behind_and_does_not_move_is_stalled_after_the_timeout() -> None:
    world = World({A: 5, B: 5}, {A: 5, B: 3})
    watchdog = world.watchdog()
    assert watchdog.check() == []
    assert world.after(watchdog, 10) == []
    assert world.after(watchdog, 0.1) == [B]


def test_moving_is_enough_however_far_behind() -> None:
    world = World({A: 1000}, {A: 1})
    watchdog = world.watchdog()
    watchdog.check()
    for _ in range(5):
        world.positions[A] += 1
        assert world.after(watchdog, 9) == []
    assert world.after(watchdog, 11) == [A]


def test_time_without_anything_to_do_does_not_count() -> None:
    world = World({A: 5}, {A: 5})
    watchdog = world.watchdog()
    for _ in range(3):
        assert world.after(watchdog, 100) == []
    world.ends[A] = 6
    assert world.after(watchdog, 9) == []
    assert world.after(watchdog, 9) == [A]


def test_a_partition_of_which_nothing_was_ever_stored_stalls_too() -> None:
    world = World({A: 2}, {})
    watchdog = world.watchdog()
    watchdog.check()
    assert world.after(watchdog, 11) == [A]


def test_while_a_server_is_away_no_time_passes() -> None:
    world = World({A: 5}, {A: 3})
    watchdog = world.watchdog()
    watchdog.check()
    world.away = True
    assert world.after(watchdog, 100) == []
    world.away = False
    assert world.after(watchdog, 100) == []
    assert world.after(watchdog, 11) == [A]


def test_a_partition_that_went_to_another_worker_is_forgotten() -> None:
    world = World({A: 5, B: 5}, {A: 3, B: 5})
    watchdog = world.watchdog()
    watchdog.check()
    del world.ends[A]
    assert world.after(watchdog, 11) == []
    world.ends[A] = 5
    assert world.after(watchdog, 11) == []
    assert world.after(watchdog, 11) == [A]


def test_the_lag_is_told() -> None:
    world = World({A: 5, B: 2}, {A: 3, B: 4})
    world.watchdog().check()
    assert world.lag == [{A: 2, B: 0}]


def test_the_thread_ends_the_process() -> None:
    ended = threading.Event()
    statuses: list[int] = []

    def end(status: int) -> None:
        statuses.append(status)
        ended.set()

    watchdog = Watchdog(lambda: {A: 5}, lambda: {A: 3}, timeout=0.01, interval=0.01, on_stall=end)
    watchdog.start()
    assert ended.wait(5)
    watchdog.stop()
    assert statuses == [EXIT_STALLED]
