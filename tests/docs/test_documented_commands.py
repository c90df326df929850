"""Each command that a page tells its reader is one that there is: its words, its options, and what they take.

`integration/test_documented_core.py` runs those that can be run as they stand.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
import typer
from testbed.documented import Documented, documented_commands
from typer.exceptions import TyperException

from deploy.cli import app
from ioc.command.lazy import LazyGroup
from ioc.settings import ROOT

COMMANDS = documented_commands()
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
# What a reader replaces: FILE..., TOKEN, `…`, and what stands in brackets, which may be left out.
_LEFT_OUT = re.compile(r"[\[\]]|\.\.\.|…")


def of(program: str) -> list[Documented]:
    return [one for one in COMMANDS if one.words[0] == program]


def found(words: list[str]) -> tuple[Any, list[str], list[str]]:
    """Return the command that words call, the words that call it, and the rest."""
    command: Any = typer.main.get_command(app)
    path = ["ioc"]
    while words and (children := getattr(command, "commands", None)) is not None and words[0] in children:
        entry = next((one for one in command.entries if one.name == words[0]), None) if is_lazy(command) else None
        command = entry.load() if entry else children[words[0]]
        path.append(words[0])
        words = words[1:]
    return command, path, words


def is_lazy(command: Any) -> bool:
    return isinstance(command, LazyGroup)


def fault_of(one: Documented) -> str:
    """What is wrong with an `ioc` command, empty where nothing is."""
    told = one.words[1:] if one.whole else [_LEFT_OUT.sub("", word) for word in one.words[1:]]
    told = [word for word in told if word]
    command, path, rest = found(told)
    options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    options |= {"--help"}
    unknown = [word for word in rest if word.startswith("-") and word.partition("=")[0] not in options]
    if unknown:
        return f"{' '.join(path)} has no {', '.join(unknown)}"
    is_group = getattr(command, "commands", None) is not None
    if is_group and rest and not getattr(command, "invoke_without_command", False) and not rest[0].startswith("-"):
        return f"{' '.join(path)} has no {rest[0]}"
    if not one.whole or is_group:
        return ""
    try:
        command.make_context(" ".join(path), [_value_of(word) for word in rest])
    except TyperException as error:
        message = error.format_message() if hasattr(error, "format_message") else str(error)
        # The file is the reader's.
        return "" if "does not exist" in message else message
    return ""


def _value_of(word: str) -> str:
    """What a reader would write for a word; N stands for a number."""
    bare = _LEFT_OUT.sub("", word) or word
    return "7" if bare == "N" else bare


def test_commands_are_found() -> None:
    assert len(of("ioc")) > 250
    assert len([one for one in of("ioc") if one.whole]) > 50
    assert len(of("make")) > 50
    assert len({one.page for one in COMMANDS}) > 25


@pytest.mark.parametrize("page", sorted({one.page for one in of("ioc")}))
def test_each_ioc_command_is_one(page: str) -> None:
    faults = [f"{one}\n    {fault}" for one in of("ioc") if one.page == page and (fault := fault_of(one))]
    assert faults == [], "\n".join(faults)


@pytest.mark.parametrize(
    ("text", "whole", "fault"),
    [
        ("ioc status --laging", True, "no --laging"),
        ("ioc status --laging", False, "no --laging"),
        ("ioc incident acknowledge 12", False, "no acknowledge"),
        ("ioc incident ack twelve", True, "valid integer"),
        ("ioc publish --wait", True, "--wait"),
        (
            "ioc indicator series lodging.guests.total --level commune --from yesterday --to 2025-09-30",
            True,
            "yesterday",
        ),
        ("ioc catalog check", True, "no catalog"),
        ("ioc incident ack 12 13", True, "13"),
    ],
)
def test_what_is_no_command_is_seen(text: str, whole: bool, fault: str) -> None:
    assert fault in fault_of(Documented("page.md", 1, text, whole))


def test_each_make_target_is_one_and_reads_its_variables() -> None:
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
    faults = []
    for one in of("make"):
        target, *rest = [word for word in one.words[1:] if word]
        variables = [word.partition("=")[0] for word in rest if "=" in word]
        if target not in targets:
            faults.append(f"{one}: no target {target}")
        faults += [f"{one}: nothing reads {name}" for name in variables if f"$({name})" not in MAKEFILE]
        if one.whole and len(variables) != len(rest):
            faults.append(f"{one}: make would take {rest} for targets")
    assert faults == [], "\n".join(faults)


def test_files_that_commands_name_are_there() -> None:
    """Of the programs that are not this project's, what they read of it: `-f deploy/compose.yaml`."""
    faults = [
        f"{one}: no {word}"
        for one in COMMANDS
        for word in one.words[1:]
        if re.match(r"(deploy|sql|docs|tests|bench|ioc)/[\w./@-]+$", word)
        and not (ROOT / word).exists()
        and word != "deploy/secrets"  # the copy that the same line makes
    ]
    assert faults == []


def test_units_that_systemctl_is_told_are_there() -> None:
    units = {path.name for path in (ROOT / "deploy" / "systemd").iterdir()}
    told = [word for one in of("systemctl") for word in one.words[1:] if word.startswith("ioc-")]
    assert told
    named = {re.sub(r"@\d+", "@", word) for word in told}
    assert {one for one in named if not {one, f"{one}.service"} & units} == set()


def test_options_of_the_bench_are_those_that_it_has() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "bench").rglob("*.py"))
    told = [
        word.partition("=")[0]
        for one in COMMANDS
        if "-m bench" in one.text or "BENCH_ARGS" in one.text
        for word in re.findall(r"--[a-z-]+", one.text)
    ]
    assert told
    assert [word for word in told if f'"{word}"' not in text] == []
