"""Whatever is written on the command line, a command answers with a message and a status, never with a traceback.

Every parameter of every command, one after another, at values that no one should give.
Neither Kafka nor PostgreSQL is there.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from deploy.cli import COMMANDS, app
from ioc.settings import ROOT, Settings

# Values by what they are; files are made by `files`.
HOSTILE = ("", "-1", "9" * 5000, "0001-01-01", "9999-12-31", "NaN", "[/x]", "%s{0}", "x" * 5000, "é/../\\", "1e400")
FILES = ("binary", "empty", "nul.csv", "quote.csv", "deep.json", "directory", "absent")
# They run until they are stopped, start processes, or ask Kafka, which takes seconds to be found away.
ASKING = {"stack", "demo", "simulate", "simulate-files", "worker", "rollup", "gateway", "api", "scheduler", "topic"}
ASKING |= {"change", "position", "dead-letter", "quality", "publish", "registry", "drop", "poller", "grafana", "doctor"}
ASKING |= {"heal"}
# Each call reads and checks the whole catalogue: what it takes as paths is tried alone.
READING = {"catalogue", "target", "digest"}


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Files and a directory that are none of what any command reads; no server can be reached.

    Some commands write where they are told, such as `1e400`: into a directory of the test, and a copy of the profile.
    """
    (tmp_path / "binary").write_bytes(Random(1).randbytes(300) + b"\xff\x00")
    (tmp_path / "empty").touch()
    (tmp_path / "nul.csv").write_bytes(b"feeds,code,name,area_code\n\x00,\x00,\x00,\x00\n")
    (tmp_path / "quote.csv").write_text('feeds,code,name,area_code\n1,"' + "x" * 200_000)
    (tmp_path / "deep.json").write_text("[" * 100_000)
    (tmp_path / "directory").mkdir()
    profile = tmp_path / "ba_ria_vung_tau"
    shutil.copytree(Settings().profile, profile)
    for name, value in (
        ("IOC_PROFILE", str(profile)),
        ("IOC_DB_PORT", "1"),
        ("IOC_KAFKA_BOOTSTRAP", "127.0.0.1:1"),
        ("IOC_API_PORT", "1"),
        ("IOC_GATEWAY_PORT", "1"),
        ("IOC_STATE_DIR", str(tmp_path / "state")),
        ("IOC_TOKEN_FILE", str(tmp_path / "tokens.json")),
        ("IOC_GRAFANA_URL", "http://127.0.0.1:1"),
    ):
        monkeypatch.setenv(name, value)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    before = shown_in_checkout()
    yield {name: str(tmp_path / name) for name in FILES}
    assert shown_in_checkout() == before


def shown_in_checkout() -> set[str]:
    return {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}


def leaves(command: Any, path: list[str]) -> Iterator[tuple[Any, list[str]]]:
    """Give the commands below one, each with the words that call it."""
    below = getattr(command, "commands", None)
    if below is None:
        yield command, path
    for name, child in (below or {}).items():
        yield from leaves(child, [*path, name])


def words(path: list[str], parameters: list[Any], values: dict[str, str]) -> list[str]:
    """The command line that gives these values; flags are set, whatever their value."""
    options, places = [], []
    for one in parameters:
        if one.name not in values:
            continue
        if one.param_type_name == "argument":
            places.append(values[one.name])
        elif getattr(one, "is_flag", False):
            options.append(one.opts[0])
        else:
            options += [one.opts[-1], values[one.name]]
    return [*path, *options, *(["--", *places] if places else [])]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("entry", [one for one in COMMANDS if one.name not in ASKING], ids=lambda one: one.name)
def test_no_argument_ends_in_a_traceback(
    entry: Any, files: dict[str, str], record_property: Callable[[str, object], None]
) -> None:
    tried = 0
    found = []
    for command, path in leaves(entry.load(), [entry.name]):
        parameters = [one for one in command.params if one.name != "help"]
        needed = {one.name: "1" for one in parameters if one.required or one.param_type_name == "argument"}
        for one in parameters:
            if entry.name in READING and one.param_type_name != "argument":
                continue
            flag = getattr(one, "is_flag", False)
            for value in ("",) if flag else (*HOSTILE, *files.values()):
                arguments = words(path, parameters, {**needed, one.name: value})
                result = CliRunner().invoke(app, arguments, input="")
                tried += 1
                raised = result.exception is not None and not isinstance(result.exception, SystemExit)
                if raised or result.exit_code not in (0, 1, 2) or "not foreseen" in result.output or not result.output:
                    found.append(f"{' '.join(path)} {one.name} = {value[:40]!r}: {result.exception!r} {result.output}")
    record_property("inputs tried", tried)
    assert found == []


@pytest.mark.parametrize("argument", ["\0", "a\0b", "\udcff", "x\ud800"])
@pytest.mark.parametrize("path", [["indicator", "show"], ["catalogue", "check"], ["publish"], ["no-such-command"]])
def test_what_is_no_text_is_refused_before_any_command(path: list[str], argument: str) -> None:
    result = CliRunner().invoke(app, [*path, argument])
    assert (result.exit_code, isinstance(result.exception, SystemExit)) == (2, True)
    assert "UTF-8" in result.output


class Unforeseen(app.info.cls):  # type: ignore[misc,name-defined]  # typer gives it as a class
    """`ioc` with one command, at which something is raised that nobody foresaw."""

    raised: Exception

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        failing = typer.Typer()

        @failing.command()
        def fail() -> None:
            raise self.raised

        return "fail", typer.main.get_command(failing), []


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (KeyError("Nguyễn Văn A"), "KeyError"),
        (ValueError("Nguyễn Văn A"), "ValueError"),
        (RecursionError(), "RecursionError"),
        (IsADirectoryError(21, "Is a directory", "/x/y"), "/x/y: Is a directory"),
    ],
)
def test_what_nobody_foresaw_is_told_in_one_message_without_data(raised: Exception, told: str) -> None:
    outer = typer.Typer(cls=type("Failing", (Unforeseen,), {"raised": raised}), pretty_exceptions_enable=False)
    outer.callback()(app.registered_callback.callback)  # type: ignore[union-attr,type-var]
    result = CliRunner().invoke(outer, ["fail"])
    assert result.exit_code == 1 and told in result.output
    assert "Nguyễn" not in result.output and "Traceback" not in result.output
    assert CliRunner().invoke(outer, ["--debug", "fail"]).exception is raised
