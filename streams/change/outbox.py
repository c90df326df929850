"""The roll-up's side of the outbox: marks of changed cells, within the transaction that changes them.

A mark says which cell changed and what it showed before the first change since the last relay. It holds no figures of
its own: a fold touches thousands of cells, twice a second, and readers of changes need only the last value. The relay
sends the figures that are shown when it runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import polars as pl
import psycopg

from sql import load_queries


class ChangeOutbox:
    """Marks over the fold's connection."""

    def __init__(self) -> None:
        self._queries = load_queries("figure_change")

    def mark_staged(self, connection: psycopg.Connection, keys: pl.DataFrame) -> None:
        """Mark cells whose staged figures differ from the shown ones; `keys` (with `bucket`) are those staged."""
        # A quarter at a time: a lookup goes through every chunk of the span that a statement names, cell by cell, and
        # one late record of long ago makes the span decades.
        for _, part in keys.group_by(pl.col("bucket").dt.truncate("1q"), maintain_order=True):
            span = {"first": part["bucket"].min(), "last": part["bucket"].max()}
            connection.execute(self._queries["mark_changed"], span)

    def mark_removed(
        self, connection: psycopg.Connection, sector: str, gone: Mapping[str, Sequence[str | int | date]]
    ) -> None:
        """Mark cells that are about to lose their figures: `periods`, `areas`, `buckets`, one of each a cell."""
        connection.execute(self._queries["mark_removed"], {"sector": sector, **gone})
