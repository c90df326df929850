"""Periods: the same day cut by Polars and by Python, at the ends of weeks, quarters and years."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ioc.period import PERIODS, bucket_expr, end_expr, end_of, ends_of, start_of, starts_of

days = st.dates(date(2000, 1, 1), date(2099, 12, 31))


@pytest.mark.parametrize(
    ("period", "day", "start", "end"),
    [
        ("day", date(2024, 10, 6), date(2024, 10, 6), date(2024, 10, 6)),
        ("week", date(2024, 10, 6), date(2024, 9, 30), date(2024, 10, 6)),  # a Sunday ends its week
        ("week", date(2024, 10, 7), date(2024, 10, 7), date(2024, 10, 13)),
        ("week", date(2024, 12, 31), date(2024, 12, 30), date(2025, 1, 5)),  # a week of two years
        ("month", date(2024, 2, 29), date(2024, 2, 1), date(2024, 2, 29)),
        ("month", date(2023, 2, 1), date(2023, 2, 1), date(2023, 2, 28)),
        ("quarter", date(2024, 12, 31), date(2024, 10, 1), date(2024, 12, 31)),
        ("quarter", date(2024, 1, 1), date(2024, 1, 1), date(2024, 3, 31)),
        ("year", date(2024, 10, 6), date(2024, 1, 1), date(2024, 12, 31)),
    ],
)
def test_periods(period: str, day: date, start: date, end: date) -> None:
    assert start_of(period, day) == start
    assert end_of(period, start) == end


@given(day=days)
def test_polars_and_python_agree(day: date) -> None:
    frame = pl.DataFrame({"period": PERIODS, "day": [day] * len(PERIODS)})
    for period in PERIODS:
        bucket = frame.select(bucket_expr(period, pl.col("day")).first()).item()
        assert bucket == start_of(period, day)
    buckets = frame.select("period", bucket=pl.Series([start_of(period, day) for period in PERIODS]))
    ends = buckets.select(end_expr(pl.col("period"), pl.col("bucket"))).to_series().to_list()
    assert ends == [end_of(period, start_of(period, day)) for period in PERIODS]


@given(day=days)
def test_periods_follow_each_other_without_a_gap(day: date) -> None:
    for period in PERIODS:
        start = start_of(period, day)
        assert start <= day <= end_of(period, start)
        assert start_of(period, end_of(period, start)) == start
        assert start_of(period, end_of(period, start) + timedelta(days=1)) == end_of(period, start) + timedelta(days=1)


@given(many=st.lists(st.dates(date(1900, 1, 1), date(2199, 12, 31)), max_size=8))
def test_many_at_once_are_the_same(many: list[date]) -> None:
    """As days since 1970, before it too."""
    epoch = date(1970, 1, 1)
    numbers = np.array([(day - epoch).days for day in many], dtype=np.int64)
    for place, period in enumerate(PERIODS):
        starts = [start_of(period, day) for day in many]
        found = starts_of(period, numbers)
        assert found.tolist() == [(start - epoch).days for start in starts]
        ends = ends_of(np.full(len(many), place), found)
        assert ends.tolist() == [(end_of(period, start) - epoch).days for start in starts]
