"""FHIR R4 Bundle of Patient and Composition: a person's health record, and the sections that it holds.

The record's key is the Composition's identifier, else the Patient's. It counts from the day on which it was first told;
a section counts from the date of the Composition that first had it. Content of the sections is not read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_json

from connectors.formats.age import age_group, years_between
from connectors.formats.event import Stamp, record_event, void_event
from connectors.formats.fhir import (
    Concept,
    FhirPart,
    Identifier,
    Meta,
    Patient,
    People,
    Reference,
    fhir_birth,
    fhir_carrier,
    fhir_moment,
    read_resources,
)
from connectors.formats.field import TEXT, dropped, field
from connectors.formats.findings import Findings
from connectors.formats.format import Context, Event, Format, Item
from connectors.formats.health_record.record import FEED, person_key
from connectors.formats.readers.json import JsonFile
from ioc.errors import RejectedError
from ioc.feeds.validation import mask, reasons_of

# LOINC codes of sections -> the column that tells since when the record holds one.
_SECTIONS = {
    "48765-2": "allergy_on",
    "882-1": "blood_group_on",
    "34530-6": "blood_group_on",
    "11369-6": "vaccination_on",
    "11450-4": "chronic_on",
}
_FIRST = "health_record/first"
_STATUSES = ("preliminary", "final", "amended", "entered-in-error")


class Section(FhirPart):
    code: Concept = Concept()


class Composition(FhirPart):
    """What is read of the resource: whose, when, and which sections."""

    id: str = ""
    meta: Meta = Meta()
    identifier: Identifier = Identifier()
    status: str = ""
    date: str = ""
    subject: Reference = Reference()
    custodian: Reference = Reference()
    section: tuple[Section, ...] = ()
    contained: tuple[dict[str, Any], ...] = ()


def _read(document: JsonFile, context: Context) -> Iterator[Item]:
    yield from read_resources(document, "Composition", _events, context)


def _events(resource: Mapping[str, Any], people: People, where: str, context: Context) -> Iterator[Event]:
    try:
        composition = Composition.model_validate_json(to_json(resource))
    except ValidationError as error:
        raise RejectedError(reasons_of(error)) from None
    findings = Findings()
    if composition.status not in _STATUSES:
        findings.refuse(
            "Composition.status",
            "status",
            "trạng thái phải là preliminary, final, amended hoặc entered-in-error",
            "the status must be preliminary, final, amended or entered-in-error",
            mask(composition.status),
        )
    voided = composition.status == "entered-in-error"
    patient = people.find(composition.subject.reference, composition.contained)
    identifiers = sorted(one.value for one in patient.identifier if one.value) if patient else []
    own = f"{composition.identifier.system}|{composition.identifier.value}" if composition.identifier.value else ""
    key = own or person_key(identifiers[0] if identifiers else "/".join(composition.subject.reference.split("/")[-2:]))
    # A void that gives the record's own identifier names it: patient and time may be absent.
    content = findings if not (voided and own) else Findings()
    if patient is None:
        content.missing("Composition.subject (Patient)")
    told = _told_at(composition, content, context)
    facility = composition.custodian.identifier.value if composition.custodian.identifier else ""
    reporter = context.crosswalk.read(
        FEED, facility or context.reporter, "Composition.custodian.identifier.value", findings
    )
    item = context.pseudonymise("health_record", key)
    updated_at = fhir_moment(composition.meta.lastUpdated, context) or told or context.received_at
    if voided:
        findings.settle()
        yield void_event(context.feeds[FEED], reporter, f"record/{item}", stamp=Stamp(where, updated_at))
        return
    fields = _person(patient or Patient(), told, findings, context)
    findings.settle()
    assert told is not None, "findings hold the reason"
    day = told.astimezone(context.timezone).date()
    first = date.fromisoformat(context.memory.first(_FIRST, f"{reporter}/{item}", day.isoformat()))
    fields |= {"kind": "record", "item_id": item, "occurred_on": first}
    for section in composition.section:
        for coding in section.code.coding:
            column = _SECTIONS.get(coding.code)
            if column is not None:
                held = context.memory.first(_FIRST, f"{reporter}/{item}/{column}", day.isoformat())
                fields[column] = max(first, date.fromisoformat(held))
    yield record_event(
        context.feeds[FEED], reporter, fields, stamp=Stamp(where, updated_at), warnings=findings.warnings
    )


def _told_at(composition: Composition, findings: Findings, context: Context) -> datetime | None:
    told = fhir_moment(composition.date, context)
    if told is None:
        findings.refuse(
            "Composition.date",
            "datetime",
            "thời điểm không đọc được",
            "the time cannot be read",
            mask(composition.date),
        )
    return told


def _person(patient: Patient, told: datetime | None, findings: Findings, context: Context) -> dict[str, Any]:
    sex = {"male": "male", "female": "female"}.get(patient.gender)
    if sex is None:
        findings.refuse("Patient.gender", "sex", "giới tính phải là male hoặc female", "the sex must be male or female")
    birth = fhir_birth(patient.birthDate, context)
    if birth is None:
        findings.refuse(
            "Patient.birthDate",
            "date",
            "ngày sinh không đọc được",
            "the birth date cannot be read",
            mask(patient.birthDate),
        )
    if birth is None or told is None:
        return {}
    day = told.astimezone(context.timezone).date()
    return {"sex": sex, "age_group": age_group(years_between(birth.day, max(day, birth.day)))}


FORMAT = Format(
    name="record_fhir",
    feeds=(FEED,),
    title_vi="hồ sơ sức khỏe FHIR R4 (Bundle gồm Patient, Composition)",
    title_en="health records, FHIR R4 (Bundle of Patient and Composition)",
    carriers=(fhir_carrier("Composition"),),
    versions=("FHIR R4 (4.0.1)",),
    fields=(
        field("item_id", "Composition.identifier", TEXT, personal="keyed HMAC", note="else the Patient's identifier"),
        field("occurred_on", "Composition.date", TEXT, required=True, note="of the first version"),
        field("sex", "Patient.gender", TEXT, required=True),
        field("age_group", "Patient.birthDate", TEXT, required=True, personal="age band"),
        field("allergy_on", "Composition.section 48765-2", TEXT, personal="group only", note="that there is one"),
        field("blood_group_on", "Composition.section 882-1", TEXT, personal="group only", note="that there is one"),
        field("vaccination_on", "Composition.section 11369-6", TEXT, personal="group only", note="that there is one"),
        field("chronic_on", "Composition.section 11450-4", TEXT, personal="group only", note="that there is one"),
        field("reporter", "Composition.custodian.identifier.value", TEXT, note="by the crosswalk; else --reporter"),
        dropped("Patient.name"),
        dropped("Patient.telecom"),
        dropped("Patient.address"),
        dropped("Composition.section.text"),
        dropped("Composition.title"),
    ),
    read=_read,
    notes_vi=("FHIR R5, STU3, DSTU2 bị từ chối, có nêu tên; nội dung các mục không được đọc.",),
    notes_en=("FHIR R5, STU3 and DSTU2 are refused by name; content of the sections is not read.",),
)
