"""Fuel on invoices: which product a line sells, its litres, its value with VAT, and whether a pump told it.

Petrol shops invoice every sale (CĐ 1123/CĐ-TTg 2023). Names are free text, which `fuels.csv` explains; a fuel that is
none of the known products is left out with a warning, never guessed. Pump and log numbers prove the link to the pump
and stay here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from connectors.formats.findings import shown
from connectors.formats.format import Context
from connectors.formats.plain import compact
from connectors.formats.readers.node import Node
from connectors.formats.tax_einvoice.money import VAT_TEMPLATE, ZERO, Totals, dong, read_vat_rate

_GOODS = ("1", "5")
_DISCOUNT = "3"
_LITRES: Mapping[str, Decimal] = {
    "lit": Decimal(1),
    "l": Decimal(1),
    "litre": Decimal(1),
    "liter": Decimal(1),
    "m3": Decimal(1000),
}
_PUMP_FIELD = re.compile(r"(ma|so|id)?(voi|cot|tru)(bom)?(so)?|(ma|so|id)?log(bom|id|so)?|.*pump.*|.*nozzle.*")


@dataclass
class Fuel:
    """What an invoice sells of fuel, by product: litres, and value with VAT in the invoice's currency."""

    litres: dict[str, Decimal] = field(default_factory=dict)
    value: dict[str, Decimal] = field(default_factory=dict)
    pump_auto: bool = False

    def fields(self, exchange_rate: Decimal) -> dict[str, float | int | bool]:
        """Return the record's fields: `litres_*`, `fuel_*` in đồng, `pump_auto`."""
        return {
            **{f"litres_{product}": float(round(litres, 3)) for product, litres in self.litres.items()},
            **{f"fuel_{product}": dong(value, exchange_rate) for product, value in self.value.items()},
            "pump_auto": self.pump_auto,
        }


def read_fuel(lines: Iterable[Node], template: str, totals: Totals, on: date, context: Context) -> Fuel:
    """Return the fuel that an invoice's lines sell; lines of goods count, discounts lower the value."""
    fuel = Fuel()
    for line in lines:
        kind = line.text("TChat") or "1"
        if kind not in (*_GOODS, _DISCOUNT):
            continue
        product = read_product(line, "THHDVu", "MHHDVu", on, context)
        if product is None:
            continue
        value = _with_vat(line, template, totals)
        if kind == _DISCOUNT:
            fuel.value[product] = fuel.value.get(product, ZERO) - abs(value or ZERO)
            continue
        if value is not None:
            fuel.value[product] = fuel.value.get(product, ZERO) + value
        litres = read_litres(line)
        if litres is not None:
            fuel.litres[product] = fuel.litres.get(product, ZERO) + litres
        fuel.pump_auto = fuel.pump_auto or _names_pump(line)
    return fuel


def read_product(line: Node, name: str, code: str, on: date, context: Context) -> str | None:
    """Return the product that a line's name, else its code, means; what looks like fuel and is not known is told."""
    names = [text for text in (line.text(name), line.text(code)) if text]
    product = next((found for found in (context.fuels.product_of(text, on) for text in names) if found), None)
    if product is None and any(context.fuels.looks_like_fuel(text) for text in names):
        line.findings.warn(
            line.at(name),
            "unknown_fuel",
            "giống xăng dầu nhưng không thuộc các sản phẩm đã biết; không tính vào sản lượng (xem fuels.csv của hồ "
            "sơ tỉnh)",
            "looks like fuel but is none of the known products; not counted as fuel (see the profile's fuels.csv)",
        )
    return product


def _with_vat(line: Node, template: str, totals: Totals) -> Decimal | None:
    net = line.decimal("ThTien")
    if net is None:
        line.findings.warn(
            line.at("ThTien"),
            "amount_missing",
            "dòng xăng dầu không có thành tiền; không tính là 0",
            "the fuel line has no amount; that is not an amount of 0",
        )
        return None
    if template != VAT_TEMPLATE:
        return net
    rate = read_vat_rate(line)
    if rate is None and len(totals.by_rate) == 1:
        rate = totals.by_rate[0].rate
    if rate is None or rate.fraction is None:
        line.findings.warn(
            line.at("TSuat"),
            "vat_rate_unknown",
            "không rõ thuế suất của dòng xăng dầu; giá trị xăng dầu được tính chưa gồm thuế",
            "the fuel line's VAT rate is not known; its value counts without VAT",
        )
        return net
    return net * (1 + rate.fraction)


def read_litres(line: Node) -> Decimal | None:
    quantity, unit = line.decimal("SLuong"), compact(line.text("DVTinh"))
    if quantity is None:
        line.findings.warn(
            line.at("SLuong"),
            "quantity_missing",
            "dòng xăng dầu không có số lượng; không tính vào sản lượng",
            "the fuel line has no quantity; it does not count in the volume",
        )
        return None
    if unit not in _LITRES:
        line.findings.warn(
            line.at("DVTinh"),
            "unit_not_litres",
            "đơn vị tính không phải lít; số lượng không tính vào sản lượng",
            "the unit is not litres; the quantity does not count in the volume",
            shown(line.text("DVTinh")),
        )
        return None
    return quantity * _LITRES[unit]


def _names_pump(line: Node) -> bool:
    return any(
        entry.text("DLieu") and _PUMP_FIELD.fullmatch(compact(entry.text("TTruong")))
        for entry in line.child("TTKhac").children("TTin")
    )
