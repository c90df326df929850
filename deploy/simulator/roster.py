"""The systems of the province: one row each, with its publisher and how much of the volume is its own.

A further feed is simulated by a `System` and a row here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from deploy.simulator.app_usage import AppUsageSystem
from deploy.simulator.daily_report import DailyReportSystem
from deploy.simulator.document import DocumentSystem
from deploy.simulator.dossier import DossierSystem
from deploy.simulator.environment import EnvironmentSystem
from deploy.simulator.feedback import FeedbackSystem
from deploy.simulator.health_record import HealthRecordSystem
from deploy.simulator.health_visit import HealthVisitSystem
from deploy.simulator.infosec import InfosecSystem
from deploy.simulator.invoice import InvoiceSystem
from deploy.simulator.record import System
from deploy.simulator.report_value import ReportValueSystem
from deploy.simulator.stay import StaySystem
from deploy.simulator.territory import Population
from deploy.simulator.vaccination import VaccinationSystem
from ioc.catalogue import Indicator
from ioc.province.reporter import REGISTER_FEED, Reporter


@dataclass(frozen=True)
class Ground:
    """What a system may know of its province: its own reporters, where people live, the catalogue's rows."""

    reporters: Sequence[Reporter]
    territory: Population
    indicators: Iterable[Indicator]


@dataclass(frozen=True)
class Entry:
    """A system of the roster.

    publisher: who sends its events, under a token of its own.
    share:     of all new records that chance makes; 0 for a system that sends by its calendar alone.
    """

    feed: str
    publisher: str
    share: float
    build: Callable[[Random, Ground], System]


ROSTER: Final = (
    Entry("tourism.stay", "lodging", 0.26, lambda random, ground: StaySystem(random, ground.reporters)),
    Entry("tourism.daily_report", "lodging", 0, lambda random, ground: DailyReportSystem(random, ground.reporters)),
    Entry("tax.einvoice", "tax", 0.4, lambda random, ground: InvoiceSystem(random, ground.reporters)),
    Entry("health.record", "health", 0.03, lambda random, ground: HealthRecordSystem(random, ground.reporters)),
    Entry("health.checkout", "health", 0.06, lambda random, ground: HealthVisitSystem(random, ground.reporters)),
    Entry("vaccination.dose", "health", 0.06, lambda random, ground: VaccinationSystem(random, ground.reporters)),
    Entry("dossier.event", "administration", 0.06, lambda random, ground: DossierSystem(random, ground.reporters)),
    Entry("document.flow", "administration", 0.04, lambda random, ground: DocumentSystem(random, ground.reporters)),
    Entry(
        "feedback.ticket",
        "administration",
        0.03,
        lambda random, ground: FeedbackSystem(random, ground.reporters, ground.territory),
    ),
    Entry("environment.reading", "monitoring", 0, lambda random, ground: EnvironmentSystem(random, ground.reporters)),
    Entry("infosec.event", "monitoring", 0.02, lambda random, ground: InfosecSystem(random, ground.reporters)),
    Entry("app.usage", "monitoring", 0.04, lambda random, ground: AppUsageSystem(random, ground.reporters)),
    Entry(
        "report.value",
        "agencies",
        0,
        lambda random, ground: ReportValueSystem(random, ground.reporters, ground.indicators, ground.territory),
    ),
)

# Of the platform's rows, those of one feed each are measured, and these.
_MEASURED: Final = frozenset(
    f"data_quality.{name}" for name in ("indicators_total", "indicators_live", "indicators_added", "agencies")
)

FEEDS: Final = tuple(entry.feed for entry in ROSTER)


def of_agencies(indicators: Iterable[Indicator]) -> list[Indicator]:
    """Return the rows that agencies report; what the platform measures of itself it reports (docs/quality.md)."""
    return [
        row
        for row in indicators
        if row.kind == "reported" and not (row.sector == "data_quality" and (row.breakdown or row.code in _MEASURED))
    ]


# Publisher -> the feeds that it sends.
PUBLISHERS: Final[Mapping[str, tuple[str, ...]]] = {
    "register": (REGISTER_FEED,),
    **{
        publisher: tuple(entry.feed for entry in ROSTER if entry.publisher == publisher)
        for publisher in dict.fromkeys(entry.publisher for entry in ROSTER)
    },
}
