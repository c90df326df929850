"""Health records, visits and vaccination on the way of every event: parsed, stored, folded, recomputed."""

from __future__ import annotations

from datetime import date
from random import Random

import pytest
from testbed.feed_event import Event, sent
from testbed.health import MAKERS, Fields, pseudonym
from testbed.pipeline import Pipeline, assert_any_order_agrees

STATION, HOSPITAL, ISLAND, CDC = "yt-747-01", "yt-748-13", "yt-755-01", "yt-748-21"
REPORTERS = {
    "health.record": (STATION, "yt-750-01", ISLAND),
    "health.checkout": (STATION, HOSPITAL, ISLAND),
    "vaccination.dose": (STATION, CDC, ISLAND),
}
STAY: Fields = {
    "visit_id": pseudonym(1),
    "person_id": pseudonym(2),
    "sex": "female",
    "age_group": "25_44",
    "visit_type": "inpatient",
    "route": "emergency",
    "payer": "bhyt",
    "id_method": "vneid",
    "check_in_on": "2024-10-05",
    "admitted_on": "2024-10-05",
}
CHECK_OUT: Fields = {
    "completed_on": "2024-10-08",
    "icd_chapter": "ch15",
    "outcome": "improved",
    "discharge_type": "normal",
    "los_days": 4,
    "visit_minutes": 4000,
    "cost_total": 9_000_000,
    "cost_bhyt": 7_200_000,
    "cost_copay": 1_800_000,
    "delivery": "caesarean",
    "live_births": 2,
}
PAYMENT: Fields = {"paid_on": "2024-10-09", "pay_method": "qr", "paid_amount": 1_800_000}


def test_a_visit_from_check_in_to_payment(pipeline: Pipeline) -> None:
    revisions = [STAY, STAY | CHECK_OUT, STAY | CHECK_OUT | PAYMENT]

    def days(code: str) -> list[float | None]:
        return [pipeline.figure(f"health_visit.{code}", "748", "day", f"2024-10-{day:02d}") for day in (5, 8, 9)]

    pipeline.send("health.checkout", [sent("health.checkout", HOSPITAL, revisions[0], 1)])
    pipeline.roll_up()
    assert days("id_method.vneid")[0] == 1
    assert days("current_inpatients")[0] == 1
    assert pipeline.figure("health_visit.visits.total", "77", "month", "2024-10-01") == 0
    pipeline.send("health.checkout", [sent("health.checkout", HOSPITAL, r, n) for n, r in enumerate(revisions, 1)])
    pipeline.roll_up()
    assert days("current_inpatients") == [1, 0, 0]
    assert days("visits.type_inpatient") == [0, 1, 0]
    assert days("payment_value.qr") == [0, 0, 1_800_000]
    assert pipeline.figure("health_visit.live_births", "77", "month", "2024-10-01") == 2
    assert pipeline.figure("health_visit.caesarean_rate", "77", "month", "2024-10-01") == 100
    assert pipeline.figure("health_visit.cost_item.misc", "77", "year", "2024-01-01") == 9_000_000
    assert not pipeline.reconcile().differences


@pytest.mark.parametrize("key", REPORTERS)
def test_corrections_in_any_order_agree_with_the_recompute(pipeline: Pipeline, key: str) -> None:
    rng = Random(11)

    def made() -> Fields:
        # Few things, so that their revisions meet.
        if key == "health.checkout":
            return MAKERS[key](rng) | {"visit_id": pseudonym(rng.randrange(60))}
        data = MAKERS[key](rng)
        return data | {name: pseudonym(rng.randrange(60)) for name in ("item_id", "person_id") if name in data}

    assert_any_order_agrees(pipeline, key, rng, 400, REPORTERS[key], made)


def test_whose_reporter_is_no_station_counts_no_station(pipeline: Pipeline) -> None:
    def entry(reporter: str, item: int) -> Event:
        data = {"kind": "entry", "item_id": pseudonym(item), "occurred_on": date(2024, 10, 5), "section": "vitals"}
        return sent("health.record", reporter, data, 1)

    pipeline.send("health.record", [entry(STATION, 1), entry(STATION, 2), entry(ISLAND, 3)])
    pipeline.roll_up()
    assert pipeline.figure("health_record.updates.total", "77", "month", "2024-10-01") == 3
    assert pipeline.figure("health_record.stations_active", "77", "month", "2024-10-01") == 1
