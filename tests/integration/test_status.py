"""Where indicators stand, and incidents of those that are behind, on simulated time: each scenario has its clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

import psycopg
import pytest
from testbed.province_day import DAY, MINUTE, NOW, RATE, ProvinceDay, local, put_rates

from ioc.feeds.feed import Feed
from ioc.incident.acting import Actor, IncidentActs
from ioc.province.profile import Profile
from ioc.settings import Settings


@pytest.fixture
def province(settings: Settings, db: psycopg.Connection, profile: Profile, feeds: Mapping[str, Feed]) -> ProvinceDay:
    return ProvinceDay(settings, db, profile, feeds)


def test_three_districts_of_eight_below_a_target(province: ProvinceDay) -> None:
    districts = put_rates(province, whole=25.0, low=12.0)
    province.alive(NOW)
    province.look(NOW)
    assert province.row(RATE)["status"] == "on_track"
    behind = province.row(RATE, districts[0])
    assert (behind["status"], behind["lag"], behind["lag_in"], behind["expected"]) == ("lagging", 8.0, "point", 20.0)
    states = [province.row(RATE, code)["status"] for code in districts]
    assert (states.count("lagging"), states.count("on_track")) == (3, 5)
    (incident,) = [row for row in province.incidents() if row["kind"] == "lagging"]
    assert incident["code"] == RATE
    assert incident["areas"] == 3
    assert "điểm %" in incident["title_vi"]
    assert "Căn cứ" in incident["summary_vi"]
    assert incident["told"] != ""
    # Looked at again, and again the next day with other low figures: still one, and the same.
    province.look(NOW + MINUTE)
    put_rates(province, whole=24.0, low=13.0, day=DAY + timedelta(days=1))
    later = NOW + timedelta(days=1)
    province.alive(later)
    province.look(later)
    assert len([row for row in province.incidents(closed=True) if row["kind"] == "lagging"]) == 1


def test_a_lag_names_the_breakdowns_that_hold_it_back(province: ProvinceDay) -> None:
    """24 of 37 targets: digital government is on its pace, economy and society are not."""
    september = date(2024, 9, 1)
    for pillar, done in (("total", 24), ("government", 13), ("economy", 3), ("society", 8)):
        for measure in ("done", "rate", "assigned"):
            province.reports(f"dti.targets_{measure}.{pillar}", "month", september, NOW)
        province.figure(f"dti.targets_done.{pillar}", "77", "month", september, done)
    province.alive(NOW)
    province.look(NOW)
    row = province.row("dti.targets_done.total")
    assert (row["status"], row["target"]) == ("lagging", 37)
    (incident,) = [one for one in province.incidents() if one["code"] == "dti.targets_done.total"]
    parts = incident["evidence"]["breakdowns"]
    assert [one["code"] for one in parts] == ["dti.targets_done.society", "dti.targets_done.economy"]
    assert [one["value"] for one in parts] == [8, 3]
    assert sum(one["share"] for one in parts) == pytest.approx(100, abs=0.2)
    assert [one["shortfall"] > 0 for one in parts] == [True, True]
    assert "Thành phần kéo chậm: " in incident["summary_vi"]
    assert "Held back by: " in incident["summary_en"]


@pytest.mark.parametrize(
    ("coverage", "status", "lag"), [(72.0, "on_track", 0.0), (60.0, "lagging", 95 * 274 / 366 - 60)]
)
def test_a_standing_target_of_what_grows_with_the_year_is_due_at_its_end(
    province: ProvinceDay, coverage: float, status: str, lag: float
) -> None:
    """95 % of the year's children by 31 December: at the end of September 274 of 366 days have passed."""
    code, september = "vaccination.coverage.measles", date(2024, 9, 1)
    for month in range(1, 9):
        province.figure(code, "77", "month", date(2024, month, 1), coverage * month / 9)
    province.figure(code, "77", "month", date(2023, 12, 1), 99.0)  # last year's course says nothing of this one
    province.figure(code, "77", "month", september, coverage)
    province.alive(NOW)
    province.look(NOW)
    row = province.row(code)
    assert (row["status"], row["target_on"], row["bucket"]) == (status, date(2024, 12, 31), september)
    assert row["expected"] == pytest.approx(95 * 274 / 366)
    assert row["lag"] == pytest.approx(lag)
    assert row["forecast"] == pytest.approx(coverage * 12 / 9, rel=0.02)


def test_late_reports_that_lift_a_value_close_the_incident_and_mark_it_revised(province: ProvinceDay) -> None:
    districts = put_rates(province, whole=15.0, low=12.0)
    province.alive(NOW)
    province.look(NOW)
    assert province.row(RATE)["status"] == "lagging"
    put_rates(province, whole=26.0, low=22.0)
    later = NOW + timedelta(hours=2)
    province.alive(later)
    province.look(later)
    row = province.row(RATE)
    assert (row["status"], row["settlement"], row["value"]) == ("on_track", "revised", 26.0)
    assert province.row(RATE, districts[0])["status"] == "on_track"
    (incident,) = [row for row in province.incidents(closed=True) if row["kind"] == "lagging"]
    assert incident["closed_at"] == later
    assert province.history(incident["incident_id"]) == ["opened", "closed"]


def test_a_value_that_flaps_opens_one_incident(province: ProvinceDay) -> None:
    for n in range(10):
        now = NOW + timedelta(hours=2 * n)
        put_rates(province, whole=15.0 if n % 2 == 0 else 26.0, low=25.0)
        province.alive(now)
        province.look(now)
    (incident,) = [row for row in province.incidents(closed=True) if row["kind"] == "lagging"]
    # It came back twice within what counts as the end; then the end had to last longer.
    assert 1 <= incident["reopened"] <= 2


def test_three_steps_of_the_ladder_and_what_stops_them(province: ProvinceDay, db: psycopg.Connection) -> None:
    for day in (24, 25, 29):
        put_rates(province, whole=15.0, low=12.0, day=date(2024, 10, day))
    monday = local("2024-10-28", 8)

    def step_at(now: datetime) -> int:
        province.alive(now)
        province.look(now)
        (row,) = [row for row in province.incidents() if row["kind"] == "lagging"]
        return int(row["step"])

    assert step_at(monday) == 0
    assert step_at(monday + timedelta(hours=3)) == 0
    assert step_at(monday + timedelta(hours=5)) == 1  # four office hours, and nobody has acknowledged
    (incident,) = [row for row in province.incidents() if row["kind"] == "lagging"]
    IncidentActs(db).acknowledge(incident["incident_id"], Actor("so-tttt", "command"), monday + timedelta(hours=6))
    assert step_at(local("2024-10-30", 8)) == 1  # acknowledged: it waits three times as long
    IncidentActs(db).silence(
        incident["incident_id"], Actor("so-tttt", "link"), local("2024-10-30", 9), local("2024-11-08", 9), "đang sửa"
    )
    put_rates(province, whole=15.0, low=12.0, day=date(2024, 11, 6))
    assert step_at(local("2024-11-07", 12)) == 1
    assert province.history(incident["incident_id"])[:4] == ["opened", "escalated", "acknowledged", "silenced"]
    put_rates(province, whole=15.0, low=12.0, day=date(2024, 11, 8))
    assert step_at(local("2024-11-11", 12)) == 2  # the silence has ended, and it lasts


def test_an_ordinary_day_far_from_its_past_is_unusual(province: ProvinceDay) -> None:
    for weeks in range(1, 9):
        province.figure("lodging.guests.total", "77", "day", DAY - timedelta(weeks=weeks), 1000 + 10 * weeks)
    province.figure("lodging.guests.total", "77", "day", DAY, 3000)
    province.alive(NOW)
    province.look(NOW)
    row = province.row("lodging.guests.total")
    assert (row["status"], row["unusual"]) == ("no_target", True)
    assert row["usual"] == 1040  # the Tuesday after the National Day was a day off


def test_what_is_known_once_is_no_pace_and_percentages_lag_in_points(province: ProvinceDay) -> None:
    province.figure("dti.targets_done.total", "77", "month", "2024-09-01", 32)
    province.figure("banking.account_rate", "77", "month", "2024-09-01", 70.0)
    province.figure("health_record.coverage", "77", "day", DAY - timedelta(days=30), 99.4)
    province.figure("health_record.coverage", "77", "day", DAY, 99.35)
    province.alive(NOW)
    province.look(NOW)
    done = province.row("dti.targets_done.total")
    assert done["target"] == 37
    assert 27 < done["expected"] < 32  # three quarters of the year, from 0 at its beginning
    once = province.row("banking.account_rate")
    assert once["expected"] is None
    assert once["status"] in ("at_risk", "incomplete", "stale")
    assert province.row("health_record.coverage")["expected"] == 90.0
