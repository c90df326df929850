"""Which periods are open, how far they go, and what a day more changes."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from ioc.catalogue.opening import OpenPeriods, changed_buckets
from ioc.period import PERIODS, end_of

JULY, SEPTEMBER = date(2024, 7, 10), date(2024, 9, 20)
DAYS = st.sets(st.dates(date(2023, 11, 1), date(2024, 10, 1)), max_size=6)


def test_a_period_is_open_where_one_of_its_days_is() -> None:
    opened = OpenPeriods([JULY, SEPTEMBER])
    assert opened.holds("month", date(2024, 7, 1)) and opened.holds("month", date(2024, 9, 1))
    assert not opened.holds("month", date(2024, 8, 1))
    assert opened.end("month", date(2024, 7, 1)) == date(2024, 7, 31)
    assert opened.end("quarter", date(2024, 7, 1)) == SEPTEMBER


def test_what_stands_is_carried_through_silence() -> None:
    opened = OpenPeriods([JULY], until=SEPTEMBER)
    assert opened.holds("month", date(2024, 8, 1)) and opened.holds("month", date(2024, 9, 1))
    assert not opened.holds("month", date(2024, 10, 1))
    assert opened.end("month", date(2024, 9, 1)) == SEPTEMBER
    assert opened.holds("day", date(2024, 7, 17)) and not opened.holds("day", date(2024, 7, 18))
    # What belongs to the sector's own last period goes as far as the sector knows.
    assert opened.end("month", date(2024, 7, 1)) == JULY


def test_nothing_is_carried_before_anything_happened() -> None:
    assert OpenPeriods([], until=SEPTEMBER).buckets == frozenset()
    assert not OpenPeriods([JULY], until=SEPTEMBER).holds("month", date(2024, 6, 1))


@settings(deadline=None, derandomize=True)
@given(DAYS, DAYS, st.none() | st.dates(date(2023, 11, 1), date(2024, 12, 1)))
def test_what_changed_is_all_that_differs(before: set[date], after: set[date], until: date | None) -> None:
    old, new = OpenPeriods(before, until), OpenPeriods(after, until)
    changed = changed_buckets(old, new, ends=True)
    for period, bucket in old.buckets | new.buckets:
        same = old.holds(period, bucket) and new.holds(period, bucket)
        if same and old.end(period, bucket) == new.end(period, bucket):
            assert (period, bucket) not in changed
        else:
            assert (period, bucket) in changed


@settings(deadline=None, derandomize=True)
@given(DAYS, st.none() | st.dates(date(2023, 11, 1), date(2024, 12, 1)))
def test_no_period_goes_beyond_itself_or_what_is_known(days: set[date], until: date | None) -> None:
    opened = OpenPeriods(days, until)
    for period, bucket in opened.buckets:
        assert period in PERIODS
        assert bucket <= opened.end(period, bucket) <= min(end_of(period, bucket), opened.carried_to)
        assert bucket >= min(days) - timedelta(days=366)
