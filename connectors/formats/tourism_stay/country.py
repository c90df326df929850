"""Nationalities: the police templates' passport codes as ISO 3166-1 alpha-3.

An unknown code is refused by name, never guessed. Source: ICAO Doc 9303 part 3 (codes beyond ISO 3166).
"""

from __future__ import annotations

from collections.abc import Mapping

import pycountry

VIETNAM = "VNM"
_PASSPORT_CODES: Mapping[str, str] = {
    "D": "DEU",
    "GBD": "GBR",
    "GBN": "GBR",
    "GBO": "GBR",
    "GBP": "GBR",
    "GBS": "GBR",
    "RKS": "XKX",
    "XXA": "XXA",  # stateless
    "XXB": "XXB",  # refugee
    "XXC": "XXC",  # refugee, otherwise
    "XXX": "XXX",  # not specified
    "0RQ": "XXX",  # how one exporter writes "unknown"
}


def nationality_of(code: str) -> str | None:
    """Return the nationality that a template's code means, None for an unknown code."""
    normal = code.upper()
    if normal in _PASSPORT_CODES:
        return _PASSPORT_CODES[normal]
    return normal if len(normal) == 3 and pycountry.countries.get(alpha_3=normal) else None
