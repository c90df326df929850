"""What is far from its own past: a past that never moved, too little of it, wild days in it, days off."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ioc.period import end_of, start_of
from ioc.province.calendar import load_calendar
from ioc.settings import Settings
from streams.rules.unusual import LEAST, LEAST_TET, holds_tet, is_unusual, past_buckets, usual_of

NAN = float("nan")
CALENDAR = load_calendar(Settings(_env_file=None).profile)


def unusual(past: list[float], value: float, *, count: bool = False, percentage: bool = False) -> bool:
    usual = usual_of(np.array(past)[:, None, None], counts=np.array([count]), percentages=np.array([percentage]))
    return bool(is_unusual(usual.score(np.array([[value]])))[0, 0])


@pytest.mark.parametrize(
    ("past", "value", "count", "percentage", "far"),
    [
        ([100.0] * 8, 100, False, False, False),
        ([100.0] * 8, 124, False, False, False),  # the median of deviations is 0: 5 % of the level is the least
        ([100.0] * 8, 126, False, False, True),
        ([100.0] * 8, 149, True, False, False),  # of a count of 100, chance makes 10
        ([100.0] * 8, 151, True, False, True),
        ([0.0] * 8, 4, True, False, False),
        ([0.0] * 8, 5, True, False, True),
        ([0.0] * 8, 0.1, False, True, False),  # the first refusal after weeks without any
        ([0.0] * 8, 1.0, False, True, True),
        ([0.0] * 8, 0.0, False, False, False),
        ([99.5] * 8, 80.0, False, True, False),
        ([99.5] * 8, 70.0, False, True, True),
        ([-3.0] * 8, -2.9, False, False, False),
        ([10.0, 11, 9, 10, 10, 900, 10, -900], 12, False, False, False),  # two wild days move nothing
        ([10.0, 11, 9, 10, 10, 900, 10, -900], 20, False, False, True),
        ([10.0] * 5 + [NAN] * 8, 1e9, False, False, False),  # five known values are no past
        ([NAN] * 8, 1e9, False, False, False),
        ([10.0] * 8, NAN, False, False, False),
    ],
)
def test_far_from_its_past(past: list[float], value: float, count: bool, percentage: bool, far: bool) -> None:
    assert unusual(past, value, count=count, percentage=percentage) is far


@settings(derandomize=True, max_examples=200, deadline=None)
@given(
    st.lists(st.floats(0, 1e6), min_size=6, max_size=13),
    st.booleans(),
    st.booleans(),
)
def test_the_median_of_a_past_is_never_unusual_and_what_is_far_stays_so_further_away(
    past: list[float], count: bool, percentage: bool
) -> None:
    median = float(np.median(past))
    assert not unusual(past, median, count=count, percentage=percentage)
    found = [unusual(past, median + step, count=count, percentage=percentage) for step in (0.0, 1.0, 1e3, 1e6, 1e9)]
    assert all(after or not before for before, after in pairwise(found))


def test_a_day_is_compared_with_its_weekday_and_season_without_days_off() -> None:
    monday = date(2024, 2, 19)  # after Tết, which was from 8 to 14 February
    past = past_buckets("day", monday, CALENDAR.is_holiday)
    assert {day.weekday() for day in past} == {0}
    assert date(2024, 2, 12) not in past
    assert date(2024, 1, 1) not in past
    assert [day for day in past if day.year == 2023 and day.month < 6] == [
        date(2023, 3, 6), date(2023, 2, 27), date(2023, 2, 20), date(2023, 2, 13), date(2023, 2, 6),
    ]  # fmt: skip
    assert past_buckets("day", date(2024, 2, 10), CALENDAR.is_holiday) == []  # Tết itself is compared with nothing
    assert past_buckets("day", date(2023, 1, 23), CALENDAR.is_holiday) == []  # of another month, another year


@pytest.mark.parametrize(
    ("period", "bucket", "newest", "oldest"),
    [
        ("day", date(2024, 2, 29), date(2024, 2, 22), date(2023, 2, 16)),
        ("week", date(2024, 12, 30), date(2024, 12, 23), date(2023, 12, 18)),
        ("month", date(2024, 2, 1), date(2024, 1, 1), date(2021, 2, 1)),
        ("quarter", date(2024, 1, 1), date(2023, 10, 1), date(2021, 1, 1)),
        ("year", date(2024, 1, 1), date(2023, 1, 1), date(2018, 1, 1)),
    ],
)
def test_the_past_of_every_period(period: str, bucket: date, newest: date, oldest: date) -> None:
    past = past_buckets(period, bucket)
    assert (past[0], past[-1]) == (newest, oldest)
    assert len(past) == len(set(past)) >= 6
    assert past == sorted(past, reverse=True)


@pytest.mark.parametrize(
    ("period", "bucket", "held"),
    [
        ("month", date(2023, 1, 1), True),
        ("month", date(2023, 2, 1), False),
        ("month", date(2024, 1, 1), False),
        ("month", date(2024, 2, 1), True),
        ("month", date(2022, 1, 1), False),  # its last day alone
        ("month", date(2022, 2, 1), True),
        ("month", date(2025, 1, 1), True),
        ("month", date(2025, 2, 1), False),
        ("month", date(2024, 4, 1), False),  # Hùng Kings and 30 April
        ("month", date(2024, 9, 1), False),
        ("week", date(2024, 2, 5), True),
        ("week", date(2024, 2, 12), True),
        ("week", date(2024, 2, 19), False),
        ("week", date(2024, 4, 29), False),
        ("quarter", date(2024, 1, 1), False),  # each first quarter has it
        ("year", date(2024, 1, 1), False),
    ],
)
def test_which_weeks_and_months_hold_tet(period: str, bucket: date, held: bool) -> None:
    assert holds_tet(period, bucket, CALENDAR.is_holiday) is held


@pytest.mark.parametrize("year", range(2018, 2026))
@pytest.mark.parametrize("period", ["week", "month"])
def test_every_year_has_tet_once_and_it_is_compared_with_itself(period: str, year: int) -> None:
    buckets = sorted({start_of(period, date(year, 1, 1) + timedelta(days=n)) for n in range(365)})
    with_tet = [one for one in buckets if holds_tet(period, one, CALENDAR.is_holiday)]
    assert 1 <= len(with_tet) <= 2
    assert all(date(year, 1, 10) < end_of(period, one) and one < date(year, 3, 1) for one in with_tet)
    for bucket in buckets:
        past = past_buckets(period, bucket, CALENDAR.is_holiday)
        assert {holds_tet(period, one, CALENDAR.is_holiday) for one in past} == {bucket in with_tet}
        assert past == sorted(set(past), reverse=True)
        assert len(past) >= 3
        assert past[0] < bucket


def test_a_month_with_tet_is_usual_beside_those_of_other_years() -> None:
    """Offices close for a week in the month of Tết: 60 dossiers where other months have 100, in January or February."""
    months = [date(year, month, 1) for year in range(2019, 2025) for month in range(1, 13)]
    figures = {one: 60.0 if holds_tet("month", one, CALENDAR.is_holiday) else 100.0 for one in months}

    def is_far(bucket: date, value: float) -> bool:
        past = past_buckets("month", bucket, CALENDAR.is_holiday)
        known = np.array([figures.get(one, NAN) for one in past])[:, None, None]
        least = LEAST_TET if holds_tet("month", bucket, CALENDAR.is_holiday) else LEAST
        usual = usual_of(known, counts=np.array([False]), least=least)
        return bool(is_unusual(usual.score(np.array([[value]])))[0, 0])

    assert not is_far(date(2024, 2, 1), 60)
    assert is_far(date(2024, 2, 1), 100)  # as many as without Tết
    assert is_far(date(2024, 2, 1), 30)
    assert not is_far(date(2024, 1, 1), 100)  # January 2023 had Tết, this one has not
    assert is_far(date(2024, 1, 1), 60)
    assert not is_far(date(2024, 3, 1), 100)


def test_three_values_are_a_past_of_tet_and_judge_with_care() -> None:
    past = np.array([100.0, 110.0, 90.0])[:, None, None]
    few = usual_of(past, counts=np.array([False]), least=LEAST_TET)
    assert few.scale[0, 0] == pytest.approx(1.5 * 1.4826 * 10)
    assert np.isnan(usual_of(past, counts=np.array([False])).scale[0, 0])
    assert np.isnan(usual_of(past[:2], counts=np.array([False]), least=LEAST_TET).scale[0, 0])
