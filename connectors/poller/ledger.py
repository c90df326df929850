"""How far each poller has come, and what became of what it fetched."""

from __future__ import annotations

import fcntl
import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ioc.errors import ConfigError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS poller (
    name      text PRIMARY KEY,
    cursor    text NOT NULL DEFAULT '{}',   -- JSON: from where reading goes on
    moved_at  text NOT NULL DEFAULT '',     -- when the cursor last moved
    polled_at text NOT NULL DEFAULT '',     -- when a run last ended well
    pages     integer NOT NULL DEFAULT 0,
    accepted  integer NOT NULL DEFAULT 0,
    refused   integer NOT NULL DEFAULT 0,
    report    text NOT NULL DEFAULT '',     -- what was wrong with the last page of which something was refused
    error     text NOT NULL DEFAULT ''      -- why the last run ended early; '' = it did not
) WITHOUT ROWID
"""


@dataclass(frozen=True)
class PollerState:
    """One poller's row."""

    name: str
    cursor: dict[str, Any] = field(default_factory=dict)
    moved_at: str = ""
    polled_at: str = ""
    pages: int = 0
    accepted: int = 0
    refused: int = 0
    report: str = ""
    error: str = ""


class PollLedger:
    """One SQLite file, each move committed at once."""

    def __init__(self, path: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._connection = sqlite3.connect(path, timeout=30, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute(_SCHEMA)
        self._connection.row_factory = sqlite3.Row
        self._now = now
        self._lock: Any = None

    def hold(self) -> None:
        """Keep other processes from polling as long as this one runs; raises ConfigError where one does."""
        self._lock = self._path.with_suffix(".lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConfigError(f"another process polls with {self._path}; stop it first") from None

    def find(self, name: str) -> PollerState:
        """Return a poller's row, an empty one where it has never run."""
        row = self._connection.execute(
            "SELECT name, cursor, moved_at, polled_at, pages, accepted, refused, report, error "
            "FROM poller WHERE name = ?",
            (name,),
        ).fetchone()
        return PollerState(name) if row is None else PollerState(**{**row, "cursor": json.loads(row["cursor"])})

    def move(self, name: str, cursor: Any, accepted: int, refused: int, report: str) -> None:
        """Keep that a page was taken and from where reading goes on."""
        self._connection.execute(
            "INSERT INTO poller (name, cursor, moved_at, pages, accepted, refused, report) "
            "VALUES (?, ?, ?, 1, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET "
            "cursor = excluded.cursor, moved_at = excluded.moved_at, pages = pages + 1, "
            "accepted = accepted + excluded.accepted, refused = refused + excluded.refused, "
            "report = CASE excluded.report WHEN '' THEN report ELSE excluded.report END",
            (name, json.dumps(dict(cursor)), self._time(), accepted, refused, report),
        )

    def end(self, name: str, error: str = "") -> None:
        """Keep how a run ended."""
        self._connection.execute(
            "INSERT INTO poller (name, polled_at, error) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET "
            "polled_at = CASE excluded.error WHEN '' THEN excluded.polled_at ELSE polled_at END, "
            "error = excluded.error",
            (name, "" if error else self._time(), error),
        )

    def close(self) -> None:
        """Close the file, and let others poll."""
        self._connection.close()
        if self._lock is not None:
            self._lock.close()

    def _time(self) -> str:
        return self._now().isoformat(timespec="seconds")
