"""The pace that a page draws beside an indicator's course."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from ioc.api.pages.course import course_points, expected_by
from ioc.catalogue.target import TargetInForce
from streams.rules.pace import expected_total, expected_value

VALUES = st.floats(-1e6, 1e6).map(lambda value: round(value, 2))
START, DUE = date(2023, 12, 31), date(2024, 12, 31)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.sampled_from([">=", "<="]), VALUES, VALUES, st.integers(0, 400))
def test_the_drawn_pace_is_the_one_that_is_judged_by(op: str, value: float, baseline: float, days: int) -> None:
    """99.35 % where 90 % is asked: the line was drawn from 99.35 down to 90, so that 95 % looked behind."""
    day = START + timedelta(days=days)
    target = TargetInForce("x", op, value, DUE, "s", baseline=baseline, baseline_on=START)
    status = {"target": value, "target_op": op, "target_on": DUE, "pace": "linear", "baseline": baseline}
    drawn = expected_by(status | {"baseline_on": START}, day, summed=False)
    judged = expected_value(target, day)
    assert drawn is not None
    assert judged is not None
    assert abs(drawn - judged) <= 1e-6 * max(1, abs(judged))


@settings(derandomize=True, max_examples=200, deadline=None)
@given(
    st.sampled_from([">=", "<="]),
    VALUES,
    st.none() | VALUES,
    st.lists(st.dates(date(2024, 1, 1), DUE), max_size=4, unique=True),
    st.integers(1, 400),
    st.booleans(),
    st.data(),
)
def test_drawn_steps_are_those_that_are_judged_by(
    op: str, value: float, baseline: float | None, on: list[date], days: int, summed: bool, data: st.DataObject
) -> None:
    day = START + timedelta(days=days)
    steps = tuple((one, data.draw(VALUES)) for one in sorted(on))
    since = None if baseline is None else START
    target = TargetInForce("x", op, value, DUE, "s", "", None, baseline, since, "steps", steps)
    written = [{"on": one.isoformat(), "value": amount} for one, amount in steps]
    status = {
        "target": value,
        "target_op": op,
        "target_on": DUE,
        "pace": "steps",
        "baseline": baseline,
        "steps": written,
    }
    if summed and baseline is not None:
        return  # totals of a year have no baseline of their own
    judged = expected_total(target, date(2024, 1, 1), day) if summed else expected_value(target, day)
    assert expected_by({**status, "steps": written}, day, summed=summed) == judged


def test_a_course_has_every_period_and_breaks_where_nothing_is_known() -> None:
    """Weeks of January stood right beside those of August, and the pace leapt between them."""
    rows = [{"bucket": date(2024, 3, day), "value": float(day)} for day in (25, 18)]
    rows += [{"bucket": date(2024, 2, 19), "value": 2.0}, {"bucket": date(2024, 1, 1), "value": 1.0}]
    points = course_points(rows, "week", None, limit=26, summed=False)
    assert [point.bucket for point in points] == [date(2024, 1, 1) + timedelta(weeks=n) for n in range(13)]
    assert [point.value for point in points if point.value is not None] == [1, 2, 18, 25]
    assert [point.value for point in course_points(rows, "week", None, limit=3, summed=False)] == [None, 18, 25]
    summed = [point.value for point in course_points(rows, "week", None, limit=26, summed=True)]
    assert summed == [1.0] * 7 + [3.0] * 4 + [21.0, 46.0]
    months = [{"bucket": date(2024, 3, 1), "value": 3.0}, {"bucket": date(2023, 12, 1), "value": None}]
    assert [one.bucket.month for one in course_points(months, "month", None, limit=24, summed=False)] == [12, 1, 2, 3]
    assert course_points([], "day", None, limit=31, summed=False) == []
