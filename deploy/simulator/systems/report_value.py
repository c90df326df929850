"""Numbers that agencies report, of every row of the catalogue that asks for one (feed `report.value`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from random import Random

from deploy.simulator.calendar import FIRST_DAY, HOURS
from deploy.simulator.entry import Entry
from deploy.simulator.ledger import Data
from deploy.simulator.magnitude import Magnitude, magnitude_of, read_magnitudes
from deploy.simulator.record import FollowUp, Life, ScheduledSending, System, in_year
from deploy.simulator.territory import Population
from ioc.catalogue import Indicator
from ioc.catalogue.indicator import REPORT_PERIODS
from ioc.period import start_of
from ioc.province.reporter import Reporter

_STRANGER = "so-la-999"
# The centre reports what it measures of its own feeds; the register of reporters names agencies in full.
_PLATFORM, _PLATFORM_SECTOR, _PLATFORM_OWNER = "ioc-tinh", "data_quality", "Sở Thông tin và Truyền thông"
_IN_THE_MORNING = (7, 8, 8, 9, 10)
_AT_THE_OFFICE = (8, 9, 9, 10, 11, 14, 15, 16)
# Reports are due on the sixth; some come later.
_SENDING_DAYS = (0, 1, 2, 2, 2, 3, 4)
_REVISED = 0.5
_FEW = 1000
_DIGITS = 3


@dataclass(frozen=True)
class Duty:
    """What one agency reports of one indicator, a period at a time."""

    agency: str
    indicator: Indicator
    magnitude: Magnitude

    @property
    def period(self) -> str:
        """The period of its reports."""
        return REPORT_PERIODS[self.indicator.cadence]


class ReportValueSystem(System):
    """The province's reporting system, and the agencies that fill it.

    What is not added over areas is reported of the province and of each of its parts, as far as the row has values
    there; what is added of the parts alone, or, where the numbers are too small, of the province alone.
    """

    feed = "report.value"

    def __init__(
        self, random: Random, agencies: Sequence[Reporter], indicators: Iterable[Indicator], territory: Population
    ) -> None:
        self._random = random
        self._salt = random.getrandbits(64)
        self._territory = territory
        known = read_magnitudes()
        self.duties = tuple(
            Duty(_agency_of(indicator, agencies).code, indicator, magnitude_of(indicator, known))
            for indicator in indicators
            if indicator.kind == "reported"
        )

    def create(self, day: date, tick: int) -> Life:
        """A report of whichever duty for the period of the day; `schedule` tells when each is reported."""
        duty = self._random.choice(self.duties)
        return self._random.choice(self._reports(duty, start_of(duty.period, day)))

    def schedule(self, day: date) -> list[ScheduledSending]:
        """What is reported on a day: yesterday, last week, and in the first days the last period and the running one.

        A running period is reported as an estimate, and only of what is at hand already: no flows.
        """
        return [
            (hour, partial(self._report, duty, start, area, value))
            for number, duty in enumerate(self.duties)
            for hour, start in self._sendings(number, duty, day)
            for area, value in self._values(duty, start)
        ]

    def follow(self, life: Life, day: date) -> FollowUp | None:
        """Half of the estimates are revised once, when the period is half over."""
        first = life.revision <= 1 and life.data["period"] != "day" and life.data["period_start"] >= _month(day)
        if life.is_void or not first or self._random.random() >= _REVISED:
            return None
        return FollowUp(HOURS * self._random.randint(8, 16), self._revise)

    def mend(self, life: Life) -> Data:
        """The number was typed wrongly."""
        return self._moved(life.data)

    def misdate(self, life: Life, year: int) -> Life:
        data = in_year(life.data, year, ("period_start",))
        start = start_of(data["period"], date.fromisoformat(data["period_start"]))
        return _life({**data, "period_start": start.isoformat()})

    def estrange(self, life: Life) -> Life:
        return _life({**life.data, "agency": _STRANGER})

    def _sendings(self, number: int, duty: Duty, day: date) -> Iterator[tuple[int, date]]:
        """(hour, first day of the period) of what a duty asks for on a day."""
        yesterday = day - timedelta(days=1)
        match duty.period:
            case "day":
                yield _IN_THE_MORNING[number % len(_IN_THE_MORNING)], yesterday
            case "week" if day.weekday() == 0:
                yield 9, start_of("week", yesterday)
            case "month" | "quarter" | "year":
                if day.day - FIRST_DAY.day == _SENDING_DAYS[number % len(_SENDING_DAYS)]:
                    hour = _AT_THE_OFFICE[number % len(_AT_THE_OFFICE)]
                    running = start_of(duty.period, day)
                    yield hour, start_of(duty.period, running - timedelta(days=1))
                    if duty.indicator.value != "flow":
                        yield hour, running

    def _reports(self, duty: Duty, start: date) -> list[Life]:
        return [self._report(duty, start, area, value) for area, value in self._values(duty, start)]

    def _values(self, duty: Duty, start: date) -> list[tuple[str, float]]:
        """What is reported of a period: (area, value)."""
        magnitude, period = duty.magnitude, duty.period
        root = self._territory.root(FIRST_DAY).code
        parts = self._territory.parts(FIRST_DAY)
        has_parts = any(part.level in duty.indicator.levels for part in parts)
        whole = (root, magnitude.of(period, start, salt=self._salt))
        if not has_parts or (magnitude.is_added and magnitude.is_whole):
            return [whole]
        if not magnitude.is_added:
            return [
                whole, *((part.code, magnitude.of(period, start, salt=self._salt, area=part.code)) for part in parts)
            ]  # fmt: skip
        unit = 10**magnitude.digits
        shares = self._territory.split(round(whole[1] * unit), FIRST_DAY)
        return [(area.code, share / unit) for area, share in shares]

    def _report(self, duty: Duty, start: date, area: str, value: float) -> Life:
        return _life(
            {
                "agency": duty.agency,
                "indicator": duty.indicator.code,
                "area_code": area,
                "period": duty.period,
                "period_start": start.isoformat(),
                "value": value,
            }
        )

    def _revise(self, life: Life, day: date) -> Data | None:
        """The official number; few things were counted right the first time."""
        value: float = life.data["value"]
        return None if value.is_integer() and value < _FEW else self._moved(life.data)

    def _moved(self, data: Data) -> Data:
        """The number a little lower, so that no share rises above the whole; where that changes nothing, one more."""
        value: float = data["value"]
        digits = 0 if value.is_integer() else _DIGITS
        lower = round(value * self._random.uniform(0.985, 0.995), digits)
        return {**data, "value": lower if lower != value else round(value + 10**-digits, digits)}


def _agency_of(indicator: Indicator, agencies: Sequence[Reporter]) -> Reporter:
    """Return who reports a row: the agency that leads it, or the platform what it measures itself."""
    owner = indicator.owners[0]
    if indicator.sector == _PLATFORM_SECTOR and owner == _PLATFORM_OWNER:
        owner = _PLATFORM
    return next((agency for agency in agencies if owner in (agency.name, agency.code)), agencies[0])


def _month(day: date) -> str:
    return start_of("month", day).isoformat()


def _life(data: Data) -> Life:
    key = f"{data['indicator']}/{data['area_code']}/{data['period']}/{data['period_start']}"
    return Life(data["agency"], key, data)


ENTRY = Entry(
    feed=ReportValueSystem.feed,
    publisher="agencies",
    share=0,
    build=lambda random, ground: ReportValueSystem(random, ground.reporters, ground.indicators, ground.territory),
)
