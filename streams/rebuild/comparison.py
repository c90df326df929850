"""Which cells move between a candidate and the live version that it replaces, and by how much."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import psycopg
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


def compare(connection: psycopg.Connection, codes: Iterable[str]) -> list[Comparison]:
    """Compare candidates with what is live, by sector and code."""
    queries = load_queries("rebuild")
    rows = connection.execute(queries["select_versions"], [sorted(codes)]).fetchall()
    found = []
    for sector in dict.fromkeys(row[0] for row in rows):
        versions = [row[1:] for row in rows if row[0] == sector]
        asked = {
            "sector": sector,
            "codes": [code for code, *_ in versions],
            "old": [slot for _, _, slot, _, _ in versions],
            "new": [slot for *_, slot in versions],
        }
        counts = {code: numbers for code, *numbers in connection.execute(queries["compare_figures"], asked).fetchall()}
        moves: dict[str, list[Move]] = {}
        for code, *move in connection.execute(queries["largest_moves"], {**asked, "most": _MOST}).fetchall():
            moves.setdefault(code, []).append(Move(**dict(zip(Move.model_fields, move, strict=True))))
        for code, old_version, _, new_version, _ in versions:
            cells, same, moved, appeared, vanished = counts.get(code, (0, 0, 0, 0, 0))
            found.append(
                Comparison(
                    code=code,
                    sector=sector,
                    old_version=old_version,
                    new_version=new_version,
                    cells=cells,
                    same=same,
                    moved=moved,
                    appeared=appeared,
                    vanished=vanished,
                    largest=tuple(moves.get(code, ())),
                )
            )
    return found
