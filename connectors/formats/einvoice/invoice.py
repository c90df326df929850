"""One invoice (`HDon`): original, adjustment or replacement; a replacement also voids the old invoice.

An invoice never changes once numbered, so its revision is 1; what removes it is revision 2.
Source: QĐ 1450/QĐ-TCT and QĐ 1510/QĐ-TCT (versions 2.0.x), NĐ 70/2025/NĐ-CP (2.1.0).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import Any

from lxml import etree

from connectors.formats.einvoice.fuel import read_fuel
from connectors.formats.einvoice.money import (
    VAT_TEMPLATE,
    ZERO,
    InvoiceLine,
    check_sums,
    dong,
    read_exchange_rate,
    read_totals,
)
from connectors.formats.einvoice.number import InvoiceNumber, is_current, read_number
from connectors.formats.einvoice.party import read_buyer_type, read_pay_method, read_shop
from connectors.formats.einvoice.taxpayer import read_taxpayer
from connectors.formats.event import Stamp, record_event, void_event
from connectors.formats.findings import Findings, shown
from connectors.formats.format import Context, Event
from connectors.formats.node import Node
from connectors.formats.safe_xml import local_name

FEED = "tax.einvoice"
VOID_REVISION = 2
_RELATIONS = {"": "original", "1": "replacement", "2": "adjustment"}
_REPLACED = ("KHMSHDCLQuan", "KHHDCLQuan", "SHDCLQuan")
_NOTE_LINE = "4"


@dataclass(frozen=True)
class Relation:
    """How an invoice stands to an earlier one; `replaces` is the number to void."""

    kind: str
    replaces: InvoiceNumber | None = None


def read_invoice(element: etree._Element, where: str, context: Context, coded: bool) -> Iterator[Event]:
    """Yield the invoice's events; raises RejectedError with all that is wrong.

    `coded` says whether the tax authority's code (MCCQT) is to be expected on a `C` series.
    """
    findings = Findings()
    root = Node(element, findings)
    body = root.child("DLHDon")
    if not body.exists:
        findings.missing("DLHDon")
        findings.settle()
    head, content = body.child("TTChung"), body.child("NDHDon")
    seller = content.child("NBan")
    seller_id = read_taxpayer(seller, "MST", context)
    number = read_number(head, "KHMSHDon", "KHHDon", "SHDon")
    issued_on = head.day("NLap")
    relation = _read_relation(head.child("TTHDLQuan"), number)
    exchange_rate = read_exchange_rate(head)
    # Vendors put TToan inside NDHDon, beside it, or beside DLHDon.
    total = next((t for t in (n.child("TToan") for n in (content, body, root)) if t.exists), content.child("TToan"))
    totals = read_totals(total, number.template, adjusts=relation.kind == "adjustment")
    lines = tuple(content.child("DSHHDVu").children("HHDVu"))
    fuel = read_fuel(lines, number.template, totals)
    if number.template == VAT_TEMPLATE:
        counted = (line for line in lines if line.text("TChat") != _NOTE_LINE)
        check_sums(total, totals, [InvoiceLine(line.text("TChat"), line.decimal("ThTien") or ZERO) for line in counted])
    _check_series(root, head, number, issued_on, coded)
    findings.settle()

    signed_at = signing_time(root.child("DSCKS/NBan"), context)
    fields: dict[str, Any] = {
        "seller_id": seller_id,
        "template": number.template,
        "series": number.series,
        "number": number.number,
        "relation": relation.kind,
        "issued_on": issued_on,
        "signed_at": signed_at,
        "sent_at": signing_time(root.child("DSCKS/CQT"), context) or context.received_at,
        "pay_method": read_pay_method(head),
        "buyer_type": read_buyer_type(content.child("NMua")),
        "amount_net": dong(totals.net, exchange_rate),
        "amount_vat": dong(totals.vat, exchange_rate),
        "amount_gross": dong(totals.gross, exchange_rate),
        **{column: dong(amount, exchange_rate) for column, amount in totals.columns().items()},
        **fuel.fields(exchange_rate),
        "shop_id": read_shop(seller, seller_id, context),
    }
    stamp = Stamp(where, signed_at or local_midnight(issued_on, context), revision=1)
    yield record_event(context.feeds[FEED], seller_id, fields, stamp=stamp, warnings=findings.warnings)
    if relation.replaces is not None:
        void = replace(stamp, revision=VOID_REVISION)
        yield void_event(context.feeds[FEED], seller_id, relation.replaces.key, stamp=void)


def signing_time(signatures: Node, context: Context) -> datetime | None:
    """Return when a party signed (`SigningTime` of its signature); None where absent or unreadable."""
    for node in signatures.descendants("SigningTime"):
        try:
            moment = datetime.fromisoformat(node.text())
            return (moment if moment.tzinfo else moment.replace(tzinfo=context.timezone)).astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    return None


def local_midnight(day: date, context: Context) -> datetime:
    """Return the start of a business day."""
    return datetime.combine(day, time(), context.timezone)


def _read_relation(related: Node, number: InvoiceNumber) -> Relation:
    kind = _RELATIONS.get(related.text("TCHDon"))
    if kind is None:
        related.findings.refuse(
            related.at("TCHDon"),
            "relation",
            "tính chất hóa đơn phải là 1 (thay thế) hoặc 2 (điều chỉnh)",
            "the relation must be 1 (replaces) or 2 (adjusts)",
            shown(related.text("TCHDon")),
        )
        return Relation("original")
    if kind != "replacement":
        return Relation(kind)
    if not is_current(related, *_REPLACED[:2]) and related.text("LHDCLQuan") not in ("", "1"):
        related.findings.warn(
            related.path,
            "replaces_old_kind",
            "hóa đơn bị thay thế lập theo quy định cũ nên không có trong hệ thống; không có gì để hủy",
            "the replaced invoice is of an older kind that is not held here; there is nothing to void",
        )
        return Relation(kind)
    replaced = read_number(related, *_REPLACED)
    if replaced == number:
        related.findings.refuse(
            related.at(_REPLACED[2]),
            "replaces_itself",
            "hóa đơn không thể thay thế chính nó; ghi số của hóa đơn cũ",
            "an invoice cannot replace itself; give the old invoice's number",
        )
    return Relation(kind, replaced)


def _check_series(root: Node, head: Node, number: InvoiceNumber, issued_on: date, coded: bool) -> None:
    if number.series and issued_on != date.min and int(number.series[1:3]) != issued_on.year % 100:
        head.findings.refuse(
            head.at("KHHDon"),
            "series_year",
            "hai chữ số năm trong ký hiệu hóa đơn khác năm lập hóa đơn",
            "the year in the series is not the year of issue",
        )
    if coded and number.series.startswith("C") and not _has_code(root.element):
        root.findings.warn(
            "MCCQT",
            "code_missing",
            "hóa đơn có mã nhưng không thấy mã của cơ quan thuế",
            "the series is one with a code, and the tax authority's code is not there",
        )


def _has_code(element: etree._Element | None) -> bool:
    """Return whether MCCQT stands anywhere but in a signature; vendors misplace it."""
    if element is None or local_name(element) == "Signature":
        return False
    return (local_name(element) == "MCCQT" and bool(element.text)) or any(_has_code(child) for child in element)
