"""The shell commands that README and the pages of docs/ tell their readers, as they stand there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ioc.settings import ROOT

# Made from the code, and compared with it by tests of their own.
_MADE = {"docs/cli.md", "docs/settings.md"}
PAGES = sorted(
    path
    for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *(ROOT / "docs").rglob("*.md")]
    if path.relative_to(ROOT).as_posix() not in _MADE
)
PROGRAMS = ("ioc", "make", "docker", "kubectl", "systemctl", "curl", "python", "python3", "psql")
_FENCE = re.compile(r"^\s*```(\w*)")
_INDENTED = re.compile(r"^(?: {4}|\t)\s*\S")


@dataclass(frozen=True)
class Documented:
    """One command of a page; `whole` where it stands in a block to be copied, otherwise it is named in a sentence."""

    page: str
    line: int
    text: str
    whole: bool

    @property
    def words(self) -> list[str]:
        """The command's words, without `.venv/bin/` before its program, and without a comment."""
        words = shlex.split(self.text.replace("\\|", "|"), comments=True)
        return [words[0].rpartition("/")[2], *words[1:]]

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.text}"


def documented_commands() -> list[Documented]:
    """All commands of all pages."""
    return [one for page in PAGES for one in _commands_of(page)]


def _commands_of(page: Path) -> Iterator[Documented]:
    name = page.relative_to(ROOT).as_posix()
    for number, line, language in _lines(page.read_text(encoding="utf-8")):
        if language is None:
            for span in re.findall(r"`([^`]+)`", line):
                if _is_command(span):
                    yield Documented(name, number, span, whole=False)
        elif language in ("", "sh", "bash", "shell", "console") and _is_command(line.strip()):
            yield Documented(name, number, line.strip(), whole=True)


def _lines(text: str) -> Iterator[tuple[int, str, str | None]]:
    """Yield line by line its number, its text, and the language of the block that it is in; None = a sentence."""
    language: str | None = None
    joined, begun, before_is_list = "", 0, False
    for number, line in enumerate(text.splitlines(), 1):
        fence = _FENCE.match(line)
        if fence:
            language = fence[1] if language is None else None
            continue
        indented = language is None and _INDENTED.match(line) is not None and not before_is_list
        # What is indented below an item of a list is a sentence that goes on, unless it begins with a program.
        if language is None and _INDENTED.match(line) and before_is_list:
            indented = _is_command(line.strip()) and not line.strip().startswith("`")
        if line.strip():
            before_is_list = bool(re.match(r"\s*(?:[-*]|\d+\.) ", line)) or (before_is_list and line.startswith(" "))
        joined, begun = (f"{joined} {line.strip()}", begun) if joined else (line, number)
        if joined.endswith("\\") and (language is not None or indented):
            joined = joined.removesuffix("\\").rstrip()
            continue
        yield begun, joined, language if language is not None else ("" if indented else None)
        joined = ""


def _is_command(text: str) -> bool:
    program = text.partition(" ")[0].removeprefix(".venv/bin/")
    return program in PROGRAMS and " " in text.strip()
