"""Readings of the monitoring stations, hour by hour, day by day and by the sample (feed `environment.reading`)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from random import Random

from deploy.simulator.air import aqi_of, band_limits
from deploy.simulator.calendar import HOURS, VIETNAM, hour_of
from deploy.simulator.entry import Entry
from deploy.simulator.ledger import Data
from deploy.simulator.norm import NORMS, Norm
from deploy.simulator.record import Life, ScheduledSending, System, in_year
from ioc.feeds.declared.environment_reading import MAX_PH, PARAMS
from ioc.province.reporter import Reporter

_STRANGER = "qt-xx-99"
_AIR = "air"
_AQI, _DAILY_AQI, _PM25 = "aqi", "aqi_max", "pm25"
# What is told once a day, of the whole day; and what only a laboratory can tell of a sample.
_OF_A_DAY = frozenset({"rain", "wind_max", "tide_max", _DAILY_AQI})
_OF_THE_LABORATORY = frozenset({"bod5", "coliform", "oil", "wqi"})
_SAMPLED_EVERY = 14
_SAMPLED_AT = time(9, 30)
_RESULTS_AT = 15

_SILENT_DAYS = 0.03
_STATUS = {"measuring": 97.2, "calibrating": 1.6, "fault": 1.2}
# Every so many days smoke lies over one air station for a day: the only hours in which the air is hazardous.
_SMOKE_EVERY = 13
_RUSH_HOURS = (7, 8, 18, 19)


class EnvironmentSystem(System):
    """All stations and sampling points.

    every: hours between two readings of a station. Real ones send each hour; a simulated month of all of them is
           200,000 readings. Stations take turns, so that every hour of the day has some.
    """

    feed = "environment.reading"

    def __init__(self, random: Random, stations: Sequence[Reporter], *, every: int = 6) -> None:
        self._random = random
        self._stations = stations
        self._every = every
        # What a station measures follows from this, the station and the hour: its parameters agree with each other.
        self._salt = random.getrandbits(64)
        self._air = [station.code for station in stations if station.attributes.get("medium") == _AIR]

    def create(self, day: date, tick: int) -> Life:
        """A reading of whichever station; `schedule` tells what all of them send."""
        station = self._random.choice(self._stations)
        at = datetime.combine(day, time(hour_of(tick)), tzinfo=VIETNAM)
        return self._read(station, self._random.choice(_params(station)), at)

    def schedule(self, day: date) -> list[ScheduledSending]:
        """What the stations send on a day: hours once they are over, the day before, samples from the laboratory."""
        return [
            (hour, partial(self._read, station, param, at))
            for number, station in enumerate(self._stations)
            for hour, param, at in self._sendings(number, station, day)
        ]

    def mend(self, life: Life) -> Data:
        """Five-minute values that were delayed have come in, or a fault has been looked into."""
        data = life.data
        medium, param = data["medium"], data["param"]
        value = data["value"] if data["value"] is not None else NORMS[medium, param].mean
        value = round(value * 1.02 + 0.01, 3)
        if param == "ph":
            value = min(value, float(MAX_PH))
        return {**data, **_measured(medium, param, value)}

    def misdate(self, life: Life, year: int) -> Life:
        return _life(life.reporter, in_year(life.data, year, ("measured_at",)))

    def estrange(self, life: Life) -> Life:
        return life.with_data(life.data, reporter=_STRANGER)

    def _sendings(self, number: int, station: Reporter, day: date) -> Iterator[tuple[int, str, datetime]]:
        """(hour, parameter, time of measuring) of all that a station sends on a day."""
        params = _params(station)
        if _is_sampled(station):
            if (day.toordinal() + number) % _SAMPLED_EVERY == 0:
                at = datetime.combine(day, _SAMPLED_AT, tzinfo=VIETNAM)
                yield from ((_RESULTS_AT, param, at) for param in params)
            return
        midnight = datetime.combine(day, time(), tzinfo=VIETNAM)
        if self._chance(station, day).random() < _SILENT_DAYS and not self._lies_in_smoke(station, midnight):
            return
        for param in params:
            if param in _OF_A_DAY:
                yield 1, param, midnight - timedelta(days=1)
            else:
                for hour in range((number + day.toordinal()) % self._every, HOURS, self._every):
                    yield hour, param, midnight + timedelta(hours=hour - 1)

    def _read(self, station: Reporter, param: str, moment: datetime) -> Life:
        """The reading of one parameter; the same whenever it is asked for."""
        medium = str(station.attributes["medium"])
        random = self._chance(station, moment, param)
        status = random.choices(list(_STATUS), list(_STATUS.values()))[0]
        if self._lies_in_smoke(station, moment):
            status = "measuring"
        data: Data = {"medium": medium, "param": param, "measured_at": moment.isoformat()}
        if status == "measuring":
            data |= _measured(medium, param, self._value(station, medium, param, moment))
        else:
            data |= {"status": status, "value": None, "exceeded": False}
        return _life(station.code, data)

    def _value(self, station: Reporter, medium: str, param: str, moment: datetime) -> float:
        if medium == _AIR and param == _AQI:
            return aqi_of(self._value(station, medium, _PM25, moment))
        if medium == _AIR and param == _DAILY_AQI:
            hours = range(0, HOURS, self._every)
            return max(aqi_of(self._value(station, medium, _PM25, moment + timedelta(hours=hour))) for hour in hours)
        random = self._chance(station, moment, param)
        random.random()  # the status was drawn from the first
        norm = NORMS[medium, param]
        if medium == _AIR:
            return self._air_value(station, param, norm, moment, random)
        if param == "rain":
            return round(random.gammavariate(0.8, norm.mean / 0.4), 1) if random.random() < 0.4 else 0.0
        level = norm.mean * random.lognormvariate(0, norm.spread) + norm.swing * _swing(medium, param, moment)
        return round(min(level, norm.highest), norm.digits)

    def _air_value(self, station: Reporter, param: str, norm: Norm, moment: datetime, random: Random) -> float:
        """Dirty hours are dirty in everything: the station's weather, the rush hours, and smoke."""
        if self._lies_in_smoke(station, moment):
            low, high = band_limits(_sent(moment).hour // self._every)
            level = random.uniform(low, high) if param == _PM25 else norm.limit * random.uniform(1.05, 1.5)
        else:
            shared = self._chance(station, moment).gauss(0, 0.22) + self._chance(station, moment.date()).gauss(0, 0.25)
            rush = 1.3 if moment.hour in _RUSH_HOURS else 0.95
            level = norm.mean * rush * math.exp(shared) * random.lognormvariate(0, norm.spread)
        return round(level, norm.digits)

    def _lies_in_smoke(self, station: Reporter, at: datetime) -> bool:
        turn, rest = divmod(_sent(at).toordinal(), _SMOKE_EVERY)
        return rest == 0 and station.code == self._air[turn % len(self._air)]

    def _chance(self, station: Reporter, *of: object) -> Random:
        """A source of chance of a station and a day, an hour, a parameter: always the same."""
        return Random(f"{self._salt}/{station.code}/{'/'.join(map(str, of))}")


def _measured(medium: str, param: str, value: float) -> Data:
    """A value that was measured, judged against its limit; an index and a pH have none, or two."""
    norm = NORMS[medium, param]
    return {"status": "measuring", "value": value, "exceeded": value > norm.limit or value < norm.least}


def _swing(medium: str, param: str, moment: datetime) -> float:
    """Where the day (warmest at two) or the tide (twice in 25 hours) stands, from -1 to 1."""
    if param in ("water_level", "tide_max"):
        return math.sin(2 * math.pi * moment.timestamp() / (12.42 * 3600))
    return math.cos(2 * math.pi * (moment.hour - 14) / HOURS)


def _params(station: Reporter) -> list[str]:
    """What a station measures: everything of its medium, but an automatic one nothing that needs a laboratory."""
    params = PARAMS[str(station.attributes["medium"])]
    return sorted(params if _is_sampled(station) else params - _OF_THE_LABORATORY)


def _sent(at: datetime) -> datetime:
    """When the reading of an hour is sent: once the hour is over."""
    return at + timedelta(hours=1)


def _is_sampled(station: Reporter) -> bool:
    return station.attributes.get("type") == "sampling"


def _life(reporter: str, data: Data) -> Life:
    at = datetime.fromisoformat(data["measured_at"]).astimezone(UTC)
    return Life(reporter, f"{data['medium']}/{data['param']}/{at:%Y-%m-%dT%H:%M:%SZ}", data)


ENTRY = Entry(
    feed=EnvironmentSystem.feed,
    publisher="monitoring",
    share=0,
    build=lambda random, ground: EnvironmentSystem(random, ground.reporters),
)
