"""Ages as bands: what leaves the connector in place of a birth date."""

from __future__ import annotations

from datetime import date

# Upper bounds (exclusive), in years.
_GROUPS = ((6, "under6"), (15, "6_14"), (25, "15_24"), (45, "25_44"), (60, "45_59"), (80, "60_79"))


def years_between(born: date, on: date) -> int:
    """Return the age in completed years on a day."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def age_group(years: int) -> str:
    """Return the band of the health feeds."""
    return next((name for below, name in _GROUPS if years < below), "80_plus")
