"""Notices of wrong invoices (`TBao`, form 04/SS-HĐĐT; messages 300 and 303).

Each line names an invoice and says what happens to it. A cancellation voids the invoice and is kept as a
record of its own; the rest (will be adjusted, replaced, explained) is kept as an error notice. A notice
counts on the day of the invoice it is about, as the invoice's own void does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lxml import etree

from connectors.formats.event import Stamp, record_event, void_event
from connectors.formats.findings import Findings, shown
from connectors.formats.format import Context, Event, Item, attempt
from connectors.formats.readers.node import Node, Places
from connectors.formats.tax_einvoice.invoice import FEED, VOID_REVISION, local_midnight, signing_time
from connectors.formats.tax_einvoice.number import InvoiceNumber, read_number
from connectors.formats.tax_einvoice.relation import warn_adjusted
from connectors.formats.tax_einvoice.taxpayer import read_taxpayer

_RELATIONS = {"1": "cancellation", "2": "error_notice", "3": "error_notice", "4": "error_notice"}


def read_notice(element: etree._Element, where: str, context: Context) -> Iterator[Item]:
    """Yield the events of each line; raises RejectedError where the notice as a whole cannot be read."""
    findings = Findings()
    root = Node(element, findings)
    places = Places(root, frozenset({"Signature", "DSCKS", "DSHDon", "TTKhac"}))
    seller_id = read_taxpayer(places.the("DLTBao/MST"), "", context)
    signed_at = signing_time(places.the("DSCKS"), context)
    moment = signed_at or local_midnight(places.the("DLTBao/NTBao").day(context.timezone), context)
    lines = tuple(places.the("DLTBao/DSHDon").children("HDon"))
    if not lines:
        findings.missing("DLTBao/DSHDon/HDon")
    findings.settle()
    for line in lines:
        own = Node(line.element, Findings())
        number = read_number(own.child("KHMSHDon"), own.child("KHHDon"), own.child("SHDon"))
        place = f"{context.file}: {line.path if own.findings.reasons else number}"
        yield from attempt(place, _line(own, number, seller_id, Stamp(place, moment), context))


def _line(line: Node, number: InvoiceNumber, seller_id: str, stamp: Stamp, context: Context) -> Iterator[Event]:
    issued_on = line.day(context.timezone, "Ngay")
    action = line.required("TCTBao")
    if action and action not in _RELATIONS:
        line.findings.refuse(
            "TCTBao",
            "notice_kind",
            "tính chất thông báo phải là 1 (hủy), 2 (điều chỉnh), 3 (thay thế) hoặc 4 (giải trình)",
            "the kind of notice must be 1 (cancel), 2 (adjust), 3 (replace) or 4 (explain)",
            shown(action),
        )
    line.findings.settle()
    relation = _RELATIONS[action]
    if relation == "cancellation":
        warn_adjusted(line, number, seller_id, context)
    yield record_event(
        context.feeds[FEED],
        seller_id,
        {
            "seller_id": seller_id,
            "template": number.template,
            "series": number.series,
            "number": number.number,
            "relation": relation,
            "issued_on": issued_on,
            # A notice tells neither; these are the words for "not told".
            "pay_method": "mixed",
            "buyer_type": "anonymous",
        },
        stamp=stamp,
        warnings=line.findings.warnings,
    )
    if relation == "cancellation":
        void = replace(stamp, revision=VOID_REVISION)
        yield void_event(context.feeds[FEED], seller_id, number.key, stamp=void)
