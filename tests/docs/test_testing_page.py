"""The page on testing lists the mutations as they are, and each still finds the text that it changes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from testbed.mutation import Mutation, load_mutations, table_of, with_table

from ioc.settings import ROOT

PAGE = ROOT / "docs" / "testing.md"


def test_the_table_is_that_of_the_mutations() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == with_table(page, table_of(load_mutations())), "run `make mutation`"


@pytest.mark.parametrize("mutation", load_mutations(), ids=lambda mutation: mutation.name)
def test_a_mutation_finds_what_it_changes_and_the_test_that_notices(mutation: Mutation, tmp_path: Path) -> None:
    for edit in mutation.edits:
        copy = tmp_path / edit.file
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text((ROOT / edit.file).read_text(encoding="utf-8"), encoding="utf-8")
        edit.apply(tmp_path)
    file, _, name = mutation.test.partition(" ")[0].partition("::")
    text = (ROOT / file).read_text(encoding="utf-8")
    assert f"def {name}(" in text if name else "def test_" in text


def test_every_directory_of_tests_is_described() -> None:
    page = PAGE.read_text(encoding="utf-8")
    named = set(re.findall(r"^\| `tests/(\w+)` \|", page, re.MULTILINE))
    kinds = {path.name for path in (ROOT / "tests").iterdir() if any(path.rglob("test_*.py"))}
    assert named == kinds
