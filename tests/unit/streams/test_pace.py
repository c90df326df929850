"""What a target asks by now: by hand, and over all targets that there can be."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ioc.catalogue.target import TargetInForce
from streams.rules.pace import (
    expected_total,
    expected_value,
    forecast_total,
    forecast_values,
    lag_days,
    lag_of,
    needed_per_week,
    share_of_way,
)

settings.register_profile("pace", derandomize=True, max_examples=150, deadline=None)
PACE = settings.get_profile("pace")

JANUARY, DECEMBER = date(2024, 1, 1), date(2024, 12, 31)
numbers = st.floats(-1e9, 1e9, allow_nan=False).map(lambda value: round(value, 3))
days = st.dates(date(2023, 12, 31), date(2025, 2, 28))


@st.composite
def targets(
    draw: st.DrawFn, paces: tuple[str, ...] = ("at_once", "linear", "seasonal", "steps"), baseline: bool | None = None
) -> TargetInForce:
    """Any target for the year 2024 with one of some paces, with a baseline or without (None = either)."""
    pace = draw(st.sampled_from(paces))
    value = draw(numbers)
    if pace == "at_once":
        return TargetInForce("x", draw(st.sampled_from([">=", "<="])), value, None, "s", pace=pace)
    based = draw(st.booleans()) if baseline is None else baseline
    on = sorted(draw(st.lists(st.dates(JANUARY, DECEMBER), max_size=4, unique=True))) if pace == "steps" else []
    return TargetInForce(
        "x",
        draw(st.sampled_from([">=", "<="])),
        value,
        draw(st.dates(date(2024, 3, 1), DECEMBER)),
        "s",
        baseline=draw(numbers) if based else None,
        baseline_on=date(2023, 12, 31) if based else None,
        pace=pace,
        steps=tuple((day, draw(numbers)) for day in on),
    )


@PACE
@given(targets(), days, st.none() | st.tuples(days, numbers), st.none() | st.floats(0, 5))
def test_nothing_is_expected_beyond_the_target(
    target: TargetInForce, through: date, first: tuple[date, float] | None, curve: float | None
) -> None:
    expected = expected_value(target, through, first=first, curve=curve)
    if expected is None:
        return
    slack = 1e-6 * max(abs(target.value), 1)
    assert expected <= target.value + slack if target.op == ">=" else expected >= target.value - slack
    if target.due_on is None or through >= target.due_on:
        assert expected == target.value


@PACE
@given(targets(("linear", "seasonal"), baseline=False), st.dates(date(2023, 6, 1), date(2024, 2, 28)))
def test_one_known_value_is_no_pace(target: TargetInForce, through: date) -> None:
    """32 of 37 due on 31 December is not on pace because nothing else is known than these 32."""
    assert expected_value(target, through) is None
    assert expected_value(target, through, first=(through, 32.0)) is None
    assert expected_value(target, through, first=(through + timedelta(days=1), 32.0)) is None


@PACE
@given(targets(), numbers, days)
def test_what_reaches_the_target_does_not_lag(target: TargetInForce, value: float, through: date) -> None:
    expected = expected_value(target, through, first=(date(2023, 12, 1), 0.0))
    if expected is None or not target.is_met(value):
        return
    assert lag_of(target, value, expected, percentage=True).amount <= 1e-6 * max(abs(target.value), 1)
    assert needed_per_week(target, value, through) is None


@PACE
@given(targets(("linear",), baseline=True))
def test_a_straight_pace_never_turns_back(target: TargetInForce) -> None:
    course = [expected_value(target, JANUARY + timedelta(days=n)) for n in range(0, 366, 15)]
    known = [value for value in course if value is not None]
    assert len(known) == len(course)
    rising = target.value >= (target.baseline or 0.0)
    slack = 1e-6 * max(abs(target.value), abs(target.baseline or 0), 1)
    assert all(after >= before - slack if rising else after <= before + slack for before, after in pairwise(known))


@PACE
@given(
    targets(("linear", "seasonal")),
    st.floats(0, 1e9),
    st.dates(JANUARY, date(2025, 2, 28)),
    st.none() | st.floats(0, 3),
)
def test_a_years_total_is_asked_for_bit_by_bit(
    target: TargetInForce, total: float, through: date, curve: float | None
) -> None:
    positive = TargetInForce("x", target.op, total, target.due_on, "s", pace=target.pace)
    expected = expected_total(positive, JANUARY, through, curve=curve)
    assert expected is not None
    assert 0 <= expected <= total
    assert target.due_on is not None
    if through >= target.due_on:
        assert expected == total


@PACE
@given(targets(("seasonal",), baseline=True), days, st.floats(0, 1), st.floats(0, 1))
def test_a_seasonal_level_lies_between_baseline_and_target_and_more_of_the_way_asks_for_more(
    target: TargetInForce, through: date, one: float, other: float
) -> None:
    assert target.baseline is not None
    less, more = (expected_value(target, through, curve=share) for share in sorted((one, other)))
    assert less is not None
    assert more is not None
    slack = 1e-6 * max(abs(target.value), abs(target.baseline), 1)
    low, high = sorted((target.baseline, target.value))
    if target.is_met(target.baseline):
        low = high = target.value
    assert low - slack <= less <= high + slack
    assert abs(target.value - more) <= abs(target.value - less) + slack


@PACE
@given(numbers, numbers, numbers, numbers)
def test_a_share_of_last_years_way_is_one_or_there_is_none(
    begun: float, reached: float, ended: float, way: float
) -> None:
    share = share_of_way(begun, reached, ended, way)
    if (ended - begun) * way <= 0:
        assert share is None
    assert share is None or 0 <= share <= 1
    assert share_of_way(float("nan"), reached, ended, way) is None


def target(op: str, value: float, **more: object) -> TargetInForce:
    return TargetInForce("x", op, value, DECEMBER, "s", **more)  # type: ignore[arg-type]


def test_last_years_own_curve_is_the_seasonal_pace() -> None:
    """Half of a year's guests come by 31 May: a third of the days would ask for 41 %."""
    guests = target(">=", 1_000_000, pace="seasonal")
    assert expected_total(guests, JANUARY, date(2024, 5, 31), curve=0.5) == 500_000
    assert expected_total(guests, JANUARY, date(2024, 5, 31)) == pytest.approx(1e6 * 152 / 366)
    assert expected_total(guests, JANUARY, date(2024, 11, 30), curve=1.04) == 1_000_000  # the year before ended lower


def test_steps_by_quarter_hold_until_the_next() -> None:
    quarters = ((date(2024, 3, 31), 20.0), (date(2024, 6, 30), 45.0), (date(2024, 9, 30), 110.0))
    spent = target(">=", 95.0, pace="steps", steps=quarters, baseline=5.0, baseline_on=date(2023, 12, 31))
    found = [expected_value(spent, date(2024, *day)) for day in ((2, 1), (3, 31), (6, 29), (6, 30), (10, 1), (12, 31))]
    assert found == [5, 20, 20, 45, 95, 95]  # a step beyond the target asks for no more than the target
    unknown = target(">=", 95.0, pace="steps", steps=quarters)
    assert expected_value(unknown, date(2024, 2, 1)) is None


def test_a_years_total_by_steps_begins_at_nothing_and_a_ceiling_is_that_of_the_quarter() -> None:
    """At most 5 by 31 March and 12 by 30 June: on 1 April, 6 is not too many."""
    quarters = ((date(2024, 3, 31), 5.0), (date(2024, 6, 30), 12.0))
    at = [date(2024, *day) for day in ((1, 15), (3, 31), (4, 1), (6, 30), (7, 1), (12, 31))]
    floor, ceiling = (target(op, 30.0, pace="steps", steps=quarters) for op in (">=", "<="))
    assert [expected_total(floor, JANUARY, day) for day in at] == [0, 5, 5, 12, 12, 30]
    assert [expected_total(ceiling, JANUARY, day) for day in at] == [5, 5, 12, 12, 30, 30]


def test_a_total_that_falls_is_forecast_below_what_is_there() -> None:
    falling = forecast_total(100.0, np.array([-5.0, -6.0, -4.0, -5.0]), 70)
    assert falling is not None
    assert falling.low is not None
    assert falling.high is not None
    assert falling.value == 50
    assert falling.low < falling.value < falling.high
    rising = forecast_total(100.0, np.array([0.0, 90.0, 0.0, 90.0]), 7)
    assert rising is not None
    assert rising.low == 100  # what only adds up does not become less


def test_a_value_above_a_floor_may_fall_to_it_and_a_ceiling_may_be_used_up() -> None:
    assert expected_value(target(">=", 90.0, baseline=99.35, baseline_on=JANUARY), date(2024, 6, 30)) == 90
    assert expected_total(target("<=", 366.0), JANUARY, date(2024, 6, 30)) == 182
    straight = target(">=", 37.0, baseline=0.0, baseline_on=date(2023, 12, 31))
    assert expected_value(straight, date(2024, 10, 1)) == pytest.approx(37 * 275 / 366)


def test_a_lag_is_in_points_in_per_cent_and_in_days() -> None:
    share = target(">=", 80.0, baseline=20.0, baseline_on=date(2023, 12, 31))
    expected = expected_value(share, date(2024, 7, 1))
    assert expected == pytest.approx(50.0)
    assert lag_of(share, 35.0, 50.0, percentage=True).amount == 15
    assert lag_of(share, 35.0, 50.0, percentage=False).amount == 30
    assert lag_days(share, 35.0, 50.0, date(2024, 7, 1), None) == pytest.approx(91.5)
    assert needed_per_week(share, 35.0, date(2024, 12, 24)) == pytest.approx(45.0)


def test_a_forecast_passes_over_one_wild_period() -> None:
    known = [float(10 + n) for n in range(12)]
    wild = [*known[:5], 900.0, *known[6:]]
    at = [738_000 + 7 * n for n in range(12)]
    value, low, high = forecast_values(at, np.array([known, wild, [np.nan] * 9 + known[9:]]), 70)
    assert value[0] == pytest.approx(31)
    assert value[1] == pytest.approx(31, abs=0.5)
    assert low[1] <= value[1] <= high[1]
    assert np.isnan(value[2])  # three known weeks foretell nothing
