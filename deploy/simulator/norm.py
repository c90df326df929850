"""What monitoring stations of the province usually measure, and the limits that are judged against.

Limits: QCVN 05:2013 (air, an hour or a day), QCVN 40:2011 A (wastewater), QCVN 19:2009 B with factors of 0.8 (stacks);
surface and sea water are not judged here. Means are plausible, no measured figures.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Norm:
    """Values of one parameter of one medium.

    mean:    the usual value, in the feed's unit.
    spread:  of the logarithm: 0.3 means that most values lie within a third of the mean.
    swing:   how far day or tide move it.
    limit:   above it the reading exceeds; `least` is a limit from below (pH).
    highest: values that cannot be.
    """

    mean: float
    spread: float = 0.2
    limit: float = math.inf
    swing: float = 0.0
    least: float = -math.inf
    highest: float = math.inf
    digits: int = 1


NORMS: Mapping[tuple[str, str], Norm] = {
    ("air", "pm25"): Norm(21, 0.12, 50),
    ("air", "pm10"): Norm(43, 0.12, 150),
    ("air", "tsp"): Norm(84, 0.14, 300),
    ("air", "so2"): Norm(11, 0.2, 350),
    ("air", "no2"): Norm(19, 0.2, 200),
    ("air", "co"): Norm(760, 0.2, 30_000, digits=0),
    ("air", "o3"): Norm(52, 0.2, 200),
    ("air", "aqi"): Norm(46, digits=0),
    ("air", "aqi_max"): Norm(60, digits=0),
    ("surface_water", "ph"): Norm(7.0, 0.04, digits=2, highest=14),
    ("surface_water", "do"): Norm(5.3, 0.14, digits=2),
    ("surface_water", "bod5"): Norm(7.4, 0.3),
    ("surface_water", "cod"): Norm(14.2, 0.28),
    ("surface_water", "tss"): Norm(29, 0.35),
    ("surface_water", "nh4"): Norm(0.34, 0.5, digits=3),
    ("surface_water", "coliform"): Norm(3_300, 0.6, digits=0),
    ("surface_water", "temperature"): Norm(28.4, 0.02, swing=0.8),
    ("surface_water", "wqi"): Norm(74, 0.14, highest=100, digits=0),
    ("sea_water", "ph"): Norm(8.0, 0.02, digits=2, highest=14),
    ("sea_water", "do"): Norm(6.1, 0.08, digits=2),
    ("sea_water", "tss"): Norm(24, 0.35),
    ("sea_water", "nh4"): Norm(0.06, 0.5, digits=3),
    ("sea_water", "coliform"): Norm(420, 0.8, digits=0),
    ("sea_water", "oil"): Norm(0.09, 0.5, digits=3),
    ("sea_water", "temperature"): Norm(28.9, 0.02, swing=0.5),
    ("wastewater", "flow"): Norm(118, 0.3, swing=26),
    ("wastewater", "ph"): Norm(7.2, 0.06, 9, least=6, digits=2, highest=14),
    ("wastewater", "cod"): Norm(44, 0.24, 75),
    ("wastewater", "tss"): Norm(27, 0.26, 50),
    ("wastewater", "nh4"): Norm(2.7, 0.26, 5, digits=2),
    ("wastewater", "temperature"): Norm(30.5, 0.03, 40, swing=1),
    ("stack", "dust"): Norm(64, 0.4, 160),
    ("stack", "so2"): Norm(128, 0.4, 400),
    ("stack", "nox"): Norm(236, 0.35, 680),
    ("stack", "co"): Norm(174, 0.45, 800),
    ("stack", "flow"): Norm(42_500, 0.15, digits=0),
    ("stack", "temperature"): Norm(138, 0.08),
    ("weather", "rain"): Norm(8.5),
    ("weather", "temperature"): Norm(27.4, 0.02, swing=3.1),
    ("weather", "wind_max"): Norm(7.8, 0.3),
    ("weather", "water_level"): Norm(58, 0.1, swing=84, digits=0),
    ("weather", "tide_max"): Norm(382, 0.03, swing=14, digits=0),
}
