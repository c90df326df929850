"""Electronic health records of the commune health stations: the records themselves, and what happens to them.

Six kinds of record travel in this feed. What is true of a person for a time (a record that is kept, a patient under
management) says from when and, once it is over, until when; so the state of any past day stays as it was.
Personal data is gone: ids are pseudonyms, age is a band, diagnoses are five groups. Content of the health records never
travels, only that a section is held.
Source: QĐ 831/QĐ-BYT (content of the health record); the indicators rest on TT 20/2019/TT-BYT and QĐ 06/QĐ-TTg.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import ConfigDict, JsonValue, StringConstraints

from ioc.feeds.bounds import Day
from ioc.feeds.event import Record
from ioc.feeds.feed import Feed
from ioc.feeds.kind import kind_rules, shape
from ioc.feeds.rule import RecordRule, Term, joined, named, not_before
from ioc.pseudonym import PSEUDONYM_PATTERN

Pseudonym = Annotated[str, StringConstraints(pattern=PSEUDONYM_PATTERN)]
AgeGroup = Literal["under6", "6_14", "15_24", "25_44", "45_59", "60_79", "80_plus"]

SECTIONS_HELD = ("allergy_on", "blood_group_on", "vaccination_on", "chronic_on", "linked_on")
KINDS = {
    "record": shape("item_id sex age_group", f"ended_on {' '.join(SECTIONS_HELD)}"),
    "entry": shape("item_id section"),
    "check": shape("item_id check_group"),
    "view": shape("item_id"),
    "rejection": shape("item_id"),
    "spell": shape("item_id state", "condition ended_on"),
}


_EXAMPLE: dict[str, JsonValue] = {
    "kind": "record",
    "item_id": "k1:f297daaffdf45291d33edaf8e4db0fb6",
    "occurred_on": "2024-10-05",
    "sex": "female",
    "age_group": "25_44",
}


class HealthRecord(Record):
    """One of:

    record:    a person's health record, from `occurred_on` until `ended_on` (died, moved away, merged); later revisions
               fill in since when it holds a section and since when it is linked to VNeID. `age_group` is the age at the
               latest revision.
    entry:     an update of one section of a record.
    check:     a periodic health check.
    view:      a citizen's look at the own record in VNeID.
    rejection: a message that the health record system refused.
    spell:     a state a patient is in, from `occurred_on` until `ended_on`: `managed` or `controlled` (of a condition),
               or `visited` (never twelve months without a visit). Spells of one patient and state do not overlap.

    `item_id` is the pseudonym of the item's id in the station's software. `ended_on` comes once it has happened,
    never ahead.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    kind: Literal["record", "entry", "check", "view", "rejection", "spell"]
    item_id: Pseudonym
    occurred_on: Day
    ended_on: Day | None = None
    sex: Literal["male", "female"] | None = None
    age_group: AgeGroup | None = None
    allergy_on: Day | None = None
    blood_group_on: Day | None = None
    vaccination_on: Day | None = None
    chronic_on: Day | None = None
    linked_on: Day | None = None
    section: Literal["vitals", "history", "allergy", "immunisation", "visit", "lab", "maternal", "child"] | None = None
    check_group: Literal["elderly", "pupil", "worker"] | None = None
    state: Literal["managed", "controlled", "visited"] | None = None
    condition: Literal["hypertension", "diabetes", "copd_asthma", "mental", "tuberculosis"] | None = None

    KEY: ClassVar[Term] = joined(named("kind"), "/", named("item_id"))
    RULES: ClassVar[tuple[RecordRule, ...]] = (
        *kind_rules(KINDS),
        *not_before("occurred_on", "ended_on"),
        *(
            RecordRule(
                (named(name) < named("occurred_on")) | (named(name) > named("ended_on")),
                f"{name} lies outside the record's time",
                f"{name} nằm ngoài thời gian tồn tại của hồ sơ",
            )
            for name in SECTIONS_HELD
        ),
        RecordRule(
            named("kind").equals("spell") & named("condition").is_set().differs_from(~named("state").equals("visited")),
            "managed and controlled spells name a condition, visited spells do not",
            "đợt managed, controlled phải nêu condition; đợt visited thì không",
        ),
    )


FEED = Feed(
    key="health.record",
    model=HealthRecord,
    effective="occurred_on",
    cadence=timedelta(hours=26),
    name_vi="Hồ sơ sức khỏe điện tử",
    name_en="Electronic health records",
    quality_source="health_record",
    enrich={"keeper_type": ("type", pl.String())},
)
