"""The police template for foreign guests as XML (`KHAI_BAO_TAM_TRU`).

It has no purpose of stay: guests of lodging establishments are taken as tourists (`leisure`).
"""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from connectors.formats.findings import Findings, refused
from connectors.formats.format import BadRecord, Context, Event, Format, attempt
from connectors.formats.lodging.cell import InputField
from connectors.formats.lodging.stay import FEED, PASSPORT, Declaration, read_stay, require_establishment
from connectors.formats.node import Node
from connectors.formats.safe_xml import children, parse_xml, path_of, root_name

_ROOT = "KHAI_BAO_TAM_TRU"
_GUEST = "THONG_TIN_KHACH"


def _read(data: bytes, context: Context) -> Iterator[Event | BadRecord]:
    require_establishment(context)
    root = parse_xml(data)
    guests = tuple(children(root, _GUEST))
    if not guests:
        raise refused(
            f"{_ROOT}/{_GUEST}",
            "empty",
            "tệp không có khách nào; kiểm tra lại việc xuất dữ liệu",
            "the file holds no guests; check how it was exported",
        )
    for guest in guests:
        where = f"{context.file}: {path_of(guest)}"
        yield from attempt(where, _stay(guest, where, context))


def _stay(element: etree._Element, where: str, context: Context) -> Iterator[Event]:
    findings = Findings()
    guest = Node(element, findings)

    def cell(name: str) -> InputField:
        return InputField(name, guest.text(name))

    declaration = Declaration(
        birth=cell("ngay_sinh"),
        birth_precision=guest.text("ngay_sinh_dung_den").upper() or "D",
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
    recognise=lambda data: root_name(data) == _ROOT,
    read=_read,
)
