"""How much of each room the unit tests run, as a few lines before pytest's closing line."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Rooms of these packages are listed each; of the others the package.
_SPLIT = ("ioc", "streams", "connectors", "deploy")


def coverage_lines(report: Path) -> Iterator[str]:
    """Yield a line a room with covered and all statements of the report that `--cov-report=json` writes, and the total.

    Such as `  86 %  streams/rules  (1,204 of 1,399)`.
    """
    covered = defaultdict[str, int](int)
    statements = defaultdict[str, int](int)
    for file, one in json.loads(report.read_text(encoding="utf-8"))["files"].items():
        room = room_of(file)
        covered[room] += one["summary"]["covered_lines"]
        statements[room] += one["summary"]["num_statements"]
    for room in sorted(statements):
        yield _line(room, covered[room], statements[room])
    yield _line("in all", sum(covered.values()), sum(statements.values()))


def room_of(file: str) -> str:
    """Return the room of a file: `streams/rules` of `streams/rules/parse.py`, `ioc` of `ioc/period.py`."""
    package, *below = Path(file).parts
    return f"{package}/{below[0]}" if package in _SPLIT and len(below) > 1 else package


def report_coverage(terminal: Any, report: Path) -> None:
    """Write the lines, if coverage was measured in this run."""
    if terminal.config.pluginmanager.hasplugin("_cov") and terminal.config.option.cov_source and report.is_file():
        terminal.section("statements that the unit tests run")
        for line in coverage_lines(report):
            terminal.write_line(line)


def _line(room: str, covered: int, statements: int) -> str:
    share = 100 * covered / statements if statements else 100.0
    return f"{share:4.0f} %  {room:24}  ({covered:,} of {statements:,})"
