"""A stored position beside a log: where it belongs, where it does not, and what lies between them."""

from __future__ import annotations

from uuid import UUID

import pytest

from streams.rules.position import LogState, StoredPosition, fault_of, missing

ONE, OTHER = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize(
    ("stored", "log", "fault"),
    [
        (StoredPosition(30, ONE), LogState(ONE, 0, 30), None),
        (StoredPosition(30, ONE), LogState(ONE, 0, 45), None),
        (StoredPosition(30, ONE), LogState(ONE, 40, 45), None),  # deleted meanwhile: a gap, and no fault
        (StoredPosition(30, ONE), LogState(OTHER, 0, 45), "remade"),
        (StoredPosition(30, ONE), LogState(OTHER, 0, 0), "remade"),
        (StoredPosition(0, ONE), LogState(OTHER, 0, 45), None),  # nothing was counted of the old one
        (StoredPosition(30, ONE), LogState(ONE, 0, 29), "truncated"),
        (StoredPosition(30), LogState(ONE, 0, 45), None),
        (StoredPosition(30), LogState(ONE, 0, 29), "truncated"),
        (StoredPosition(30, ONE), LogState(None, 0, 45), None),  # a broker that names no ids
    ],
)
def test_whether_a_position_belongs_to_a_log(stored: StoredPosition, log: LogState, fault: str | None) -> None:
    assert fault_of(stored, log) == fault


@pytest.mark.parametrize(
    ("position", "begin", "kept_from", "expected"),
    [
        (5, 5, 0, []),
        (5, 8, 0, [(5, 8, "skipped")]),
        (5, 8, 8, [(5, 8, "deleted")]),
        (5, 8, 20, [(5, 8, "deleted")]),
        (5, 8, 6, [(5, 6, "deleted"), (6, 8, "skipped")]),
    ],
)
def test_what_is_missing(position: int, begin: int, kept_from: int, expected: list[tuple[int, int, str]]) -> None:
    assert list(missing(position, begin, kept_from)) == expected
