"""Which change is for the worse, and when which digest is due."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from ioc.notification.digest import DigestFrame, Kind, direction_of, due_kinds, due_moment

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


@pytest.mark.parametrize(
    ("before", "status", "sign"),
    [
        ("on_track", "at_risk", 1),
        ("on_track", "lagging", 1),
        ("at_risk", "lagging", 1),
        ("lagging", "at_risk", -1),
        ("lagging", "on_track", -1),
        ("stale", "lagging", 1),
        # What is known for the first time was no better before, and what is not known any more is no better now.
        ("no_data", "at_risk", 0),
        ("no_data", "on_track", 0),
        ("lagging", "stale", 0),
        ("lagging", "incomplete", 0),
        ("lagging", "no_target", 0),
    ],
)
def test_what_is_worse(before: str, status: str, sign: int) -> None:
    found = direction_of(before, status)
    assert (found > 0) - (found < 0) == sign


@pytest.mark.parametrize(
    ("moment", "kinds"),
    [
        ("2024-10-20T06:59", []),
        ("2024-10-20T07:00", [("daily", "2024-10-20")]),
        ("2024-10-21T06:59", []),
        ("2024-10-21T07:00", [("weekly", "2024-10-21"), ("daily", "2024-10-21")]),
        ("2024-10-22T06:59", [("weekly", "2024-10-21")]),
        ("2024-10-22T07:00", [("daily", "2024-10-22")]),
    ],
)
def test_digests_are_due_at_seven_and_on_mondays(moment: str, kinds: list[tuple[str, str]]) -> None:
    found = due_kinds(datetime.fromisoformat(moment).replace(tzinfo=ZONE), ZONE)
    assert found == [(kind, date.fromisoformat(day)) for kind, day in kinds]


@pytest.mark.parametrize(
    ("kind", "written", "since"),
    [
        ("daily", "2024-10-08T07:00:05", "2024-10-07T07:00"),
        ("daily", "2024-10-08T11:20", "2024-10-07T07:00"),  # late: the day before was told until 07:00
        ("daily", "2024-10-08T05:00", "2024-10-07T05:00"),  # by command, before its time
        ("weekly", "2024-10-08T23:00", "2024-10-01T07:00"),
        ("daily", "2025-01-01T07:00:01", "2024-12-31T07:00"),
        ("daily", "2024-03-01T09:00", "2024-02-29T07:00"),
    ],
)
def test_a_late_digest_goes_on_where_the_one_before_ended(kind: Kind, written: str, since: str) -> None:
    now = datetime.fromisoformat(written).replace(tzinfo=ZONE)
    frame = DigestFrame(kind, now, now.date(), ZONE, "", "", due_moment(now.date(), ZONE))
    assert frame.since == datetime.fromisoformat(since).replace(tzinfo=ZONE)
