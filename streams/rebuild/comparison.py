"""Which cells move between a candidate and the live version that it replaces, and by how much."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

import psycopg
from psycopg.rows import class_row, dict_row
from pydantic import BaseModel, ConfigDict

from sql import load_queries

_MOST = 3  # cells that are shown of each indicator


class Move(BaseModel):
    """One cell that moves."""

    model_config = ConfigDict(frozen=True)

    area_code: str
    area_name: str
    period: str
    bucket: date
    old: float
    new: float


class Comparison(BaseModel):
    """Cells of one indicator in which either version has a figure: same + moved + appeared + vanished = cells.

    largest: the cells that move most, by the amount.
    """

    model_config = ConfigDict(frozen=True)

    code: str
    sector: str
    old_version: int | None
    new_version: int
    cells: int = 0
    same: int = 0
    moved: int = 0
    appeared: int = 0
    vanished: int = 0
    largest: tuple[Move, ...] = ()


class _Versions(NamedTuple):
    """Where a candidate's figures lie, and those of the live version that it replaces."""

    sector: str
    code: str
    old_version: int | None
    old_slot: int | None
    new_version: int
    new_slot: int


def compare(connection: psycopg.Connection, codes: Iterable[str]) -> list[Comparison]:
    """Compare candidates with what is live, by sector and code."""
    queries = load_queries("rebuild")
    cursor = connection.cursor(row_factory=class_row(_Versions))
    rows = cursor.execute(queries["select_versions"], [sorted(codes)])
    found = []
    for sector, group in groupby(rows, key=attrgetter("sector")):
        versions = list(group)
        asked = {
            "sector": sector,
            "codes": [one.code for one in versions],
            "old": [one.old_slot for one in versions],
            "new": [one.new_slot for one in versions],
        }
        named = connection.cursor(row_factory=dict_row)
        counts = {row.pop("code"): row for row in named.execute(queries["compare_figures"], asked)}
        moves: dict[str, list[Move]] = {}
        for row in named.execute(queries["largest_moves"], {**asked, "most": _MOST}):
            moves.setdefault(row.pop("code"), []).append(Move(**row))
        found += [
            Comparison(
                code=one.code,
                sector=sector,
                old_version=one.old_version,
                new_version=one.new_version,
                largest=tuple(moves.get(one.code, ())),
                **counts.get(one.code, {}),
            )
            for one in versions
        ]
    return found
