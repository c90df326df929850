"""E-invoices of the province's sellers, and of their petrol shops at every sale (feed `tax.einvoice`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from random import Random

from deploy.simulator.calendar import FIRST_DAY, HOURS, VIETNAM, moment_of
from deploy.simulator.entry import Entry
from deploy.simulator.ledger import Data
from deploy.simulator.record import Life, Revision, ScheduledSending, System, Weighted, in_year
from deploy.simulator.rota import Rota
from ioc.province.reporter import Reporter

_STRANGER = "3599999992"
_PETROL_SHARE = 0.55
_PETROL_HOURS = (range(6, 11), range(11, 16), range(16, 21))
_LATE_TO_TAX_OFFICE = 0.02
_PUMPS_CONNECTED = 0.93

# đồng a litre with VAT, region 1, October 2024; weights are shares of sales.
_PRICE = {
    "ron95_iii": 20_890, "ron95_v": 21_590, "e5_ron92": 19_840, "do_005s": 18_070, "do_0001s": 18_590,
    "kerosene": 18_570, "mazut": 15_890,
}  # fmt: skip
_FUEL: dict[str, float] = {
    "ron95_iii": 56, "ron95_v": 7, "e5_ron92": 17, "do_005s": 16, "do_0001s": 3,
    "kerosene": 0.6, "mazut": 0.4,
}  # fmt: skip
_RATE_FUEL = 10  # petrol was left out of the reduced rate of 8 % (NĐ 72/2024/NĐ-CP)

# Rates in percent, by branch (VSIC section), and what bears no VAT; `None` stands for an invoice that states no rate.
Rate = int | str | None
_RATES: dict[str, dict[Rate, float]] = {
    "g": {8: 80, 10: 14, 5: 5, 0: 1},
    "c": {8: 65, 10: 20, 0: 15},
    "h": {8: 85, 0: 15},
    "k": {"exempt": 70, 10: 30},
    "l": {10: 90, "exempt": 10},
    "j": {10: 70, 8: 30},
    "p": {"exempt": 90, 8: 10},
    "q": {"exempt": 80, 5: 15, 8: 5},
    "a": {"exempt": 60, 5: 30, 8: 10},
}
_RATES_ELSEWHERE: dict[Rate, float] = {8: 87.3, 10: 10, 5: 2, "not_declared": 0.5, "other": 0.2}
# Documents other than invoices for goods and services, by template and the letter of their series. A household owes
# VAT by its turnover and states none on a sales invoice; the software of some offers them the VAT invoice all the same.
_KIND = {"invoice": 97.9, "ticket": 1.0, "transfer_note": 0.8, "household_vat": 0.2, "public_asset": 0.1}
_TEMPLATE = {"ticket": ("5", "G"), "transfer_note": ("6", "N"), "public_asset": ("3", "D"), "household_vat": ("1", "T")}
_TICKET = 30_000
_CORRECTION = {"revision": 1.0, "adjustment": 1.0, "replacement": 1.0}
_TYPICAL_AMOUNT = {"soe": 18_000_000, "private": 4_200_000, "fdi": 60_000_000, "household": 380_000}
_INVOICES = {"soe": 2.0, "private": 1.0, "fdi": 1.5, "household": 0.7}


def vat_of(net: int, rate: int) -> int:
    """VAT in đồng on a net amount, `rate` in percent, rounded half up."""
    return int((Decimal(net) * rate / 100).quantize(Decimal(1), ROUND_HALF_UP))


def net_of(gross: int, rate: int) -> int:
    """Net amount in đồng within a gross amount, rounded half up; the VAT is what remains."""
    return int((Decimal(gross) * 100 / (100 + rate)).quantize(Decimal(1), ROUND_HALF_UP))


@dataclass(frozen=True)
class _Outlet:
    """Where invoices are issued: a seller, or a petrol shop of one; each has a series of its own."""

    seller: str
    shop: str | None
    template: str
    series: str
    pump_auto: bool
    reporter: Reporter


class InvoiceSystem(System):
    """The tax authority's stream of invoices, other documents, corrections and notices."""

    feed = "tax.einvoice"

    def __init__(self, random: Random, reporters: Iterable[Reporter]) -> None:
        self._random = random
        outlets = _outlets(random, reporters)
        self._sellers = Rota([o for o in outlets if o.shop is None], _business, laps=1)
        self._open_shops = [o for o in outlets if o.shop is not None]
        self._shops = Rota(self._open_shops, lambda _: random.uniform(0.4, 1.6), laps=1)
        self._households = Weighted([o for o in outlets if o.template == "2"] or outlets, _business)
        self._fuel = Rota.of(_FUEL)
        self._pay_cash_desk = Rota.of({"cash": 55, "transfer": 40, "mixed": 5})
        self._pay_office = Rota.of({"cash": 8, "transfer": 62, "mixed": 30})
        self._rates = {branch: Rota.of(rates) for branch, rates in _RATES.items()}
        self._rates_elsewhere = Rota.of(_RATES_ELSEWHERE)
        self._kind, self._correction = Rota.of(_KIND), Rota.of(_CORRECTION)
        self._numbers: Counter[str] = Counter()

    def create(self, day: date, tick: int) -> Life:
        """An invoice of `day`, of a petrol shop or another seller."""
        if self._random.random() < _PETROL_SHARE:
            return self._petrol_sale(day, tick)
        kind = self._kind.pick(self._random)
        return self._sale(day, tick) if kind == "invoice" else self._other_document(kind, day, tick)

    def schedule(self, day: date) -> list[ScheduledSending]:
        """Every petrol shop sells several times a day, however few invoices are sent beside these."""
        first = (day - FIRST_DAY).days * HOURS
        hours = [(self._random.choice(span), shop) for span in _PETROL_HOURS for shop in self._open_shops]
        return [(hour, partial(self._petrol_sale, day, first + hour, shop)) for hour, shop in hours]

    def mend(self, life: Life) -> Data:
        """What the provider sent wrongly beside the amounts: how the buyer paid."""
        return {**life.data, "pay_method": "cash" if life.data["pay_method"] == "transfer" else "transfer"}

    def correct(self, life: Life, day: date, tick: int) -> Sequence[Revision]:
        """A new revision with a notice of the error, an adjusting invoice or a replacing one, each as often."""
        match self._correction.pick(self._random):
            case "revision":
                notice = self._notice(life, "error_notice", day, tick)
                return [(life, self.mend(life)), (notice, notice.data)]
            case "adjustment":
                adjustment = self.adjustment(life, day, tick)
                return [(adjustment, adjustment.data)]
        replacement = self.replacement(life, day, tick)
        return [(replacement, replacement.data), (life, None)]

    def cancel(self, life: Life, day: date, tick: int) -> Sequence[Revision]:
        """A notice, and the void."""
        notice = self._notice(life, "cancellation", day, tick)
        return [(notice, notice.data), (life, None)]

    def adjustment(self, life: Life, day: date, tick: int) -> Life:
        """An adjusting invoice: a tenth less, as differences."""
        data = life.data
        net = data["amount_net"] // 10
        rate = _rate_of(data)
        less = _amounts(-net, -_vat_on(net, rate), rate)
        return self._next(
            life,
            {
                **_without_amounts(data),
                "relation": "adjustment",
                **less,
                **self._signed(day, tick),
            },
        )

    def replacement(self, life: Life, day: date, tick: int) -> Life:
        """The invoice again under a new number; the caller voids the old one."""
        return self._next(life, {**self.mend(life), "relation": "replacement", **self._signed(day, tick)})

    def _notice(self, life: Life, relation: str, day: date, tick: int) -> Life:
        """A notice about an invoice, without amounts."""
        # A notice is dated in the year that the series of its invoice names, e.g. 2024 for `1C24TAA`.
        last = date(int(life.data["issued_on"][:4]), 12, 31)
        data = {**_without_amounts(life.data), "relation": relation, **self._signed(min(day, last), tick)}
        return Life(life.reporter, f"{life.key}/{relation}", data)

    def misdate(self, life: Life, year: int) -> Life:
        data = life.data
        series = f"{data['series'][0]}{year % 100:02d}{data['series'][3:]}"
        moved = {**in_year(data, year, ("issued_on",)), "series": series}
        return life.with_data(moved, key=_key(moved))

    def estrange(self, life: Life) -> Life:
        return life.with_data({**life.data, "seller_id": _STRANGER, "shop_id": None}, reporter=_STRANGER)

    def _petrol_sale(self, day: date, tick: int, shop: _Outlet | None = None) -> Life:
        random = self._random
        outlet = shop or self._shops.pick(random)
        fuel = self._fuel.pick(random)
        lorry = fuel.startswith(("do", "mazut"))
        litres = round(random.lognormvariate(4.2 if lorry else 1.9, 0.8), 3)
        gross = round(litres * _PRICE[fuel])
        net = net_of(gross, _RATE_FUEL)
        business = random.random() < (0.5 if lorry else 0.06)
        return self._new(
            outlet,
            {
                **self._signed(day, tick),
                "pay_method": self._pay_cash_desk.pick(random),
                "buyer_type": "business" if business else random.choice(("person", "anonymous", "anonymous")),
                **_amounts(net, gross - net, _RATE_FUEL),
                "shop_id": outlet.shop,
                "pump_auto": outlet.pump_auto,
                f"litres_{fuel}": litres,
                f"fuel_{fuel}": gross,
            },
        )

    def _sale(self, day: date, tick: int) -> Life:
        random = self._random
        outlet = self._sellers.pick(random)
        attributes = outlet.reporter.attributes
        typical = _TYPICAL_AMOUNT.get(str(attributes.get("seller_type")), 1_000_000)
        net = max(10_000, round(typical * random.lognormvariate(-0.7, 1.2) / 100) * 100)
        rates = self._rates.get(str(attributes.get("vsic")), self._rates_elsewhere)
        rate = None if outlet.template == "2" else rates.pick(random)
        office = outlet.series[3] != "M"
        return self._new(
            outlet,
            {
                **self._signed(day, tick),
                "pay_method": (self._pay_office if office else self._pay_cash_desk).pick(random),
                "buyer_type": random.choices(("business", "person", "anonymous"), (7, 2, 1) if office else (2, 3, 5))[
                    0
                ],
                **_amounts(net, _vat_on(net, rate), rate),
            },
        )

    def _other_document(self, kind: str, day: date, tick: int) -> Life:
        """A ticket, a note for goods on their way, a sale of public property, or a VAT invoice of a household."""
        random = self._random
        outlet = (self._households if kind == "household_vat" else self._sellers).pick(random)
        template, letter = _TEMPLATE[kind]
        net = {"ticket": _TICKET * random.randint(1, 8), "transfer_note": 0}.get(kind, random.randrange(10**5, 10**7))
        rate: Rate = {"public_asset": "not_declared", "transfer_note": None}.get(kind, 8)
        return self._new(
            replace(outlet, template=template, series=f"{outlet.series[:3]}{letter}{outlet.series[4:]}"),
            {
                **self._signed(day, tick),
                "pay_method": self._pay_cash_desk.pick(random),
                "buyer_type": "anonymous" if kind == "ticket" else "business",
                **_amounts(net, _vat_on(net, rate), rate),
            },
        )

    def _signed(self, day: date, tick: int) -> Data:
        """Dates of a document of `day` that reaches the tax office in `tick`; most do within minutes."""
        random = self._random
        second = random.randrange(3600)
        sent = moment_of(tick, second)
        signed = sent - timedelta(seconds=random.randrange(2, 240))
        if random.random() < _LATE_TO_TAX_OFFICE:
            signed -= timedelta(minutes=random.randrange(600, 2900))
        if signed.date() != day:
            signed = datetime.combine(day, time(random.randrange(6, 22), second // 60), tzinfo=VIETNAM)
        return {
            "issued_on": day.isoformat(),
            "signed_at": signed.isoformat(),
            "sent_at": max(sent, signed + timedelta(seconds=2)).isoformat(),
        }

    def _new(self, outlet: _Outlet, content: Data) -> Life:
        data: Data = {
            "seller_id": outlet.seller,
            "template": outlet.template,
            "series": outlet.series,
            "number": 0,
            "relation": "original",
            **content,
        }
        return self._next(Life(outlet.seller, "", data), data)

    def _next(self, like: Life, data: Data) -> Life:
        """A document under the next number of its series."""
        # A series and its numbers begin anew with the year of issue.
        dated = f"{data['series'][0]}{data['issued_on'][2:4]}{data['series'][3:]}"
        series = f"{like.reporter}/{data['template']}/{dated}"
        self._numbers[series] += 1
        numbered = {**data, "series": dated, "number": self._numbers[series]}
        return Life(like.reporter, _key(numbered), numbered)


def _outlets(random: Random, reporters: Iterable[Reporter]) -> list[_Outlet]:
    """Give every seller and every shop its series: `C24M..` of cash registers, others of offices."""
    outlets: list[_Outlet] = []
    counted: Counter[str] = Counter()
    for reporter in reporters:
        petrol = reporter.attributes.get("type") == "petrol"
        seller = reporter.code.partition(".")[0]
        letters = f"{chr(65 + counted[seller] // 26)}{chr(65 + counted[seller] % 26)}"
        counted[seller] += 1
        household = reporter.attributes.get("seller_type") == "household"
        desk = petrol or "einvoice_pos" in reporter.registers
        kind = "C24M" if desk else random.choice(("C24T", "C24T", "C24T", "K24T"))
        template = "2" if household else "1"
        shop = reporter.code if petrol else None
        pump_auto = petrol and random.random() < _PUMPS_CONNECTED
        outlets.append(_Outlet(seller, shop, template, f"{kind}{letters}", pump_auto, reporter))
    return outlets


def _business(outlet: _Outlet) -> float:
    """How many invoices a seller issues beside others; shops with a cash register issue most."""
    by_type = _INVOICES.get(str(outlet.reporter.attributes.get("seller_type")), 1.0)
    return by_type * (4.0 if outlet.series[3] == "M" else 1.0)


def _amounts(net: int, vat: int, rate: Rate) -> Data:
    """The amounts of an invoice with one rate, or that states none."""
    amounts: Data = {"amount_net": net, "amount_vat": vat, "amount_gross": net + vat}
    amounts |= {} if rate is None else {f"net_{rate}": net}
    return amounts | ({f"vat_{rate}": vat} if isinstance(rate, int) and rate else {})


def _vat_on(net: int, rate: Rate) -> int:
    return vat_of(net, rate) if isinstance(rate, int) else 0


def _rate_of(data: Data) -> Rate:
    """The rate of an invoice with at most one."""
    rate = next((name.removeprefix("net_") for name in data if name.startswith("net_")), None)
    return int(rate) if rate is not None and rate.isdecimal() else rate


def _without_amounts(data: Data) -> Data:
    dropped = ("amount_", "net_", "vat_", "litres_", "fuel_")
    return {name: value for name, value in data.items() if not name.startswith(dropped)}


def _key(data: Data) -> str:
    return f"{data['template']}/{data['series']}/{data['number']}"


def _witness(invoice: Data) -> dict[str, int]:
    """Litres are counted in millilitres; mazut is furnace oil and no retail fuel."""
    if invoice["relation"] in ("cancellation", "error_notice"):
        return {}
    figures = {"einvoice.invoices.total": 1, "einvoice.value.total": invoice["amount_net"]}
    litres = [invoice[name] for name in invoice if name.startswith("litres_") and name != "litres_mazut"]
    if litres:
        figures["petrol.volume.total"] = sum(round(value * 1000) for value in litres)
    return figures


ENTRY = Entry(
    feed=InvoiceSystem.feed,
    publisher="tax",
    share=0.4,
    build=lambda random, ground: InvoiceSystem(random, ground.reporters),
    witness=_witness,
)
