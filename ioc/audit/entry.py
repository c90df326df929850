"""An entry of the audit log, and what may never be in one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from psycopg import Connection
from psycopg.rows import scalar_row
from psycopg.types.json import Jsonb
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic_core import to_jsonable_python

from sql import load_queries

Through = Literal["command", "API", "link"]
Outcome = Literal["begun", "done", "failed"]

# Keys whose values open something; a log is read by more people than a secret.
_SECRET = re.compile(r"secret|password|token$|token_file_text|payload|link$|url$|sha256", re.IGNORECASE)


class AuditEntry(BaseModel):
    """What happened: who did what on what, through what, and what was before and after (any JSON)."""

    model_config = ConfigDict(frozen=True)

    told_at: AwareDatetime = Field(default_factory=lambda: datetime.now(UTC))
    actor: str
    host: str = ""
    through: Through = "command"
    act: str
    subject: str = ""
    outcome: Outcome = "done"
    begun_id: int | None = None
    arguments: Any = None
    before: Any = None
    after: Any = None


def without_secrets(value: Any) -> Any:
    """Return a value as JSON has it, with `***` in place of what opens something."""
    plain = to_jsonable_python(value, fallback=str)
    return _masked(plain)


def _masked(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            _plain(str(key)): "***" if _SECRET.search(str(key)) and part not in (None, "") else _masked(part)
            for key, part in value.items()
        }
    if isinstance(value, list):
        return [_masked(part) for part in value]
    return _plain(value) if isinstance(value, str) else value


def _plain(text: str) -> str:
    """Return a text as PostgreSQL can hold it: every character but one, and no half of a pair."""
    return text.replace("\x00", "\\0").encode("utf-8", "replace").decode()


def add_entry(connection: Connection, entry: AuditEntry) -> int:
    """Add an entry within the caller's transaction, as writer or owner; return its number."""
    row: dict[str, Any] = {name: _plain(value) if isinstance(value, str) else value for name, value in entry}
    for name in ("arguments", "before", "after"):
        row[name] = None if row[name] is None else Jsonb(without_secrets(row[name]))
    cursor = connection.cursor(row_factory=scalar_row)
    number: int | None = cursor.execute(load_queries("audit")["insert_entry"], row).fetchone()
    assert number is not None
    return number
