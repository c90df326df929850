"""Breakdowns of the catalogue that are exhaustive: their parts sum to their total, in every area and period.

docs/catalogue.md, docs/catalogue-health.md and docs/catalogue-services.md list them.
"""

from __future__ import annotations

from dataclasses import dataclass

from ioc.catalogue import Catalogue


@dataclass(frozen=True)
class Breakdown:
    """A total and its parts.

    family: what the codes of the parts begin with. parts: how many there are.
    among:  of which records they are all, as an SQL condition; TRUE for all that the total counts.
    """

    whole: str
    family: str
    breakdown: str
    parts: int
    among: str = "TRUE"

    def codes(self, catalogue: Catalogue) -> list[str]:
        """Codes of the parts."""
        found = catalogue.indicators.items()
        return [code for code, i in found if code.startswith(f"{self.family}.") and i.breakdown == self.breakdown]

    @property
    def is_partial(self) -> bool:
        """Whether the total counts records that no part counts."""
        return self.among != "TRUE"

    def __str__(self) -> str:
        return f"{self.whole} by {self.family}/{self.breakdown}"


def _of(whole: str, *parts: tuple[str, int], family: str = "", among: str = "TRUE") -> list[Breakdown]:
    family = family or whole.rpartition(".")[0]
    return [Breakdown(whole, family, breakdown, count, among) for breakdown, count in parts]


LODGING_AND_INVOICES = [
    *_of("lodging.guests.total", ("origin", 2), ("star", 6), ("age_group", 5), ("sex", 2), ("purpose", 5)),
    *_of("lodging.guests.total", ("doc_type", 4), ("stay_class", 4)),
    *_of("lodging.guests.total", ("lodging_type", 7), among="lodging_type <> 'ship'"),
    *_of("lodging.guests.international", ("nationality", 16)),
    *_of("lodging.guests.domestic", ("home_region", 7)),
    *_of("lodging.nights.total", ("origin", 2)),
    *_of("lodging.nights.total", ("lodging_type", 7), among="lodging_type <> 'ship'"),
    *_of("lodging.rooms.total", ("star", 6)),
    *_of("lodging.room_nights.total", ("star", 6)),
    *_of("lodging.establishments.total", ("lodging_type", 7), among="type <> 'ship'"),
    *_of("lodging.revenue.total", ("star", 6)),
    *_of("lodging.revenue.total", ("revenue_item", 3), family="lodging.revenue_item"),
    *_of("lodging.in_house.total", ("origin", 2)),
    *_of("einvoice.value.total", ("seller_type", 4), ("pay_method", 3), ("vat_rate", 7), ("vsic", 18)),
    *_of("einvoice.vat.total", ("seller_type", 4), ("vat_rate", 3)),
    *_of("einvoice.invoices.total", ("invoice_type", 5), ("code_kind", 3), ("seller_type", 4)),
    *_of("einvoice.invoices.total", ("pay_method", 3), ("buyer_type", 3)),
    *_of("petrol.volume.total", ("product", 6)),
    *_of("petrol.revenue.total", ("product", 6)),
    *_of("petrol.invoices.total", ("product", 6)),
]
_DISCHARGES = "health_visit.inpatient_discharges"
HEALTH = [
    *_of("health_record.records.total", ("age_group", 7), ("sex", 2)),
    *_of("health_record.updates.total", ("section", 8)),
    *_of("health_visit.visits.total", ("age_group", 7), ("payer", 3), ("facility_tier", 5), ("icd_chapter", 21)),
    *_of("health_visit.visits.total", ("sex", 2), among="sex <> 'unknown'"),
    *_of(
        "health_visit.visits.type_inpatient",
        ("outcome", 6),
        family=_DISCHARGES,
        among="outcome NOT IN ('undetermined', 'died_outside')",
    ),
    *_of("health_visit.visits.type_inpatient", ("discharge_type", 5), ("icd_chapter", 21), family=_DISCHARGES),
    *_of("health_visit.cost.total", ("cost_source", 4), family="health_visit.cost_source"),
    *_of("health_visit.cost.total", ("cost_item", 8), family="health_visit.cost_item"),
    *_of("health_visit.cost.total", ("facility_tier", 5)),
    *_of("health_visit.payments.total", ("pay_method", 5)),
    *_of("health_visit.payment_value.total", ("pay_method", 5)),
    *_of("health_visit.id_method.total", ("id_method", 4)),
    *_of("vaccination.doses_all.total", ("programme", 3), ("site_type", 5), ("age_group", 5)),
]
SERVICES = [
    *_of("dossier.received.total", ("channel", 3), ("level", 3), ("field", 12)),
    *_of("dossier.received.channel_online", ("service_level", 2), family="dossier.online_level"),
    *_of("dossier.received.channel_online", ("submitter", 2), family="dossier.submitted_by"),
    *_of("dossier.resolved.total", ("timeliness", 3), ("level", 3)),
    *_of("feedback.received.total", ("category", 10), ("channel", 4)),
    *_of("document.docs.sent", ("format", 3), family="document.sent_format"),
    *_of("document.docs.sent", ("level", 3), family="document.sent_level"),
    *_of("infosec.alerts.total", ("severity", 4)),
    *_of("infosec.incidents.total", ("incident_type", 6)),
]
BREAKDOWNS = [*LODGING_AND_INVOICES, *HEALTH, *SERVICES]
