"""The pages of settings and commands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from pydantic import SecretStr

from deploy.cli import app
from ioc.command.lazy import LazyGroup
from ioc.settings import ROOT, Settings

NOTE = "<!-- Made by `make docs` from the code; edit the code. -->"


def settings_page() -> str:
    """Return the page of all settings: environment variable, default, meaning."""
    lines = [
        "# Settings",
        "",
        NOTE,
        "",
        "Each is an environment variable, or a line of `.env` in the working directory (`IOC_ENV_FILE` names another",
        "file; empty means none). Defaults suit the local stack. Every value is checked when a process starts: a wrong",
        "one ends it with exit status 2 and a message that names the variable.",
        "",
        "Passwords and the pseudonym key have defaults that everyone knows. They are refused as soon as Kafka,",
        "PostgreSQL, Grafana, or an address that the gateway or the API listens on, is not on this machine. Set those",
        "that a process needs, and leave the others empty (`IOC_DB_OWNER_PASSWORD=`) for it: the gateway needs no",
        "password of the database.",
        "",
        "| variable | default | meaning |",
        "|---|---|---|",
    ]
    for name, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=True)
        lines.append(f"| `IOC_{name.upper()}` | {_default(default)} | {field.description} |")
    return "\n".join(lines) + "\n"


def command_page() -> str:
    """Return the page of all commands with their arguments and options."""
    lines = ["# Commands", "", NOTE, "", "`ioc` is `.venv/bin/ioc`. Every command has `--help`.", ""]
    for path, command in sorted(_commands(typer.main.get_command(app), ("ioc",))):
        lines += [f"## `{' '.join(path)}`", "", (command.help or "").strip(), ""]
        rows = [_parameter(parameter) for parameter in command.params if parameter.name != "help"]
        if rows:
            lines += ["| argument or option | meaning |", "|---|---|", *rows, ""]
    return "\n".join(lines).rstrip() + "\n"


def _default(value: Any) -> str:
    if isinstance(value, SecretStr):
        return "(secret)" if value.get_secret_value() else ""
    if isinstance(value, Path):
        return f"`{value.relative_to(ROOT)}`"
    return f"`{value}`" if value not in ("", None) else ""


def _commands(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every command that does something, with the words that call it."""
    if isinstance(command, LazyGroup):
        for entry in command.entries:
            yield from _commands(entry.load(), (*path, entry.name))
        return
    children = getattr(command, "commands", None)
    if children is not None and getattr(command, "invoke_without_command", False):
        yield path, command
    if children is None:
        if not command.hidden:
            yield path, command
        return
    for name, child in children.items():
        yield from _commands(child, (*path, name))


def _parameter(parameter: Any) -> str:
    names = ", ".join(f"`{name}`" for name in parameter.opts) if parameter.opts[0].startswith("-") else ""
    meaning = (getattr(parameter, "help", None) or "").replace("|", "\\|")
    return f"| {names or f'`{(parameter.metavar or parameter.name).upper()}`'} | {meaning} |"
