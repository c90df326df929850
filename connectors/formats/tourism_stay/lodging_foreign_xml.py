"""The police template for foreign guests as XML (`KHAI_BAO_TAM_TRU`).

It has no purpose of stay: guests of lodging establishments are taken as tourists (`leisure`).
"""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from connectors.formats.carrier import xml_root
from connectors.formats.field import TEXT, dropped, field
from connectors.formats.findings import Findings, refused
from connectors.formats.format import Context, Event, Format, Item, attempt
from connectors.formats.readers.cell import InputField
from connectors.formats.readers.node import Node, Places
from connectors.formats.readers.table import is_sample
from connectors.formats.readers.xml import XmlFile
from connectors.formats.tourism_stay.stay import FEED, PASSPORT, Declaration, read_stay, require_establishment

_ROOT = "KHAI_BAO_TAM_TRU"
_GUEST = "THONG_TIN_KHACH"

# What becomes of each element; the pages and the checks of personal data use it.
FIELDS = (
    dropped("ho_ten"),
    dropped("so_phong"),
    dropped("thoi_han_tam_tru"),
    field(
        "age_years", "ngay_sinh", TEXT, required=True, personal="age band", note="age in years on the day of arrival"
    ),
    field("", "ngay_sinh_dung_den", TEXT, note="D, M or Y: how exact the birth date is"),
    field("sex", "gioi_tinh", TEXT, required=True),
    field("nationality", "ma_quoc_tich", TEXT, required=True, note="ISO 3166-1 alpha-3 or the passport's code"),
    field("guest_id", "so_ho_chieu", TEXT, required=True, personal="keyed HMAC", note="together with the nationality"),
    field("check_in_on", "ngay_den", TEXT, required=True, note="dd/mm/yyyy"),
    field("planned_check_out_on", "ngay_di_du_kien", TEXT, required=True, note="dd/mm/yyyy"),
    field("check_out_on", "ngay_tra_phong", TEXT, note="left out while the guest stays; a day ahead is a plan"),
)


def _read(document: XmlFile, context: Context) -> Iterator[Item]:
    require_establishment(context)
    found = False
    for path, guest in document.records((_GUEST,)):
        if is_sample(element.text or "" for element in guest.iter()):
            continue
        found = True
        where = f"{context.file}: {path}"
        yield from attempt(where, _stay(guest, where, context))
    if not found:
        raise refused(
            f"{_ROOT}/{_GUEST}",
            "empty",
            "tệp không có khách nào; kiểm tra lại việc xuất dữ liệu",
            "the file holds no guests; check how it was exported",
        )


def _stay(element: etree._Element, where: str, context: Context) -> Iterator[Event]:
    findings = Findings()
    places = Places(Node(element, findings), frozenset({_GUEST}))

    def cell(name: str) -> InputField:
        return InputField(name, places.the(name).text())

    declaration = Declaration(
        birth=cell("ngay_sinh"),
        birth_precision=cell("ngay_sinh_dung_den").text.upper() or "D",
        sex=cell("gioi_tinh"),
        nationality=cell("ma_quoc_tich"),
        number=cell("so_ho_chieu"),
        arrival=cell("ngay_den"),
        planned_departure=cell("ngay_di_du_kien"),
        departure=cell("ngay_tra_phong"),
        paper=PASSPORT,
        purpose="leisure",
    )
    yield read_stay(declaration, findings, where, context)


FORMAT = Format(
    name="lodging_foreign_xml",
    feeds=(FEED,),
    title_vi="khai báo tạm trú khách nước ngoài XML (KHAI_BAO_TAM_TRU)",
    title_en="residence declaration of foreign guests, XML (KHAI_BAO_TAM_TRU)",
    carriers=(xml_root(_ROOT, wrapped=True),),
    versions=("2018", "2026 (thoi_han_tam_tru)"),
    fields=FIELDS,
    read=_read,
    notes_vi=("Cần --establishment <mã cơ sở>; thẻ có [EXAMPLE] hoặc [TEST] được bỏ qua.",),
    notes_en=("Needs --establishment <code>; a guest marked [EXAMPLE] or [TEST] is skipped.",),
)
