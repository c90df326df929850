"""The map of the rooms is that of the code: functions, rooms and commands that it names exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from deploy.cli import COMMANDS
from ioc.settings import ROOT

PAGE = ROOT / "docs" / "architecture.md"
README = ROOT / "README.md"
STEP = re.compile(r"^\| (\d+) \| \[`([\w.]+)`\]\(\.\./([\w/]+\.py)\) \|", re.MULTILINE)
PACKAGES = ("ioc", "sql", "connectors", "streams", "grafana", "deploy", "bench")


def section(title: str) -> str:
    """A section of the page, from its title to the next."""
    _, found, rest = PAGE.read_text(encoding="utf-8").partition(f"\n## {title}\n")
    assert found
    return rest.partition("\n## ")[0]


def defines(path: Path, name: str) -> bool:
    """Whether a module defines a function, a class, or a method `Class.method`."""
    body: list[ast.stmt] = ast.parse(path.read_text(encoding="utf-8")).body
    for part in name.split("."):
        kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
        found = next((node for node in body if isinstance(node, kinds) and node.name == part), None)
        if found is None:
            return False
        body = found.body
    return True


def on_the_map() -> set[str]:
    """The rooms in the first column of the map."""
    cells = re.findall(r"^\| (`.*?`) \|", section("Rooms"), re.MULTILINE)
    return {room for cell in cells for room in re.findall(r"`([a-z_/]+)/`", cell)}


def rooms() -> set[str]:
    """Every directory of Python modules: `streams/rules`, `grafana`; of a deeper one its room (`bench/scenario`)."""
    return {
        "/".join(path.parent.relative_to(ROOT).parts[:2])
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if path.stat().st_size > 200 and "profiles" not in path.parts
    }


@pytest.mark.parametrize(
    ("title", "steps"), [("The way of one event", 17), ("The way of one catalogue row", 12)], ids=["event", "row"]
)
def test_each_step_links_to_a_function_that_exists(title: str, steps: int) -> None:
    rows = STEP.findall(section(title))
    assert [int(number) for number, _, _ in rows] == list(range(1, steps + 1))
    missing = [(name, file) for _, name, file in rows if not defines(ROOT / file, name)]
    assert missing == [], "say where the step is done now"


def test_a_function_that_is_not_there_is_noticed() -> None:
    assert defines(ROOT / "streams/rules/parse.py", "BatchParser.parse")
    assert not defines(ROOT / "streams/rules/parse.py", "BatchParser.parse_all")
    assert not defines(ROOT / "streams/rules/parse.py", "parse")


def test_every_room_is_on_the_map() -> None:
    named = on_the_map()
    split = {room.partition("/")[0] for room in named if "/" in room}
    wanted = {room for room in rooms() if "/" in room or room not in split}
    assert {room for room in wanted - named if room.partition("/")[0] not in named - split} == set()
    assert {room for room in named if not (ROOT / room).is_dir()} == set()


def test_find_your_way_in_the_readme_agrees_with_the_map() -> None:
    text = README.read_text(encoding="utf-8").partition("## Find your way")[2].partition("\n## ")[0]
    assert "docs/architecture.md" in text
    named, package = set(), ""
    for indent, room in re.findall(r"^    ( *)([a-z_]+)/ ", text, re.MULTILINE):
        package = package if indent else room
        named.add(f"{package}/{room}" if indent else room)
    assert named - {"connectors", "streams"} == on_the_map()


def test_programs_are_commands() -> None:
    called = set(re.findall(r"`ioc ([a-z-]+)", PAGE.read_text(encoding="utf-8")))
    assert called <= {entry.name for entry in COMMANDS}
