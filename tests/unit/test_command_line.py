"""The command line: composed lazily, and its help in both languages."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from deploy.cli import COMMANDS, app

SLOW = ("polars", "psycopg", "kafka", "faust", "fastapi", "sqlglot", "httpx", "lxml", "numpy")


def test_help_imports_no_command() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from deploy.cli import app;"
        "result = CliRunner().invoke(app, ['--help']); assert result.exit_code == 0, result.output;"
        f"print([name for name in {SLOW!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "[]"


def test_help_lists_every_command() -> None:
    result = CliRunner().invoke(app, ["--help"])
    assert [entry.name for entry in COMMANDS if entry.name not in result.output] == []


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_a_command_shows_its_help(entry: Any) -> None:
    result = CliRunner().invoke(app, [entry.name, "--help"])
    assert result.exit_code == 0, result.output
    assert entry.help.split()[0] in result.output
    assert "completion" not in result.output


def test_an_unknown_command_is_refused_with_the_words_that_were_given() -> None:
    result = CliRunner().invoke(app, ["catalog"])
    assert result.exit_code == 2
    assert "catalog" in result.output


def texts(command: Any, path: str) -> Iterator[tuple[str, str]]:
    """Give the help of a command, its parameters and what is below it, each with the words that lead there."""
    yield path, command.help or ""
    for parameter in command.params:
        if parameter.name != "help":
            yield f"{path} {parameter.name}", getattr(parameter, "help", None) or ""
    for name, child in getattr(command, "commands", {}).items():
        yield from texts(child, f"{path} {name}")


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_help_is_vietnamese_then_english(entry: Any) -> None:
    missing = [where for where, text in texts(entry.load(), entry.name) if " · " not in " ".join(text.split())]
    assert missing == []
