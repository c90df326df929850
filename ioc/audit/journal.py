"""The log as a command writes it: to the database; to a file that waits while the database is out of reach.

Tokens are a file, and are made where there may be no database. Entries that wait are added at the next act from this
machine that reaches the database.
"""

from __future__ import annotations

import fcntl
import getpass
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import structlog
from psycopg import errors as pg_errors
from pydantic import ValidationError

from ioc.audit.entry import AuditEntry, add_entry, without_secrets
from ioc.command.act import ActNote, noting
from ioc.database.connection import Role, connect
from ioc.errors import DatabaseUnavailableError
from ioc.settings import Settings

log = structlog.get_logger(__name__)


class Journal:
    """Writes entries of this machine's acts, as the role with the fewest rights whose password it has."""

    def __init__(self, settings: Settings, actor: str = "") -> None:
        self._settings = settings
        self._actor = actor or _user()
        self.waiting_file = settings.state_dir.absolute() / "audit-waiting.ndjson"

    @contextmanager
    def act(self, name: str, arguments: Mapping[str, Any]) -> Iterator[ActNote]:
        """Enter the beginning of an act and its end: done, or failed with the error that is raised."""
        told = {key: value for key, value in arguments.items() if value not in (None, False, "", [], ())}
        base = AuditEntry(actor=self._actor, host=socket.gethostname(), act=name, arguments=told or None)
        begun = self.write(base.model_copy(update={"outcome": "begun"}))
        with noting() as note:
            try:
                yield note
            except BaseException as error:
                self._end(base, begun, note, "failed", {"error": f"{type(error).__name__}: {error}"[:500]})
                raise
            self._end(base, begun, note, "done", note.after)

    def write(self, entry: AuditEntry) -> int | None:
        """Write an entry and those that wait; None where it waits itself."""
        try:
            with self._waiting() as waiting, connect(self._settings, self._role()) as connection:
                for one in waiting:
                    add_entry(connection, one)
                return add_entry(connection, entry)
        except (DatabaseUnavailableError, psycopg.OperationalError, pg_errors.UndefinedTable) as error:
            self._wait(entry)
            log.debug("the audit log is out of reach, the entry waits", file=str(self.waiting_file), error=str(error))
            return None

    def _end(self, base: AuditEntry, begun: int | None, note: ActNote, outcome: str, after: Any) -> None:
        ended = {"outcome": outcome, "begun_id": begun, "subject": note.subject, "before": note.before, "after": after}
        # The moment of the end is its own.
        self.write(AuditEntry(**{**base.model_dump(exclude={"told_at"}), **ended}))

    def _role(self) -> Role:
        return "writer" if self._settings.db_writer_password.get_secret_value() else "owner"

    @contextmanager
    def _waiting(self) -> Iterator[list[AuditEntry]]:
        """Hold the entries that wait; they are gone once what is done within has succeeded."""
        if not self.waiting_file.exists():
            yield []
            return
        with self.waiting_file.open("r+", encoding="utf-8", errors="replace") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield [self._read(line) for line in file if line.strip()]
            file.truncate(0)

    def _read(self, line: str) -> AuditEntry:
        try:
            return AuditEntry.model_validate_json(line)
        except ValidationError:
            # A process that was killed, or a full disk, leaves half a line. It is entered as it is: that it was there
            # is told, and no later act is held up by it.
            half = {"line": line.strip()[:500]}
            return AuditEntry(
                actor=self._actor, host=socket.gethostname(), act="unreadable entry", outcome="failed", after=half
            )

    def _wait(self, entry: AuditEntry) -> None:
        plain = entry.model_copy(
            update={name: without_secrets(getattr(entry, name)) for name in ("arguments", "before", "after")}
        )
        self.waiting_file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.waiting_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write("\n" + plain.model_dump_json() + "\n")  # on a line of its own, even after half a line


def _user() -> str:
    """Return who is at work: the user of the machine; behind sudo, who has signed in to it as well."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    try:
        signed_in = os.getlogin()
    except OSError:  # no terminal: a timer, or a container
        return user
    return user if signed_in == user else f"{signed_in} ({user})"


def waiting_entries(path: Path) -> int:
    """Return how many entries wait in a file."""
    return sum(1 for line in path.read_text(encoding="utf-8").splitlines() if line.strip()) if path.exists() else 0
