"""The digest over the figures of an approval: it can be computed again from the figures."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple


class SignedFigure(NamedTuple):
    """A figure of an area and the version of its definition."""

    area_id: int
    code: str
    version: int
    value: float


def digest_of(sector: str, period: str, bucket: date, figures: Iterable[SignedFigure]) -> str:
    """Return SHA-256 in hexadecimal over a line a figure, by area and code.

    >>> digest_of("lodging", "month", date(2025, 2, 1), [SignedFigure(771, "lodging.guests.total", 1, 3.0)])[:16]
    '56b7e1c8b9bb2b0d'
    """
    lines = [f"{sector}|{period}|{bucket.isoformat()}"]
    lines += [f"{one.area_id}|{one.code}|{one.version}|{one.value!r}" for one in sorted(figures)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
