"""FHIR R4 as far as formats need it: the resources of a file (single, Bundle or one a line), and versions by name.

R5, STU3 and DSTU2 have the same resource names and other fields, so that reading them as R4 loses data in silence:
they are refused. Plain models are enough for the few resources that are read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import to_json

from connectors.formats.age import Birth, birth_of
from connectors.formats.findings import Findings, reason, refused, shown_name
from connectors.formats.format import BadRecord, Carrier, Context, Event, Item, Remark, attempt
from connectors.formats.readers.json import JsonFile
from connectors.formats.value import moment_of
from ioc.errors import Reason, RejectedError

# Version -> keys that its resources have and R4's do not.
_OTHER_VERSIONS: Mapping[str, Mapping[str, frozenset[str]]] = {
    "Immunization": {
        "DSTU2": frozenset({"wasNotGiven", "reported", "requester"}),
        "STU3": frozenset({"notGiven", "vaccinationProtocol", "practitioner", "date"}),
        "R5": frozenset({"informationSource", "basedOn", "administeredProduct", "supportingInformation", "reason"}),
    },
    "Composition": {
        "DSTU2": frozenset({"confidentiality_code"}),
        "STU3": frozenset({"class"}),
        "R5": frozenset({"url", "version", "useContext", "category_note", "note"}),
    },
    "Patient": {"DSTU2": frozenset({"careProvider", "animal"})},
}


# While a resource is read, this key of it holds the `fullUrl` of its entry in the Bundle, e.g. `urn:uuid:61eb…`.
FULL_URL = "_fullUrl"
_LISTED = 10


class FhirPart(BaseModel):
    """Base of what is read of a resource: other elements are ignored, and types are not bent."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Identifier(FhirPart):
    use: str = ""
    system: str = ""
    value: str = ""


class Coding(FhirPart):
    system: str = ""
    code: str = ""
    display: str = ""


class Concept(FhirPart):
    coding: tuple[Coding, ...] = ()
    text: str = ""


class Reference(FhirPart):
    reference: str = ""
    identifier: Identifier | None = None
    display: str = ""


class Meta(FhirPart):
    versionId: str = ""  # noqa: N815 - FHIR's name
    lastUpdated: str = ""  # noqa: N815 - FHIR's name


class Patient(FhirPart):
    """A person; name, phone and address are not even read."""

    id: str = ""
    identifier: tuple[Identifier, ...] = ()
    gender: str = ""
    birthDate: str = ""  # noqa: N815 - FHIR's name


class People:
    """The Patients of a file by how they may be referred to: `Patient/7`, an address, the `fullUrl` of an entry."""

    def __init__(self) -> None:
        self._known: dict[str, Patient] = {}

    def add(self, resource: Mapping[str, Any]) -> None:
        """Take in a Patient; one that cannot be read is as good as absent."""
        patient = _patient(resource)
        if patient is None:
            return
        self._known[f"Patient/{patient.id}"] = patient
        if address := resource.get(FULL_URL):
            self._known[str(address)] = patient

    def find(self, reference: str, contained: Sequence[Mapping[str, Any]] = ()) -> Patient | None:
        """Return the Patient of a reference, None where the file holds none.

        `#p1` is one that the resource itself holds: another resource's `#p1` is another person.
        """
        if reference.startswith("#"):
            held = (_patient(inner) for inner in contained if inner.get("resourceType") == "Patient")
            return next((patient for patient in held if patient is not None and f"#{patient.id}" == reference), None)
        return self._known.get(reference) or self._known.get("/".join(reference.split("/")[-2:]))


ResourceReader = Callable[[Mapping[str, Any], People, str, Context], Iterator[Event]]


def read_resources(document: JsonFile, kind: str, read: ResourceReader, context: Context) -> Iterator[Item]:
    """Yield what `read` makes of each resource of one kind; Patients may stand anywhere in the file."""
    people, found = People(), False
    others: Counter[str] = Counter()
    for _, resource in resources_of(document, context):
        if not isinstance(resource, RejectedError) and resource.get("resourceType") == "Patient":
            people.add(resource)
    for where, resource in resources_of(document, context):
        if isinstance(resource, RejectedError):
            yield BadRecord(where, resource.reasons)
        elif resource.get("resourceType") == kind:
            found = True
            yield from attempt(where, _of_this_version(resource, people, where, context, read))
        elif resource.get("resourceType") != "Patient":
            others[shown_name(str(resource.get("resourceType")))[:40]] += 1
    if others:
        yield Remark(context.file, _not_read(others))
    for where, value in document.items():
        if _has_next_page(value):
            yield Remark(f"{context.file}{where}", _PAGE)
    if not found:
        findings = Findings()
        findings.missing(f"Bundle.entry.resource ({kind})")
        yield BadRecord(context.file, tuple(findings.reasons))


def _of_this_version(
    resource: Mapping[str, Any], people: People, where: str, context: Context, read: ResourceReader
) -> Iterator[Event]:
    check_version(resource)
    yield from read(resource, people, where, context)


def fhir_moment(text: str, context: Context) -> datetime | None:
    """Return a dateTime or instant in UTC, None where it is absent, cannot be read, or is a year or month alone."""
    try:
        return moment_of(text, context.timezone)
    except (ValueError, OverflowError):
        return None


def fhir_birth(text: str, context: Context) -> Birth | None:
    """Return a birthDate, which may be a year or month alone; None where it is absent or cannot be read."""
    try:
        return birth_of(text, context.timezone)
    except (ValueError, OverflowError):
        return None


def _patient(resource: Mapping[str, Any]) -> Patient | None:
    try:
        return Patient.model_validate_json(to_json(resource))
    except ValidationError:
        return None


def resources_of(document: JsonFile, context: Context) -> Iterator[tuple[str, Mapping[str, Any] | RejectedError]]:
    """Yield (where, resource) of a file; the entries of a Bundle each by itself."""
    for place, value in document.items():
        where = f"{context.file}{place}"
        if isinstance(value, RejectedError):
            yield where, value
        elif not isinstance(value, dict):
            yield where, refused("", "json_object", "phải là một đối tượng JSON", "must be a JSON object")
        elif value.get("resourceType") == "Bundle":
            entries = value.get("entry")
            for index, entry in enumerate(entries if isinstance(entries, list) else ()):
                resource = entry.get("resource") if isinstance(entry, dict) else None
                if isinstance(resource, dict):
                    # Within a Bundle a resource is named by its entry's address, often `urn:uuid:...`.
                    address = entry.get("fullUrl")
                    told = {FULL_URL: address} if isinstance(address, str) and address else {}
                    yield f"{where}.entry[{index}]", {**resource, **told}
                else:
                    yield f"{where}.entry[{index}]", _DELETION if _is_deletion(entry) else _EMPTY_ENTRY
        else:
            yield where, value


def _is_deletion(entry: Any) -> bool:
    request = entry.get("request") if isinstance(entry, dict) else None
    return isinstance(request, dict) and request.get("method") == "DELETE"


_DELETION = refused(
    "request.method",
    "deletion",
    "mục xóa (DELETE) không nêu định danh của bản ghi; hãy gửi bản ghi với status entered-in-error",
    "an entry that deletes does not tell the record's identifier; send the record as entered-in-error",
)


_EMPTY_ENTRY = refused(
    "resource",
    "required",
    "mục (entry) không có tài nguyên nào; hãy xuất lại Bundle kèm tài nguyên",
    "the entry holds no resource; export the Bundle with its resources",
)
_PAGE = reason(
    "link",
    "bundle_page",
    "Bundle chỉ là một trang của kết quả tìm kiếm (có link next); hãy gửi cả các trang còn lại",
    "the Bundle is one page of a search (it has a link to the next); send the other pages as well",
)


def _not_read(others: Counter[str]) -> Reason:
    listed = ", ".join(f"{kind} ({count})" for kind, count in sorted(others.items())[:_LISTED])
    return reason(
        "resourceType",
        "resource_not_read",
        "tài nguyên loại khác trong tệp không được đọc; nếu thuộc nguồn dữ liệu khác, hãy gửi thành tệp riêng",
        "resources of other kinds in the file were not read; those of another feed go into a file of their own",
        listed,
    )


def _has_next_page(value: Any) -> bool:
    links = value.get("link") if isinstance(value, dict) and value.get("resourceType") == "Bundle" else None
    return isinstance(links, list) and any(isinstance(link, dict) and link.get("relation") == "next" for link in links)


def fhir_carrier(*types: str) -> Carrier:
    """JSON whose first resource (Patients beside it do not matter), or a resource of its Bundle, is of one type."""

    def recognise(document: Any) -> int:
        if not isinstance(document, JsonFile) or "resourceType" not in document.first:
            return 0
        for _, value in document.items():
            if isinstance(value, dict) and value.get("resourceType") != "Patient":
                return _is_fhir(value, *types)
        return 0

    return Carrier("json", f"JSON with resourceType {', '.join(types)}, or a Bundle that holds one", recognise)


def _is_fhir(first: Mapping[str, Any], *types: str) -> bool:
    """Return whether an object is a resource of one of the types, or a Bundle that holds one."""
    if first.get("resourceType") in types:
        return True
    entries = first.get("entry")
    if first.get("resourceType") != "Bundle" or not isinstance(entries, list):
        return False
    held = (entry.get("resource") for entry in entries if isinstance(entry, dict))
    return any(isinstance(resource, dict) and resource.get("resourceType") in types for resource in held)


def check_version(resource: Mapping[str, Any]) -> None:
    """Raise RejectedError where a resource is of another version than R4."""
    kind = str(resource.get("resourceType", ""))
    for version, marks in _OTHER_VERSIONS.get(kind, {}).items():
        if marks & resource.keys() or (version == "R5" and _has_r5_parts(resource)):
            raise refused(
                kind,
                "fhir_version",
                f"tài nguyên {kind} theo FHIR {version}; hãy xuất theo FHIR R4 (4.0.1)",
                f"the {kind} is of FHIR {version}; export it as FHIR R4 (4.0.1)",
            )


def _has_r5_parts(resource: Mapping[str, Any]) -> bool:
    protocols = resource.get("protocolApplied")
    manufacturer = resource.get("manufacturer")
    return any(
        isinstance(protocol, dict) and ("doseNumber" in protocol or "seriesDoses" in protocol)
        for protocol in (protocols if isinstance(protocols, list) else ())
    ) or (
        isinstance(manufacturer, dict)
        and ("concept" in manufacturer or isinstance(manufacturer.get("reference"), dict))
    )
