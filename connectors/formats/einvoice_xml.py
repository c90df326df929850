"""E-invoice XML of the tax authority: messages (`TDiep`), bare invoices (`HDon`) and bare notices (`TBao`).

Messages 200 (to be coded), 201, 202 (coded), 203 (without code) and 206 (cash register) hold invoices; 300
and 303 hold notices of wrong invoices. Every version (PBan) is read, unknown tags are ignored, and elements
are matched by local name in any order. Source: QĐ 1450/QĐ-TCT, QĐ 1510/QĐ-TCT, NĐ 70/2025/NĐ-CP.
"""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from connectors.formats.einvoice.invoice import FEED, read_invoice
from connectors.formats.einvoice.notice import read_notice
from connectors.formats.findings import Findings, refused, shown
from connectors.formats.format import BadRecord, Context, Event, Format, attempt
from connectors.formats.node import Node
from connectors.formats.safe_xml import children, local_name, parse_xml, path_of, root_name
from ioc.errors import RejectedError

_ROOTS = ("TDiep", "HDon", "TBao")
_UNCODED_MESSAGES = ("200", "201")
_MESSAGES = (*_UNCODED_MESSAGES, "202", "203", "206", "300", "303")


def _recognise(data: bytes) -> bool:
    return root_name(data) in _ROOTS


def _read(data: bytes, context: Context) -> Iterator[Event | BadRecord]:
    root = parse_xml(data)
    head = Node(next(children(root, "TTChung"), None), Findings())
    message = head.text("MLTDiep") if local_name(root) == "TDiep" else ""
    if message and message not in _MESSAGES:
        raise refused(
            "TDiep/TTChung/MLTDiep",
            "message_type",
            f"thông điệp loại này không chứa hóa đơn; hãy gửi các loại {', '.join(_MESSAGES)}",
            f"this type of message holds no invoices; send types {', '.join(_MESSAGES)}",
            shown(message),
        )
    documents = tuple(_documents(root))
    if message:
        yield from _check_count(head, len(documents), context)
    for document in documents:
        where = f"{context.file}: {path_of(document)}"
        if local_name(document) == "HDon":
            coded = message not in _UNCODED_MESSAGES
            yield from attempt(where, read_invoice(document, where, context, coded))
            continue
        try:
            yield from read_notice(document, context)
        except RejectedError as error:
            yield BadRecord(where, error.reasons)


def _documents(element: etree._Element) -> Iterator[etree._Element]:
    """Yield invoices and notices, not those inside another document or inside a signature."""
    name = local_name(element)
    if name in ("HDon", "TBao"):
        yield element
    elif name != "Signature":
        for child in element:
            yield from _documents(child)


def _check_count(head: Node, found: int, context: Context) -> Iterator[BadRecord]:
    """Yield a bad record where a message holds fewer documents than it says: the rest is lost, not empty."""
    announced = head.text("SLuong")
    if announced.isascii() and announced.isdigit() and len(announced) < 8 and int(announced) > found:
        reason = refused(
            "TDiep/TTChung/SLuong",
            "count",
            f"thông điệp báo {int(announced)} hóa đơn nhưng chỉ chứa {found}; hãy yêu cầu gửi lại phần thiếu",
            f"the message announces {int(announced)} items and holds {found}; ask for the rest",
        )
        yield BadRecord(context.file, reason.reasons)


FORMAT = Format(
    name="einvoice_xml",
    feeds=(FEED,),
    title_vi="hóa đơn điện tử XML (TDiep, HDon, TBao)",
    title_en="e-invoice XML (TDiep, HDon, TBao)",
    recognise=_recognise,
    read=_read,
)
