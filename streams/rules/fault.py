"""Faults that lie in the data: what may be raised where an event holds what a later layer cannot compute or store.

Bounds at the edge (`ioc/feeds/bounds.py`) keep such events out. These classes are for those that get through: worker
and roll-up then divide their batch until the faulty events are isolated, set those aside, and go on with the rest.
"""

from __future__ import annotations

import polars as pl

from ioc.errors import UnstorableError

# Polars' panic is no Exception; it says that a Rust function met what it did not expect, such as a date out of range.
DATA_FAULTS: tuple[type[BaseException], ...] = (
    UnstorableError,
    ArithmeticError,
    ValueError,  # UnicodeError among them
    pl.exceptions.PolarsError,
    pl.exceptions.PanicException,
)


def told(error: BaseException, most: int = 200) -> str:
    """Return a fault as one short line: its class and how its message begins."""
    line = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {line}"[:most]
