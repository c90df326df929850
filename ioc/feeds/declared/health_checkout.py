"""Visits to health facilities: one visit from check-in over check-out to payment, a record with revisions.

A visit counts as checked in on `check_in_on`, as completed on `completed_on`, as paid on `paid_on`; an inpatient is in
hospital from `admitted_on` until `completed_on`. The reporter is the facility.
Personal data is gone: ids are pseudonyms, age is a band, the main diagnosis is its ICD-10 chapter and, where it is one
of them, a notifiable disease, a non-communicable disease or a cause of injury. HIV, for one, shows as chapter 1 only.
Source: QĐ 4750/QĐ-BYT 2023 (XML1; XML0 for check-in, sums of XML3 by MA_NHOM), code lists of QĐ 824/QĐ-BYT; notifiable
diseases of TT 54/2015/TT-BYT.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import ConfigDict, Field, JsonValue, StringConstraints

from ioc.feeds.bounds import Day
from ioc.feeds.event import Record
from ioc.feeds.feed import Feed
from ioc.feeds.rule import RecordRule, Term, any_empty, any_set, named, not_before, total
from ioc.pseudonym import PSEUDONYM_PATTERN

Pseudonym = Annotated[str, StringConstraints(pattern=PSEUDONYM_PATTERN)]
Dong = Annotated[int, Field(ge=0, le=10**12)]
Births = Annotated[int, Field(ge=0, le=9)]
Chapter = Annotated[str, StringConstraints(pattern=r"^ch(0[1-9]|1[0-9]|2[12])$")]
VisitType = Literal[
    "exam",
    "outpatient",
    "inpatient",
    "day_inpatient",
    "chronic",
    "station_stay",
    "drug_pickup",
    "short_inpatient",
    "other",
]
Outcome = Literal["cured", "improved", "unchanged", "worse", "died", "terminal", "undetermined", "died_outside"]
Injury = Literal["traffic", "work", "drowning", "fall", "burn", "bite", "food_poisoning", "violence"]
# The ICD-10 codes of the main diagnosis stand beside the groups.
Chronic = Literal[
    "hypertension",  # I10-I15
    "diabetes",  # E10-E14
    "copd",  # J44
    "asthma",  # J45, J46
    "cancer",  # C00-C97
    "stroke",  # I60-I64
    "mi",  # I21, I22
    "ckd",  # N18
]
Disease = Literal[
    "dengue",  # A90, A91, A97
    "hfmd",  # B08.4
    "measles",  # B05
    "chickenpox",  # B01
    "mumps",  # B26
    "influenza",  # J09-J11
    "covid19",  # U07.1, U07.2
    "tuberculosis",  # A15-A19
    "viral_hepatitis",  # B15-B19
    "pertussis",  # A37
    "diphtheria",  # A36
    "malaria",  # B50-B54
    "je",  # A83.0
    "typhoid",  # A01.0
    "rabies_exposure",  # Z20.3
]

COST_SOURCES = ("cost_bhyt", "cost_copay", "cost_selfpay", "cost_other")
COST_ITEMS = ("cost_drug", "cost_supply", "cost_lab", "cost_imaging", "cost_procedure", "cost_bed", "cost_exam")
ON_COMPLETION = ("icd_chapter", "outcome", "discharge_type", "los_days", "visit_minutes", "cost_total")
ONLY_COMPLETED = (
    *ON_COMPLETION,
    *COST_SOURCES,
    *COST_ITEMS,
    "disease",
    "ncd",
    "injury",
    "readmitted",
    "delivery",
    "live_births",
    "low_weight_births",
    "neonatal_deaths",
    "send_status",
    "send_lag_h",
)
PAYMENT = ("paid_on", "pay_method", "paid_amount")


_EXAMPLE: dict[str, JsonValue] = {
    "visit_id": "k1:10f838cb615a9043937ddaaf39f2c497",
    "person_id": "k1:66e4007f228d25fc36dd4b8138933bd5",
    "sex": "male",
    "age_group": "60_79",
    "visit_type": "inpatient",
    "route": "emergency",
    "payer": "bhyt",
    "id_method": "cccd_chip",
    "check_in_on": "2024-10-05",
    "admitted_on": "2024-10-05",
}


class HealthCheckout(Record):
    """A visit; what comes with check-out is empty before it. Cost in đồng, `visit_minutes` from check-in to check-out.

    visit_type:  MA_LOAI_KCB 01 exam, 02 outpatient, 03 inpatient, 04 day_inpatient, 05 and 08 chronic,
                 06 station_stay, 07 drug_pickup, 09 short_inpatient (under four hours), 10 other.
    route:       MA_DOITUONG_KCB 1.3 referral, 2 emergency, 3.x off, other 1.x right, open where the open-route rules
                 apply, other for drug pick-ups (7.x) and 8, 9.
    completed_on: NGAY_RA; of types 02, 05 and 07, whose NGAY_RA is the last day of medicine and may lie ahead, the day
                 on which the summary was made.
    icd_chapter: of MA_BENH_CHINH. Chapter 20 names causes and is never one.
    outcome:     KET_QUA_DTRI 1 to 8; discharge_type: MA_LOAI_RV 1 to 5.
    los_days:    SO_NGAY_DTRI.
    cost_*:      the four sources add up to `cost_total`; of the items, what no named one covers is `cost_misc`.
    readmitted:  an inpatient again within 30 days of the last discharge.
    send_status: present state of the summary at the insurer's portal; `send_lag_h` hours from check-out to sending.
    paid_*:      settlement by the patient: the day, how, and the amount.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    visit_id: Pseudonym
    person_id: Pseudonym
    sex: Literal["male", "female", "unknown"]
    age_group: Literal["under6", "6_14", "15_24", "25_44", "45_59", "60_79", "80_plus"]
    visit_type: VisitType
    route: Literal["right", "emergency", "referral", "open", "off", "other"]
    payer: Literal["bhyt", "self_pay", "other"]
    id_method: Literal["cccd_chip", "vneid", "bhyt_card", "other"]
    check_in_on: Day
    admitted_on: Day | None = None
    completed_on: Day | None = None
    icd_chapter: Chapter | None = None
    disease: Disease | None = None
    ncd: Chronic | None = None
    injury: Injury | None = None
    outcome: Outcome | None = None
    discharge_type: Literal["normal", "transfer_up", "absconded", "asked", "transfer_req"] | None = None
    los_days: Annotated[int, Field(ge=0, le=3660)] | None = None
    visit_minutes: Annotated[int, Field(ge=0, le=6_000_000)] | None = None
    readmitted: bool | None = None
    delivery: Literal["vaginal", "caesarean"] | None = None
    live_births: Births | None = None
    low_weight_births: Births | None = None
    neonatal_deaths: Births | None = None
    cost_total: Dong | None = None
    cost_bhyt: Dong | None = None
    cost_copay: Dong | None = None
    cost_selfpay: Dong | None = None
    cost_other: Dong | None = None
    cost_drug: Dong | None = None
    cost_supply: Dong | None = None
    cost_lab: Dong | None = None
    cost_imaging: Dong | None = None
    cost_procedure: Dong | None = None
    cost_bed: Dong | None = None
    cost_exam: Dong | None = None
    send_status: Literal["on_time", "late", "rejected", "corrected"] | None = None
    send_lag_h: Annotated[int, Field(ge=0, le=100_000)] | None = None
    paid_on: Day | None = None
    pay_method: Literal["cash", "card", "transfer", "qr", "wallet"] | None = None
    paid_amount: Annotated[int, Field(ge=1, le=10**12)] | None = None

    KEY: ClassVar[Term] = named("visit_id")
    RULES: ClassVar[tuple[RecordRule, ...]] = (
        # Days in their order.
        *not_before("check_in_on", "admitted_on"),
        RecordRule(
            (named("completed_on") < named("admitted_on"))
            | (~named("admitted_on").is_set() & (named("completed_on") < named("check_in_on"))),
            "completed_on lies before check_in_on or admitted_on",
            "completed_on sớm hơn check_in_on hoặc admitted_on",
        ),
        RecordRule(
            named("visit_type").is_in(("inpatient", "day_inpatient")) & ~named("admitted_on").is_set(),
            "an inpatient needs admitted_on",
            "người bệnh nội trú phải có admitted_on",
        ),
        *not_before("check_in_on", "paid_on"),
        # As far as the visit has come.
        RecordRule(
            ~named("completed_on").is_set() & any_set(ONLY_COMPLETED),
            "a visit that is not completed has no {fields}",
            "lượt khám chưa kết thúc chưa có {fields}",
            lambda values: [name for name in ONLY_COMPLETED if values[name] is not None],
        ),
        RecordRule(
            named("completed_on").is_set() & any_empty(ON_COMPLETION),
            "a completed visit needs {fields}",
            "lượt khám đã kết thúc phải có {fields}",
            lambda values: [name for name in ON_COMPLETION if values[name] is None],
        ),
        RecordRule(
            any_set(PAYMENT) & any_empty(PAYMENT),
            "a payment has all of {fields}",
            "thanh toán phải có đủ {fields}",
            lambda _: PAYMENT,
        ),
        RecordRule(
            named("send_status").is_set().differs_from(named("send_lag_h").is_set()),
            "send_status goes with send_lag_h",
            "send_status đi cùng send_lag_h",
        ),
        # Costs add up.
        RecordRule(
            named("cost_total").is_set() & ~total(COST_SOURCES).equals(named("cost_total")),
            "cost_total is not the sum of {fields}",
            "cost_total không bằng tổng {fields}",
            lambda _: COST_SOURCES,
        ),
        RecordRule(
            total(COST_ITEMS) > named("cost_total"),
            "the cost items together exceed cost_total",
            "tổng các khoản chi phí lớn hơn cost_total",
        ),
        # Births fit.
        RecordRule(
            total(["low_weight_births"]) > total(["live_births"]),
            "low_weight_births exceeds live_births",
            "low_weight_births lớn hơn live_births",
        ),
        RecordRule(
            (named("live_births") > 0) & ~named("delivery").is_set(),
            "live_births needs delivery",
            "live_births phải đi cùng delivery",
        ),
    )


FEED = Feed(
    key="health.checkout",
    model=HealthCheckout,
    effective="check_in_on",
    cadence=timedelta(minutes=15),
    name_vi="Lượt khám chữa bệnh",
    name_en="Health-facility visits",
    quality_source="health_checkout",
    transport=("send_lag_h",),
    enrich={"facility_tier": ("tier", pl.String())},
    derive={
        "cost_misc": (
            pl.Int64(),
            pl.col("cost_total") - pl.sum_horizontal(pl.col(name) for name in COST_ITEMS),
        ),
    },
)
