"""What a command that changes something tells of itself, for the audit log: on what, what was before, what is after.

Whoever runs the command keeps the note (`noting`); a command that nobody keeps a note of may tell all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

_MOST_ROWS = 200


@dataclass
class ActNote:
    """What has been told so far; `after` holds the rows that the command showed where it tells nothing itself."""

    subject: str = ""
    before: Any = None
    after: Any = None


_CURRENT: ContextVar[ActNote | None] = ContextVar("ioc_act", default=None)


@contextmanager
def noting() -> Iterator[ActNote]:
    """Keep what is told within."""
    note = ActNote()
    reset = _CURRENT.set(note)
    try:
        yield note
    finally:
        _CURRENT.reset(reset)


def note_change(*, subject: str = "", before: Any = None, after: Any = None) -> None:
    """Tell what changes; what is not given stays as it was told before. Values are as `to_json` takes them."""
    note = _CURRENT.get()
    if note is None:
        return
    note.subject = subject or note.subject
    note.before = note.before if before is None else before
    note.after = note.after if after is None else after


def note_rows(rows: Sequence[Mapping[str, Any]]) -> None:
    """Tell the rows that a command shows: that is what it did, unless it tells more itself."""
    note = _CURRENT.get()
    if note is not None and note.after is None and rows:
        more = len(rows) - _MOST_ROWS
        note.after = [dict(row) for row in rows[:_MOST_ROWS]] + ([{"more": more}] if more > 0 else [])
