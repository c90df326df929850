"""The command line: composed lazily, and its help in both languages."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import pytest
from typer.testing import CliRunner

from deploy.cli import COMMANDS, app
from ioc.catalogue.store import CatalogueChange
from ioc.command.heading import VIETNAMESE
from ioc.command.output import show_rows
from ioc.database.migration import MigrationState
from ioc.messaging.topic import TopicState
from ioc.reading.explanation.model import Corrections, CountedRecord, RejectionGroup, Version
from ioc.settings import ROOT
from ioc.web.tokens import Token
from streams.proof.reconcile import Difference
from streams.rebuild.comparison import Move

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


def columns() -> set[str]:
    """The words that commands use as keys of a row, and the fields of the models that they show."""
    found = {
        key.value
        for path in (*ROOT.glob("[!.]*/**/*cli.py"), ROOT / "connectors/publishing/registry.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "show_rows"
        for row in ast.walk(node.args[0])
        if isinstance(row, ast.Dict)
        for key in row.keys
        if isinstance(key, ast.Constant)
    }
    for shown in (TopicState, Token, CountedRecord, Corrections, RejectionGroup, Version, Move):
        found |= set(shown.model_fields)
    for row in (Difference, CatalogueChange, MigrationState):
        found |= {one.name for one in fields(row)}
    return found - {"sha256", "previous_sha256", "definition"}


def test_every_heading_of_a_table_is_in_both_languages() -> None:
    assert len(columns()) > 40
    assert columns() - set(VIETNAMESE) == set()


def test_a_table_has_vietnamese_above_english(capsys: pytest.CaptureFixture[str]) -> None:
    show_rows([{"area_code": "747", "value": 1.5}], as_json=False)
    shown = capsys.readouterr().out
    assert shown.index("mã địa bàn") < shown.index("area code") < shown.index("747")
