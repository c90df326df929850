"""Numbers, days and periods as they are written in Viet Nam."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ioc.api.pages.number import NOTHING, amount, bucket, lag_text, moment, number, short_bucket, span

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
NARROW = "\u202f"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (11080.04, "11.080,04"),
        (0.0, "0"),
        (-0.001, "0"),
        (1298.0, "1.298"),
        (39.5, "39,5"),
        (2.005, "2,01"),
        (1234567.89, "1.234.568"),
        (-1234.5, "-1.234,5"),
        (None, NOTHING),
    ],
)
def test_a_number(value: float | None, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (39.5, "%", f"39,5{NARROW}%"),
        (3_190_000_000, "đồng", "3,19 tỷ đồng"),
        (56_818, "đồng", "56.818 đồng"),
        (2_450_000, "đồng/đêm", "2,45 triệu đồng/đêm"),
        (7_250_000_000_000, "đồng", "7,25 nghìn tỷ đồng"),
        (-3_190_000_000, "đồng", "-3,19 tỷ đồng"),
        (310, "lượt", "310 lượt"),
        (None, "lượt", NOTHING),
    ],
)
def test_a_value_with_its_unit(value: float | None, unit: str, text: str) -> None:
    assert amount(value, unit) == text


def test_a_lag_is_in_percent_or_in_points() -> None:
    assert lag_text(14.24, "%") == f"14,2{NARROW}%"
    assert lag_text(3, "point") == "3,0 điểm %"
    assert lag_text(None, None) == NOTHING


@pytest.mark.parametrize(
    ("period", "start", "text", "short"),
    [
        ("day", date(2024, 10, 16), "ngày 16/10/2024", "16/10"),
        ("week", date(2024, 10, 7), "tuần 07/10 - 13/10/2024", "7/10"),
        ("month", date(2024, 10, 1), "tháng 10/2024", "10/24"),
        ("quarter", date(2024, 10, 1), "quý IV/2024", "Q4/24"),
        ("year", date(2024, 1, 1), "năm 2024", "2024"),
    ],
)
def test_a_period(period: str, start: date, text: str, short: str) -> None:
    assert (bucket(period, start), short_bucket(period, start)) == (text, short)


def test_moments_are_local_and_spans_are_short() -> None:
    assert moment(datetime(2024, 10, 16, 17, 5, tzinfo=UTC), ZONE) == "00:05 17/10/2024"
    assert [span(timedelta(minutes=minutes)) for minutes in (5, 130, 3000)] == ["5 phút", "2 giờ", "2 ngày"]


@given(st.floats(-1e15, 1e15, allow_nan=False))
def test_every_number_reads_back(value: float) -> None:
    text = number(value)
    assert float(text.replace(".", "").replace(",", ".")) == pytest.approx(value, abs=0.5)
