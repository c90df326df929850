"""When a reporter's reports are due next: the first moment ahead, for every cadence, day and calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from ioc.catalogue.indicator import CADENCES
from ioc.period import end_of, start_of
from ioc.province.calendar import load_calendar
from ioc.province.deadline import _PERIODS, ANY, Deadline, Deadlines
from ioc.settings import Settings

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
CALENDAR = load_calendar(Settings(_env_file=None).profile)


@given(
    st.sampled_from([cadence for cadence in CADENCES if cadence in _PERIODS]),
    st.integers(0, 366),
    st.booleans(),
    st.times(),
    st.datetimes(datetime(2023, 1, 1), datetime(2027, 1, 1)),  # noqa: DTZ001 - hypothesis adds no zone
)
def test_the_next_deadline_is_the_first_ahead(
    cadence: str, days: int, working: bool, due_at: time, moment: datetime
) -> None:
    now = moment.replace(tzinfo=UTC)
    row = Deadline(ANY, cadence, ANY, False, days, working, due_at, "test")
    deadlines = Deadlines((), CALENDAR, ZONE)
    due = deadlines.next_due(row, now)
    assert due > now
    period, bucket = _PERIODS[cadence], start_of(_PERIODS[cadence], now.astimezone(ZONE).date())
    for _ in range(3):  # what ended before, ends no later: none of the periods around lies between
        assert deadlines.due(row, bucket) >= due or deadlines.due(row, bucket) <= now
        bucket = start_of(period, bucket - timedelta(days=1))


def test_a_feed_without_rows_of_its_own_has_the_default_of_its_cadence() -> None:
    deadlines = Deadlines((), CALENDAR, ZONE)
    for cadence, named in (
        (timedelta(minutes=15), "hourly"),
        (timedelta(hours=26), "daily"),
        (timedelta(35), "monthly"),
    ):
        (row,) = deadlines.of_reporter("tax.einvoice", "x", cadence)
        assert row.cadence == named
    assert end_of("day", date(2024, 10, 5)) == date(2024, 10, 5)
