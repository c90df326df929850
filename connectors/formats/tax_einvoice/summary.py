"""Summary tables (bảng tổng hợp, messages 400 and 401): many invoices of one seller in one table, a row a rate or item.

Rows of one invoice are one record. The state of a row (TThai) is 0 new, 1 cancelled, 2 adjusting, 3 replacing, 4
explained, 5 wrong in an earlier table; 5 is refused, because the corrected table has to name the invoices themselves.
Source: QĐ 1450/QĐ-TCT, message 400.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from lxml import etree

from connectors.formats.event import Stamp, record_event, void_event
from connectors.formats.findings import Findings, shown
from connectors.formats.format import Context, Event, Item, attempt
from connectors.formats.readers.node import Node, Places
from connectors.formats.tax_einvoice.fuel import Fuel, read_litres, read_product
from connectors.formats.tax_einvoice.invoice import FEED, VOID_REVISION, local_midnight, signing_time
from connectors.formats.tax_einvoice.money import ZERO, RateTotal, Totals, dong, read_vat_rate
from connectors.formats.tax_einvoice.number import InvoiceNumber, is_current, read_number
from connectors.formats.tax_einvoice.relation import Relation, remember_relation, warn_adjusted
from connectors.formats.tax_einvoice.taxpayer import is_company, read_taxpayer

_STATES = {"0": "original", "1": "cancellation", "2": "adjustment", "3": "replacement", "4": "error_notice"}
_WALLS = frozenset({"Signature", "DSCKS", "DSDLieu", "TTKhac"})


def read_summary(element: etree._Element, where: str, context: Context) -> Iterator[Item]:
    """Yield the events of each invoice; raises RejectedError where the table as a whole cannot be read."""
    findings = Findings()
    root = Node(element, findings)
    places = Places(root, _WALLS)
    seller_id = read_taxpayer(places.the("DLBTHop/TTChung/MST"), "", context)
    signed_at = signing_time(places.the("DSCKS"), context)
    rows = tuple(places.the("DLBTHop/NDBTHDLieu/DSDLieu").children("DLieu"))
    if not rows:
        findings.missing("DLBTHop/NDBTHDLieu/DSDLieu/DLieu")
    findings.settle()
    invoices: dict[object, list[Node]] = {}
    for index, row in enumerate(rows):
        key = tuple(row.text(name).strip().upper().lstrip("0") for name in ("KHMSHDon", "KHHDon", "SHDon", "TThai"))
        invoices.setdefault(key if all(key[:3]) else index, []).append(row)
    for group in invoices.values():
        own = Findings()
        nodes = [Node(row.element, own, row.path.rpartition("/")[2]) for row in group]
        number = _number(nodes[0])
        place = (
            f"{context.file}: {where.rpartition(': ')[2]}/{nodes[0].path}"
            if own.reasons
            else f"{context.file}: {number}"
        )
        yield from attempt(place, _invoice(nodes, number, seller_id, place, signed_at, context))


def _invoice(
    rows: list[Node], number: InvoiceNumber, seller_id: str, where: str, signed_at: Any, context: Context
) -> Iterator[Event]:
    first = rows[0]
    findings = first.findings
    issued_on = first.day(context.timezone, "NLap")
    state = first.text("TThai")
    relation = _relation(first, state, number, seller_id, context)
    counted = relation.kind in ("original", "adjustment", "replacement")
    totals = _totals(rows, adjusts=relation.kind == "adjustment") if counted else Totals(ZERO, ZERO, ZERO, ())
    fuel = _fuel(rows, issued_on, context) if counted else Fuel()
    findings.settle()
    one = Decimal(1)
    fields: dict[str, Any] = {
        "seller_id": seller_id,
        "template": number.template,
        "series": number.series,
        "number": number.number,
        "relation": relation.kind,
        "issued_on": issued_on,
        # A summary tells neither; these are the words for "not told".
        "pay_method": "mixed",
        "buyer_type": _buyer_type(first),
    }
    if counted:
        fields |= {
            "amount_net": dong(totals.net, one),
            "amount_vat": dong(totals.vat, one),
            "amount_gross": dong(totals.gross, one),
            **{column: dong(amount, one) for column, amount in totals.columns().items()},
            **fuel.fields(one),
        }
    stamp = Stamp(where, signed_at or local_midnight(issued_on, context), revision=1 if counted else None)
    event = record_event(context.feeds[FEED], seller_id, fields, stamp=stamp, warnings=findings.warnings)
    remember_relation(relation, number, seller_id, context)
    yield event
    voided = (
        relation.replaces if relation.kind == "replacement" else number if relation.kind == "cancellation" else None
    )
    if voided is not None:
        yield void_event(context.feeds[FEED], seller_id, voided.key, stamp=replace(stamp, revision=VOID_REVISION))


def _number(row: Node) -> InvoiceNumber:
    return read_number(row.child("KHMSHDon"), row.child("KHHDon"), row.child("SHDon"))


def _relation(row: Node, state: str, number: InvoiceNumber, seller_id: str, context: Context) -> Relation:
    kind = _STATES.get(state)
    if kind is None:
        row.findings.refuse(
            row.at("TThai"),
            "summary_state",
            "trạng thái phải là 0 (mới), 1 (hủy), 2 (điều chỉnh), 3 (thay thế) hoặc 4 (giải trình)",
            "the state must be 0 (new), 1 (cancelled), 2 (adjusting), 3 (replacing) or 4 (explained)",
            shown(state),
        )
        return Relation("original")
    if kind == "cancellation":
        warn_adjusted(row, number, seller_id, context)
    places = Places(row, _WALLS)
    related = [places.the(name) for name in ("KHMSHDCLQuan", "KHHDCLQuan", "SHDCLQuan")]
    if kind == "original" and any(part.text() for part in related):
        row.findings.refuse(
            row.at("TThai"),
            "relation",
            "hàng ghi là hóa đơn mới (TThai 0) nhưng nêu hóa đơn liên quan; ghi 2 (điều chỉnh) hoặc 3 (thay thế)",
            "the row is a new invoice (TThai 0) and names a related one; write 2 (adjusting) or 3 (replacing)",
        )
    if kind not in ("adjustment", "replacement"):
        return Relation(kind)
    if kind == "adjustment":
        return Relation(kind, adjusts=read_number(*related) if is_current(*related) else None)
    replaced = read_number(*related)
    warn_adjusted(related[2], replaced, seller_id, context)
    return Relation(kind, replaces=replaced)


def _totals(rows: list[Node], adjusts: bool) -> Totals:
    net = vat = gross = ZERO
    rates: list[RateTotal] = []
    for row in rows:
        parts = {name: row.decimal(name) for name in ("TTCThue", "TgTThue", "TgTTToan")}
        rate = read_vat_rate(row)
        untaxed = rate is None or rate.fraction == 0
        if not adjusts:
            for name, amount in parts.items():
                if amount is None and not (name == "TgTThue" and untaxed) and not (name == "TTCThue" and rate is None):
                    row.findings.missing(row.at(name))
        row_gross, row_vat = parts["TgTTToan"], parts["TgTThue"] or ZERO
        row_net = parts["TTCThue"]
        if row_net is None:
            row_net = (row_gross or row_vat) - row_vat
        net, vat = net + row_net, vat + row_vat
        gross += row_net + row_vat if row_gross is None else row_gross
        if rate is not None:
            rates.append(RateTotal(rate, parts["TTCThue"], parts["TgTThue"]))
    return Totals(net, vat, gross, tuple(rates))


def _fuel(rows: list[Node], on: date, context: Context) -> Fuel:
    fuel = Fuel()
    for row in rows:
        product = read_product(row, "THHDVu", "MHHDVu", on, context)
        if product is None:
            continue
        value, litres = row.decimal("TgTTToan"), read_litres(row)
        if value is not None:
            fuel.value[product] = fuel.value.get(product, ZERO) + value
        if litres is not None:
            fuel.litres[product] = fuel.litres.get(product, ZERO) + litres
    return fuel


def _buyer_type(row: Node) -> str:
    """Return the kind of buyer; the buyer's own data stays here (NĐ 13/2023/NĐ-CP)."""
    if is_company(row.text("MSTNMua")):
        return "business"
    return "person" if row.text("MSTNMua") else "anonymous"
