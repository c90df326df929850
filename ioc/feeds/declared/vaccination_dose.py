"""Vaccination: injections, and what the same system tells of reactions, stocks, the cold chain and children overdue.

Six kinds of record travel in this feed. Doses count on the day of the injection, however late they are entered. The
reporter is the vaccination site.
Personal data is gone: ids are pseudonyms, age is a band. Site, lot and times stay in the national system.
Source: NĐ 104/2016/NĐ-CP, TT 34/2018/TT-BYT, TT 10/2024/TT-BYT; WHO/EPI for drop-out and wastage.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import ConfigDict, Field, JsonValue, StringConstraints

from ioc.feeds.bounds import Day
from ioc.feeds.event import Record
from ioc.feeds.feed import Feed
from ioc.feeds.kind import kind_rules, shape
from ioc.feeds.rule import RecordRule, Term, either, joined, named, not_before
from ioc.pseudonym import PSEUDONYM_PATTERN

Pseudonym = Annotated[str, StringConstraints(pattern=PSEUDONYM_PATTERN)]
Vaccine = Literal[
    "bcg",
    "hepb0",
    "dpt_vgb_hib",
    "opv",
    "ipv",
    "rota",
    "measles",
    "mr",
    "dpt4",
    "je",
    "td",
    "tt",
    "influenza",
    "rabies",
    "hpv",
    "pneumococcal",
    "varicella",
    "mmr",
    "mening_bc",
    "mening_acwy",
    "hexa",
    "hepa",
    "hepb_adult",
    "typhoid",
    "dengue",
    "tetanus",
    "zoster",
    "covid19",
    "other",
]

KINDS = {
    "dose": shape(
        "item_id person_id vaccine dose_no programme",
        "age_group record_lag_h completes_course hours_after_birth on_schedule delay_days",
    ),
    "aefi": shape("item_id vaccine severity"),
    "movement": shape("item_id vaccine movement quantity"),
    "temp_alert": shape("item_id"),
    "overdue": shape("person_id", "ended_on"),
    "target": shape("cohort quantity", "ended_on"),
}


_EXAMPLE: dict[str, JsonValue] = {
    "kind": "dose",
    "item_id": "k1:f2c7ae0047a9ab8f615995f3852bce97",
    "person_id": "k1:9c1d4da0e4772e807d6d1141bf2b58eb",
    "occurred_on": "2024-10-05",
    "vaccine": "dpt_vgb_hib",
    "dose_no": 1,
    "programme": "epi",
    "age_group": "under1",
    "on_schedule": True,
    "delay_days": 2,
    "record_lag_h": 1,
}


class VaccinationDose(Record):
    """One of:

    dose:       one vaccine given to one person. `completes_course`: with it a child has had every vaccine due in the
                first year of life. `on_schedule` and `delay_days` (days after the due day, 0 when not late) are for the
                expanded programme; they and `age_group` are left out where the source tells no birth date.
                `hours_after_birth` is for the hepatitis B birth dose, `record_lag_h` hours until the dose was entered.
    aefi:       an adverse event following immunisation.
    movement:   doses that came into a site's stock (positive) or left it (negative); their running total is the stock.
                The first movement of a site and vaccine is its opening balance.
    temp_alert: a temperature outside the limits of the cold chain.
    overdue:    a child of the expanded programme who is overdue, from the first missed due day (`occurred_on`) until
                nothing is missing (`ended_on`). Spells of one child do not overlap.
    target:     the number of persons of a cohort that a site is to reach, from `occurred_on` until another number
                takes its place (`ended_on`).

    `item_id` is the pseudonym of the item's id in the vaccination system. `ended_on` comes once it has happened, never
    ahead. Combined vaccines without an indicator of their own are `other`.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    kind: Literal["dose", "aefi", "movement", "temp_alert", "overdue", "target"]
    item_id: Pseudonym | None = None
    person_id: Pseudonym | None = None
    occurred_on: Day
    ended_on: Day | None = None
    vaccine: Vaccine | None = None
    dose_no: Annotated[int, Field(ge=1, le=20)] | None = None
    programme: Literal["epi", "service", "campaign"] | None = None
    age_group: Literal["under1", "1_5", "6_17", "18_59", "60_plus"] | None = None
    completes_course: bool | None = None
    hours_after_birth: Annotated[int, Field(ge=0, le=1_000)] | None = None
    on_schedule: bool | None = None
    delay_days: Annotated[int, Field(ge=0, le=10_000)] | None = None
    record_lag_h: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    severity: Literal["mild", "serious"] | None = None
    movement: Literal["receipt", "use", "transfer", "discard", "count"] | None = None
    cohort: Literal["under1", "m18", "y1", "y7", "pregnant"] | None = None
    quantity: Annotated[int, Field(ge=-10_000_000, le=10_000_000)] | None = None

    KEY: ClassVar[Term] = either(
        named("kind").equals("target"),
        joined("target/", named("cohort"), "/", named("occurred_on").text()),
        either(
            named("kind").equals("overdue"),
            joined("overdue/", named("person_id"), "/", named("occurred_on").text()),
            joined(named("kind"), "/", named("item_id")),
        ),
    )
    RULES: ClassVar[tuple[RecordRule, ...]] = (
        *kind_rules(KINDS),
        *not_before("occurred_on", "ended_on"),
        RecordRule(
            named("on_schedule").is_set().differs_from(named("delay_days").is_set())
            | (
                ~named("on_schedule").is_set()
                & ~named("delay_days").is_set()
                & named("programme").equals("epi")
                & named("age_group").is_set()
            ),
            "a dose of the expanded programme needs on_schedule and delay_days, unless the birth date is not told",
            "liều tiêm chủng mở rộng phải có on_schedule và delay_days, trừ khi không biết ngày sinh",
        ),
        RecordRule(
            named("hours_after_birth").is_set() & ~named("vaccine").equals("hepb0"),
            "hours_after_birth is for hepb0",
            "hours_after_birth chỉ dùng cho hepb0",
        ),
        RecordRule(
            named("completes_course").is_true() & ~named("age_group").equals("under1"),
            "only a child under 1 can complete the first year's course",
            "chỉ trẻ dưới 1 tuổi mới hoàn thành lịch tiêm năm đầu",
        ),
        RecordRule(
            named("movement").equals("receipt") & (named("quantity") < 0),
            "a receipt adds to the stock",
            "phiếu nhập làm tăng tồn kho",
        ),
        RecordRule(
            named("movement").is_in(("use", "discard")) & (named("quantity") > 0),
            "{movement} takes from the stock; its quantity is negative",
            "{movement} làm giảm tồn kho; quantity phải âm",
        ),
        RecordRule(
            named("kind").equals("target") & (named("quantity") < 0),
            "a target is not negative",
            "số đối tượng không được âm",
        ),
    )


FEED = Feed(
    key="vaccination.dose",
    model=VaccinationDose,
    effective="occurred_on",
    cadence=timedelta(hours=26),
    name_vi="Tiêm chủng",
    name_en="Vaccination",
    quality_source="vaccination",
    transport=("record_lag_h",),
    enrich={"site_type": ("site_type", pl.String())},
)
