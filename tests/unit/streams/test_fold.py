"""Adding up over areas and periods, against the same told with loops."""

from __future__ import annotations

from collections import Counter
from datetime import date
from itertools import accumulate

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from testbed.small_territory import CHAINS, DAYS, above

from ioc.period import PERIODS, start_of
from streams.rules.fold import carried_totals, fold_sums, matrix_of, running_totals

deltas = st.lists(
    st.tuples(
        st.sampled_from((11, 12, 20)), st.sampled_from(DAYS), st.lists(st.integers(-9, 9), min_size=1, max_size=3)
    ),
    min_size=1,
    max_size=12,
)


@given(rows=deltas)
def test_sums_of_all_levels_and_periods(rows: list[tuple[int, date, list[int]]]) -> None:
    expected: dict[tuple[str, int, date], list[int]] = {}
    for leaf, day, sums in rows:
        for area in above(leaf):
            for period in PERIODS:
                known = expected.setdefault((period, area, start_of(period, day)), [0, 0, 0])
                for slot, amount in enumerate(sums):
                    known[slot] += amount
    frame = pl.DataFrame([row[:2] for row in rows], schema={"area_id": pl.Int32, "bucket": pl.Date}, orient="row")
    cells = fold_sums(frame, matrix_of([row[2] for row in rows], 3), CHAINS)
    found = dict(zip(cells.keys.rows(), cells.sums.tolist(), strict=True))
    assert len(found) == cells.keys.height
    assert found == expected


def test_short_rows_are_filled_with_nothing() -> None:
    assert matrix_of([[1], [1, 2, 3], []], 3).tolist() == [[1, 0, 0], [1, 2, 3], [0, 0, 0]]
    assert matrix_of([], 2).shape == (0, 2)
    assert matrix_of([[1]], 1).dtype == np.int64


@given(
    past=st.lists(st.tuples(st.integers(0, 9), st.integers(-5, 5)), max_size=6),
    new=st.lists(st.tuples(st.integers(0, 9), st.integers(-5, 5)), min_size=1, max_size=6),
)
def test_running_totals_after_late_changes(past: list[tuple[int, int]], new: list[tuple[int, int]]) -> None:
    """Whatever is known and whatever comes late: each day's total is the sum of all days up to it."""
    before, changes = _by_day(past), _by_day(new)
    totals = list(zip(before, ([total] for total in accumulate(before.values())), strict=True))
    first = min(changes)
    known = [row for row in totals if row[0] < first][-1:] + [row for row in totals if row[0] >= first]
    result = running_totals(known, [(day, [amount]) for day, amount in changes.items()], 1)
    everything = Counter(before)
    everything.update(changes)
    for day, [total] in result:
        assert total == sum(amount for one, amount in everything.items() if one <= day)
    assert [day for day, _ in result] == sorted({*changes, *(day for day in before if day >= first)})


def _by_day(rows: list[tuple[int, int]]) -> dict[date, int]:
    days: Counter[date] = Counter()
    for day, amount in rows:
        days[date(2024, 10, 1 + day)] += amount
    return dict(sorted(days.items()))


def test_a_running_total_that_would_wrap_is_refused() -> None:
    known = [(date(2024, 10, 1), [2**62])]
    assert running_totals(known, [(date(2024, 10, 2), [2**62 - 1])], 1)[-1][1] == [2**63 - 1]
    with pytest.raises(OverflowError):
        running_totals(known, [(date(2024, 10, 2), [2**62])], 1)
    with pytest.raises(OverflowError):
        running_totals([(date(2024, 10, 1), [-(2**63)])], [(date(2024, 10, 2), [-1])], 1)


reported_days = st.lists(
    st.tuples(st.integers(-9, 9), st.integers(0, 2), st.integers(-9, 9), st.integers(0, 2)), min_size=1, max_size=8
)


@given(
    rows=reported_days,
    before=st.tuples(*[st.integers(0, 5)] * 4),
    replaced=st.lists(st.integers(0, 9), min_size=2, max_size=2),
)
def test_reports_are_carried_until_the_next_or_until_others_report(
    rows: list[tuple[int, int, int, int]], before: tuple[int, ...], replaced: list[int]
) -> None:
    """Against the same told with a loop: two pairs of amount and number; from row `replaced` on, others report."""
    flags = np.array([[row >= first for first in replaced] for row in range(len(rows))])
    found = carried_totals(matrix_of(rows, 5), [(0, 1), (2, 3)], before, flags)
    expected = []
    last = [before[:2], before[2:]]
    for row, sums in enumerate(rows):
        told: list[int] = []
        for pair, reported in enumerate((sums[:2], sums[2:])):
            if reported[1]:
                last[pair] = reported
            told += (0, 0) if not reported[1] and row >= replaced[pair] else last[pair]
        expected.append([*told, 0])
    assert found.tolist() == expected


def test_a_report_stands_until_the_next_one() -> None:
    quarters = matrix_of([(12, 1), (0, 0), (15, 1), (0, 0)], 2)
    assert carried_totals(quarters, [(0, 1)], (9, 1)).tolist() == [[12, 1], [12, 1], [15, 1], [15, 1]]
    assert carried_totals(matrix_of([(0, 0)], 2), [(0, 1)], (9, 1)).tolist() == [[9, 1]]
    assert carried_totals(quarters[:0], [(0, 1)], ()).tolist() == []
