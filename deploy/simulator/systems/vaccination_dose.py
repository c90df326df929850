"""Injections, and what the vaccination sites tell beside them: reactions, stocks, alarms (feed `vaccination.dose`)."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import partial
from random import Random

from deploy.simulator.calendar import FIRST_DAY, HOURS
from deploy.simulator.entry import Entry
from deploy.simulator.habit import CLINIC
from deploy.simulator.immunisation import SESSIONS, STOCKED, Session
from deploy.simulator.ledger import Data
from deploy.simulator.record import FollowUp, Life, ScheduledSending, System, in_year, pseudonym
from deploy.simulator.rota import Rota, literals_of
from ioc.feeds.declared.vaccination_dose import VaccinationDose
from ioc.province.reporter import Reporter

_STRANGER = "yt-999-01"
_DATES = ("occurred_on", "ended_on")

_WHAT = {"session": 84, "aefi": 1.4, "use": 8.0, "transfer": 2.2, "discard": 1.4, "temp_alert": 0.8, "overdue": 2.2}
# Reactions that are reported, by vaccine: those of children above all.
_AEFI = {
    "dpt_vgb_hib": 42,
    "measles": 14,
    "bcg": 9,
    "hepb0": 4,
    "rabies": 7,
    "mr": 8,
    "je": 7,
    "influenza": 5,
    "tt": 2,
    "td": 2,
}
_SEVERITY = {"mild": 96, "serious": 4}
_HOURS_AFTER_BIRTH = {8: 52.0, 20: 34.0, 30: 9.0, 60: 5.0}
_DELAY = {0: 71.0, 2: 9.0, 5: 8.0, 12: 7.0, 33: 4.0, 90: 1.0}
_ON_SCHEDULE_WITHIN = 7
_RECORD_LAG = {1: 60.0, 7: 24.0, 22: 9.0, 30: 4.0, 80: 3.0}
_COMPLETES = {True: 92.0, False: 8.0}
_CATCHES_UP = {True: 80.0, False: 20.0}
# Persons of a commune whom the programme is to reach.
_TARGETS = {"under1": 190, "m18": 185, "y1": 380, "y7": 195, "pregnant": 205}
_OPENING_HOURS = (7, 8, 9, 10, 11, 14, 15)
_MONDAY = 0
_DELIVERED = 20
_HIGHEST_DOSE = 20


class VaccinationSystem(System):
    """The national vaccination system, as far as the sites of the province fill it."""

    feed = "vaccination.dose"
    habit = CLINIC

    def __init__(self, random: Random, sites: Iterable[Reporter]) -> None:
        self._random = random
        self._opened: date | None = None
        self._sites = list(sites)
        of_type: defaultdict[str, list[Reporter]] = defaultdict(list)
        for site in self._sites:
            of_type[_type(site)].append(site)
        # Sites take turns at first, so that each has some of what is given there.
        self._of_type = {kind: Rota(of, lambda _: random.uniform(0.5, 1.6), laps=1) for kind, of in of_type.items()}
        self._stores = of_type.get("commune", self._sites)
        self._salt = random.getrandbits(64)
        self._what = Rota.of(_WHAT)
        self._session = Rota(SESSIONS, lambda session: session.weight)
        self._reaction = Rota.of(_AEFI)
        self._severity = Rota.over(VaccinationDose, "severity", _SEVERITY)
        self._hours_after_birth, self._delay = Rota.of(_HOURS_AFTER_BIRTH), Rota.of(_DELAY)
        self._record_lag = Rota.of(_RECORD_LAG)
        self._completes, self._catches_up = Rota.of(_COMPLETES), Rota.of(_CATCHES_UP)
        self._stocked = Rota(STOCKED, lambda vaccine: STOCKED[vaccine], laps=1)
        self._place_of_session = {session.name: Rota(session.sites, lambda _: 1.0, laps=1) for session in SESSIONS}
        # What belongs together, as the doses of one visit, follows one upon the other.
        self._waiting: deque[tuple[Reporter, Data]] = deque()

    def create(self, day: date, tick: int) -> Life:
        """A dose or something else; all of a session are of one person."""
        if not self._waiting:
            self._waiting.extend(self._happening())
        site, content = self._waiting.popleft()
        data = {**content, "occurred_on": day.isoformat()}
        return Life(site.code, _key(data), data)

    def schedule(self, day: date) -> list[ScheduledSending]:
        """Once a month its targets, the first time with what is in stock; on Mondays what is delivered."""
        if day.day == FIRST_DAY.day:
            self._opened = self._opened or day
            return [
                (hour, partial(self._counted, site, content, start))
                for number, site in enumerate(self._stores)
                for hour in [_OPENING_HOURS[number % len(_OPENING_HOURS)]]
                for content, start in [
                    *self._targets(site, day),
                    *(self._opening(site, day) if day == self._opened else ()),
                ]
            ]
        if day.weekday() == _MONDAY:
            return [
                (8 + number % 3, partial(self._counted, site, _movement("receipt", vaccine, _DELIVERED), day))
                for number, site in enumerate(self._stores)
                for vaccine in [list(STOCKED)[(number + day.toordinal() // 7) % len(STOCKED)]]
            ]
        return []

    def follow(self, life: Life, day: date) -> FollowUp | None:
        """A child that is overdue is found and catches up."""
        late = life.data["kind"] == "overdue" and "ended_on" not in life.data
        if late and self._catches_up.pick(self._random):
            return FollowUp(HOURS * self._random.randint(1, 18), _catch_up)
        return None

    def mend(self, life: Life) -> Data:
        """A slip of the pen, in whatever a clerk can get wrong of a kind."""
        data = life.data
        match data["kind"]:
            case "dose":
                return {**data, "dose_no": data["dose_no"] % _HIGHEST_DOSE + 1}
            case "aefi":
                return {**data, "severity": "mild" if data["severity"] == "serious" else "serious"}
            case "movement" | "target":
                return {**data, "quantity": data["quantity"] + (-1 if data["quantity"] < 0 else 1)}
            case "overdue":
                ended = date.fromisoformat(data["ended_on"] if "ended_on" in data else data["occurred_on"]) + timedelta(
                    days=1
                )
                return {**data, "ended_on": ended.isoformat()}
        before = date.fromisoformat(data["occurred_on"]) - timedelta(days=1)
        return {**data, "occurred_on": before.isoformat()}

    def misdate(self, life: Life, year: int) -> Life:
        moved = in_year(life.data, year, _DATES)
        return life.with_data(moved, key=_key(moved))

    def estrange(self, life: Life) -> Life:
        return life.with_data(life.data, reporter=_STRANGER)

    def _happening(self) -> Iterator[tuple[Reporter, Data]]:
        """(site, content) of one thing that happens at a site, or at two."""
        random = self._random
        what = self._what.pick(random)
        if what == "session":
            yield from self._doses(self._session.pick(random))
            return
        site, item = random.choice(self._stores), pseudonym(random)
        match what:
            case "aefi":
                vaccine, severity = self._reaction.pick(random), self._severity.pick(random)
                yield site, {"kind": "aefi", "item_id": item, "vaccine": vaccine, "severity": severity}
            case "temp_alert":
                yield site, {"kind": "temp_alert", "item_id": item}
            case "overdue":
                yield site, {"kind": "overdue", "person_id": item}
            case "transfer":
                vaccine, moved = self._stocked.pick(random), random.randint(2, 10)
                yield site, {**_movement("transfer", vaccine, -moved), "item_id": item}
                other = random.choice([one for one in self._stores if one is not site] or [site])
                yield other, {**_movement("transfer", vaccine, moved), "item_id": pseudonym(random)}
            case _:
                most = 6 if what == "use" else 3
                vaccine, quantity = self._stocked.pick(random), -random.randint(1, most)
                yield site, {**_movement(what, vaccine, quantity), "item_id": item}

    def _doses(self, session: Session) -> Iterator[tuple[Reporter, Data]]:
        random = self._random
        kind = self._place_of_session[session.name].pick(random)
        # A profile may lack a type of site.
        site = self._of_type.get(kind, next(iter(self._of_type.values()))).pick(random)
        person, age, delay = pseudonym(random), random.choice(session.ages), self._delay.pick(random)
        for number, (vaccine, dose) in enumerate(session.doses):
            data: Data = {
                "kind": "dose",
                "item_id": pseudonym(random),
                "person_id": person,
                "vaccine": vaccine,
                "dose_no": dose,
                "programme": session.programme,
                "age_group": age,
                "record_lag_h": self._record_lag.pick(random),
            }
            if session.programme == "epi":
                data |= {"delay_days": delay, "on_schedule": delay < _ON_SCHEDULE_WITHIN}
            if vaccine == "hepb0":
                data["hours_after_birth"] = self._hours_after_birth.pick(random)
            if session.is_last and number == len(session.doses) - 1:
                data["completes_course"] = self._completes.pick(random)
            yield site, data

    def _targets(self, site: Reporter, day: date) -> Iterator[tuple[Data, date]]:
        """Whom a station is to reach, from the first of the month."""
        for cohort in literals_of(VaccinationDose, "cohort"):
            persons = round(_TARGETS.get(cohort, 200) * self._chance(site, cohort).uniform(0.5, 1.6))
            yield {"kind": "target", "cohort": cohort, "quantity": persons}, day.replace(day=1)

    def _opening(self, site: Reporter, day: date) -> Iterator[tuple[Data, date]]:
        """What a station has of each vaccine, counted on the evening before the month."""
        for vaccine, usual in STOCKED.items():
            found = round(usual * self._chance(site, vaccine).uniform(0.6, 1.5))
            yield _movement("count", vaccine, found), day - timedelta(days=1)

    def _counted(self, site: Reporter, content: Data, day: date) -> Life:
        """A record of the calendar, the same whenever it is asked for: a month that begins again adds nothing."""
        data = {**content, "occurred_on": day.isoformat()}
        if data["kind"] != "target":
            data["item_id"] = pseudonym(self._chance(site, data["vaccine"], data["movement"], day))
        return Life(site.code, _key(data), data)

    def _chance(self, site: Reporter, *of: object) -> Random:
        return Random(f"{self._salt}/{site.code}/{'/'.join(map(str, of))}")


def _movement(movement: str, vaccine: str, quantity: int) -> Data:
    return {"kind": "movement", "movement": movement, "vaccine": vaccine, "quantity": quantity}


def _catch_up(life: Life, day: date) -> Data | None:
    if "ended_on" in life.data:
        return None
    return {**life.data, "ended_on": max(day.isoformat(), life.data["occurred_on"])}


def _type(site: Reporter) -> str:
    return str(site.attributes.get("site_type", "commune"))


def _key(data: Data) -> str:
    match data["kind"]:
        case "target":
            return f"target/{data['cohort']}/{data['occurred_on']}"
        case "overdue":
            return f"overdue/{data['person_id']}/{data['occurred_on']}"
    return f"{data['kind']}/{data['item_id']}"


ENTRY = Entry(
    feed=VaccinationSystem.feed,
    publisher="health",
    share=0.06,
    build=lambda random, ground: VaccinationSystem(random, ground.reporters),
)
