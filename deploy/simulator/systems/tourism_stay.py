"""Guests of the lodging establishments: who comes, from where, for how long."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from random import Random

from deploy.simulator.calendar import HOURS, is_weekend, moment_of
from deploy.simulator.entry import Entry
from deploy.simulator.ledger import Data
from deploy.simulator.record import FollowUp, Life, System, in_year
from deploy.simulator.rota import Rota
from ioc.province.reporter import Reporter

_STRANGER = "00-000-0000"
# A guest who travels on to another establishment is another arrival, but the same person.
_TRAVELS_ON = 0.06
_REMEMBERED = 2000
_CHECK_OUT_HOURS = (9, 10, 11, 11, 12)
_STAYS_ON = 0.05

_NATIONALITY: dict[str, float] = {
    "KOR": 27, "CHN": 16, "TWN": 8, "JPN": 8, "USA": 8, "RUS": 6, "AUS": 5, "GBR": 4, "FRA": 3, "DEU": 3,
    "IND": 3, "SGP": 2, "MYS": 2, "THA": 2, "KHM": 1, "PHL": 1, "CAN": 1,
}  # fmt: skip
_HOME: dict[str, float] = {
    "hcmc": 52, "southeast": 18, "mekong": 10, "central": 6, "hanoi": 5, "north": 5, "local": 4,
}  # fmt: skip
_PURPOSE: dict[str, float] = {"leisure": 76, "business": 11, "mice": 6, "other": 5, "expert": 2}
_DOCUMENT: dict[str, float] = {"cccd": 66, "vneid": 29, "other": 5}
_NIGHTS: dict[int, float] = {1: 52, 2: 30, 3: 9, 4: 4, 6: 2, 9: 1.5, 21: 0.5}
_NIGHTS_ABROAD: dict[int, float] = {1: 20, 2: 30, 3: 22, 4: 14, 6: 8, 10: 5, 28: 1}
_ABROAD_BY_STAR = {5: 0.28, 4: 0.16, 3: 0.09}
_DRAW_BY_STAR = {5: 1.5, 4: 1.3, 3: 1.1}


class StaySystem(System):
    """The residence notifications of all establishments (feed `tourism.stay`)."""

    feed = "tourism.stay"

    def __init__(self, random: Random, establishments: Iterable[Reporter]) -> None:
        self._random = random
        self._establishments = Rota(establishments, _draw, laps=1)
        self._nationality = Rota.of(_NATIONALITY)
        self._home = Rota.of(_HOME)
        self._purpose = Rota.of(_PURPOSE)
        self._document = Rota.of(_DOCUMENT)
        self._nights = {"domestic": Rota.of(_NIGHTS), "international": Rota.of(_NIGHTS_ABROAD)}
        self._travellers: deque[Data] = deque(maxlen=_REMEMBERED)

    def create(self, day: date, tick: int) -> Life:
        """A guest checks in on `day`; one who stays the day only has left already."""
        random = self._random
        establishment = self._establishments.pick(random)
        guest = self._guest(_ABROAD_BY_STAR.get(_star(establishment), 0.04))
        overnight = random.random() > 0.04
        nights = self._nights[guest["origin"]].pick(random) if overnight else 0
        if nights == 1 and is_weekend(day) and random.random() < 0.3:
            nights = 2
        data: Data = {
            "establishment_id": establishment.code,
            **guest,
            "purpose": self._purpose.pick(random),
            "check_in_on": day.isoformat(),
            "planned_check_out_on": (day + timedelta(days=nights)).isoformat(),
            "check_out_on": None if overnight else day.isoformat(),
            "overnight": overnight,
            "declared_at": moment_of(tick, random.randrange(3600)).isoformat(),
            "declared_late": moment_of(tick, 0).date() > day,
        }
        return Life(establishment.code, _key(data), data)

    def follow(self, life: Life, day: date) -> FollowUp | None:
        """The guest checks out on the morning of the day that was planned, or of the next."""
        data = life.data
        if data["check_out_on"] is not None:
            return None
        nights = (date.fromisoformat(data["planned_check_out_on"]) - day).days
        if nights <= 0 or self._random.random() < _STAYS_ON:
            nights += 1  # late events whose guest has left by now, and guests who stay on
        hour = datetime.fromisoformat(data["declared_at"]).hour
        return FollowUp(max(1, nights) * HOURS - hour + self._random.choice(_CHECK_OUT_HOURS), _check_out)

    def mend(self, life: Life) -> Data:
        """The clerk misread the birth date, or the guest stays longer."""
        data = life.data
        if self._random.random() < 0.5 or data["check_out_on"] is not None:
            return {**data, "age_years": (data["age_years"] + self._random.randint(1, 40)) % 100}
        planned = date.fromisoformat(data["planned_check_out_on"]) + timedelta(days=1)
        return {**data, "planned_check_out_on": planned.isoformat()}

    def misdate(self, life: Life, year: int) -> Life:
        moved = in_year(life.data, year, ("check_in_on", "check_out_on"))
        data = {**moved, "planned_check_out_on": f"{year}-12-31"}
        return life.with_data(data, key=_key(data))

    def estrange(self, life: Life) -> Life:
        return life.with_data({**life.data, "establishment_id": _STRANGER}, reporter=_STRANGER)

    def _guest(self, abroad: float) -> Data:
        random = self._random
        if self._travellers and random.random() < _TRAVELS_ON:
            return random.choice(self._travellers)
        foreign = random.random() < abroad
        guest: Data = {
            "guest_id": f"k1:{random.getrandbits(128):032x}",
            "origin": "international" if foreign else "domestic",
            "nationality": self._nationality.pick(random) if foreign else "VNM",
            "sex": random.choice(("male", "female")),
            "age_years": min(95, max(0, round(random.gauss(36, 15)))),
            "doc_type": "passport" if foreign else self._document.pick(random),
            "home_region": None if foreign else self._home.pick(random),
        }
        self._travellers.append(guest)
        return guest


def _check_out(life: Life, day: date) -> Data | None:
    """The guest leaves; None when there is nobody to leave."""
    if life.data["check_out_on"] is not None:
        return None
    return {**life.data, "check_out_on": max(day.isoformat(), life.data["check_in_on"])}


def _key(data: Data) -> str:
    return f"{data['guest_id']}/{data['check_in_on']}"


def _star(establishment: Reporter) -> int:
    return int(establishment.attributes.get("star", 0))


def _draw(establishment: Reporter) -> float:
    """Guests come by rooms, and rather to the better houses."""
    return float(establishment.attributes.get("rooms", 10)) * _DRAW_BY_STAR.get(_star(establishment), 1.0)


def _witness(stay: Data) -> dict[str, int]:
    figures = {"lodging.guests.total": 1}
    if stay["check_out_on"] is not None and stay["overnight"]:
        nights = date.fromisoformat(stay["check_out_on"]) - date.fromisoformat(stay["check_in_on"])
        figures["lodging.nights.total"] = max(1, nights.days)
    return figures


ENTRY = Entry(
    feed=StaySystem.feed,
    publisher="lodging",
    share=0.26,
    build=lambda random, ground: StaySystem(random, ground.reporters),
    witness=_witness,
)
