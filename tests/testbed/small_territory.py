"""A few units and days, by which folding is checked."""

from __future__ import annotations

from datetime import date

import polars as pl

# Two communes of one district, and a district without communes; 1 is the province.
PARENTS = {11: 10, 12: 10, 10: 1, 20: 1}
CHAINS = pl.DataFrame(
    [(11, 11), (11, 10), (11, 1), (12, 12), (12, 10), (12, 1), (20, 20), (20, 1), (10, 10), (10, 1), (1, 1)],
    schema={"origin_id": pl.Int32, "area_id": pl.Int32},
    orient="row",
)
# Weeks that reach over the end of a month, a quarter and a year.
DAYS = [
    date(2024, 9, 30),
    date(2024, 10, 1),
    date(2024, 10, 6),
    date(2024, 10, 7),
    date(2024, 12, 29),
    date(2024, 12, 31),
    date(2025, 1, 1),
]


def above(area: int) -> list[int]:
    """A unit and all that it lies in."""
    return [area, *(above(PARENTS[area]) if area in PARENTS else [])]
