"""A rate over few cases is not said to lag; a rate of what exists is, however small."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

import psycopg
import pytest
from testbed.province_day import ProvinceDay, local

from ioc.feeds.feed import Feed
from ioc.province.profile import Profile
from ioc.settings import Settings

DAY, SEPTEMBER = date(2024, 10, 22), date(2024, 9, 1)
NOW = local(DAY + timedelta(days=1))
FEW, MANY = ("747", 2.0), ("748", 10.0)


@pytest.fixture
def province(settings: Settings, db: psycopg.Connection, profile: Profile, feeds: Mapping[str, Feed]) -> ProvinceDay:
    return ProvinceDay(settings, db, profile, feeds)


@pytest.mark.parametrize(
    ("code", "period", "bucket", "below", "bad"),
    [
        ("dossier.reuse_rate", "day", DAY, ("dossier.reuse_possible",), 10.0),
        ("dossier.satisfaction_rate", "day", DAY, ("dossier.ratings.unsatisfied",), 50.0),
        ("vaccination.dropout.je1_2", "month", SEPTEMBER, ("vaccination.doses.je_1",), 50.0),
        ("document.case_online_rate.level_commune", "day", DAY, ("document.case_files.level_commune",), 50.0),
    ],
)
def test_one_of_two_cases_is_not_behind(
    province: ProvinceDay, code: str, period: str, bucket: date, below: tuple[str, ...], bad: float
) -> None:
    """Two districts with the same bad rate: of two cases, and of ten. An unknown number of cases is not few."""
    for area in ("747", "748", "77"):
        province.figure(code, area, period, date(2024, 1, 1), 99.0)  # where the way to a target with a date begins
    for area, cases in (FEW, MANY):
        province.figure(code, area, period, bucket, bad)
        for name in below:
            province.figure(name, area, period, bucket, cases)
        if code == "dossier.satisfaction_rate":  # the cases are added up: 2 or 10 in all
            for part in ("very_satisfied", "satisfied"):
                province.figure(f"dossier.ratings.{part}", area, period, bucket, 0.0)
    province.figure(code, "77", period, bucket, bad)
    province.alive(NOW)
    province.look(NOW)
    few, many, unknown = (province.row(code, area) for area in ("747", "748", "77"))
    assert (few["status"], few["lag"], few["forecast"], few["value"]) == ("at_risk", None, None, bad)
    assert few["expected"] is not None
    assert many["status"] == unknown["status"] == "lagging"
    (incident,) = [one for one in province.incidents() if one["code"] == code]
    assert {area["area_id"] for area in incident["evidence"]["areas"]} == {many["area_id"], unknown["area_id"]}


def test_a_good_rate_of_few_cases_is_on_track(province: ProvinceDay) -> None:
    province.figure("dossier.reuse_rate", "747", "day", DAY, 50.0)
    province.figure("dossier.reuse_possible", "747", "day", DAY, 2.0)
    province.figure("dossier.reuse_rate", "77", "day", DAY, 50.0)
    province.alive(NOW)
    province.look(NOW)
    assert province.row("dossier.reuse_rate", "747")["status"] == "on_track"


def test_a_share_of_records_is_judged_by_the_records_of_the_measure(
    province: ProvinceDay, db: psycopg.Connection
) -> None:
    """`dossier.online_payment_rate` has no indicator below its line: the sum of the records themselves is read."""
    code = "dossier.online_payment_rate"
    ((slot,),) = db.execute(
        "SELECT slot FROM measure JOIN feed USING (feed_id) WHERE key = 'dossier.event' AND kind = 'sum'"
        " AND condition LIKE '%has_fee%' AND condition LIKE '%paid_online IS NOT NULL%'"
    ).fetchall()
    for area, cases in (FEW, MANY):
        province.figure(code, area, "day", date(2024, 1, 1), 99.0)
        province.figure(code, area, "day", DAY, 50.0)
        db.execute(
            "INSERT INTO measure_cell (feed_id, period, area_id, bucket, sums) SELECT feed_id, 'day', %s, %s,"
            " array_fill(NULL::bigint, ARRAY[%s - 1]) || %s::bigint FROM feed WHERE key = 'dossier.event'",
            [province.area_id(area), DAY, slot, int(cases)],
        )
    province.figure(code, "77", "day", DAY, 50.0)
    province.alive(NOW)
    province.look(NOW)
    assert [province.row(code, area)["status"] for area in ("747", "748")] == ["at_risk", "lagging"]


def test_two_of_three_shops_are_two_thirds(province: ProvinceDay) -> None:
    """A duty of every shop: the three shops are all there are, no sample."""
    province.figure("petrol.einvoice_rate", "747", "day", DAY, 66.7)
    province.figure("petrol.shops", "747", "day", DAY, 3.0)
    province.figure("petrol.einvoice_rate", "77", "day", DAY, 99.0)
    province.alive(NOW)
    province.look(NOW)
    assert province.row("petrol.einvoice_rate", "747")["status"] == "lagging"


def test_the_least_number_is_data(
    settings: Settings, db: psycopg.Connection, profile: Profile, feeds: Mapping[str, Feed]
) -> None:
    own = ProvinceDay(settings, db, replace(profile, min_cases=2), feeds)
    own.figure("dossier.reuse_rate", "747", "day", DAY, 10.0)
    own.figure("dossier.reuse_possible", "747", "day", DAY, 2.0)
    own.figure("dossier.reuse_rate", "77", "day", DAY, 10.0)
    own.alive(NOW)
    own.look(NOW)
    assert own.row("dossier.reuse_rate", "747")["status"] == "lagging"
