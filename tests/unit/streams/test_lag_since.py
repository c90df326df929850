"""Since when a figure lags: by the clock, and in a province whose business lies in the past by its own days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from streams.status.judged import PassMoment
from streams.status.lagging import lag_since

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 11, 28, 6, tzinfo=UTC)


def moment(behind: timedelta) -> PassMoment:
    business = NOW - behind
    return PassMoment(NOW, business, business.astimezone(ZONE).date())


@pytest.mark.parametrize("behind", [timedelta(), timedelta(hours=30)])
def test_of_today_it_is_when_it_was_judged(behind: timedelta) -> None:
    assert lag_since(NOW, date(2026, 11, 26), moment(behind), ZONE) == NOW


def test_of_the_past_it_is_the_end_of_the_period() -> None:
    since = lag_since(NOW, date(2024, 10, 30), moment(timedelta(days=758)), ZONE)
    assert since == datetime(2024, 10, 31, tzinfo=ZONE)


def test_it_is_never_after_it_was_judged() -> None:
    assert lag_since(NOW, date(2026, 12, 31), moment(timedelta(days=3)), ZONE) == NOW
    assert lag_since(NOW, None, moment(timedelta(days=758)), ZONE) == NOW
