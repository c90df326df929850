"""The close of a day: figures and quality that have changed since the close before are kept as they are."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg
from psycopg.rows import scalar_row

from sql import load_queries
from streams.status.job import State

_SETTLE = timedelta(seconds=30)  # after midnight, so that what came before it has been folded


class SnapshotJob:
    """Takes one snapshot after each midnight of the province; the very first marks where snapshots begin."""

    def __init__(self, connection: psycopg.Connection, zone: ZoneInfo) -> None:
        self._connection = connection
        self._zone = zone
        self._queries = load_queries("snapshot")

    def run(self, now: datetime, state: State) -> State:
        """Take a snapshot where a day has closed since the last one."""
        midnight = now.astimezone(self._zone).replace(hour=0, minute=0, second=0, microsecond=0)
        cursor = self._connection.cursor(row_factory=scalar_row)
        last = cursor.execute(self._queries["select_last"]).fetchone()
        if now < midnight + _SETTLE or (last is not None and last >= midnight):
            return state
        cells = self.take(now)
        return state if cells is None else {"taken_at": now.isoformat(), "cells": cells}

    def take(self, now: datetime) -> int | None:
        """Keep what has changed since the last snapshot; return how many cells.

        None, and nothing is kept, while figures are postponed: they would be missing in the close, as if nothing had
        moved them. It is taken when they are computed; past figures are counted from sums until then.
        """
        with self._connection.transaction():
            cursor = self._connection.cursor(row_factory=scalar_row)
            # The roll-up waits, so that no cell is written with a time before `now` and seen only afterwards.
            cursor.execute(load_queries("rollup")["lock"])
            if cursor.execute(load_queries("rollup")["count_postponed"]).fetchone():
                return None
            since = cursor.execute(self._queries["select_last"]).fetchone()
            cells = 0
            if since is not None:
                cells = cursor.execute(self._queries["take_figures"], {"at": now, "since": since}).rowcount
                cursor.execute(self._queries["take_quality"], {"at": now, "since": since})
            cursor.execute(self._queries["insert_run"], {"at": now, "cells": cells})
        return cells
