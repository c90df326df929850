"""Which breakdowns of a figure hold it back: by how much each falls short of what is expected of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_LEAST_SHARE = 0.05  # of the whole shortfall: less explains nothing


@dataclass(frozen=True)
class FigurePart:
    """One breakdown of a figure in the same area and period.

    expected: what its own target asks by now; None = it has none. usual: the median of its own past.
    """

    code: str
    name: str
    value: float
    expected: float | None = None
    usual: float | None = None


@dataclass(frozen=True)
class PartShortfall:
    """A part that falls short of `expected` by `missing`, in the figure's unit; `share` of what all parts miss."""

    part: FigurePart
    expected: float
    missing: float
    share: float


def shortfalls(parts: Iterable[FigurePart], expected: float, op: str, *, adds_up: bool) -> list[PartShortfall]:
    """Return the parts that fall short, the worst first.

    expected: of the whole. A part with a target of its own is held to that. Of rates, every part is held to the
    whole's: a part of 40 % holds back a whole of which 80 % is expected. Where parts add up to the whole, each is held
    to its usual share of it; without a past nothing is said of them.
    """
    known = list(parts)
    sign = 1 if op == ">=" else -1
    found: list[tuple[FigurePart, float]] = []
    usual = [one.usual for one in known if one.usual is not None and one.usual > 0]
    whole = sum(usual) if len(usual) == len(known) else 0.0
    for one in known:
        if one.expected is not None:
            found.append((one, one.expected))
        elif not adds_up:
            found.append((one, expected))
        elif whole > 0 and one.usual is not None:
            found.append((one, expected * one.usual / whole))
    missing = [(one, asked, sign * (asked - one.value)) for one, asked in found if sign * (asked - one.value) > 0]
    total = sum(short for _, _, short in missing)
    rows = [PartShortfall(one, asked, short, short / total) for one, asked, short in missing]
    return sorted((row for row in rows if row.share >= _LEAST_SHARE), key=lambda row: (-row.missing, row.part.code))


def part_codes(code: str, breakdown: str, others: Sequence[tuple[str, str]]) -> list[str]:
    """Return the codes of a figure's parts by its first dimension that has several.

    `lodging.guests.total` has the parts `lodging.guests.<...>`; what is itself a part has none. others: (code,
    breakdown) of all indicators of the sector, in the catalogue's order.
    """
    if breakdown:
        return []
    measure = ".".join(code.split(".")[:2])
    by_dimension: dict[str, list[str]] = {}
    for other, dimension in others:
        if dimension and other != code and ".".join(other.split(".")[:2]) == measure:
            by_dimension.setdefault(dimension, []).append(other)
    return next((codes for codes in by_dimension.values() if len(codes) > 1), [])
