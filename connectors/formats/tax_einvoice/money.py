"""Amounts: currency, VAT rates, the declared totals, and the sums that ought to agree.

What counts is what the seller declared; sums that disagree are warnings, because real invoices with discounts
break the obvious formula. Foreign currency counts in đồng at the invoice's own rate (TGia), rounded half up.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from connectors.formats.findings import shown
from connectors.formats.readers.node import Node, Places

ZERO = Decimal(0)
VAT_TEMPLATE = "1"

# A delivery note carries no amounts; all but VAT invoices declare only what is to be paid.
_REQUIRED = {VAT_TEMPLATE: ("TgTCThue", "TgTThue", "TgTTTBSo"), "6": ()}
_TOTAL = "DLHDon/NDHDon/TToan"
_PERCENT = re.compile(r"([0-9]{1,2})(\.0+)?\s*%?")
_OTHER = re.compile(r"KHAC(?:\s*:\s*([0-9]{1,2}(?:\.[0-9]{1,2})?)\s*%)?")
_STANDARD = re.compile(r"(0|5|8|10)%|KCT|KKKNT|KHAC(:\d{1,2}(\.\d{1,2})?%)?")
_NAMED = {"KCT": "exempt", "KKKNT": "not_declared"}
# Rates whose VAT has a column of its own; the others bear none, or lie in "other" with their net amount.
_TAXED = ("5", "8", "10")
_CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True)
class VatRate:
    """A rate as the record's columns name it (`net_<name>`), and as a fraction (None for a bare `KHAC`)."""

    name: str
    fraction: Decimal | None


@dataclass(frozen=True)
class RateTotal:
    """What is declared of one rate, in the invoice's currency; None = not told."""

    rate: VatRate
    net: Decimal | None
    vat: Decimal | None


@dataclass(frozen=True)
class Totals:
    """Declared totals in the invoice's currency, in all and by rate."""

    net: Decimal
    vat: Decimal
    gross: Decimal
    by_rate: tuple[RateTotal, ...]

    def columns(self) -> Mapping[str, Decimal]:
        """Return the record's `net_*` and `vat_*` columns, a rate that is declared twice summed."""
        sums: defaultdict[str, Decimal] = defaultdict(Decimal)
        for part in self.by_rate:
            if part.net is not None:
                sums[f"net_{part.rate.name}"] += part.net
            if part.vat is not None and part.rate.name in _TAXED:
                sums[f"vat_{part.rate.name}"] += part.vat
        return sums


@dataclass(frozen=True)
class InvoiceLine:
    """What the sums need of a line: its kind (TChat) and its amount before VAT."""

    kind: str
    net: Decimal


def dong(amount: Decimal, exchange_rate: Decimal) -> int:
    """Return an amount in whole đồng, half a đồng rounded away from zero."""
    return int((amount * exchange_rate).to_integral_value(rounding=ROUND_HALF_UP))


def read_exchange_rate(places: Places) -> Decimal:
    """Return đồng per unit of the invoice's currency; no DVTTe means VND."""
    told, given = places.the("DLHDon/TTChung/DVTTe"), places.the("DLHDon/TTChung/TGia")
    currency = told.text().upper() or "VND"
    if currency == "VND":
        return Decimal(1)
    if not _CURRENCY.fullmatch(currency):
        told.findings.refuse(
            told.path,
            "currency",
            "đơn vị tiền tệ phải là mã ISO 4217 ba chữ cái (VND, USD)",
            "the currency must be three letters of ISO 4217 (VND, USD)",
            shown(currency),
        )
    rate = given.decimal()
    if rate is None:
        given.findings.missing(given.path)
    elif rate <= 0:
        given.findings.refuse(given.path, "positive", "tỷ giá phải lớn hơn 0", "the rate must be above 0")
    return rate or Decimal(1)


def read_vat_rate(node: Node, path: str = "TSuat") -> VatRate | None:
    """Return a VAT rate, None where absent; `8` and `10.0%` are understood with a warning, others refused."""
    text = node.text(path).upper()
    if not text:
        return None
    if not _STANDARD.fullmatch(text):
        node.findings.warn(
            node.at(path),
            "vat_rate_spelling",
            "thuế suất viết không theo chuẩn (0%, 5%, 8%, 10%, KCT, KKKNT, KHAC:x%)",
            "the VAT rate is not spelt as the standard has it (0%, 5%, 8%, 10%, KCT, KKKNT, KHAC:x%)",
            shown(text),
        )
    if text in _NAMED:
        return VatRate(_NAMED[text], ZERO)
    other = _OTHER.fullmatch(text)
    if other:
        return VatRate("other", Decimal(other[1]) / 100 if other[1] else None)
    percent = _PERCENT.fullmatch(text)
    if percent and int(percent[1]) in (0, 5, 8, 10):
        return VatRate(str(int(percent[1])), Decimal(percent[1]) / 100)
    node.findings.refuse(
        node.at(path),
        "vat_rate",
        "thuế suất không có trong danh mục: 0%, 5%, 8%, 10%, KCT, KKKNT, KHAC:x%",
        "no such VAT rate: 0%, 5%, 8%, 10%, KCT, KKKNT, KHAC:x%",
        shown(text),
    )
    return None


def read_totals(places: Places, template: str, adjusts: bool) -> Totals:
    """Return the declared totals; what is missing is never read as 0.

    A VAT invoice must declare TgTCThue, TgTThue and TgTTTBSo; on other templates the amount to pay stands for the net
    where there is no TgTCThue. An adjustment may leave all out (text only), or all but a difference in tax.
    """
    parts = {name: places.the(f"{_TOTAL}/{name}") for name in ("TgTCThue", "TgTThue", "TgTTTBSo")}
    net, vat, gross = (part.decimal() for part in parts.values())
    for name in () if adjusts else _REQUIRED.get(template, ("TgTTTBSo",)):
        parts[name].required()
    if adjusts and template == VAT_TEMPLATE and not (net is None and gross is None):
        for name, part in parts.items():
            if not part.text():
                _missing_total(part, name)
    by_rate = _read_rates(places, template, adjusts)
    if net is None:
        net = (gross or vat or ZERO) - (vat or ZERO)
    vat = vat or ZERO
    return Totals(net, vat, net + vat if gross is None else gross, by_rate)


def _read_rates(places: Places, template: str, adjusts: bool) -> tuple[RateTotal, ...]:
    by_rate: list[RateTotal] = []
    group = places.the(f"{_TOTAL}/THTTLTSuat")
    for part in group.children("LTSuat"):
        rate, net, vat = read_vat_rate(part), part.decimal("ThTien"), part.decimal("TThue")
        if rate is None:
            if not part.text("TSuat"):
                _missing_total(part, "TSuat")
            continue
        if any(known.rate.name == rate.name for known in by_rate) and rate.name != "other":
            part.findings.warn(
                part.at("TSuat"),
                "rate_twice",
                "một thuế suất được khai hai lần trong bảng tổng hợp; các số được cộng lại",
                "a VAT rate is declared twice; the amounts are added up",
                shown(part.text("TSuat")),
            )
        if net is None:
            _missing_total(part, "ThTien")
        if vat is None and rate.name in _TAXED:
            _missing_total(part, "TThue")
        by_rate.append(RateTotal(rate, net, vat))
    if not by_rate and template == VAT_TEMPLATE and not adjusts:
        group.findings.warn(
            group.path,
            "no_rates",
            "hóa đơn giá trị gia tăng không có bảng tổng hợp theo thuế suất; số liệu theo thuế suất không tính được",
            "a VAT invoice without totals by rate; nothing counts by rate",
        )
    return tuple(by_rate)


def check_sums(places: Places, totals: Totals, lines: Iterable[InvoiceLine]) -> None:
    """Warn where the sums of a VAT invoice disagree by more than one unit a line."""
    lines = tuple(lines)
    by_kind = sum((-abs(line.net) if line.kind == "3" else line.net for line in lines if line.kind != "2"), ZERO)
    fees = sum((fee.decimal("TPhi") or ZERO for fee in places.the(f"{_TOTAL}/DSLPhi").children("LPhi")), ZERO)
    due = totals.net + totals.vat + fees - (places.the(f"{_TOTAL}/TTCKTMai").decimal() or ZERO)
    checks = [("TgTTTBSo", totals.gross, due)]
    if lines:
        checks.append(("TgTCThue", totals.net, by_kind))
    if totals.by_rate:
        checks.append(("THTTLTSuat/ThTien", totals.net, sum((part.net or ZERO for part in totals.by_rate), ZERO)))
        checks.append(("THTTLTSuat/TThue", totals.vat, sum((part.vat or ZERO for part in totals.by_rate), ZERO)))
    total = places.the(_TOTAL)
    for path, declared, computed in checks:
        if abs(declared - computed) > max(1, len(lines)):
            total.findings.warn(
                total.at(path),
                "sum_differs",
                "tổng khai báo không khớp tổng cộng lại; số khai báo được giữ nguyên",
                "the declared total differs from the sum of its parts; what is declared is kept",
                f"{declared - computed:f}",
            )


def _missing_total(node: Node, name: str) -> None:
    node.findings.warn(
        node.path if node.path.endswith(name) else node.at(name),
        "amount_missing",
        "số tiền không được khai; không tính là 0",
        "the amount is not told; that is not an amount of 0",
    )
