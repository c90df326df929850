"""Notices of wrong invoices (`TBao`, form 04/SS-HĐĐT; messages 300 and 303).

Each line names an invoice and says what happens to it. A cancellation voids the invoice and is kept as a
record of its own; the rest (will be adjusted, replaced, explained) is kept as an error notice. A notice
counts on the day of the invoice it is about, as the invoice's own void does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lxml import etree

from connectors.formats.einvoice.invoice import FEED, VOID_REVISION, local_midnight, signing_time
from connectors.formats.einvoice.number import read_number
from connectors.formats.einvoice.taxpayer import read_taxpayer
from connectors.formats.event import Stamp, record_event, void_event
from connectors.formats.findings import Findings, shown
from connectors.formats.format import BadRecord, Context, Event, attempt
from connectors.formats.node import Node
from connectors.formats.safe_xml import path_of

_RELATIONS = {"1": "cancellation", "2": "error_notice", "3": "error_notice", "4": "error_notice"}


def read_notice(element: etree._Element, context: Context) -> Iterator[Event | BadRecord]:
    """Yield the events of each line; raises RejectedError where the notice as a whole cannot be read."""
    findings = Findings()
    root = Node(element, findings)
    head = root.child("DLTBao")
    seller_id = read_taxpayer(head, "MST", context)
    signed_at = signing_time(root.child("DSCKS"), context)
    at = signed_at or local_midnight(head.day("NTBao"), context)
    lines = tuple(head.child("DSHDon").children("HDon"))
    if not lines:
        findings.missing("DLTBao/DSHDon/HDon")
    findings.settle()
    for line in lines:
        if line.element is not None:
            where = f"{context.file}: {path_of(line.element)}"
            own = Node(line.element, Findings())
            yield from attempt(where, _line(own, seller_id, Stamp(where, at), context))


def _line(line: Node, seller_id: str, stamp: Stamp, context: Context) -> Iterator[Event]:
    number = read_number(line, "KHMSHDon", "KHHDon", "SHDon")
    issued_on = line.day("Ngay")
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
    )
    if relation == "cancellation":
        void = replace(stamp, revision=VOID_REVISION)
        yield void_event(context.feeds[FEED], seller_id, number.key, stamp=void)
