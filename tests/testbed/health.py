"""Records of the health sectors, made from a source of chance; each is valid, and every kind and value occurs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from random import Random
from typing import Any, Literal, get_args, get_origin

from ioc.feeds.declared import health_checkout, health_record, vaccination_dose
from ioc.feeds.declared.health_checkout import COST_ITEMS, COST_SOURCES, HealthCheckout
from ioc.feeds.declared.health_record import SECTIONS_HELD, HealthRecord
from ioc.feeds.declared.vaccination_dose import VaccinationDose
from ioc.feeds.event import Record

DAY = date(2024, 10, 5)
CHAPTERS = tuple(f"ch{number:02d}" for number in range(1, 23) if number != 20)
# What the register adds to a record: the attributes of the profile's places.
REGISTERED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "health.record": {"keeper_type": ("station", "centre")},
    "health.checkout": {"facility_tier": ("province", "district", "commune", "private", "military")},
    "vaccination.dose": {"site_type": ("cdc", "district", "commune", "hospital", "private")},
}
Fields = dict[str, Any]


def pseudonym(number: int) -> str:
    """Return the pseudonym of a person or a thing."""
    return f"k1:{number:032x}"


def values_of(model: type[Record], field: str) -> list[Any]:
    """Return the values of a literal field, the optional's null left out."""
    return sorted(_literals(model.model_fields[field].annotation))


def _literals(hint: Any) -> set[Any]:
    if get_origin(hint) is Literal:
        return set(get_args(hint))
    return {value for part in get_args(hint) for value in _literals(part)}


def health_item(rng: Random) -> Fields:
    """Return a record of `health.record`."""
    kind = rng.choice(values_of(HealthRecord, "kind"))
    since = DAY - timedelta(days=rng.randrange(400))
    made: Fields = {"kind": kind, "item_id": pseudonym(rng.randrange(10**6)), "occurred_on": since}
    if kind in ("record", "spell") and rng.randrange(4) == 0:
        made["ended_on"] = min(
            since + timedelta(days=rng.randrange(300)), date(2024, 10, 31)
        )  # no plan: it has happened
    match kind:
        case "record":
            made |= _chosen(rng, HealthRecord, "sex", "age_group")
            latest = (made.get("ended_on", DAY + timedelta(days=1)) - since).days
            made |= {
                name: since + timedelta(days=rng.randrange(latest + 1))
                for name in SECTIONS_HELD
                if rng.randrange(2) == 0
            }
        case "entry":
            made |= _chosen(rng, HealthRecord, "section")
        case "check":
            made |= _chosen(rng, HealthRecord, "check_group")
        case "spell":
            made |= _chosen(rng, HealthRecord, "state")
            if made["state"] != "visited":
                made |= _chosen(rng, HealthRecord, "condition")
    return made


def visit(rng: Random) -> Fields:
    """Return a record of `health.checkout`: under way, completed or paid."""
    arrival = DAY - timedelta(days=rng.randrange(60))
    made: Fields = {
        "visit_id": pseudonym(rng.randrange(10**6)),
        "person_id": pseudonym(rng.randrange(10**4)),
        "check_in_on": arrival,
        **_chosen(rng, HealthCheckout, "sex", "age_group", "visit_type", "route", "payer", "id_method"),
    }
    if made["visit_type"] in ("inpatient", "day_inpatient"):
        made["admitted_on"] = arrival + timedelta(days=rng.randrange(2))
    if rng.randrange(5) > 0:
        made |= _check_out(rng, made)
    if rng.randrange(2) == 0:
        made |= {"paid_on": arrival + timedelta(days=rng.randrange(9)), "paid_amount": 1 + rng.randrange(10**7)}
        made |= _chosen(rng, HealthCheckout, "pay_method")
    return made


def _check_out(rng: Random, made: Fields) -> Fields:
    days, came = rng.randrange(12), made.get("admitted_on") or made["check_in_on"]
    sources = {name: rng.randrange(10**6) for name in COST_SOURCES if rng.randrange(3) > 0}
    total = sum(sources.values())
    named = rng.sample(COST_ITEMS, rng.randrange(len(COST_ITEMS)))
    done: Fields = {
        "completed_on": came + timedelta(days=days),
        "icd_chapter": rng.choice(CHAPTERS),
        **_chosen(rng, HealthCheckout, "outcome", "discharge_type"),
        "los_days": days + 1,
        "visit_minutes": rng.randrange(600),
        "cost_total": total,
        **sources,
        **{name: rng.randrange(total // len(COST_ITEMS) + 1) for name in named},
        "readmitted": rng.randrange(8) == 0,
    }
    for name in ("disease", "ncd", "injury"):
        if rng.randrange(3) == 0:
            done |= _chosen(rng, HealthCheckout, name)
    if rng.randrange(6) == 0:
        births = 1 + rng.randrange(2)
        done |= {"live_births": births, "low_weight_births": rng.randrange(births + 1)}
        done |= {"neonatal_deaths": rng.randrange(2), **_chosen(rng, HealthCheckout, "delivery")}
    if rng.randrange(3) > 0:
        done |= {"send_lag_h": rng.randrange(100), **_chosen(rng, HealthCheckout, "send_status")}
    return done


def vaccination(rng: Random) -> Fields:
    """Return a record of `vaccination.dose`; half of them are doses."""
    kind = rng.choice(values_of(VaccinationDose, "kind")) if rng.randrange(2) else "dose"
    made: Fields = {"kind": kind, "occurred_on": DAY - timedelta(days=rng.randrange(60))}
    if kind in ("overdue", "target") and rng.randrange(4) == 0:
        made["ended_on"] = DAY
    if kind in ("dose", "overdue"):
        made["person_id"] = pseudonym(rng.randrange(10**4))
    if kind in ("dose", "aefi", "movement", "temp_alert"):
        made["item_id"] = pseudonym(rng.randrange(10**6))
    if kind in ("dose", "aefi", "movement"):
        made |= _chosen(rng, VaccinationDose, "vaccine")
    match kind:
        case "dose":
            made |= _chosen(rng, VaccinationDose, "programme", "age_group")
            made |= {"dose_no": 1 + rng.randrange(3), "record_lag_h": rng.randrange(60)}
            if made["age_group"] == "under1":
                made["completes_course"] = rng.randrange(3) == 0
            if made["programme"] == "epi":
                made |= {"on_schedule": rng.randrange(2) == 0, "delay_days": rng.randrange(40)}
            if made["vaccine"] == "hepb0":
                made["hours_after_birth"] = rng.randrange(48)
        case "aefi":
            made |= _chosen(rng, VaccinationDose, "severity")
        case "movement":
            made |= _chosen(rng, VaccinationDose, "movement")
            sign = {"receipt": 1, "count": 1, "use": -1, "discard": -1, "transfer": rng.choice((-1, 1))}
            made["quantity"] = sign[made["movement"]] * (1 + rng.randrange(500))
        case "target":
            made |= {"quantity": rng.randrange(900), **_chosen(rng, VaccinationDose, "cohort")}
    return made


def _chosen(rng: Random, model: type[Record], *fields: str) -> Fields:
    return {field: rng.choice(values_of(model, field)) for field in fields}


MAKERS: Mapping[str, Callable[[Random], Fields]] = {
    health_record.FEED.key: health_item,
    health_checkout.FEED.key: visit,
    vaccination_dose.FEED.key: vaccination,
}
MODELS: Mapping[str, type[Record]] = {
    health_record.FEED.key: HealthRecord,
    health_checkout.FEED.key: HealthCheckout,
    vaccination_dose.FEED.key: VaccinationDose,
}


def stored(key: str, rng: Random) -> Fields:
    """Return a record as its table holds it, but for derived columns: checked by its model, enriched, dated."""
    made = MODELS[key].model_validate(MAKERS[key](rng)).model_dump()
    register = {name: rng.choice(values) for name, values in REGISTERED[key].items()}
    effective = made["check_in_on" if key == health_checkout.FEED.key else "occurred_on"]
    return made | register | {"effective_on": effective, "reporter": f"yt-{rng.randrange(100)}"}
