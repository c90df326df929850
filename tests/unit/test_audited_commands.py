"""Every command is either audited, or known to change nothing that has to be; and what an entry never holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.audited import AUDITED, AUDITED_WHERE_DONE, LOCAL, READING, RUNNING, audited
from deploy.cli import COMMANDS
from ioc.audit.chain import FIRST, StoredEntry, verify_chain
from ioc.audit.entry import without_secrets
from ioc.command.act import note_change, note_rows, noting

LISTS = (AUDITED, AUDITED_WHERE_DONE, READING, RUNNING, LOCAL)


def leaves(command: Any, path: str) -> Iterator[str]:
    """Names of the commands that do something."""
    below = getattr(command, "commands", {})
    if not below:
        yield path
    for name, child in below.items():
        yield from leaves(child, f"{path} {name}")


def test_every_command_is_in_exactly_one_list() -> None:
    commands = [path for entry in COMMANDS for path in leaves(entry.load(), entry.name)]
    assert {path: sum(path in one for one in LISTS) for path in commands} == dict.fromkeys(commands, 1)
    assert set().union(*LISTS) == set(commands)


def test_a_command_is_entered_exactly_when_it_is_named() -> None:
    for entry in COMMANDS:
        command = entry.load()
        for path in leaves(audited(command, entry.name), entry.name):
            leaf = command
            for name in path.split()[1:]:
                leaf = leaf.commands[name]  # type: ignore[union-attr]
            assert ("invoke" in vars(leaf)) == (path in AUDITED), path


SECRETS = st.sampled_from(
    ["secret", "db_owner_password", "publish_token", "sha256", "previous_sha256", "payload", "link"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(where=st.lists(st.sampled_from(["a", "rows", 0]), max_size=4), name=SECRETS, around=JSON)
def test_what_opens_something_is_never_in_an_entry(where: list[Any], name: str, around: Any) -> None:
    value: Any = {name: "ioc_opens_everything", "around": around}
    for step in where:
        value = [value, around] if step == 0 else {step: value}
    kept = json.dumps(without_secrets(value))
    assert "ioc_opens_everything" not in kept
    assert "\\u0000" not in kept


def stored(number: int, before: bytes, **changed: str) -> StoredEntry:
    """An entry as the database would keep it."""
    texts = {
        **dict.fromkeys(("begun_id", "arguments", "before", "after"), ""),
        "written_at": "2026-01-01T00:00:00.000000",
        "told_at": "2026-01-01T00:00:00.000000",
        "db_role": "w",
        "actor": "lan",
        "host": "h",
        "through": "command",
        "act": "target set",
        "subject": "s",
        "outcome": "done",
        **changed,
    }
    entry = StoredEntry(audit_id=number, previous=before, hash=b"", **texts)
    return entry._replace(hash=entry.digest())


def chain(length: int) -> list[StoredEntry]:
    """A chain as it is written."""
    entries: list[StoredEntry] = []
    for number in range(1, length + 1):
        entries.append(stored(number, entries[-1].hash if entries else FIRST, subject=str(number)))
    return entries


@given(
    length=st.integers(1, 8),
    at=st.integers(0, 7),
    field=st.sampled_from([name for name in StoredEntry._fields if name not in ("audit_id", "previous", "hash")]),
    text=st.text(min_size=1),
)
def test_any_change_of_any_column_breaks_the_chain(length: int, at: int, field: str, text: str) -> None:
    entries = chain(length)
    whole = verify_chain(entries)
    assert (whole.entries, whole.faults) == (length, ())
    at %= length
    if getattr(entries[at], field) == text:
        return
    changed = entries[at]._replace(**{field: text})
    assert verify_chain([*entries[:at], changed, *entries[at + 1 :]]).faults
    # Who computes the changed entry's hash anew is seen by the entry behind, or by the head that was noted.
    forged = changed._replace(hash=changed.digest())
    assert verify_chain([*entries[:at], forged, *entries[at + 1 :]], whole.head).faults


@given(length=st.integers(2, 8), at=st.integers(0, 7))
def test_a_removed_entry_is_seen(length: int, at: int) -> None:
    entries = chain(length)
    head = verify_chain(entries).head
    at %= length
    assert verify_chain([*entries[:at], *entries[at + 1 :]], head).faults


def test_text_cannot_move_from_one_column_to_the_next() -> None:
    one, other = stored(1, FIRST, act="target", subject="set5:x"), stored(1, FIRST, act="target5:set", subject="x")
    assert one.hash != other.hash


def test_a_note_keeps_what_was_told_first_and_rows_only_where_nothing_else_was() -> None:
    note_change(subject="nobody listens")
    with noting() as note:
        note_rows([{"n": at} for at in range(500)])
        assert len(note.after) == 201
        note_change(subject="a", before=1)
        note_change(after={"x": 2})
        note_rows([{"n": 1}])
        assert (note.subject, note.before, note.after) == ("a", 1, {"x": 2})


@pytest.mark.parametrize("path", sorted(AUDITED))
def test_audited_commands_tell_a_name_of_the_command_line(path: str) -> None:
    assert path.split(maxsplit=1)[0] in {entry.name for entry in COMMANDS}
