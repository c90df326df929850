"""Alerts and incidents of the security operations centre (feed `infosec.event`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from functools import partial
from random import Random

from deploy.simulator.calendar import FIRST_DAY
from deploy.simulator.entry import Entry
from deploy.simulator.habit import ALWAYS
from deploy.simulator.ledger import Data
from deploy.simulator.record import FollowUp, Life, System, in_year
from deploy.simulator.rota import Rota, literals_of
from ioc.feeds.declared.infosec_event import InfosecEvent
from ioc.province.reporter import Reporter

_STRANGER = "soc-999"
_DATES = ("occurred_on", "resolved_on")

# Shares of all events: a province sees thousands of alerts and a handful of incidents.
_SEVERITY = {"critical": 1.0, "high": 7.0, "medium": 31.0, "low": 60.0}
_INCIDENT = {"malware": 0.34, "phishing": 0.28, "intrusion": 0.15, "defacement": 0.1, "ddos": 0.08, "leak": 0.05}
# Typical minutes until an incident is noticed, and hours until it is over.
_UNNOTICED = {"ddos": 12, "defacement": 50, "phishing": 180, "malware": 260, "intrusion": 900, "leak": 2600}
_LASTS = {"ddos": 3, "defacement": 6, "phishing": 10, "malware": 18, "intrusion": 40, "leak": 64}
_UNRESOLVED = 0.04


class InfosecSystem(System):
    """The province's security operations centre."""

    feed = "infosec.event"
    habit = ALWAYS

    def __init__(self, random: Random, centres: Sequence[Reporter]) -> None:
        self._random = random
        self._centres = centres
        kinds = [("alert", severity) for severity in literals_of(InfosecEvent, "severity")]
        kinds += [("incident", what) for what in literals_of(InfosecEvent, "incident_type")]
        self._kinds = Rota(kinds, lambda kind: (_SEVERITY if kind[0] == "alert" else _INCIDENT).get(kind[1], 0.1))
        self._numbers: Counter[str] = Counter()

    def create(self, day: date, tick: int) -> Life:
        """An alert is raised or an incident detected."""
        random = self._random
        kind, what = self._kinds.pick(random)
        centre = random.choice(self._centres)
        self._numbers[kind] += 1
        prefix = "ALR" if kind == "alert" else "INC"
        data: Data = {
            "kind": kind,
            "item_id": f"{prefix}-{FIRST_DAY.year}-{self._numbers[kind]:06d}",
            "occurred_on": day.isoformat(),
        }
        if kind == "alert":
            data["severity"] = what
        else:
            unnoticed = _UNNOTICED.get(what, 120) * random.lognormvariate(0, 0.6)
            data |= {"incident_type": what, "detection_min": round(unnoticed)}
        return Life(centre.code, f"{kind}/{data['item_id']}", data)

    def follow(self, life: Life, day: date) -> FollowUp | None:
        """An incident is resolved; few are not within the month."""
        data = life.data
        if life.is_void or data["kind"] != "incident" or "resolved_on" in data or self._random.random() < _UNRESOLVED:
            return None
        hours = max(1, round(_LASTS.get(data["incident_type"], 12) * self._random.lognormvariate(0, 0.5)))
        return FollowUp(hours, partial(_resolve, minutes=hours * 60 - self._random.randrange(60)))

    def mend(self, life: Life) -> Data:
        """An alert was graded wrongly; an incident had begun earlier than was thought."""
        data = life.data
        if data["kind"] == "incident":
            return {**data, "detection_min": data["detection_min"] + self._random.randint(5, 600)}
        grades = literals_of(InfosecEvent, "severity")
        return {**data, "severity": grades[(grades.index(data["severity"]) + 1) % len(grades)]}

    def misdate(self, life: Life, year: int) -> Life:
        return life.with_data(in_year(life.data, year, _DATES))

    def estrange(self, life: Life) -> Life:
        return life.with_data(life.data, reporter=_STRANGER)


def _resolve(life: Life, day: date, *, minutes: int) -> Data | None:
    data = life.data
    if "resolved_on" in data:
        return None
    return {**data, "resolved_on": max(day.isoformat(), data["occurred_on"]), "resolution_min": minutes}


ENTRY = Entry(
    feed=InfosecSystem.feed,
    publisher="monitoring",
    share=0.02,
    build=lambda random, ground: InfosecSystem(random, ground.reporters),
)
