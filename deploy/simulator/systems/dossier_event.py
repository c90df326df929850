"""Dossiers at the one-stop shops, from intake to result, payment and rating (feed `dossier.event`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from functools import partial
from random import Random

from deploy.simulator.calendar import HOURS, hour_of
from deploy.simulator.entry import Entry
from deploy.simulator.habit import OFFICE
from deploy.simulator.ledger import Data
from deploy.simulator.office import after_office_days, is_office_day, is_office_time, office_hours
from deploy.simulator.record import FollowUp, Life, System, in_year, not_before, rated
from deploy.simulator.rota import Rota
from ioc.feeds.declared.dossier_event import DossierEvent
from ioc.province.reporter import Reporter

_STRANGER = "mot-cua-999"
_DATES = ("received_on", "due_on", "supplement_on", "paid_on", "closed_on", "rated_on")
_PAST = tuple(name for name in _DATES if name != "due_on")

# Shares of all dossiers; within a level offices differ by chance.
_LEVEL = {"province": 24.0, "district": 42.0, "commune": 34.0}
_FIELD = {
    "province": {"business": 24, "transport": 18, "construction": 8, "health": 9, "trade": 12, "environment": 8,
                 "social": 7, "education": 5, "civil_status": 6, "land": 2, "other": 1},
    "district": {"land": 55, "business": 14, "construction": 10, "civil_status": 8, "social": 6, "education": 3,
                 "environment": 2, "transport": 1, "other": 1},
    "commune": {"civil_status": 58, "social": 19, "residence": 12, "land": 7, "construction": 2, "other": 2},
}  # fmt: skip
# While the offices are open; else everything is online.
_CHANNEL = {"online": 48, "direct": 46, "postal": 6}
_SERVICE_ONLINE = {"full": 64, "partial": 36}
_SERVICE = {"full": 42, "partial": 48, "information": 10}
# Half of all online dossiers are not filed from afar, the press says: officers at the counter file for citizens.
_FILED_BY = {"self": 28, "assisted": 72}
# Working days that a procedure may take: from a copy of a birth certificate to a first land certificate.
_TERM = {
    "civil_status": (1, 1, 2, 3, 5), "residence": (1, 3, 7), "business": (3, 3, 5), "transport": (2, 5),
    "land": (3, 10, 15, 20), "construction": (10, 15, 20), "social": (3, 10, 15),
    "health": (7, 10, 15), "environment": (10, 15, 25),
}  # fmt: skip
_TERM_ELSEWHERE = (3, 5, 7, 10)
_FEE = {"land": 0.85, "business": 0.7, "transport": 0.9, "construction": 0.6, "civil_status": 0.35, "trade": 0.6}
_FEE_ELSEWHERE = 0.15
_AMOUNT = {8_000: 30, 15_000: 18, 30_000: 12, 50_000: 14, 100_000: 12, 150_000: 8, 325_000: 4, 1_200_000: 2}
_PAYS_ONLINE = {"online": 0.82, "direct": 0.22, "postal": 0.4}
_PAID_AT_INTAKE = 0.6

_FATE = {"early": 62, "on_time": 25, "late": 3.2, "supplement": 5, "refused": 2.4, "withdrawn": 1.2, "stopped": 0.6}
_RESOLUTIONS = ("early", "on_time", "late")
_RATING: dict[str | None, float] = {"very_satisfied": 31, "satisfied": 11, "unsatisfied": 0.9, None: 57}
_LEFT_LYING = 0.12
_THURSDAY = 3
_PILOTS = 4  # every fourth office tries a day without paper
_WAIT_BUSY, _WAIT_CALM = 26.0, 11.0
_BUSY_HOURS = (8, 9, 10, 14)


class DossierSystem(System):
    """The one-stop software of all offices of the province, districts and communes."""

    feed = "dossier.event"
    habit = OFFICE

    def __init__(self, random: Random, offices: Iterable[Reporter]) -> None:
        self._random = random
        known = list(offices)
        levels = Counter(_level(office) for office in known)
        self._offices = Rota(
            known, lambda o: _LEVEL.get(_level(o), 1.0) / levels[_level(o)] * random.uniform(0.4, 1.6), laps=1
        )
        # How well an office keeps its terms, and how many papers it takes from what was digitised before.
        self._zeal = {office.code: random.betavariate(5, 2) for office in known}
        self._pilots = {office.code for office in known[::_PILOTS]}
        self._field = {
            level: Rota.over(DossierEvent, "field", _FIELD.get(level, _FIELD["district"])) for level in levels
        }
        self._channel = Rota.over(DossierEvent, "channel", _CHANNEL)
        self._service_online = Rota.of(_SERVICE_ONLINE)
        self._service = Rota.over(DossierEvent, "service_level", _SERVICE)
        self._filed_by = Rota.over(DossierEvent, "filed_by", _FILED_BY)
        self._amount = Rota.of(_AMOUNT)
        self._fate = Rota.of(_FATE)
        self._rating: Rota[str | None] = Rota.of(_RATING)

    def create(self, day: date, tick: int) -> Life:
        """A dossier comes in; outside office hours only online and by the applicant's own hand."""
        random = self._random
        office = self._offices.pick(random)
        field = self._field[_level(office)].pick(random)
        open_now = is_office_time(day, hour_of(tick))
        channel = self._channel.pick(random) if open_now else "online"
        online = channel == "online"
        possible = random.random() < 0.34
        has_fee = random.random() < _FEE.get(field, _FEE_ELSEWHERE)
        data: Data = {
            "dossier_id": _pseudonym(random),
            "applicant_id": _pseudonym(random),
            "field": field,
            "channel": channel,
            "service_level": (self._service_online if online else self._service).pick(random),
            "filed_by": (self._filed_by.pick(random) if open_now else "self") if online else None,
            "received_on": day.isoformat(),
            "due_on": after_office_days(day, random.choice(_TERM.get(field, _TERM_ELSEWHERE))).isoformat(),
            "overdue": False,
            "wait_min": self._wait(hour_of(tick)) if channel == "direct" else None,
            "paperless_day": online and day.weekday() == _THURSDAY and office.code in self._pilots,
            "digitised_in": online or random.random() < 0.55,
            "reuse_possible": possible,
            "reused": possible and random.random() < 0.4 * self._zeal[office.code],
            "supplement_on": None,
            "has_fee": has_fee,
            **_UNPAID,
            "state": "pending",
            "closed_on": None,
            "processing_h": None,
            "digitised_out": False,
            "result_electronic": False,
            "rated_on": None,
            "rating": None,
        }
        if has_fee and random.random() < _PAID_AT_INTAKE:
            data |= self._payment(data, day)
        return Life(office.code, data["dossier_id"], data)

    def follow(self, life: Life, day: date) -> FollowUp | None:
        """A dossier under way is paid, supplemented, ended or overdue; a resolved one is perhaps rated."""
        if life.is_void:
            return None
        if life.data["state"] == "pending":
            return self._pursue(life, day)
        if life.data["state"] == "resolved" and life.data["rated_on"] is None:
            rating = self._rating.pick(self._random)
            return (
                FollowUp(self._random.randrange(1, 60), partial(rated, names=_PAST, rating=rating)) if rating else None
            )
        return None

    def mend(self, life: Life) -> Data:
        """The clerk forgot to say that the papers were scanned, or said it wrongly."""
        return {**life.data, "digitised_in": not life.data["digitised_in"]}

    def misdate(self, life: Life, year: int) -> Life:
        return life.with_data(in_year(life.data, year, _DATES))

    def estrange(self, life: Life) -> Life:
        return life.with_data(life.data, reporter=_STRANGER)

    def _pursue(self, life: Life, day: date) -> FollowUp | None:
        """What becomes of a dossier under way."""
        random, data = self._random, life.data
        left = (date.fromisoformat(data["due_on"]) - day).days
        if data["overdue"]:
            lies = random.random() < _LEFT_LYING
            return None if lies else FollowUp(HOURS * random.choice((1, 1, 2, 3, 5, 8)), self._resolve)
        if left < 0:
            return FollowUp(1, _become_overdue)
        if data["has_fee"] and data["paid_on"] is None and random.random() < 0.5:
            return FollowUp(random.randrange(1, 40), self._pay)
        fate = self._fate.pick(random)
        while data["supplement_on"] is not None and fate not in _RESOLUTIONS:
            fate = self._fate.pick(random)
        match fate:
            case "late":
                return FollowUp(HOURS * (left + 1), _become_overdue)
            case "supplement":
                return FollowUp(random.randrange(2, 30), _ask_for_more)
            case "refused":
                return FollowUp(random.randrange(1, 24), partial(_end, state="refused"))
            case "withdrawn" | "stopped":
                return FollowUp(HOURS * random.randint(0, left) + 1, partial(_end, state=fate))
            case "early" if left > 0:
                return FollowUp(max(2, HOURS * self._early(day, left)), self._resolve)
        return FollowUp(max(2, HOURS * left), self._resolve)

    def _early(self, day: date, left: int) -> int:
        """In how many days, fewer than `left`, the result is there; offices that are keen take fewer."""
        days = min(left - 1, round(left * self._random.triangular(0, 1, 0.6)))
        while days > 0 and not is_office_day(day + timedelta(days=days)):
            days -= 1
        return days

    def _resolve(self, life: Life, day: date) -> Data | None:
        data = life.data
        if data["state"] != "pending":
            return None
        random = self._random
        received, closed = date.fromisoformat(data["received_on"]), not_before(data, day, _PAST)
        return {
            **data,
            "state": "resolved",
            "closed_on": closed.isoformat(),
            "overdue": closed.isoformat() > data["due_on"],
            "processing_h": office_hours(received, closed) + random.randint(1, 7),
            "digitised_out": random.random() < 0.4 + 0.5 * self._zeal.get(life.reporter, 0.5),
            "result_electronic": random.random() < (0.7 if data["channel"] == "online" else 0.3),
        }

    def _pay(self, life: Life, day: date) -> Data | None:
        if life.data["paid_on"] is not None or life.data["state"] == "refused":
            return None
        return {**life.data, **self._payment(life.data, not_before(life.data, day, _PAST))}

    def _payment(self, data: Data, day: date) -> Data:
        return {
            "paid_on": day.isoformat(),
            "paid_online": self._random.random() < _PAYS_ONLINE[data["channel"]],
            "paid_amount": self._amount.pick(self._random),
        }

    def _wait(self, hour: int) -> int:
        """Minutes at the counter: more in the middle of the morning."""
        return round(self._random.gammavariate(2, (_WAIT_BUSY if hour in _BUSY_HOURS else _WAIT_CALM) / 2))


_UNPAID: Data = {"paid_on": None, "paid_online": False, "paid_amount": None}


def _become_overdue(life: Life, day: date) -> Data | None:
    """The promised day has passed; None where it has not (the month has begun again)."""
    data = life.data
    if data["state"] != "pending" or data["overdue"] or day.isoformat() <= data["due_on"]:
        return None
    return {**data, "overdue": True}


def _ask_for_more(life: Life, day: date) -> Data | None:
    """The clock stands still until the papers are there: a later promise."""
    data = life.data
    if data["state"] != "pending":
        return None
    asked = not_before(data, day, _PAST)
    due = after_office_days(max(asked, date.fromisoformat(data["due_on"])), 5)
    return {**data, "supplement_on": asked.isoformat(), "due_on": due.isoformat(), "overdue": False}


def _end(life: Life, day: date, *, state: str) -> Data | None:
    """Refused at intake, withdrawn or stopped; nothing is paid for what was refused."""
    data = life.data
    if data["state"] != "pending":
        return None
    closed = not_before(data, day, _PAST).isoformat()
    unpaid = _UNPAID if state == "refused" else {}
    return {**data, **unpaid, "state": state, "closed_on": closed, "overdue": closed > data["due_on"]}


def _level(office: Reporter) -> str:
    return str(office.attributes.get("level", "commune"))


def _pseudonym(random: Random) -> str:
    return f"k1:{random.getrandbits(128):032x}"


ENTRY = Entry(
    feed=DossierSystem.feed,
    publisher="administration",
    share=0.06,
    build=lambda random, ground: DossierSystem(random, ground.reporters),
)
