"""The relation of an invoice to an earlier one: original, replacement or adjustment, and what follows from it.

An unknown or missing relation code is refused: an adjustment or a replacement that is read as an original counts twice.
"""

from __future__ import annotations

from dataclasses import dataclass

from connectors.formats.findings import shown
from connectors.formats.format import Context
from connectors.formats.readers.node import Node, Places
from connectors.formats.tax_einvoice.number import InvoiceNumber, is_current, read_number

_BLOCK = "DLHDon/TTChung/TTHDLQuan"
_KINDS = {"1": "replacement", "2": "adjustment"}
_NUMBER = ("KHMSHDCLQuan", "KHHDCLQuan", "SHDCLQuan")
_TOLD = (*_NUMBER, "NLHDCLQuan", "LHDCLQuan", "SBKCLQuan")
_REPLACED, _ADJUSTED = "invoice/replaced", "invoice/adjusted"


@dataclass(frozen=True)
class Relation:
    """The relation of an invoice to an earlier one; `replaces` is the number to void, `adjusts` the adjusted one."""

    kind: str
    replaces: InvoiceNumber | None = None
    adjusts: InvoiceNumber | None = None


def read_relation(places: Places, number: InvoiceNumber, seller_id: str, context: Context) -> Relation:
    """Return the relation that an invoice tells, wherever it stands; notes a reason where it cannot be followed."""
    code = places.the(f"{_BLOCK}/TCHDon")
    parts = {name: places.the(f"{_BLOCK}/{name}") for name in _TOLD}
    if not code.text():
        if places.hidden("TTHDLQuan"):
            code.findings.refuse(
                f"{_BLOCK}",
                "relation_misplaced",
                "thông tin hóa đơn liên quan (TTHDLQuan) nằm trong TTKhac hoặc dòng hàng; đặt trong TTChung",
                "the related invoice (TTHDLQuan) stands among vendors' fields or goods; put it into TTChung",
            )
        if places.filled(_BLOCK) or any(part.text() for part in parts.values()):
            _refuse_code(code)
        return Relation("original")
    kind = _KINDS.get(code.text())
    if kind is None:
        _refuse_code(code)
        return Relation("original")
    related = [parts[name] for name in _NUMBER]
    if not any(part.text() for part in related) and parts["SBKCLQuan"].text():
        code.findings.refuse(
            f"{_BLOCK}/SBKCLQuan",
            "listed_elsewhere",
            "các hóa đơn liên quan nằm trong bảng kê riêng; hãy gửi thêm thông báo 300/303 cho từng hóa đơn",
            "the related invoices are in a list of their own; send a notice (300, 303) of each of them",
        )
        return Relation(kind)
    if kind == "adjustment":
        adjusted = read_number(*related) if is_current(*related) else None
        return Relation(kind, adjusts=adjusted)
    if not is_current(*related[:2]) and parts["LHDCLQuan"].text() not in ("", "1"):
        code.findings.warn(
            _BLOCK,
            "replaces_old_kind",
            "hóa đơn bị thay thế lập theo quy định cũ nên không có trong hệ thống; không có gì để hủy",
            "the replaced invoice is of an older kind that is not held here; there is nothing to void",
        )
        return Relation(kind)
    replaced = read_number(*related)
    if replaced == number:
        code.findings.refuse(
            related[2].path,
            "replaces_itself",
            "hóa đơn không thể thay thế chính nó; ghi số của hóa đơn cũ",
            "an invoice cannot replace itself; give the old invoice's number",
        )
    _check_history(related[2], replaced, number, seller_id, context)
    return Relation(kind, replaced)


def remember_relation(relation: Relation, number: InvoiceNumber, seller_id: str, context: Context) -> None:
    """Remember what an accepted invoice did to an earlier one."""
    if relation.replaces is not None:
        context.memory.first(_REPLACED, f"{seller_id}/{relation.replaces.key}", number.key)
    if relation.adjusts is not None:
        key = f"{seller_id}/{relation.adjusts.key}"
        known = context.memory.get(_ADJUSTED, key) or []
        if number.key not in known:
            context.memory.put(_ADJUSTED, key, [*known, number.key])


def warn_adjusted(node: Node, number: InvoiceNumber, seller_id: str, context: Context) -> None:
    """Warn where an invoice that goes has adjustments, which stay and count by themselves."""
    adjustments = context.memory.get(_ADJUSTED, f"{seller_id}/{number.key}")
    if adjustments:
        named = ", ".join(adjustments)
        node.findings.warn(
            node.path,
            "adjustments_remain",
            f"hóa đơn bị hủy hoặc thay thế đã được điều chỉnh; hóa đơn điều chỉnh ({named}) vẫn được tính, hãy hủy "
            f"nếu không còn hiệu lực",
            f"the invoice that goes has been adjusted; the adjustments ({named}) still count, cancel them if they no "
            f"longer hold",
        )


def _check_history(
    node: Node, replaced: InvoiceNumber, number: InvoiceNumber, seller_id: str, context: Context
) -> None:
    earlier = context.memory.get(_REPLACED, f"{seller_id}/{replaced.key}")
    if earlier is not None and earlier != number.key:
        node.findings.refuse(
            node.path,
            "replaced_twice",
            f"hóa đơn này đã được thay thế bởi {earlier}; chỉ có thể thay thế tiếp hóa đơn đó",
            f"the invoice was replaced by {earlier} before; what can be replaced now is that one",
        )
    warn_adjusted(node, replaced, seller_id, context)


def _refuse_code(code: Node) -> None:
    code.findings.refuse(
        code.path,
        "relation",
        "tính chất hóa đơn liên quan (TCHDon) phải là 1 (thay thế) hoặc 2 (điều chỉnh)",
        "the relation to the other invoice (TCHDon) must be 1 (replaces) or 2 (adjusts)",
        shown(code.text()),
    )
