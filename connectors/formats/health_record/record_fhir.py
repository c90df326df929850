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
    FULL_URL,
    Concept,
    FhirPart,
    Identifier,
    Meta,
    Patient,
    Reference,
    check_version,
    fhir_carrier,
    resources_of,
)
from connectors.formats.field import TEXT, dropped, field
from connectors.formats.findings import Findings
from connectors.formats.format import BadRecord, Context, Event, Format, Item, attempt
from connectors.formats.health_record.record import FEED, person_key
from connectors.formats.readers.json import JsonFile
from connectors.formats.value import day_of, moment_of
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


def _read(document: JsonFile, context: Context) -> Iterator[Item]:
    patients: dict[str, Patient] = {}
    for _, resource in resources_of(document, context):
        if not isinstance(resource, RejectedError) and resource.get("resourceType") == "Patient":
            try:
                patient = Patient.model_validate_json(to_json(resource))
            except ValidationError:
                continue
            patients[f"Patient/{patient.id}"] = patient
            if address := resource.get(FULL_URL):
                patients[str(address)] = patient
    found = False
    for where, resource in resources_of(document, context):
        if isinstance(resource, RejectedError):
            yield BadRecord(where, resource.reasons)
        elif resource.get("resourceType") == "Composition":
            found = True
            yield from attempt(where, _events(resource, patients, where, context))
    if not found:
        findings = Findings()
        findings.missing("Bundle.entry.resource (Composition)")
        yield BadRecord(context.file, tuple(findings.reasons))


def _events(
    resource: Mapping[str, Any], patients: Mapping[str, Patient], where: str, context: Context
) -> Iterator[Event]:
    check_version(resource)
    try:
        composition = Composition.model_validate_json(to_json(resource))
    except ValidationError as error:
        raise RejectedError(reasons_of(error)) from None
    findings = Findings()
    reference = "/".join(composition.subject.reference.split("/")[-2:])
    patient = patients.get(composition.subject.reference) or patients.get(reference)
    if patient is None:
        findings.missing("Composition.subject (Patient)")
    told = _moment(composition.date, "Composition.date", findings, context)
    facility = composition.custodian.identifier.value if composition.custodian.identifier else ""
    reporter = context.crosswalk.read(
        FEED, facility or context.reporter, "Composition.custodian.identifier.value", findings
    )
    sex = {"male": "male", "female": "female"}.get(patient.gender if patient else "")
    if sex is None:
        findings.refuse("Patient.gender", "sex", "giới tính phải là male hoặc female", "the sex must be male or female")
    born = _born(patient.birthDate if patient else "", findings, context)
    findings.settle()
    assert patient is not None and told is not None and born is not None, "findings hold each reason"
    day = told.astimezone(context.timezone).date()
    identifiers = sorted(one.value for one in patient.identifier if one.value)
    own = f"{composition.identifier.system}|{composition.identifier.value}" if composition.identifier.value else ""
    key = own or person_key(identifiers[0] if identifiers else reference)
    updated = _moment(composition.meta.lastUpdated, "", Findings(), context) or told
    item = context.pseudonymise("health_record", key)
    stamp = Stamp(where, updated)
    if composition.status == "entered-in-error":
        yield void_event(context.feeds[FEED], reporter, f"record/{item}", stamp=stamp)
        return
    first = date.fromisoformat(context.memory.first(_FIRST, f"{reporter}/{item}", day.isoformat()))
    fields: dict[str, Any] = {
        "kind": "record",
        "item_id": item,
        "occurred_on": first,
        "sex": sex,
        "age_group": age_group(years_between(born, max(day, born))),
    }
    for section in composition.section:
        for coding in section.code.coding:
            column = _SECTIONS.get(coding.code)
            if column is not None:
                held = context.memory.first(_FIRST, f"{reporter}/{item}/{column}", day.isoformat())
                fields[column] = max(first, date.fromisoformat(held))
    yield record_event(context.feeds[FEED], reporter, fields, stamp=stamp, warnings=findings.warnings)


def _moment(text: str, place: str, findings: Findings, context: Context) -> datetime | None:
    try:
        return moment_of(text, context.timezone)
    except (ValueError, OverflowError):
        findings.refuse(place, "datetime", "thời điểm không đọc được", "the time cannot be read", mask(text))
        return None


def _born(text: str, findings: Findings, context: Context) -> date | None:
    """Return the birth date; of a year or month alone, its middle."""
    try:
        parts = text.split("-")
        if len(parts) < 3 and all(part.isdigit() for part in parts):
            return date(int(parts[0]), int(parts[1]) if len(parts) > 1 else 7, 15 if len(parts) > 1 else 1)
        return day_of(text, context.timezone)
    except (ValueError, OverflowError):
        findings.refuse(
            "Patient.birthDate", "date", "ngày sinh không đọc được", "the birth date cannot be read", mask(text)
        )
        return None


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
