"""What every acceptance run checks sees a position that went back, and takes no sample that comes meanwhile for one."""

from __future__ import annotations

import threading
from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import pytest
from testbed.invariants import assert_positions_only_grew


def run_of(seen: defaultdict[tuple[str, int], list[int]]) -> Any:
    return SimpleNamespace(positions=SimpleNamespace(seen=seen))


def test_a_position_that_went_back_is_named_with_where() -> None:
    seen = defaultdict(list, {("t", 0): [0, 5, 5, 9], ("t", 1): [0, 7, 6, 8]})
    with pytest.raises(AssertionError, match=r"\('t', 1\) went back: \[\(7, 6\)\]"):
        assert_positions_only_grew(run_of(seen))


def test_no_sample_at_all_is_no_proof() -> None:
    with pytest.raises(AssertionError, match="no position"):
        assert_positions_only_grew(run_of(defaultdict(list)))


def test_samples_that_come_while_they_are_looked_at_are_no_fault() -> None:
    """A soak of thirty minutes failed on it: the list had grown between its copy and the comparison."""
    seen = defaultdict(list, {("t", 0): list(range(50_000))})
    ended = threading.Event()

    def sample() -> None:
        while not ended.is_set() and len(seen["t", 0]) < 500_000:
            seen["t", 0].append(seen["t", 0][-1] + 1)
            if len(seen) < 1_000:
                seen["t", len(seen)].append(0)

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        for _ in range(20):
            assert_positions_only_grew(run_of(seen))
    finally:
        ended.set()
        thread.join(60)
