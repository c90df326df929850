"""The insurer's XML of health facilities (`GIAMDINHHS`, QĐ 130 and QĐ 4750): XML1 to XML5, and XML0 for check-ins.

Each HOSO is one visit, each of its files a table, in base64 or plain; the whole envelope may be base64 once more, as
it is posted. Of XML2 and XML3 only sums are read; XML4, XML5 and the rest stay where they are.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping

from lxml import etree

from connectors.formats.carrier import xml_root
from connectors.formats.findings import refused, shown
from connectors.formats.format import BadRecord, Carrier, Context, Format, Item, attempt
from connectors.formats.health_checkout.fields import documented_fields
from connectors.formats.health_checkout.visit import FEED, Dossier, Values, made_on, read_visit
from connectors.formats.plain import compact, composed
from connectors.formats.readers.xml import XmlFile, local_name, parse_xml
from ioc.errors import RejectedError

_ROOT = "GIAMDINHHS"
_LOOK_ALIKES: Mapping[str, str] = {
    "KHAMSUCKHOE": "giấy khám sức khỏe",
    "GIAYKHAMSUCKHOE": "giấy khám sức khỏe",
    "KSK": "giấy khám sức khỏe",
}
_TABLES = tuple(f"XML{number}" for number in range(16))
# Table -> its record's element; the lists around it do not matter.
_RECORDS = {
    "XML0": "TRANG_THAI_KCB",
    "XML1": "TONG_HOP",
    "XML2": "CHI_TIET_THUOC",
    "XML3": "CHI_TIET_DVKT",
    "XML4": "CHI_TIET_CLS",
    "XML5": "CHI_TIET_DIEN_BIEN_BENH",
}
# Fields of the older QĐ 4210, which has other meanings.
_OLD = frozenset({"MA_THE", "TEN_BENH", "T_TONGCHI"})


def _read(document: XmlFile, context: Context) -> Iterator[Item]:
    if _named(document):
        raise _look_alike(document.root)
    around = document.around(("HOSO",))
    if sum(1 for e in around.iter() if local_name(e) == _ROOT) > 1:
        raise refused(
            _ROOT,
            "several",
            "một tệp chứa nhiều GIAMDINHHS; gửi mỗi hồ sơ giám định một tệp, hoặc gói trong .zip",
            "one file holds several GIAMDINHHS; send each as a file of its own, or pack them as .zip",
        )
    head = {local_name(e): composed(e.text or "") for e in around.iter() if not len(e)}
    told, found = head.get("SOLUONGHOSO", ""), 0
    for path, element in document.records(("HOSO",)):
        found += 1
        where = f"{context.file}: {path}"
        try:
            dossier = _dossier(element, head, context)
        except RejectedError as error:
            yield BadRecord(where, error.reasons)
            continue
        yield from attempt(where, read_visit(dossier, where, context))
    if not found:
        raise refused(f"{_ROOT}/HOSO", "empty", "tệp không có HOSO nào", "the file holds no HOSO")
    if told.isdigit() and len(told) < 8 and int(told) != found:
        lost = refused(
            "THONGTINHOSO/SOLUONGHOSO",
            "count",
            f"tệp báo {int(told)} hồ sơ nhưng chứa {found}; hãy yêu cầu gửi lại phần thiếu",
            f"the file announces {int(told)} records and holds {found}; ask for the rest",
        )
        yield BadRecord(context.file, lost.reasons)


def _dossier(element: etree._Element, head: Mapping[str, str], context: Context) -> Dossier:
    dossier = Dossier(head.get("MACSKCB", ""), made_on(head.get("NGAYLAP", ""), context))
    rows: dict[str, list[Values]] = {
        "XML0": dossier.check_ins,
        "XML1": dossier.summaries,
        "XML2": dossier.drugs,
        "XML3": dossier.services,
    }
    for file in element.iter():
        if local_name(file) != "FILEHOSO":
            continue
        parts = {local_name(part): part for part in file}
        table = (parts["LOAIHOSO"].text or "").strip().upper() if "LOAIHOSO" in parts else ""
        if table not in _TABLES:
            raise refused(
                "FILEHOSO/LOAIHOSO",
                "table",
                "loại hồ sơ phải là XML0 đến XML15",
                "the kind of table must be XML0 to XML15",
                shown(table),
            )
        if table not in _RECORDS or "NOIDUNGFILE" not in parts:
            continue
        for values in _rows(_content(parts["NOIDUNGFILE"], table), table):
            if "MA_LK" in values:
                dossier.episodes.add(values["MA_LK"])
            if table in rows:
                rows[table].append(values)
    return dossier


def _content(element: etree._Element, table: str) -> etree._Element:
    """Return the table inside NOIDUNGFILE: elements, XML as text, or base64 of either."""
    if len(element):
        return element
    text = "".join((element.text or "").split()) if not (element.text or "").lstrip().startswith("<") else element.text
    if not text:
        raise refused(f"{table}/NOIDUNGFILE", "empty", "nội dung bảng bị bỏ trống", "the table is empty")
    if text.lstrip().startswith("<"):
        return _wrapped(text.strip().encode())
    try:
        return _wrapped(base64.b64decode(text + "=" * (-len(text) % 4), validate=True))
    except (binascii.Error, ValueError):
        raise refused(
            f"{table}/NOIDUNGFILE",
            "base64",
            "nội dung không phải base64 của XML; hãy xuất lại hồ sơ",
            "the content is no base64 of XML; export the record again",
        ) from None


def _wrapped(data: bytes) -> etree._Element:
    holder = etree.Element("NOIDUNGFILE")
    holder.append(parse_xml(data))
    return holder


def _rows(content: etree._Element, table: str) -> Iterator[Values]:
    for record in content.iterdescendants():
        if local_name(record) != _RECORDS[table]:
            continue
        values = {local_name(part): composed(part.text or "") for part in record if not len(part)}
        if table == "XML1" and _OLD & values.keys() and "MA_THE_BHYT" not in values:
            raise refused(
                "XML1",
                "old_version",
                "hồ sơ theo QĐ 4210 (thẻ MA_THE, TEN_BENH, T_TONGCHI); hãy xuất theo QĐ 130/QĐ 4750",
                "the record is of QĐ 4210 (tags MA_THE, TEN_BENH, T_TONGCHI); export it by QĐ 130/QĐ 4750",
            )
        yield values


def _named(document: XmlFile) -> str:
    return _LOOK_ALIKES.get(compact(document.root).upper(), "")


def _look_alike(root: str) -> RejectedError:
    named = _LOOK_ALIKES[compact(root).upper()]
    return refused(
        root,
        "look_alike",
        f"đây là {named}, không phải hồ sơ giám định (GIAMDINHHS); không đọc",
        "this is a health certificate, not the insurer's record of a visit (GIAMDINHHS); it is not read",
    )


FORMAT = Format(
    name="giamdinhhs_xml",
    feeds=(FEED,),
    title_vi="hồ sơ giám định BHYT XML (GIAMDINHHS, XML0–XML5)",
    title_en="the health insurer's XML (GIAMDINHHS, XML0 to XML5)",
    carriers=(
        xml_root(_ROOT, wrapped=True),
        Carrier("xml", "look-alikes refused by name", lambda d: isinstance(d, XmlFile) and bool(_named(d))),
    ),
    versions=("QĐ 130/QĐ-BYT", "QĐ 4750/QĐ-BYT", "QĐ 3176/QĐ-BYT (fields of QĐ 4750)"),
    fields=documented_fields(),
    read=_read,
    notes_vi=(
        "Gửi lại cả hồ sơ thay bản cũ; thứ tự theo thời điểm nhận tệp; XML1 đứng sau XML0 của cùng lúc.",
        "Khóa: HMAC(MA_CSKCB, MA_LK). QĐ 4210 và giấy khám sức khỏe bị từ chối, có nêu tên.",
        "XML không ghi cách xuất trình giấy tờ: có SO_CCCD thì coi là CCCD, chỉ có thẻ thì là thẻ BHYT. "
        "Hình thức thanh toán không có trong XML1 nên không có số liệu thanh toán.",
    ),
    notes_en=(
        "A resend of the whole record replaces the earlier one, by time of arrival; XML1 goes behind XML0 of one "
        "moment.",
        "Key: HMAC(MA_CSKCB, MA_LK). QĐ 4210 and health certificates are refused by name.",
        "The XML does not tell how a patient identified: with SO_CCCD it counts as the citizen's card, with a card "
        "alone "
        "as the insurance card. XML1 tells no way of payment, so that nothing counts as paid.",
    ),
)
