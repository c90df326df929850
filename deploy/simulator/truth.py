"""The expected results of a simulation: what indicators must show, by the simulator's own arithmetic.

Neither the catalogue nor its engines are used; the definitions are written down here a second time, for at least one
indicator of each feed that events of the year move. Sums are whole numbers in the indicator's smallest unit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from deploy.simulator.ledger import Data, ExpectedOutcome, Outgoing
from ioc.province.reporter import Reporter

# (indicator, the day on which it counts, how much)
CountedAmount = tuple[str, str, int]
# How many of the whole numbers make one of the indicator's unit: litres are summed in millilitres.
UNITS: Mapping[str, int] = {"petrol.volume.total": 1000}


@dataclass(frozen=True)
class ExpectedFigure:
    """What an indicator must show for a month: of the province (`area` its code) or of one of its units."""

    code: str
    area: str
    month: str
    value: float


class Truth:
    """Adds up the revisions that stand, in the order in which they were made.

    reporters: of the province; they say where a record counts that names no area itself.
    root:      code of the province.
    """

    def __init__(self, reporters: tuple[Reporter, ...], root: str) -> None:
        self._areas = {(one.feed, one.code): one.area_code for one in reporters}
        self._petrol = {one.code for one in reporters if one.attributes.get("type") == "petrol"}
        self._root = root
        self._winning: dict[str, tuple[str, tuple[CountedAmount, ...], int]] = {}

    def take(self, outgoing: Outgoing, times: int = 1) -> None:
        """Enter an event that was made; `times` = as how many records it was written."""
        subject = outgoing.event.get("subject")
        if outgoing.outcome in (ExpectedOutcome.NEW, ExpectedOutcome.CORRECTED):
            data = outgoing.event["data"]
            figures = tuple(FIGURES[outgoing.feed](data)) if outgoing.feed in FIGURES else ()
            if outgoing.feed == "tax.einvoice" and data.get("shop_id") not in self._petrol:
                figures = tuple(figure for figure in figures if not figure[0].startswith("petrol."))
            self._winning[str(subject)] = (self._area(outgoing, data), figures, times)
        elif outgoing.outcome is ExpectedOutcome.VOIDED:
            self._winning.pop(str(subject), None)

    def figures(self) -> list[ExpectedFigure]:
        """Return what must be shown, by indicator, area and month; records that fell in no unit count nowhere else."""
        sums: Counter[tuple[str, str, str]] = Counter()
        for area, figures, times in self._winning.values():
            for code, day, amount in figures:
                for unit in {area, self._root}:
                    sums[code, unit, day[:7]] += amount * times
        return [
            ExpectedFigure(code, area, month, total / UNITS.get(code, 1))
            for (code, area, month), total in sorted(sums.items())
        ]

    def _area(self, outgoing: Outgoing, data: Data) -> str:
        if "area_code" in data:
            return str(data["area_code"])
        return self._areas.get((outgoing.feed, data.get("shop_id") or outgoing.reporter)) or self._root


def _stay(stay: Data) -> Iterator[CountedAmount]:
    yield "lodging.guests.total", stay["check_in_on"], 1
    left = stay["check_out_on"]
    if left is not None and stay["overnight"]:
        nights = (date.fromisoformat(left) - date.fromisoformat(stay["check_in_on"])).days
        yield "lodging.nights.total", left, max(1, nights)


def _daily_report(report: Data) -> Iterator[CountedAmount]:
    yield "lodging.room_nights.total", report["report_on"], report["rooms_sold"]
    revenue = report["revenue_room"] + report["revenue_fnb"] + report["revenue_other"]
    yield "lodging.revenue.total", report["report_on"], revenue


def _invoice(invoice: Data) -> Iterator[CountedAmount]:
    """Mazut is furnace oil and no retail fuel."""
    if invoice["relation"] in ("cancellation", "error_notice"):
        return
    day = invoice["issued_on"]
    yield "einvoice.invoices.total", day, 1
    yield "einvoice.value.total", day, invoice["amount_net"]
    yield "einvoice.vat.total", day, invoice["amount_vat"]
    litres = [invoice[name] for name in invoice if name.startswith("litres_") and name != "litres_mazut"]
    if litres:
        yield "petrol.volume.total", day, sum(round(value * 1000) for value in litres)


def _visit(visit: Data) -> Iterator[CountedAmount]:
    if visit["completed_on"] is not None:
        yield "health_visit.visits.total", visit["completed_on"], 1
        yield "health_visit.cost.total", visit["completed_on"], visit["cost_total"]


def _dossier(dossier: Data) -> Iterator[CountedAmount]:
    if dossier["state"] != "refused":
        yield "dossier.received.total", dossier["received_on"], 1
    if dossier["state"] == "resolved":
        yield "dossier.resolved.total", dossier["closed_on"], 1


def _ticket(ticket: Data) -> Iterator[CountedAmount]:
    if ticket["state"] != "rejected":
        yield "feedback.received.total", ticket["received_on"], 1


def _reading(reading: Data) -> Iterator[CountedAmount]:
    if reading["medium"] == "air" and reading["exceeded"] and reading["param"] in ("pm25", "pm10", "tsp"):
        yield f"environment.air_exceed.{reading['param']}", reading["measured_at"], 1


def _of_kind(figures: Mapping[str, str]) -> Callable[[Data], Iterator[CountedAmount]]:
    """Return the counter of records by their kind: kind -> indicator."""

    def counted(data: Data) -> Iterator[CountedAmount]:
        if data["kind"] in figures:
            yield figures[data["kind"]], data["occurred_on"], 1

    return counted


def _usage(usage: Data) -> Iterator[CountedAmount]:
    what = ("visits", usage["app"]) if usage["kind"] == "visit" else ("questions", usage["assistant"])
    yield f"citizen_app.{what[0]}.{what[1]}", usage["occurred_on"], 1


FIGURES: Mapping[str, Callable[[Data], Iterator[CountedAmount]]] = {
    "tourism.stay": _stay,
    "tourism.daily_report": _daily_report,
    "tax.einvoice": _invoice,
    "health.checkout": _visit,
    "health.record": _of_kind({"record": "health_record.created", "entry": "health_record.updates.total"}),
    "vaccination.dose": _of_kind({"dose": "vaccination.doses_all.total"}),
    "dossier.event": _dossier,
    "feedback.ticket": _ticket,
    "document.flow": _of_kind({"sent": "document.docs.sent", "received": "document.docs.received"}),
    "infosec.event": _of_kind({"alert": "infosec.alerts.total", "incident": "infosec.incidents.total"}),
    "environment.reading": _reading,
    "app.usage": _usage,
}
