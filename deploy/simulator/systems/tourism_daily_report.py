"""Daily reports of the lodging establishments: rooms, guests and revenue of the day before."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from functools import partial
from random import Random

from deploy.simulator.calendar import is_weekend
from deploy.simulator.entry import Entry
from deploy.simulator.ledger import Data
from deploy.simulator.record import Life, ScheduledSending, System, in_year
from ioc.province.reporter import Reporter

_STRANGER = "77-999-0001"
_HOURS = (6, 7, 7, 8, 8, 8, 9, 9, 10, 11)
_OCCUPANCY = {5: 0.62, 4: 0.58, 3: 0.52}
_PRICE = {5: 2_600_000, 4: 1_350_000, 3: 780_000, 2: 520_000, 1: 420_000}
_ABROAD = {5: 0.28, 4: 0.16, 3: 0.09}
_GUESTS_A_ROOM = 1.9
_NIGHTS_A_STAY = 1.6


class DailyReportSystem(System):
    """What the establishments report every morning (feed `tourism.daily_report`)."""

    feed = "tourism.daily_report"

    def __init__(self, random: Random, establishments: Iterable[Reporter]) -> None:
        self._random = random
        self.establishments = tuple(establishments)

    def create(self, day: date, tick: int) -> Life:
        """A report of whichever establishment; `report` is for one that is known."""
        return self.report(self._random.choice(self.establishments), day)

    def schedule(self, day: date) -> list[ScheduledSending]:
        """Every establishment reports the day before, in the morning."""
        before = day - timedelta(days=1)
        return [(self._random.choice(_HOURS), partial(self.report, one, before)) for one in self.establishments]

    def report(self, establishment: Reporter, day: date) -> Life:
        """The report of one establishment for one day."""
        random = self._random
        star = int(establishment.attributes.get("star", 0))
        total = int(establishment.attributes.get("rooms", 10))
        available = total - (random.randrange(total // 20 + 1))
        busy = _OCCUPANCY.get(star, 0.42) * (1.4 if is_weekend(day) else 0.85) * random.uniform(0.7, 1.3)
        sold = min(available, round(available * busy))
        guests = round(sold * _GUESTS_A_ROOM)
        abroad = round(guests * _ABROAD.get(star, 0.04) * random.uniform(0.5, 1.5))
        room = sold * round(_PRICE.get(star, 320_000) * random.uniform(0.85, 1.2) / 1000) * 1000
        data: Data = {
            "establishment_id": establishment.code,
            "report_on": day.isoformat(),
            "rooms_total": total,
            "rooms_available": available,
            "rooms_sold": sold,
            "beds_total": int(establishment.attributes.get("beds", 2 * total)),
            "arrivals_domestic": round((guests - abroad) / _NIGHTS_A_STAY),
            "arrivals_international": round(abroad / _NIGHTS_A_STAY),
            "overnight_domestic": guests - abroad,
            "overnight_international": abroad,
            "day_guests_domestic": round(guests * random.uniform(0, 0.08)),
            "day_guests_international": 0,
            "guest_nights_domestic": guests - abroad,
            "guest_nights_international": abroad,
            "revenue_room": room,
            "revenue_fnb": round(room * random.uniform(0.05, 0.45) / 1000) * 1000,
            "revenue_other": round(room * random.uniform(0, 0.08) / 1000) * 1000,
        }
        return Life(establishment.code, day.isoformat(), data)

    def mend(self, life: Life) -> Data:
        """The evening's revenue was missing."""
        more = self._random.randrange(50_000, 5_000_000, 1000)
        return {**life.data, "revenue_fnb": life.data["revenue_fnb"] + more}

    def misdate(self, life: Life, year: int) -> Life:
        data = in_year(life.data, year, ("report_on",))
        return life.with_data(data, key=data["report_on"])

    def estrange(self, life: Life) -> Life:
        return life.with_data({**life.data, "establishment_id": _STRANGER}, reporter=_STRANGER)


def _witness(report: Data) -> dict[str, int]:
    return {"lodging.room_nights.total": report["rooms_sold"]}


ENTRY = Entry(
    feed=DailyReportSystem.feed,
    publisher="lodging",
    share=0,
    build=lambda random, ground: DailyReportSystem(random, ground.reporters),
    witness=_witness,
)
