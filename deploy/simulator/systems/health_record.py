"""Health records at the commune stations: kept, filled section by section, linked, looked at (feed `health.record`)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from functools import partial
from random import Random

from deploy.simulator.calendar import HOURS
from deploy.simulator.entry import Entry
from deploy.simulator.habit import CLINIC
from deploy.simulator.ledger import Data
from deploy.simulator.record import FollowUp, Life, System, in_year, not_before, pseudonym
from deploy.simulator.rota import Rota, literals_of
from ioc.feeds.declared.health_record import SECTIONS_HELD, HealthRecord
from ioc.province.reporter import Reporter

_STRANGER = "yt-999-01"
_DATES = ("occurred_on", "ended_on", *SECTIONS_HELD)

_KIND = {"entry": 47, "record": 20, "view": 12, "check": 9, "spell": 9, "rejection": 3}
_AGE = {"under6": 9, "6_14": 14, "15_24": 13, "25_44": 31, "45_59": 18, "60_79": 12, "80_plus": 3}
_SECTION = {
    "visit": 34, "vitals": 24, "lab": 14, "immunisation": 11, "history": 7, "child": 5, "maternal": 3, "allergy": 2,
}  # fmt: skip
_CHECK = {"elderly": 46, "pupil": 38, "worker": 16}
# Weeks come in which much is filled in: the census of residents is behind it, and links to VNeID follow.
_FILLS_IN = {"vaccination_on": 24, "linked_on": 34, "blood_group_on": 14, "allergy_on": 10, "chronic_on": 8}
_MAXIMUM_FILLED = 3
_ENDS = {True: 2.0, False: 98.0}
_SPELL = {
    ("visited", None): 42.0,
    ("managed", "hypertension"): 18.0,
    ("managed", "diabetes"): 10.0,
    ("managed", "copd_asthma"): 4.0,
    ("managed", "mental"): 3.0,
    ("managed", "tuberculosis"): 1.5,
    ("controlled", "hypertension"): 13.0,
    ("controlled", "diabetes"): 6.0,
}
# A condition slips out of control and patients move; who was seen within twelve months stays so for the month.
_SPELL_ENDS = {True: 12.0, False: 88.0}


class HealthRecordSystem(System):
    """The stations' record software, and the province's platform that gathers from it."""

    feed = "health.record"
    habit = CLINIC

    def __init__(self, random: Random, stations: Iterable[Reporter]) -> None:
        self._random = random
        self._stations = Rota(stations, lambda _: random.uniform(0.5, 1.6), laps=1)
        self._kind = Rota.over(HealthRecord, "kind", _KIND)
        self._age = Rota.over(HealthRecord, "age_group", _AGE)
        self._section = Rota.over(HealthRecord, "section", _SECTION)
        self._check = Rota.over(HealthRecord, "check_group", _CHECK)
        self._fills_in = Rota.of(_FILLS_IN)
        self._ends = Rota.of(_ENDS)
        self._spell = Rota.of(_SPELL)
        self._spell_ends = Rota.of(_SPELL_ENDS)

    def create(self, day: date, tick: int) -> Life:
        """Whatever happens to a record, or one that is opened."""
        random = self._random
        kind = self._kind.pick(random)
        data: Data = {"kind": kind, "item_id": pseudonym(random), "occurred_on": day.isoformat()}
        match kind:
            case "record":
                data |= {"sex": random.choice(literals_of(HealthRecord, "sex")), "age_group": self._age.pick(random)}
            case "entry":
                data["section"] = self._section.pick(random)
            case "check":
                data["check_group"] = self._check.pick(random)
            case "spell":
                data["state"], condition = self._spell.pick(random)
                data |= {} if condition is None else {"condition": condition}
        return Life(self._stations.pick(random).code, f"{kind}/{data['item_id']}", data)

    def follow(self, life: Life, day: date) -> FollowUp | None:
        """A record is filled in and linked, few end within the month; so do some of the states a patient is in."""
        random, data = self._random, life.data
        if "ended_on" in data:
            return None
        if data["kind"] == "spell" and data["state"] != "visited" and self._spell_ends.pick(random):
            return FollowUp(HOURS * random.randint(2, 15), _end)
        if data["kind"] != "record":
            return None
        missing = [name for name in SECTIONS_HELD if name not in data]
        if len(SECTIONS_HELD) - len(missing) < random.randint(0, _MAXIMUM_FILLED):
            name = self._fills_in.pick(random)
            if name in missing:
                return FollowUp(random.randrange(1, 5 * HOURS), partial(_fill_in, name=name))
        if self._ends.pick(random):
            return FollowUp(HOURS * random.randint(1, 12), _end)
        return None

    def mend(self, life: Life) -> Data:
        """The wrong box was ticked, or what happened had happened a day earlier."""
        data = life.data
        match data["kind"]:
            case "record":
                return {**data, "age_group": _next("age_group", data["age_group"])}
            case "entry":
                return {**data, "section": _next("section", data["section"])}
            case "check":
                return {**data, "check_group": _next("check_group", data["check_group"])}
            case "spell" if data["state"] != "visited":
                return {**data, "condition": "diabetes" if data["condition"] == "hypertension" else "hypertension"}
        before = date.fromisoformat(data["occurred_on"]) - timedelta(days=1)
        return {**data, "occurred_on": before.isoformat()}

    def misdate(self, life: Life, year: int) -> Life:
        return life.with_data(in_year(life.data, year, _DATES))

    def estrange(self, life: Life) -> Life:
        return life.with_data(life.data, reporter=_STRANGER)


def _fill_in(life: Life, day: date, *, name: str) -> Data | None:
    if name in life.data or "ended_on" in life.data:
        return None
    return {**life.data, name: not_before(life.data, day, _DATES).isoformat()}


def _end(life: Life, day: date) -> Data | None:
    """The person has died or moved away; the state is over."""
    return _fill_in(life, day, name="ended_on")


def _next(field: str, value: str) -> str:
    """The value beside a value, in the order of the model."""
    values = literals_of(HealthRecord, field)
    return values[(values.index(value) + 1) % len(values)]


ENTRY = Entry(
    feed=HealthRecordSystem.feed,
    publisher="health",
    share=0.03,
    build=lambda random, ground: HealthRecordSystem(random, ground.reporters),
)
