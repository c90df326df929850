"""Mutations: promises broken on purpose, and the tests that must notice."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).parents[1] / "mutation" / "mutations.toml"
BEGIN, END = "<!-- mutations: written by `make mutation` -->", "<!-- end of mutations -->"


@dataclass(frozen=True)
class Edit:
    """A text of a file, and what takes its place."""

    file: str
    old: str
    new: str

    def apply(self, root: Path) -> None:
        """Change the file below `root`; raises ValueError unless the text occurs there once."""
        path = root / self.file
        text = path.read_text(encoding="utf-8")
        if text.count(self.old) != 1:
            raise ValueError(f"{self.file} holds the text {text.count(self.old)} times, not once: {self.old!r}")
        path.write_text(text.replace(self.old, self.new), encoding="utf-8")


@dataclass(frozen=True)
class Mutation:
    """Edits that break a promise, and the arguments of pytest for the test that must fail."""

    name: str
    promise: str
    test: str
    edits: tuple[Edit, ...]


def load_mutations() -> list[Mutation]:
    """All mutations, in the order of their file."""
    rows = tomllib.loads(FILE.read_text(encoding="utf-8"))["mutation"]
    return [
        Mutation(row["name"], row["promise"], row["test"], tuple(Edit(**edit) for edit in row["edit"])) for row in rows
    ]


def table_of(mutations: Iterable[Mutation]) -> str:
    """The mutations as the documentation shows them."""
    rows = [
        f"| {m.promise} | {m.name} | {', '.join(dict.fromkeys(f'`{edit.file}`' for edit in m.edits))} "
        f"| `{m.test.removeprefix('tests/')}` |"
        for m in mutations
    ]
    return "\n".join(["| promise | mutation | in | test that fails |", "|---|---|---|---|", *rows])


def with_table(page: str, table: str) -> str:
    """The page with its table of mutations replaced; raises ValueError when it has no place for one."""
    pattern = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    if not pattern.search(page):
        raise ValueError(f"the page has no lines {BEGIN} and {END}")
    return pattern.sub(lambda _: f"{BEGIN}\n{table}\n{END}", page)
