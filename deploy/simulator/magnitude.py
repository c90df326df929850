"""How large what agencies report usually is, and how it moves (`data/magnitude.csv`).

The figures are plausible for the province in October 2024; some are public (population, the press of 22 October 2024),
most are made up. An indicator without a row goes by its unit, so another province's catalogue works too.
"""

from __future__ import annotations

import csv
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random

from deploy.simulator.calendar import FIRST_DAY
from ioc.catalogue import Indicator
from ioc.period import start_of

_FILE = Path(__file__).parent / "data" / "magnitude.csv"
_BY_UNIT: Mapping[str, float] = {
    "%": 72.0,
    "điểm": 58.0,
    "hạng": 14,
    "đồng": 950_000_000,
    "tỷ đồng": 640.0,
    "giây": 900,
}
_ELSEWHERE = 460.0
# These may have digits after the point; everything else is counted.
_MEASURED = frozenset(
    {
        "%", "‰", "điểm", "tỷ đồng", "triệu USD", "nghìn tấn", "triệu m³", "triệu kWh", "tấn/ngày", "ha", "tấn", "km",
        "km/trạm", "MW", "phút", "lần", "năm", "doanh nghiệp/1.000 dân",
    }
)  # fmt: skip
_HIGHEST = re.compile(r"max: (\d+)")
_PERCENT = 100.0
# The part of a period's value that is chance: shared by a sector, so that a part does not outgrow its whole, and own.
_SHARED_CHANCE: Mapping[str, float] = {"flow": 0.06, "stock": 0.001, "ratio": 0.0, "score": 0.0}
_OWN_CHANCE: Mapping[str, float] = {"flow": 0.02, "stock": 0.0005, "ratio": 0.03, "score": 0.004}
# What has forgotten yesterday: ages of newest records, open alerts. Other stocks stand still from day to day.
_RESTLESS: Mapping[str, float] = {"giây": 0.3, "cảnh báo": 0.25}
# What a period adds where more is better; where less is, it takes as much.
_GAIN: Mapping[str, float] = {"day": 0.0001, "week": 0.001, "month": 0.004, "quarter": 0.008, "year": 0.03}
_SIGN: Mapping[str, float] = {"higher": 1.0, "lower": -1.0, "none": 0.2}
_MONTHS: Mapping[str, int] = {"month": 1, "quarter": 3, "year": 12}
_BETWEEN_AREAS = 0.05
_WEEKEND = 5
_AT_WEEKENDS = 0.7
_GOLDEN = 0.618034
_SMALL = 20


@dataclass(frozen=True)
class Magnitude:
    """The usual value of one indicator.

    digits:   after the point; 0 for what is counted.
    is_whole: the number is the province's and not the sum of its parts' (too small, or of no place).
    """

    indicator: Indicator
    value: float
    digits: int
    is_whole: bool

    @property
    def is_added(self) -> bool:
        """Whether the province's number is the sum of its parts'."""
        return self.indicator.value in ("flow", "stock")

    @property
    def _room(self) -> float:
        """What moves: the value, or for a share the smaller of it and what is missing to the whole."""
        is_share = self.indicator.unit == "%" and self.value <= _PERCENT
        return min(self.value, _PERCENT - self.value) if is_share else self.value

    def of(self, period: str, start: date, *, salt: int, area: str = "") -> float:
        """The value of a period; the same for the same salt. `area`: of a part, for what is not added.

        Counts of one family (`population.residents.*`) move together, so that parts sum to their total.
        """
        code, kind = self.indicator.code, self.indicator.value
        family = code.rsplit(".", 1)[0] if self.is_added and self.indicator.breakdown else code.removesuffix(".total")
        shared, own = _SHARED_CHANCE[kind], _RESTLESS.get(self.indicator.unit, _OWN_CHANCE[kind])
        if kind == "stock" and period == "day":
            shared, own = 0.0, _RESTLESS.get(self.indicator.unit, 0.0)
        moved = _GAIN[period] * _SIGN[self.indicator.direction] * _behind(period, start)
        moved += Random(f"{salt}/{self.indicator.sector}/{period}/{start}").gauss(0, shared)
        moved += Random(f"{salt}/{family}/{area}/{period}/{start}").gauss(0, own)
        if area:
            moved += Random(f"{salt}/{code}/{area}").gauss(0, _BETWEEN_AREAS)
        level = self.value + self._room * max(-0.8, moved)
        if kind == "flow" and period == "day" and start.weekday() >= _WEEKEND:
            level *= _AT_WEEKENDS
        return self._plausible(level, start)

    def _plausible(self, level: float, start: date) -> float:
        """Cut at the highest that there is, and to its digits; few a day are some on some days and none on others."""
        if self.indicator.unit == "%" and self.value <= _PERCENT:
            level = min(level, _PERCENT)
        if (highest := _HIGHEST.match(self.indicator.definition["target_source"])) is not None:
            level = min(level, float(highest[1]))
        if self.digits == 0 and self.indicator.value == "flow" and level < _SMALL:
            turn = start.toordinal() + zlib.crc32(self.indicator.code.encode())
            return float(int(level + turn * _GOLDEN % 1))
        return round(level, self.digits)


def _behind(period: str, start: date) -> float:
    """How many periods before the simulated month a period begins, as a negative number."""
    now = start_of(period, FIRST_DAY)
    if period in _MONTHS:
        return (12 * (start.year - now.year) + start.month - now.month) / _MONTHS[period]
    return (start - now).days / (7 if period == "week" else 1)


def read_magnitudes() -> Mapping[str, tuple[float, str]]:
    """Return the file: code, or what codes begin with, -> (value, `reported_for`)."""
    with _FILE.open(encoding="utf-8", newline="") as file:
        return {row["code"]: (float(row["value"]), row["reported_for"]) for row in csv.DictReader(file)}


def magnitude_of(indicator: Indicator, known: Mapping[str, tuple[float, str]]) -> Magnitude:
    """Return an indicator's magnitude: of its own code, of its family, or of its unit."""
    family = indicator.code.rsplit(".", 1)[0]
    elsewhere = (_BY_UNIT.get(indicator.unit, _ELSEWHERE), "")
    value, reported_for = known.get(indicator.code) or known.get(family) or elsewhere
    digits = 0 if indicator.unit not in _MEASURED or value >= 1000 else 2 if value >= 1 else 3
    return Magnitude(indicator, value, digits, is_whole=reported_for == "province" or value * 10**digits < 400)
