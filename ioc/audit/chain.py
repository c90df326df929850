"""Whether the audit log is as it was written: every entry's hash, and that of the one before, computed anew."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from psycopg import Connection
from psycopg.rows import class_row

from sql import load_queries

FIRST = hashlib.sha256(b"").digest()  # what the first entry follows


class StoredEntry(NamedTuple):
    """A row of `select_chain`: texts in the order in which they are hashed."""

    audit_id: int
    written_at: str
    told_at: str
    db_role: str
    actor: str
    host: str
    through: str
    act: str
    subject: str
    outcome: str
    begun_id: str
    arguments: str
    before: str
    after: str
    previous: bytes
    hash: bytes

    def digest(self) -> bytes:
        """Return the SHA-256 over its texts, each after its length in bytes and a colon, and the hash before."""
        texts = [str(one).encode() for one in self[:-2]]
        return hashlib.sha256(b"".join(b"%d:%s" % (len(text), text) for text in texts) + self.previous).digest()


class Chain(NamedTuple):
    """What a verification found; `faults` are sentences, none where all is as it was written.

    head: number and hash of the last entry. Noted elsewhere, it shows later whether entries were cut off at the end.
    """

    entries: int
    head: str
    faults: tuple[str, ...]


def read_chain(connection: Connection) -> list[StoredEntry]:
    """Return all entries, as the owner."""
    return (
        connection.cursor(row_factory=class_row(StoredEntry)).execute(load_queries("audit")["select_chain"]).fetchall()
    )


def verify_chain(entries: Iterable[StoredEntry], head: str = "") -> Chain:
    """Verify entries in their order; `head`: what an earlier verification told, `NUMBER:HASH`."""
    faults: list[str] = []
    expected, before, count = 1, FIRST, 0
    hashes: dict[int, str] = {}
    for entry in entries:
        count += 1
        if entry.audit_id != expected:
            faults.append(f"thiếu mục {expected} đến {entry.audit_id - 1} · entries are missing")
        elif entry.previous != before:
            faults.append(f"mục {entry.audit_id} không nối tiếp mục trước · does not follow the entry before it")
        if entry.digest() != entry.hash:
            faults.append(f"mục {entry.audit_id} đã bị sửa · was changed: {entry.act} {entry.subject}")
        expected, before = entry.audit_id + 1, entry.hash
        hashes[entry.audit_id] = entry.hash.hex()
    if head:
        number, _, noted = head.partition(":")
        if hashes.get(int(number) if number.isdecimal() else 0) != noted:
            faults.append(
                f"mục {number} không còn như đã ghi lại · is not what was noted: entries were cut or replaced"
            )
    return Chain(count, f"{expected - 1}:{before.hex()}", tuple(faults))
