"""Writing figures: rows of many sectors in one statement."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
import psycopg

from ioc.catalogue.sector import SectorPlan
from ioc.database.array_text import array_texts
from sql import load_queries
from streams.change.outbox import ChangeOutbox
from streams.rules.fold import CELL_KEY

_MOST_ROWS = 20_000


class FigureStore:
    """Gathers rows and writes them on request, or when there are many; within the fold's transaction."""

    def __init__(self, outbox: ChangeOutbox | None = None) -> None:
        """outbox: gets every cell whose figures change; without it no changes are sent."""
        self._outbox = outbox
        self._queries = load_queries("rollup")
        self._rows: list[pl.DataFrame] = []

    def add(
        self, connection: psycopg.Connection, plan: SectorPlan, keys: pl.DataFrame, figures: Mapping[int, pl.Series]
    ) -> None:
        """Take figures (a column a slot) of cells (`KEY_SCHEMA`)."""
        nothing = pl.Series([None], dtype=pl.Float64).new_from_index(0, keys.height)
        columns = {str(slot): figures[slot] if own else nothing for slot, own in enumerate(plan.own, start=1)}
        arrays = array_texts(pl.DataFrame(columns).rows())
        rows = keys.select(pl.lit(plan.sector).alias("sector"), *CELL_KEY, pl.Series("figures", arrays))
        if all(plan.own):
            self._rows.append(rows)
            if sum(part.height for part in self._rows) > _MOST_ROWS:
                self.flush(connection)
            return
        self._copy(connection, rows)
        connection.execute(self._queries["merge_staged_figures"], {"own": list(plan.own)})
        connection.execute(self._queries["clear_staged_figures"])

    def flush(self, connection: psycopg.Connection) -> None:
        """Write what has gathered."""
        rows, self._rows = self._rows, []
        if rows:
            self._copy(connection, pl.concat(rows))
            connection.execute(self._queries["set_staged_figures"])
            connection.execute(self._queries["clear_staged_figures"])

    def forget(self) -> None:
        """Drop what has gathered: its transaction was taken back."""
        self._rows = []

    def remove(self, connection: psycopg.Connection, plan: SectorPlan, keys: pl.DataFrame) -> None:
        """Remove the figures of cells (`KEY_SCHEMA`)."""
        columns = {"periods": "period", "areas": "area_id", "buckets": "bucket"}
        gone = {name: keys[column].to_list() for name, column in columns.items()}
        if self._outbox is not None:
            self._outbox.mark_removed(connection, plan.sector, gone)
        query = "remove_figures" if all(plan.own) else "clear_figures"
        connection.execute(self._queries[query], {"sector": plan.sector, "own": list(plan.own), **gone})

    def _copy(self, connection: psycopg.Connection, rows: pl.DataFrame) -> None:
        with connection.cursor().copy(self._queries["copy_staged_figures"]) as copy:
            copy.write(rows.write_csv(include_header=False).encode())
        if self._outbox is not None:
            self._outbox.mark_staged(connection, rows.select(CELL_KEY))
