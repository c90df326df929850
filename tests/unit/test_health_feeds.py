"""The health feeds: what their models refuse, whose parts make a whole record by record, and stocks over time."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import pytest
from testbed.contribution import FEEDS, frame_of, stock_at
from testbed.health import MODELS, REGISTERED, pseudonym

from ioc.feeds.declared.health_checkout import COST_SOURCES
from ioc.feeds.validation import reasons_of
from ioc.province.profile import load_profile, registry_events
from ioc.settings import Settings

Fields = dict[str, Any]
ITEM: Fields = {"item_id": pseudonym(1), "occurred_on": "2024-10-05"}
RECORD: Fields = {**ITEM, "kind": "record", "sex": "female", "age_group": "25_44", "allergy_on": "2024-10-06"}
SPELL: Fields = {**ITEM, "kind": "spell", "state": "managed", "condition": "hypertension"}
OPEN: Fields = {
    "visit_id": pseudonym(2),
    "person_id": pseudonym(3),
    "sex": "male",
    "age_group": "45_59",
    "visit_type": "inpatient",
    "route": "emergency",
    "payer": "bhyt",
    "id_method": "cccd_chip",
    "check_in_on": "2024-10-05",
    "admitted_on": "2024-10-05",
}
CLOSED: Fields = OPEN | {
    "completed_on": "2024-10-09",
    "icd_chapter": "ch09",
    "outcome": "improved",
    "discharge_type": "normal",
    "los_days": 5,
    "visit_minutes": 5800,
    "cost_total": 4_000_000,
    "cost_bhyt": 3_200_000,
    "cost_copay": 800_000,
    "cost_drug": 1_500_000,
}
DOSE: Fields = {
    **ITEM,
    "kind": "dose",
    "person_id": pseudonym(4),
    "vaccine": "hepb0",
    "dose_no": 1,
    "programme": "epi",
    "age_group": "under1",
    "record_lag_h": 2,
    "hours_after_birth": 9,
    "on_schedule": True,
    "delay_days": 0,
}
MOVEMENT: Fields = {**ITEM, "kind": "movement", "vaccine": "bcg", "movement": "discard", "quantity": -4}
OVERDUE: Fields = {"kind": "overdue", "person_id": pseudonym(4), "occurred_on": "2024-10-05"}
TARGET: Fields = {"kind": "target", "cohort": "m18", "quantity": 90, "occurred_on": "2024-01-01"}


def reason(key: str, data: Fields) -> str:
    """Return why a record is refused, in English; '' when it is not."""
    try:
        MODELS[key].model_validate(data)
    except ValueError as error:
        (found,) = reasons_of(error)  # type: ignore[arg-type]
        assert found.message_vi != found.message_en
        return f"{found.field}: {found.message_en}"
    return ""


@pytest.mark.parametrize(
    ("key", "data"),
    [
        ("health.record", RECORD),
        ("health.record", SPELL),
        ("health.record", {**ITEM, "kind": "view"}),
        ("health.checkout", OPEN),
        ("health.checkout", CLOSED),
        ("vaccination.dose", DOSE),
        ("vaccination.dose", MOVEMENT),
        ("vaccination.dose", OVERDUE),
        ("vaccination.dose", TARGET),
    ],
)
def test_what_is_right_is_taken(key: str, data: Fields) -> None:
    assert reason(key, data) == ""


@pytest.mark.parametrize(
    ("key", "data", "complaint"),
    [
        ("health.record", RECORD | {"sex": None}, "record needs sex"),
        ("health.record", RECORD | {"section": "lab"}, "record carries no section"),
        ("health.record", RECORD | {"ended_on": "2024-10-04"}, "ended_on lies before occurred_on"),
        ("health.record", RECORD | {"allergy_on": "2024-10-04"}, "allergy_on lies outside the record's time"),
        ("health.record", RECORD | {"ended_on": "2024-10-05"}, "allergy_on lies outside the record's time"),
        ("health.record", RECORD | {"item_id": "079085012345"}, "item_id: "),
        ("health.record", RECORD | {"name": "An"}, "n***: "),
        ("health.record", SPELL | {"condition": None}, "name a condition"),
        ("health.record", SPELL | {"state": "visited"}, "name a condition"),
        ("health.record", {**ITEM, "kind": "view", "sex": "male"}, "view carries no sex"),
        ("health.checkout", OPEN | {"admitted_on": None}, "inpatient needs admitted_on"),
        ("health.checkout", OPEN | {"admitted_on": "2024-10-04"}, "admitted_on lies before check_in_on"),
        ("health.checkout", CLOSED | {"admitted_on": "2024-10-10"}, "completed_on lies before"),
        ("health.checkout", OPEN | {"cost_total": 1, "outcome": "died"}, "not completed has no outcome, cost_total"),
        ("health.checkout", CLOSED | {"outcome": None}, "completed visit needs outcome"),
        ("health.checkout", CLOSED | {"icd_chapter": "ch20"}, "icd_chapter: "),
        ("health.checkout", CLOSED | {"cost_total": 4_000_001}, "cost_total is not the sum"),
        ("health.checkout", CLOSED | {"cost_bed": 2_500_001}, "exceed cost_total"),
        ("health.checkout", CLOSED | {"paid_on": "2024-10-09"}, "a payment has all of"),
        (
            "health.checkout",
            OPEN | {"paid_on": "2024-10-04", "pay_method": "qr", "paid_amount": 1},
            "paid_on lies before",
        ),
        ("health.checkout", CLOSED | {"send_status": "late"}, "send_status goes with send_lag_h"),
        ("health.checkout", CLOSED | {"live_births": 1}, "live_births needs delivery"),
        (
            "health.checkout",
            CLOSED | {"delivery": "vaginal", "live_births": 1, "low_weight_births": 2},
            "low_weight_births exceeds live_births",
        ),
        ("vaccination.dose", DOSE | {"person_id": None}, "dose needs person_id"),
        ("vaccination.dose", DOSE | {"quantity": 1}, "dose carries no quantity"),
        ("vaccination.dose", DOSE | {"delay_days": None}, "expanded programme needs"),
        ("vaccination.dose", DOSE | {"vaccine": "bcg"}, "hours_after_birth is for hepb0"),
        ("vaccination.dose", DOSE | {"age_group": "1_5", "completes_course": True}, "only a child under 1"),
        ("vaccination.dose", MOVEMENT | {"quantity": 4}, "discard takes from the stock"),
        ("vaccination.dose", MOVEMENT | {"movement": "receipt"}, "a receipt adds to the stock"),
        ("vaccination.dose", TARGET | {"quantity": -1}, "a target is not negative"),
        ("vaccination.dose", OVERDUE | {"ended_on": "2024-10-04"}, "ended_on lies before occurred_on"),
    ],
)
def test_what_is_wrong_is_refused(key: str, data: Fields, complaint: str) -> None:
    assert complaint in reason(key, data)


def test_revisions_of_a_visit_are_one_record() -> None:
    keys = {MODELS["health.checkout"].model_validate(data).record_key() for data in (OPEN, CLOSED)}
    assert keys == {pseudonym(2)}


# ------------------------------------------------------------------------------ derived columns
def test_declared_costs_leave_the_rest_to_other_items() -> None:
    key = "health.checkout"
    data = MODELS[key].model_validate(CLOSED).model_dump() | {"facility_tier": "province"}
    frame = frame_of(FEEDS[key], [data | {"effective_on": date(2024, 10, 5), "reporter": "yt-1"}])
    assert frame["cost_misc"].to_list() == [2_500_000]
    assert sum(CLOSED.get(name, 0) for name in COST_SOURCES) == 4_000_000


# ------------------------------------------------------------------------------ stocks over time
def whole(key: str, data: Fields) -> Fields:
    made = MODELS[key].model_validate(data).model_dump()
    effective = made.get("check_in_on") or made["occurred_on"]
    register = {name: values[0] for name, values in REGISTERED[key].items()}
    return made | register | {"effective_on": effective, "reporter": "yt-1"}


def test_an_inpatient_is_in_hospital_from_admission_until_discharge() -> None:
    code, days = "health_visit.current_inpatients", [date(2024, 10, day) for day in (4, 5, 8, 9)]
    still = [whole("health.checkout", OPEN)]
    left = [whole("health.checkout", CLOSED)]
    assert [stock_at(code, still, day) for day in days] == [0, 1, 1, 1]
    assert [stock_at(code, left, day) for day in days] == [0, 1, 1, 0]


def test_a_spell_counts_while_it_lasts() -> None:
    ended = whole("health.record", SPELL | {"ended_on": "2024-10-20"})
    lasting = whole("health.record", SPELL | {"item_id": pseudonym(9)})
    code = "health_record.managed.hypertension"
    assert [stock_at(code, [ended, lasting], date(2024, 10, day)) for day in (4, 5, 19, 20)] == [0, 2, 2, 1]
    assert stock_at("health_record.managed.diabetes", [ended, lasting], date(2024, 10, 19)) == 0


def test_children_are_overdue_until_they_have_caught_up() -> None:
    spells = [
        whole("vaccination.dose", OVERDUE | {"ended_on": "2024-10-07"}),
        whole("vaccination.dose", OVERDUE | {"person_id": pseudonym(5)}),
    ]
    assert [stock_at("vaccination.overdue", spells, date(2024, 10, day)) for day in (4, 5, 7)] == [0, 2, 1]


def test_the_target_number_of_a_cohort_is_replaced() -> None:
    old = whole("vaccination.dose", TARGET | {"ended_on": "2024-07-01"})
    new = whole("vaccination.dose", TARGET | {"occurred_on": "2024-07-01", "quantity": 120})
    code = "vaccination.target_pop.m18"
    assert [stock_at(code, [old, new], day) for day in (date(2024, 6, 30), date(2024, 7, 1))] == [90, 120]


# ------------------------------------------------------------------------------ the register
def test_the_profile_holds_stations_facilities_and_sites() -> None:
    profile = load_profile(Settings(_env_file=None).profile)
    kept = Counter((agency, entry.registry) for agency, entry in registry_events(profile))
    assert kept["so-y-te", "health_station"] == 82
    assert kept["bhxh-tinh", "health_facility"] == 123
    communes = {area.code for area in profile.areas.at(date(2024, 10, 1)) if area.level == "commune"}
    stations = [r for r in profile.reporters if r.feed == "health.record" and "health_station" in r.registers]
    assert {station.area_code for station in stations} == communes
    tiers = {"health.checkout": "tier", "vaccination.dose": "site_type"}
    for key, attribute in tiers.items():
        (allowed,) = REGISTERED[key].values()
        assert {r.attributes[attribute] for r in profile.reporters if r.feed == key} == set(allowed)
    sites = [r for r in profile.reporters if r.feed == "vaccination.dose"]
    assert Counter(site.attributes["site_type"] for site in sites) >= Counter(cdc=1, district=8, commune=82)
    assert kept["so-y-te", "vaccination_site"] == len(sites)
