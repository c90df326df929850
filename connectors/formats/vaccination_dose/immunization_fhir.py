"""FHIR R4 Immunization: a resource, a Bundle, or one a line.

`entered-in-error` voids, and so does `not-done`, which is no dose. The key is the identifier marked `official`, else
the one whose system comes first by the alphabet, else person, vaccine, day and number of the dose. Versions are ordered
by `meta.lastUpdated` and, within its second, `meta.versionId`.
Source: HL7 FHIR R4 (4.0.1) Immunization.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_json

from connectors.formats.fhir import (
    Coding,
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
from connectors.formats.field import TEXT, dropped
from connectors.formats.field import field as mapped
from connectors.formats.findings import Findings, shown
from connectors.formats.format import Context, Event, Format, Item
from connectors.formats.plain import compact
from connectors.formats.readers.json import JsonFile
from connectors.formats.vaccination_dose.dose import FEED, Dose, dose_event
from connectors.formats.vaccination_dose.vaccine import vaccine_codes
from ioc.errors import RejectedError
from ioc.feeds.validation import mask, reasons_of

_CVX = "http://hl7.org/fhir/sid/cvx"
_ICD11 = "http://id.who.int/icd/release/11/mms"
_STATUSES = {"completed": True, "entered-in-error": False, "not-done": False}
_VERSIONS_A_SECOND = 1000


class Protocol(FhirPart):
    """Part of an Immunization: the series, and which dose of it."""

    series: str = ""
    doseNumberPositiveInt: int | None = None  # noqa: N815 - FHIR's name
    doseNumberString: str = ""  # noqa: N815 - FHIR's name


class Immunization(FhirPart):
    """What is read of the resource; performers, lots, sites and notes stay behind."""

    id: str = ""
    meta: Meta = Meta()
    identifier: tuple[Identifier, ...] = ()
    status: str
    vaccineCode: Concept = Concept()  # noqa: N815 - FHIR's name
    patient: Reference = Reference()
    occurrenceDateTime: str = ""  # noqa: N815 - FHIR's name
    occurrenceString: str = ""  # noqa: N815 - FHIR's name
    recorded: str = ""
    location: Reference = Reference()
    fundingSource: Concept = Concept()  # noqa: N815 - FHIR's name
    protocolApplied: tuple[Protocol, ...] = ()  # noqa: N815 - FHIR's name
    contained: tuple[dict[str, Any], ...] = ()


def _read(document: JsonFile, context: Context) -> Iterator[Item]:
    yield from read_resources(document, "Immunization", _events, context)


def _events(resource: Mapping[str, Any], people: People, where: str, context: Context) -> Iterator[Event]:
    try:
        given = Immunization.model_validate_json(to_json(resource))
    except ValidationError as error:
        raise RejectedError(reasons_of(error)) from None
    findings = Findings()
    is_dose = _STATUSES.get(given.status)
    if is_dose is None:
        findings.refuse(
            "status",
            "status",
            "trạng thái phải là completed, entered-in-error hoặc not-done",
            "the status must be completed, entered-in-error or not-done",
            mask(given.status),
        )
    given_at, exact = _given_at(given, findings, context)
    identifier = _identifier(given.identifier)
    key = f"{identifier.system}|{identifier.value}" if identifier else ""
    # What is void by its own identifier needs nothing else.
    relaxed = is_dose is False and bool(key)
    vaccine = _vaccine(given.vaccineCode, findings if not relaxed else Findings())
    dose_no = _dose_no(given, findings if not relaxed else Findings())
    programme = _programme(given, findings if is_dose else Findings())
    patient = people.find(given.patient.reference, given.contained) or Patient()
    person = _person(given, patient)
    if not person and not relaxed:
        findings.missing("patient")
    findings.settle()
    assert given_at is not None and is_dose is not None, "findings hold a reason for each that is missing"
    dose = Dose(
        facility=given.location.identifier.value if given.location.identifier else "",
        facility_place="location.identifier.value",
        key=key,
        person=person,
        vaccine=vaccine,
        dose_no=dose_no,
        programme=programme,
        given_at=given_at,
        recorded_at=fhir_moment(given.recorded, context),
        birth=fhir_birth(patient.birthDate, context),
        is_dose=is_dose,
        exact_time=exact,
    )
    at, revision = _order(given.meta, context)
    yield dose_event(dose, where, at, revision, findings, context)


def _given_at(given: Immunization, findings: Findings, context: Context) -> tuple[datetime | None, bool]:
    moment = fhir_moment(given.occurrenceDateTime, context)
    if moment is None:
        findings.refuse(
            "occurrenceDateTime",
            "datetime" if given.occurrenceDateTime else "required",
            "thiếu thời điểm tiêm (occurrenceDateTime); occurrenceString không xếp được vào ngày nào",
            "the time of the dose (occurrenceDateTime) is needed; occurrenceString belongs to no day",
            mask(given.occurrenceDateTime),
        )
    return moment, "T" in given.occurrenceDateTime


def _identifier(identifiers: tuple[Identifier, ...]) -> Identifier | None:
    """Return the key: the official identifier, else the first by system."""
    named = sorted(
        (one for one in identifiers if one.value), key=lambda one: (one.use != "official", one.system, one.value)
    )
    return named[0] if named else None


def _vaccine_of(coding: Coding) -> str | None:
    known, code = vaccine_codes(), coding.code.strip()
    if coding.system == _CVX:
        return known.cvx.get(code.lstrip("0"))
    return known.icd11.get(code) if coding.system == _ICD11 else known.by_text(code)


def _vaccine(concept: Concept, findings: Findings) -> str:
    known = vaccine_codes()
    told: dict[str, str] = {}
    for coding in concept.coding:
        found = _vaccine_of(coding)
        if found is None or (found == "other" and len(concept.coding) > 1 and coding.system == _CVX):
            continue
        # One system after the other may say it less exactly; one that says two things says neither.
        if told.setdefault(coding.system, found) != found:
            findings.refuse(
                "vaccineCode.coding",
                "several",
                "hai mã của cùng một hệ thống chỉ hai loại vắc xin khác nhau; chỉ giữ một",
                "two codes of one system mean two vaccines; keep one",
            )
    if told:
        return next(iter(told.values()))
    texts = [concept.text, *(coding.display for coding in concept.coding), *(coding.code for coding in concept.coding)]
    found = next((vaccine for vaccine in map(known.by_text, texts) if vaccine), None)
    if found is not None:
        return found
    near = ", ".join(known.nearest(next((text for text in texts if text), "")))
    findings.refuse(
        "vaccineCode",
        "vaccine",
        "không nhận ra vắc xin theo mã CVX, ICD-11, mã riêng hay tên" + (f"; gần giống: {near}" if near else ""),
        "no vaccine is known by this CVX, ICD-11 or own code or name" + (f"; nearest: {near}" if near else ""),
        shown(concept.coding[0].code) if concept.coding else "",
    )
    return ""


def _dose_no(given: Immunization, findings: Findings) -> int:
    for protocol in given.protocolApplied:
        number = protocol.doseNumberPositiveInt
        if number is None and protocol.doseNumberString.strip().isdigit() and len(protocol.doseNumberString) < 4:
            number = int(protocol.doseNumberString)
        if number is not None:
            return number
    findings.missing("protocolApplied[0].doseNumberPositiveInt")
    return 0


def _programme(given: Immunization, findings: Findings) -> str:
    series = compact(" ".join(protocol.series for protocol in given.protocolApplied))
    funding = {coding.code for coding in given.fundingSource.coding}
    if "chiendich" in series or "campaign" in series:
        return "campaign"
    if "tcmr" in series or "tiemchungmorong" in series or "epi" in series or "public" in funding:
        return "epi"
    if "dichvu" in series or "service" in series or "private" in funding:
        return "service"
    findings.refuse(
        "protocolApplied.series",
        "programme",
        "không rõ chương trình: ghi series (TCMR, chiến dịch, dịch vụ) hoặc fundingSource (public, private)",
        "the programme is not told: give series (TCMR, campaign, service) or fundingSource (public, private)",
    )
    return ""


def _person(given: Immunization, patient: Patient) -> str:
    """Return the person's identifier: a citizen's number before any other, then the reference itself."""
    identifiers = [*patient.identifier, *([given.patient.identifier] if given.patient.identifier else [])]
    values = sorted((one.value for one in identifiers if one.value), key=lambda text: (len(text) != 12, text))
    return values[0] if values else given.patient.reference


def _order(meta: Meta, context: Context) -> tuple[datetime, int | None]:
    version = (
        int(meta.versionId)
        if meta.versionId.isascii() and meta.versionId.isdigit() and len(meta.versionId) < 10
        else None
    )
    updated = fhir_moment(meta.lastUpdated, context)
    if updated is None:
        return context.received_at, version
    if version is None:
        return updated, None
    return updated, int(updated.timestamp()) * 1000 + version % _VERSIONS_A_SECOND


FORMAT = Format(
    name="immunization_fhir",
    feeds=(FEED,),
    title_vi="mũi tiêm FHIR R4 Immunization (đơn, Bundle, NDJSON)",
    title_en="FHIR R4 Immunization (single, Bundle, NDJSON)",
    carriers=(fhir_carrier("Immunization"),),
    versions=("FHIR R4 (4.0.1), R4B",),
    fields=(
        mapped("item_id", "identifier", TEXT, personal="keyed HMAC", note="use official, else the first by system"),
        mapped(
            "person_id", "patient", TEXT, required=True, personal="keyed HMAC", note="a 12-digit number before others"
        ),
        mapped("occurred_on", "occurrenceDateTime", TEXT, required=True),
        mapped("vaccine", "vaccineCode", TEXT, required=True, note="CVX, ICD-11, own code, or name"),
        mapped("dose_no", "protocolApplied.doseNumberPositiveInt", TEXT, required=True),
        mapped("programme", "protocolApplied.series", TEXT, note="else fundingSource: public, private"),
        mapped("record_lag_h", "recorded", TEXT),
        mapped("reporter", "location.identifier.value", TEXT, note="by the crosswalk; else --reporter"),
        mapped("age_group", "Patient.birthDate", TEXT, personal="age band", note="with on_schedule and delay_days"),
        dropped("Patient.name"),
        dropped("Patient.telecom"),
        dropped("Patient.address"),
        dropped("performer"),
        dropped("lotNumber"),
        dropped("note"),
    ),
    read=_read,
    notes_vi=(
        "entered-in-error và not-done đều hủy mũi tiêm; FHIR R5, STU3, DSTU2 bị từ chối, có nêu tên.",
        "Patient nằm trong contained, trong Bundle hoặc ở dòng khác của tệp; không có ngày sinh thì không có nhóm "
        "tuổi và đúng lịch.",
        "Đúng lịch: đến 30 ngày sau ngày đến hạn, và không sớm quá 4 ngày.",
    ),
    notes_en=(
        "entered-in-error and not-done both void the dose; FHIR R5, STU3 and DSTU2 are refused by name.",
        "The Patient is contained, in the Bundle or on another line; without a birth date there is neither age nor "
        "schedule.",
        "On schedule: until 30 days after the due day, and no more than 4 days before it.",
    ),
)
