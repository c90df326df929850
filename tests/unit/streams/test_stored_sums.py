"""Sums of the year so far, added up from cells that were read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from streams.rollup.stored_sums import added_up

MOST = 2**63 - 1


@pytest.mark.parametrize(
    ("rows", "starts", "expected"),
    [
        ([[1, 2], [3, 4], [5, 6]], [0, 2], [[4, 6], [5, 6]]),
        # What runs over on the way, and fits in the end.
        ([[MOST], [1], [-1]], [0], [[MOST]]),
        ([[-MOST], [MOST]], [0, 1], [[-MOST], [MOST]]),
    ],
)
def test_runs_are_added_up(rows: Sequence[Sequence[int]], starts: Sequence[int], expected: list[list[int]]) -> None:
    assert added_up(np.array(rows, dtype=np.int64), np.array(starts, dtype=np.int64)).tolist() == expected


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(OverflowError, match="does not fit eight bytes"):
        added_up(np.array([[MOST], [1]], dtype=np.int64), np.array([0], dtype=np.int64))
