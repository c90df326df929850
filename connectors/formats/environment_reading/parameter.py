"""Parameters and units as data loggers write them: symbols and aliases to the feed's parameters in the feed's units.

Source: TT 10/2021/TT-BTNMT, annex 15 (symbols); loggers differ in case, commas and the spelling of units.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from connectors.formats.plain import plain
from ioc.feeds.declared.environment_reading import PARAMS

_ALIASES: Mapping[str, str] = {
    "temp": "temperature",
    "t": "temperature",
    "nhietdo": "temperature",
    "bod": "bod5",
    "tongcoliform": "coliform",
    "pm25": "pm25",
    "pm10": "pm10",
    "amoni": "nh4",
    "luuluong": "flow",
    "flowrate": "flow",
    "q": "flow",
    "rainfall": "rain",
    "mucnuoc": "water_level",
    "waterlevel": "water_level",
    "dau": "oil",
}
# By medium: dust is TSP in the air and dust in a stack; NO and NOx are one there.
_BY_MEDIUM: Mapping[tuple[str, str], str] = {
    ("air", "pm"): "tsp",
    ("air", "dust"): "tsp",
    ("air", "bui"): "tsp",
    ("stack", "pm"): "dust",
    ("stack", "bui"): "dust",
    ("stack", "no"): "nox",
    ("stack", "temp"): "temperature",
}
_MASS = {"mg": Decimal(1), "ug": Decimal("0.001"), "g": Decimal(1000), "ng": Decimal("0.000001")}
_FLOWS = {
    "m3/h": Decimal(1),
    "nm3/h": Decimal(1),
    "m3/s": Decimal(3600),
    "l/s": Decimal("3.6"),
    "m3/day": Decimal(1) / 24,
    "m3/ngay": Decimal(1) / 24,
}
_PLAIN: Mapping[str, frozenset[str]] = {
    "temperature": frozenset({"oc", "c", "degc", "do c"}),
    "ph": frozenset({"", "-", "ph"}),
    "aqi": frozenset({"", "-"}),
    "wqi": frozenset({"", "-"}),
    "coliform": frozenset({"mpn/100ml", "cfu/100ml"}),
    "rain": frozenset({"mm"}),
    "wind_max": frozenset({"m/s"}),
    "water_level": frozenset({"cm"}),
    "tide_max": frozenset({"cm"}),
}
_SUPERSCRIPTS = str.maketrans({"³": "3", "²": "2", "µ": "u", "μ": "u", "°": "o", "º": "o"})


def parameter_of(symbol: str, medium: str) -> str | None:
    """Return the feed's parameter of a symbol in a medium, None for one that is not kept."""
    text = "".join(sign for sign in plain(symbol) if sign.isalnum())
    name = _BY_MEDIUM.get((medium, text)) or _ALIASES.get(text, text)
    return name if name in PARAMS[medium] else None


def factor_of(unit: str, param: str, medium: str) -> Decimal | None:
    """Return by what a value in `unit` is multiplied to stand in the feed's unit, None for an unknown unit."""
    text = plain(unit.translate(_SUPERSCRIPTS)).replace(" ", "")
    if param in _PLAIN:
        return (
            Decimal(1)
            if text in _PLAIN[param]
            else Decimal(100)
            if text == "m" and param.endswith(("level", "max"))
            else None
        )
    if param == "flow":
        return _FLOWS.get(text)
    mass, slash, volume = text.partition("/")
    if not slash or mass not in _MASS:
        return None
    if medium == "air":
        # µg/Nm³
        return _MASS[mass] * 1000 if volume in ("nm3", "m3") else None
    if medium == "stack":
        return _MASS[mass] if volume in ("nm3", "m3") else None
    return _MASS[mass] if volume in ("l", "lit") else _MASS[mass] / 1000 if volume == "m3" else None
