"""Doses as CSV, XLSX or JSON rows, as software of vaccination sites exports them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connectors.formats.field import BIRTH, MOMENT, PERSON, TEXT, WHOLE, choice, dropped, field, read_fields
from connectors.formats.findings import Findings, shown
from connectors.formats.flat import Built, RecordMap, cells_of, flat_carriers, order_of, remarks_on
from connectors.formats.format import BadRecord, Context, Event, Format, Item, attempt
from connectors.formats.readers.json import JsonFile
from connectors.formats.readers.table import Table
from connectors.formats.vaccination_dose.dose import FEED, Dose, dose_event
from connectors.formats.vaccination_dose.vaccine import vaccine_codes
from ioc.errors import RejectedError

_PROGRAMMES = {"TCMR": "epi", "Tiêm chủng mở rộng": "epi", "Dịch vụ": "service", "Chiến dịch": "campaign"}
_STATUSES = {
    "done": "done",
    "completed": "done",
    "Đã tiêm": "done",
    "cancelled": "void",
    "entered-in-error": "void",
    "Hủy": "void",
    "not-done": "void",
    "postponed": "void",
    "planned": "planned",
    "Hoãn": "void",
    "Dự kiến": "planned",
}
FIELDS = (
    field("facility", "facility_code|ma_co_so|mã cơ sở", TEXT, note="by the crosswalk; else --reporter"),
    field(
        "item",
        "item_id|ma_mui_tiem|mã mũi tiêm",
        TEXT,
        personal="keyed HMAC",
        note="the key; else person, vaccine, day, number",
    ),
    field(
        "person",
        "person_id|ma_doi_tuong|mã đối tượng|so_dinh_danh|số CCCD",
        PERSON,
        required=True,
        personal="keyed HMAC",
    ),
    field("born", "birth_date|ngay_sinh|ngày sinh", BIRTH, personal="age band"),
    field("vaccine", "vaccine|vac_xin|vắc xin|vaccine_code|ma_vac_xin", TEXT, required=True),
    field("dose_no", "dose_no|mui_so|mũi số|mũi thứ", WHOLE, required=True),
    field("given", "injected_at|ngay_tiem|ngày tiêm|thời gian tiêm", MOMENT, required=True),
    field("recorded", "recorded_at|ngay_nhap|ngày nhập", MOMENT),
    field("programme", "programme|chuong_trinh|chương trình", choice(_PROGRAMMES), required=True),
    field("status", "status|trang_thai|trạng thái", choice(_STATUSES)),
    field("updated_at", "updated_at|cap_nhat_luc", MOMENT),
    field("revision", "revision|phien_ban", WHOLE),
    dropped("full_name|ho_ten|họ tên"),
    dropped("guardian|nguoi_giam_ho"),
    dropped("phone|dien_thoai|số điện thoại"),
    dropped("address|dia_chi|địa chỉ"),
    dropped("injector|nguoi_tiem"),
)


def _build(values: dict[str, Any], findings: Findings, context: Context) -> Built:
    raise NotImplementedError("doses are built by `_events`, with the schedule")


_MAP = RecordMap(FEED, FIELDS, ("person", "vaccine", "dose_no", "given"), _build)


def _read(document: Table | JsonFile, context: Context) -> Iterator[Item]:
    found = False
    yield from remarks_on(document, _MAP, context)
    for where, cells in cells_of(document, _MAP, context):
        found = True
        if isinstance(cells, RejectedError):
            yield BadRecord(where, cells.reasons)
            continue
        findings = Findings()
        values = read_fields(FIELDS, cells, findings, context)
        yield from attempt(where, _events(values, where, findings, context))
    if not found:
        findings = Findings()
        findings.refuse("", "empty", "tệp không có mũi tiêm nào", "the file holds no doses")
        yield BadRecord(context.file, tuple(findings.reasons))


def _events(values: dict[str, Any], where: str, findings: Findings, context: Context) -> Iterator[Event]:
    known = vaccine_codes()
    told = values.get("vaccine", "")
    vaccine = known.by_text(told) or (known.cvx.get(told.lstrip("0")) if told.isdigit() else None)
    if told and vaccine is None:
        near = ", ".join(known.nearest(told))
        findings.refuse(
            "vaccine",
            "vaccine",
            "không nhận ra vắc xin" + (f"; gần giống: {near}" if near else ""),
            "no such vaccine" + (f"; nearest: {near}" if near else ""),
            shown(told),
        )
    status = values.get("status", "done")
    if status == "planned":
        findings.refuse(
            "status",
            "not_given",
            "mũi tiêm mới ở mức dự kiến; chỉ gửi mũi đã tiêm",
            "the dose is only planned; send doses that were given",
        )
    findings.settle()
    dose = Dose(
        facility=values.get("facility", ""),
        facility_place="facility_code",
        key=values.get("item", ""),
        person=values["person"],
        vaccine=vaccine or "",
        dose_no=values["dose_no"],
        programme=values["programme"],
        given_at=values["given"],
        recorded_at=values.get("recorded"),
        birth=values.get("born"),
        is_dose=status == "done",
        exact_time=False,
    )
    at, revision = order_of(values, context)
    yield dose_event(dose, where, at, revision, findings, context)


FORMAT = Format(
    name="immunization_table",
    feeds=(FEED,),
    title_vi="mũi tiêm: CSV, XLSX, JSON",
    title_en="doses: CSV, XLSX, JSON",
    carriers=flat_carriers(_MAP, "person_id, vaccine, dose_no, injected_at"),
    fields=FIELDS,
    read=_read,
    notes_vi=("Trạng thái Hủy, Hoãn, not-done hủy mũi tiêm; Dự kiến bị từ chối.",),
    notes_en=("A status of cancelled, postponed or not-done voids the dose; planned is refused.",),
)
