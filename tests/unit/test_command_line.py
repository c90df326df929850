"""The command line: composed lazily, and its help in both languages."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import pytest
import sqlglot
from typer.testing import CliRunner

from deploy.cli import COMMANDS, app
from ioc.catalogue.store import CatalogueChange
from ioc.command.heading import VIETNAMESE
from ioc.command.output import show_rows
from ioc.database.migration import MigrationState
from ioc.database.retention import Pruned
from ioc.messaging.topic import TopicState
from ioc.reading.explanation.model import Corrections, CountedRecord, RejectionGroup, Version
from ioc.settings import ROOT
from ioc.web.tokens import Token
from sql import load_queries
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


# What commands show, and modules whose functions return the rows of a table.
SHOWING = tuple(
    path
    for path in ROOT.glob("[!.]*/**/*.py")
    if path.parts[len(ROOT.parts)] not in ("tests", "bench") and "show_rows(" in path.read_text(encoding="utf-8")
)
RETURNING = (ROOT / "streams/worker/acceptance.py",)
# Keys of other dictionaries in these modules, and columns that only JSON has.
NO_HEADINGS = {
    *("most", "limit", "search", "empty", "sql", "sha256", "previous_sha256", "definition", "pid", "uid"),
    *("indicator_status_change", "record_revision", "rejected_event", "stream_batch", "stream_gap"),
}


def columns() -> set[str]:
    """The words that commands use as keys of a row, the fields of the models that they show, the columns of queries."""
    found = set[str]()
    for path in (*SHOWING, *RETURNING):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            words = node.keys if isinstance(node, ast.Dict) else node.elts if isinstance(node, ast.Tuple) else []
            texts_of = [one.value for one in words if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            found |= {text for text in texts_of if re.fullmatch("[a-z][a-z_]+", text)}
    for shown in (TopicState, Token, CountedRecord, Corrections, RejectionGroup, Version, Move):
        found |= set(shown.model_fields)
    for row in (Difference, CatalogueChange, MigrationState, Pruned):
        found |= {one.name for one in fields(row)}
    for file, query in (
        *(("deadletter", name) for name in ("list_causes", "show_events")),
        *(("incident", name) for name in ("list_incidents",)),
        *(("status", name) for name in ("list_statuses",)),
        *(("rollup", name) for name in ("list_set_aside",)),
    ):
        found |= set(sqlglot.parse_one(_plain(load_queries(file)[query]), read="postgres").named_selects)
    return found - NO_HEADINGS


def _plain(query: str) -> str:
    """A query with a value in place of each parameter."""
    return re.sub(r"%\(\w+\)s|%s", "NULL", query)


def test_titles_and_what_is_said_of_an_empty_table_are_vietnamese_then_english() -> None:
    found = []
    for path in SHOWING:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and ast.unparse(node.func) == "show_rows"):
                continue
            for given in node.keywords:
                told = [one.value for one in ast.walk(given.value) if isinstance(one, ast.Constant)]
                text = "".join(one for one in told if isinstance(one, str))
                if given.arg in ("title", "empty") and re.search(r"[^\W\d_]{3}", text):
                    vietnamese, between, english = text.partition(" · ")
                    if not between or vietnamese.isascii() or not english:
                        found.append(f"{path.relative_to(ROOT)}:{node.lineno} {text!r}")
    assert found == []


def test_every_heading_of_a_table_is_in_both_languages() -> None:
    assert len(columns()) > 40
    assert columns() - set(VIETNAMESE) == set()


def test_a_table_has_vietnamese_above_english(capsys: pytest.CaptureFixture[str]) -> None:
    show_rows([{"area_code": "747", "value": 1.5}], as_json=False)
    shown = capsys.readouterr().out
    assert shown.index("mã địa bàn") < shown.index("area code") < shown.index("747")
