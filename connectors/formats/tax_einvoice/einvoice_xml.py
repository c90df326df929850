"""E-invoice XML of the tax authority: messages (`TDiep`), bare invoices, notices and summary tables.

Messages 200 and 201 (to be coded), 202 (coded), 203 (without code) and 206 (cash register) hold invoices; 300 and 303
hold notices of wrong invoices; 400 and 401 hold summary tables. Every version (PBan) is read, unknown tags are ignored,
and elements are found by local name wherever they stand. Source: QĐ 1450/QĐ-TCT, QĐ 1510/QĐ-TCT, NĐ 70/2025/NĐ-CP.
"""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from connectors.formats.carrier import xml_root
from connectors.formats.field import TEXT, dropped, field
from connectors.formats.findings import Findings, reason, refused, shown
from connectors.formats.format import BadRecord, Context, Format, Item, Remark, attempt
from connectors.formats.readers.node import Node
from connectors.formats.readers.xml import XmlFile, children, local_name
from connectors.formats.tax_einvoice.invoice import FEED, name_of, open_invoice, read_invoice
from connectors.formats.tax_einvoice.notice import read_notice
from connectors.formats.tax_einvoice.summary import read_summary
from ioc.errors import RejectedError

_UNCODED_MESSAGES = ("200", "201")
_MESSAGES = (*_UNCODED_MESSAGES, "202", "203", "206", "300", "303", "400", "401")
_INVOICES = ("HDon", "DLHDon")
_SUMMARIES = ("BTHDLieu", "DLBTHop")
_RECORDS = (*_INVOICES, "TBao", *_SUMMARIES)


def _read(document: XmlFile, context: Context) -> Iterator[Item]:
    message = ""
    announced, found = "", 0
    # The message, or several, may lie in an envelope of their sender's, where each is one of many.
    around = [document.around(_RECORDS)] if document.root not in _RECORDS else []
    messages = [e for root in around for e in root.iter() if local_name(e) == "TDiep"]
    if len(messages) == 1:
        head = _head(messages[0])
        message, announced = head.text("MLTDiep"), head.text("SLuong")
        if message and message not in _MESSAGES:
            raise refused(
                "TDiep/TTChung/MLTDiep",
                "message_type",
                f"thông điệp loại này không chứa hóa đơn; hãy gửi các loại {', '.join(_MESSAGES)}",
                f"this type of message holds no invoices; send types {', '.join(_MESSAGES)}",
                shown(message),
            )
    for path, element in document.records(_RECORDS):
        found += 1
        yield from _record(element, path, message, context)
    if around:
        yield from _check_count(announced, found, context)


def _head(root: etree._Element) -> Node:
    """Return the message's own TTChung, which may stand before or behind the data."""
    findings = Findings()
    direct = next(children(root, "TTChung"), None)
    if direct is None:
        direct = next((e for e in root.iterdescendants() if local_name(e) == "TTChung"), None)
    return Node(direct, findings)


def _record(element: etree._Element, path: str, message: str, context: Context) -> Iterator[Item]:
    name = local_name(element)
    if name in _INVOICES:
        root, places = open_invoice(element)
        where = f"{context.file}: {name_of(places) or path}"
        yield from attempt(where, read_invoice(root, places, where, context, message not in _UNCODED_MESSAGES))
        return
    where = f"{context.file}: {path}"
    try:
        yield from (read_notice if name == "TBao" else read_summary)(element, where, context)
    except RejectedError as error:
        yield BadRecord(where, error.reasons)


def _check_count(announced: str, found: int, context: Context) -> Iterator[Item]:
    """Yield a finding where a message holds fewer documents than it says, or none: the rest is lost, not empty."""
    told = int(announced) if announced.isascii() and announced.isdigit() and len(announced) < 8 else None
    if told is not None and told > found:
        lost = refused(
            "TDiep/TTChung/SLuong",
            "count",
            f"thông điệp báo {told} hóa đơn nhưng chỉ chứa {found}; hãy yêu cầu gửi lại phần thiếu",
            f"the message announces {told} items and holds {found}; ask for the rest",
        )
        yield BadRecord(context.file, lost.reasons)
    elif not found and told is None:
        nothing = refused(
            "TDiep/DLieu",
            "empty",
            "thông điệp không chứa hóa đơn, thông báo hay bảng tổng hợp nào; kiểm tra lại việc xuất dữ liệu",
            "the message holds no invoice, notice or summary; check how it was exported",
        )
        yield BadRecord(context.file, nothing.reasons)
    elif not found:
        warning = reason("TDiep/DLieu", "empty", "thông điệp không chứa hóa đơn nào", "the message holds no invoices")
        yield Remark(context.file, warning)


# What becomes of each element; the pages and the checks of personal data use it. Places are found by one rule for all
# (connectors/formats/readers/node.py), so that this is the map for people, and money.py, party.py and fuel.py read.
FIELDS = (
    field(
        "seller_id", "NBan.MST", TEXT, required=True, personal="keyed HMAC", note="only one of 12 digits is a person's"
    ),
    field("template", "TTChung.KHMSHDon", TEXT, required=True),
    field("series", "TTChung.KHHDon", TEXT, required=True),
    field("number", "TTChung.SHDon", TEXT, required=True, note="leading zeros do not count"),
    field("issued_on", "TTChung.NLap", TEXT, required=True),
    field("relation", "TTHDLQuan.TCHDon", TEXT, note="1 replaces, 2 adjusts; notices: TCTBao 1 cancels"),
    field("pay_method", "TTChung.HTTToan", TEXT),
    field("amount_net", "TToan.TgTCThue", TEXT, required=True),
    field("amount_vat", "TToan.TgTThue", TEXT, required=True),
    field("amount_gross", "TToan.TgTTTBSo", TEXT, required=True),
    field("net_*, vat_*", "LTSuat.TSuat, ThTien, TThue", TEXT, note="by rate, as declared"),
    field("litres_*, fuel_*", "HHDVu.THHDVu, SLuong, ThTien", TEXT, note="by the profile's fuels.csv"),
    field("signed_at, sent_at", "NBan, CQT: SigningTime", TEXT),
    field("shop_id", "NBan.MCHang", TEXT, personal="keyed HMAC", note="only what is no code and not in the register"),
    field("buyer_type", "NMua", TEXT, personal="group only", note="business, person or anonymous; all else is dropped"),
    dropped("SDThoai"),
    dropped("DCTDTu"),
    dropped("STKNHang"),
    dropped("TTKhac"),
    dropped("LDo"),
)

FORMAT = Format(
    name="einvoice_xml",
    feeds=(FEED,),
    title_vi="hóa đơn điện tử XML (TDiep, HDon, TBao, bảng tổng hợp)",
    title_en="e-invoice XML (TDiep, HDon, TBao, summary tables)",
    carriers=(xml_root("TDiep", *_RECORDS, wrapped=True),),
    versions=("PBan 2.0.0", "PBan 2.0.1", "PBan 2.1.0"),
    fields=FIELDS,
    read=_read,
    notes_vi=(
        "Thông điệp 200, 201, 202, 203, 206 (hóa đơn), 300, 303 (thông báo sai sót), 400, 401 (bảng tổng hợp); nhiều "
        "tệp có thể gói trong một .zip.",
        "Hóa đơn thay thế hủy hóa đơn cũ; hóa đơn điều chỉnh mang phần chênh lệch; thông báo hủy hủy hóa đơn.",
        "Mã tính chất (TCHDon) thiếu hoặc lạ thì từ chối, không bao giờ coi là hóa đơn gốc.",
    ),
    notes_en=(
        "Messages 200, 201, 202, 203, 206 (invoices), 300, 303 (notices of wrong invoices), 400, 401 (summary "
        "tables); many files may come in one .zip.",
        "A replacement voids the old invoice; an adjustment carries the difference; a notice of cancellation voids "
        "the invoice.",
        "A relation code (TCHDon) that is missing or unknown is refused, never read as an original.",
    ),
)
