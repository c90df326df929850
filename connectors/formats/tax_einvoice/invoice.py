"""One invoice (`HDon`): original, adjustment or replacement; a replacement also voids the old invoice.

An invoice never changes once numbered, so its revision is 1; what removes it is revision 2.
Source: QĐ 1450/QĐ-TCT and QĐ 1510/QĐ-TCT (versions 2.0.x), NĐ 70/2025/NĐ-CP (2.1.0).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time
from typing import Any

from lxml import etree

from connectors.formats.event import Stamp, record_event, void_event
from connectors.formats.findings import Findings
from connectors.formats.format import Context, Event
from connectors.formats.plain import compact
from connectors.formats.readers.node import Node, Places
from connectors.formats.readers.xml import local_name
from connectors.formats.tax_einvoice.fuel import read_fuel
from connectors.formats.tax_einvoice.money import (
    VAT_TEMPLATE,
    ZERO,
    InvoiceLine,
    check_sums,
    dong,
    read_exchange_rate,
    read_totals,
)
from connectors.formats.tax_einvoice.number import InvoiceNumber, read_number
from connectors.formats.tax_einvoice.party import read_buyer_type, read_pay_method, read_shop
from connectors.formats.tax_einvoice.relation import read_relation, remember_relation
from connectors.formats.tax_einvoice.taxpayer import read_taxpayer

FEED = "tax.einvoice"
VOID_REVISION = 2
# These hold nothing of an invoice itself: signatures, vendors' own fields, goods (which are read as a list).
WALLS = frozenset({"Signature", "DSCKS", "TTKhac", "HHDVu", "HDon", "TBao", "LTSuat", "LPhi"})
_NOTE_LINE = "4"


def open_invoice(element: etree._Element) -> tuple[Node, Places]:
    """Return an invoice's element, and where everything in it stands."""
    root = Node(element, Findings())
    return root, Places(root, WALLS)


def read_invoice(root: Node, places: Places, where: str, context: Context, coded: bool) -> Iterator[Event]:
    """Yield the invoice's events; raises RejectedError with all that is wrong.

    `coded` says whether the tax authority's code (MCCQT) is to be expected on a `C` series.
    """
    findings = root.findings
    if not places.count("DLHDon") and not places.count("TTChung"):
        findings.missing("DLHDon")
        findings.settle()
    if places.count("DLHDon") > 1:
        findings.refuse(
            "DLHDon",
            "several",
            "một hóa đơn (HDon) chứa nhiều DLHDon; tách mỗi hóa đơn thành một HDon",
            "one invoice (HDon) holds several DLHDon; put each into an HDon of its own",
        )
        findings.settle()
    seller = places.the("DLHDon/NDHDon/NBan")
    seller_id = read_taxpayer(seller, "MST", context)
    number = read_number(*(places.the(f"DLHDon/TTChung/{name}") for name in ("KHMSHDon", "KHHDon", "SHDon")))
    issued_on = places.the("DLHDon/TTChung/NLap").day(context.timezone)
    relation = read_relation(places, number, seller_id, context)
    exchange_rate = read_exchange_rate(places)
    totals = read_totals(places, number.template, adjusts=relation.kind == "adjustment")
    lines = tuple(places.the("DLHDon/NDHDon/DSHHDVu").children("HHDVu"))
    fuel = read_fuel(lines, number.template, totals, issued_on, context)
    if number.template == VAT_TEMPLATE:
        check_sums(places, totals, [*_counted(lines)])
    _check_series(root, number, issued_on, coded)
    findings.settle()

    signed_at = signing_time(places.the("DSCKS").child("NBan"), context)
    fields: dict[str, Any] = {
        "seller_id": seller_id,
        "template": number.template,
        "series": number.series,
        "number": number.number,
        "relation": relation.kind,
        "issued_on": issued_on,
        "signed_at": signed_at,
        # Told by the authority's signature only: the arrival of a file is no fact of the invoice.
        "sent_at": _first_sent(
            f"{seller_id}/{number.key}", signing_time(places.the("DSCKS").child("CQT"), context), context
        ),
        "pay_method": read_pay_method(places.the("DLHDon/TTChung/HTTToan")),
        "buyer_type": read_buyer_type(places.the("DLHDon/NDHDon/NMua")),
        "amount_net": dong(totals.net, exchange_rate),
        "amount_vat": dong(totals.vat, exchange_rate),
        "amount_gross": dong(totals.gross, exchange_rate),
        **{column: dong(amount, exchange_rate) for column, amount in totals.columns().items()},
        **fuel.fields(exchange_rate),
        "shop_id": read_shop(seller, places.the("DLHDon/NDHDon/NBan/MCHang"), seller_id, context),
    }
    stamp = Stamp(where, signed_at or local_midnight(issued_on, context), revision=1)
    event = record_event(context.feeds[FEED], seller_id, fields, stamp=stamp, warnings=findings.warnings)
    remember_relation(relation, number, seller_id, context)
    yield event
    if relation.replaces is not None:
        void = replace(stamp, revision=VOID_REVISION)
        yield void_event(context.feeds[FEED], seller_id, relation.replaces.key, stamp=void)


def name_of(places: Places) -> str:
    """Return how people name an invoice, `1C24TAA 1287`; empty where its series or number cannot be read."""
    own = Findings()
    parts = (places.the(f"DLHDon/TTChung/{name}") for name in ("KHMSHDon", "KHHDon", "SHDon"))
    number = read_number(*(replace(part, findings=own) for part in parts))
    return "" if own.reasons else str(number)


def _first_sent(key: str, sent_at: datetime | None, context: Context) -> datetime | None:
    """Return when an invoice was sent as its first message told: message 202 after 200 is the same invoice."""
    known: str = context.memory.first("invoice/sent", key, sent_at.isoformat() if sent_at else "")
    return datetime.fromisoformat(known) if known else None


def signing_time(signatures: Node, context: Context) -> datetime | None:
    """Return when a party signed (`SigningTime` of its signature); None where absent or unreadable."""
    found = (node.moment(context.timezone) for node in signatures.descendants("SigningTime"))
    return next((moment for moment in found if moment is not None), None)


def local_midnight(day: date, context: Context) -> datetime:
    """Return the start of a business day."""
    return datetime.combine(day, time(), context.timezone)


def _counted(lines: tuple[Node, ...]) -> Iterator[InvoiceLine]:
    for line in lines:
        kind, net = line.text("TChat"), line.decimal("ThTien")
        if kind == _NOTE_LINE:
            continue
        if net is None and kind in ("", "1", "5") and compact(line.text("THHDVu")) and line.text("SLuong"):
            line.findings.warn(
                line.at("ThTien"),
                "amount_missing",
                "dòng hàng có số lượng nhưng không có thành tiền; không tính là 0",
                "the line has a quantity and no amount; that is not an amount of 0",
            )
        yield InvoiceLine(kind, net or ZERO)


def _check_series(root: Node, number: InvoiceNumber, issued_on: date, coded: bool) -> None:
    if number.series and issued_on != date.min and int(number.series[1:3]) != issued_on.year % 100:
        root.findings.refuse(
            "DLHDon/TTChung/KHHDon",
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
    """Return whether MCCQT occurs anywhere but in a signature; vendors misplace it."""
    if element is None or local_name(element) == "Signature":
        return False
    return (local_name(element) == "MCCQT" and bool(element.text)) or any(_has_code(child) for child in element)
