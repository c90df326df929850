"""Which breakdowns hold a figure back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.rules.shortfall import FigurePart, part_codes, shortfalls


def part(code: str, value: float, expected: float | None = None, usual: float | None = None) -> FigurePart:
    return FigurePart(code, code, value, expected, usual)


def test_a_part_with_a_target_of_its_own_is_held_to_it() -> None:
    pillars = [part("government", 13, 12.1), part("economy", 3, 5.7), part("society", 11, 12.1)]
    found = shortfalls(pillars, 29.9, ">=", adds_up=True)
    assert [(row.part.code, round(row.missing, 1)) for row in found] == [("economy", 2.7), ("society", 1.1)]
    assert sum(row.share for row in found) == pytest.approx(1)


def test_rates_are_held_to_the_whole_and_counts_to_their_usual_share() -> None:
    rates = [part("day", 91.0), part("night", 40.0)]
    assert [row.part.code for row in shortfalls(rates, 80.0, ">=", adds_up=False)] == ["night"]
    counts = [part("a", 100, usual=100), part("b", 20, usual=300)]
    (worst,) = shortfalls(counts, 400.0, ">=", adds_up=True)
    assert (worst.part.code, worst.expected, worst.missing) == ("b", 300, 280)
    assert shortfalls([part("a", 1), part("b", 2)], 400.0, ">=", adds_up=True) == []


def test_of_a_ceiling_what_lies_above_is_too_much() -> None:
    assert [row.part.code for row in shortfalls([part("a", 9), part("b", 2)], 5.0, "<=", adds_up=False)] == ["a"]


def test_parts_are_those_of_the_first_dimension_with_several() -> None:
    others = [("s.m.total", ""), ("s.m.x", "one"), ("s.m.a", "two"), ("s.m.b", "two"), ("s.n.c", "two")]
    assert part_codes("s.m.total", "", others) == ["s.m.a", "s.m.b"]
    assert part_codes("s.m.a", "two", others) == []
    assert part_codes("s.k", "", others) == []


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=8), st.floats(0, 1e6), st.sampled_from([">=", "<="]))
def test_only_what_falls_short_is_named_the_worst_first(values: list[float], expected: float, op: str) -> None:
    found = shortfalls([part(str(n), value) for n, value in enumerate(values)], expected, op, adds_up=False)
    assert all(row.missing > 0 for row in found)
    assert [row.missing for row in found] == sorted((row.missing for row in found), reverse=True)
    assert sum(row.share for row in found) <= 1 + 1e-9
