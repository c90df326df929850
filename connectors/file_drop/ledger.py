"""What became of every file that was ever dropped, by its content: the same content is not sent twice."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

State = Literal["archived", "quarantined"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS file (
    feed     text NOT NULL,
    reporter text NOT NULL,      -- of the directory that it lay in; '' = the file names its reporter
    sha256   text NOT NULL,
    name     text NOT NULL,
    state    text NOT NULL CHECK (state IN ('archived', 'quarantined')),
    accepted integer NOT NULL,
    refused  integer NOT NULL,
    report   text NOT NULL,      -- what the uploader is told; '' = nothing to tell
    done_at  text NOT NULL,
    PRIMARY KEY (feed, reporter, sha256)
) WITHOUT ROWID
"""


@dataclass(frozen=True)
class DroppedFile:
    """One file and its end; `report` is what its uploader is told."""

    feed: str
    reporter: str
    sha256: str
    name: str
    state: State
    accepted: int
    refused: int
    report: str = ""
    done_at: str = ""


class DropLedger:
    """Entries in one SQLite file, committed at once."""

    def __init__(self, path: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, timeout=30, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute(_SCHEMA)
        self._connection.row_factory = sqlite3.Row
        self._now = now

    def find(self, feed: str, reporter: str, sha256: str) -> DroppedFile | None:
        """Return the end of a content that was taken before."""
        row = self._connection.execute(
            "SELECT feed, reporter, sha256, name, state, accepted, refused, report, done_at FROM file "
            "WHERE feed = ? AND reporter = ? AND sha256 = ?",
            (feed, reporter, sha256),
        ).fetchone()
        return None if row is None else DroppedFile(**row)

    def put(self, entries: Sequence[DroppedFile]) -> None:
        """Keep ends, all or none; that of a content that was in quarantine before is replaced."""
        done_at = self._now().isoformat(timespec="seconds")
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._connection.executemany(
                "INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        entry.feed,
                        entry.reporter,
                        entry.sha256,
                        entry.name,
                        entry.state,
                        entry.accepted,
                        entry.refused,
                        entry.report,
                        done_at,
                    )
                    for entry in entries
                ],
            )
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def forget_quarantined(self, feed: str, reporter: str, sha256: str) -> None:
        """Forget that a content was in quarantine: it was dropped again, to be read again."""
        self._connection.execute(
            "DELETE FROM file WHERE feed = ? AND reporter = ? AND sha256 = ? AND state = 'quarantined'",
            (feed, reporter, sha256),
        )

    def newest(self, limit: int) -> list[DroppedFile]:
        """Return the last ends, newest first."""
        rows = self._connection.execute(
            "SELECT feed, reporter, sha256, name, state, accepted, refused, report, done_at FROM file "
            "ORDER BY done_at DESC, name LIMIT ?",
            (limit,),
        ).fetchall()
        return [DroppedFile(**row) for row in rows]

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
