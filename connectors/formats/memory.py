"""What the connector remembers between files: when a content first arrived, facts of the first version of a record,
what replaced an invoice, values of hours that are not over.

Keys are record keys and digests, never a person's own data. One SQLite file; ":memory:" forgets with the process.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_SCHEMA = """
CREATE TABLE IF NOT EXISTS fact (
    scope text NOT NULL,
    key   text NOT NULL,
    value text NOT NULL,
    PRIMARY KEY (scope, key)
) WITHOUT ROWID
"""


class Memory:
    """Facts by scope and key; what is put is kept by `commit` and forgotten by `rollback`."""

    def __init__(self, path: Path | None = None) -> None:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def get(self, scope: str, key: str) -> Any:
        """Return what is remembered, None where nothing is."""
        row = self._open().execute("SELECT value FROM fact WHERE scope = ? AND key = ?", (scope, key)).fetchone()
        return None if row is None else json.loads(row["value"])

    def put(self, scope: str, key: str, value: Any) -> None:
        """Remember a value (JSON) in place of what was remembered."""
        self._open().execute("INSERT OR REPLACE INTO fact VALUES (?, ?, ?)", (scope, key, json.dumps(value)))

    def first(self, scope: str, key: str, value: Any) -> Any:
        """Return what was remembered first; that is `value` where nothing was."""
        known = self.get(scope, key)
        if known is None:
            self.put(scope, key, value)
            return value
        return known

    def forget(self, scope: str, key: str) -> None:
        """Forget a fact."""
        self._open().execute("DELETE FROM fact WHERE scope = ? AND key = ?", (scope, key))

    def items(self, scope: str) -> Iterator[tuple[str, Any]]:
        """Yield (key, value) of a scope, by key."""
        rows = self._open().execute("SELECT key, value FROM fact WHERE scope = ? ORDER BY key", (scope,)).fetchall()
        return ((row["key"], json.loads(row["value"])) for row in rows)

    def commit(self) -> None:
        """Keep what was put."""
        if self._connection is not None:
            self._connection.commit()

    def rollback(self) -> None:
        """Forget what was put since the last commit."""
        if self._connection is not None:
            self._connection.rollback()

    def close(self) -> None:
        """Close the file; what was not committed is forgotten."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = sqlite3.connect(self._path or ":memory:", timeout=30)
            self._connection.row_factory = sqlite3.Row
            self._connection.execute(_SCHEMA)
            self._connection.commit()
        return self._connection
