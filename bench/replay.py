"""What the database alone takes for the same writes: a batch's statements recorded once, then only sent again.

The recording connection lies between the store and psycopg and notes each statement with its parameters, or its
COPY data. Played back over a fresh copy of the database, in the same transactions, they cost what the database and
the wire cost, and nothing of parsing, comparing or adding up.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg


@dataclass
class Statement:
    """One statement; `copied` is the data of a COPY, else None."""

    text: Any
    parameters: Any = None
    options: dict[str, Any] = field(default_factory=dict)
    copied: list[bytes] | None = None


class RecordingConnection:
    """Looks to `RecordStore` like a connection, and keeps what passes through, a list a transaction."""

    def __init__(self, connection: psycopg.Connection, **options: Any) -> None:
        """options: of the cursors that it opens."""
        self._connection = connection
        self._options = options
        self.transactions: list[list[Statement]] = []

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Begin a list of statements with the transaction."""
        self.transactions.append([])
        with self._connection.transaction():
            yield

    def execute(self, text: Any, parameters: Any = None, **options: Any) -> psycopg.Cursor:
        """Note and run a statement."""
        self.transactions[-1].append(Statement(text, parameters, options))
        cursor: psycopg.Cursor = self._connection.cursor(**self._options)
        return cursor.execute(text, parameters, **options)

    def cursor(self, **options: Any) -> RecordingConnection:
        """Return the like of a cursor that notes in the same lists: of a cursor the store uses `copy` and `execute`."""
        cursor = RecordingConnection(self._connection, **options)
        cursor.transactions = self.transactions
        return cursor

    @contextmanager
    def copy(self, text: Any) -> Iterator[RecordingCopy]:
        """Note and run a COPY."""
        statement = Statement(text, copied=[])
        self.transactions[-1].append(statement)
        with self._connection.cursor().copy(text) as copy:
            yield RecordingCopy(copy, statement)


class RecordingCopy:
    """Notes the data of a COPY on its way."""

    def __init__(self, copy: psycopg.Copy, statement: Statement) -> None:
        self._copy = copy
        self._copied = statement.copied

    def write(self, data: bytes) -> None:
        """Note and pass on a block."""
        assert self._copied is not None
        self._copied.append(data)
        self._copy.write(data)

    def write_row(self, row: Any) -> None:
        """Refuse: rejected events are written row by row, and the load has none."""
        raise AssertionError("the benchmark's load has no rejected events")


def play(connection: psycopg.Connection, transactions: list[list[Statement]]) -> None:
    """Send recorded transactions again."""
    for statements in transactions:
        with connection.transaction():
            for statement in statements:
                if statement.copied is None:
                    cursor = connection.execute(statement.text, statement.parameters, **statement.options)
                    if cursor.description:
                        cursor.fetchall()
                else:
                    with connection.cursor().copy(statement.text) as copy:
                        for block in statement.copied:
                            copy.write(block)
