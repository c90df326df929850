"""Fuel on invoices: which product a line sells, its litres, its value with VAT, and whether a pump told it.

Petrol shops invoice every sale (CĐ 1123/CĐ-TTg 2023). Names are free text; a fuel that is none of the known
products is left out with a warning, never guessed. Pump and log numbers prove the link to the pump and stay
here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from connectors.formats.einvoice.money import VAT_TEMPLATE, ZERO, Totals, dong, read_vat_rate
from connectors.formats.findings import shown
from connectors.formats.node import Node
from connectors.formats.plain import compact

_GOODS = ("1", "5")
_DISCOUNT = "3"
_PETROL = r"(xang)?(khongchi)?"
_DIESEL = r"(nhienlieu)?(dau)?(do|diesel|diezen|diezel|diesen)*"
# Against the name without diacritics, blanks and signs: "Xăng RON 95-III" is xangron95iii.
_PRODUCTS: Mapping[str, re.Pattern[str]] = {
    "ron95_iii": re.compile(rf"{_PETROL}(ron|a|mogas)?95(iii|muc3)"),
    "ron95_v": re.compile(rf"{_PETROL}(ron|a|mogas)?95(v|muc5)"),
    "e5_ron92": re.compile(r"(xang)?(sinhhoc)?e5((ron|a)?92(ii)?)?(muc2)?"),
    "do_005s": re.compile(rf"{_DIESEL}005s(ii|muc2)?"),
    "do_0001s": re.compile(rf"{_DIESEL}0001s(v|muc5)?"),
    "kerosene": re.compile(r"dauhoa(dandung|ko|1k)?|dauko|kerosene?"),
    "mazut": re.compile(r"(nhienlieudot|dau)?(mazut|madut|fo)(no)?([0-9].*)?"),
}
_FUEL_LIKE = re.compile(r"xang(ron|a|e|khongchi|sinhhoc)?[0-9]|daudo|daudiesel|daudiezen|daumazut|nhienlieudiesel")
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


def product_of(name: str) -> str | None:
    """Return the product that an item's name or code means, None for anything that is not a known fuel."""
    text = compact(name)
    return next((product for product, pattern in _PRODUCTS.items() if pattern.fullmatch(text)), None)


def read_fuel(lines: Iterable[Node], template: str, totals: Totals) -> Fuel:
    """Return the fuel that an invoice's lines sell; lines of goods count, discounts lower the value."""
    fuel = Fuel()
    for line in lines:
        kind = line.text("TChat") or "1"
        if kind not in (*_GOODS, _DISCOUNT):
            continue
        product = product_of(line.text("THHDVu")) or product_of(line.text("MHHDVu"))
        if product is None:
            if _FUEL_LIKE.match(compact(line.text("THHDVu"))):
                line.findings.warn(
                    line.at("THHDVu"),
                    "unknown_fuel",
                    "giống xăng dầu nhưng không thuộc các sản phẩm đã biết; không tính vào sản lượng",
                    "looks like fuel but is none of the known products; not counted as fuel",
                )
            continue
        value = _with_vat(line, template, totals)
        if kind == _DISCOUNT:
            fuel.value[product] = fuel.value.get(product, ZERO) - abs(value)
            continue
        fuel.value[product] = fuel.value.get(product, ZERO) + value
        litres = _litres(line)
        if litres is not None:
            fuel.litres[product] = fuel.litres.get(product, ZERO) + litres
        fuel.pump_auto = fuel.pump_auto or _names_pump(line)
    return fuel


def _with_vat(line: Node, template: str, totals: Totals) -> Decimal:
    net = line.decimal("ThTien") or ZERO
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


def _litres(line: Node) -> Decimal | None:
    quantity, unit = line.decimal("SLuong"), compact(line.text("DVTinh"))
    if quantity is None:
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
