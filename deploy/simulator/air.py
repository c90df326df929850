"""From fine dust to the air-quality index: VN_AQI of an hour, as far as PM2.5 alone makes it (QĐ 1459/QĐ-TCMT)."""

from __future__ import annotations

from bisect import bisect_left

# Upper ends of the bands of air quality: PM2.5 in µg/m³, and the index.
_PM25 = (25.0, 50.0, 80.0, 150.0, 250.0, 500.0)
_INDEX = (50, 100, 150, 200, 300, 500)


def aqi_of(pm25: float) -> float:
    """Return the index of an hour's PM2.5 in µg/m³, a whole number of at most 500."""
    band = min(bisect_left(_PM25, pm25), len(_PM25) - 1)
    dust, index = ((0.0, *_PM25)[band], (0, *_INDEX)[band])
    share = (pm25 - dust) / (_PM25[band] - dust)
    return float(min(round(index + share * (_INDEX[band] - index)), _INDEX[-1]))


def band_limits(turn: int) -> tuple[float, float]:
    """Return between which values of PM2.5 a smoky hour lies: with each turn the next worse band, from the third on."""
    worse = range(2, len(_PM25))
    band = worse[turn % len(worse)]
    span = _PM25[band] - _PM25[band - 1]
    return _PM25[band - 1] + 0.1 * span, _PM25[band] - 0.1 * span
