"""The pace that a page draws beside an indicator's course."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from ioc.api.pages.reading import _expected
from ioc.catalogue.target import TargetInForce
from streams.rules.pace import expected_value

VALUES = st.floats(-1e6, 1e6).map(lambda value: round(value, 2))
START, DUE = date(2023, 12, 31), date(2024, 12, 31)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.sampled_from([">=", "<="]), VALUES, VALUES, st.integers(0, 400))
def test_the_drawn_pace_is_the_one_that_is_judged_by(op: str, value: float, baseline: float, days: int) -> None:
    """99.35 % where 90 % is asked: the line was drawn from 99.35 down to 90, so that 95 % looked behind."""
    day = START + timedelta(days=days)
    target = TargetInForce("x", op, value, DUE, "s", baseline=baseline, baseline_on=START)
    status = {"target": value, "target_op": op, "target_on": DUE, "pace": "linear", "baseline": baseline}
    drawn = _expected(status | {"baseline_on": START}, day, summed=False)
    judged = expected_value(target, day)
    assert drawn is not None
    assert judged is not None
    assert abs(drawn - judged) <= 1e-6 * max(1, abs(judged))
