"""One word has one meaning: a class name is given once, and words that had several meanings keep to the one left."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from ioc.settings import ROOT

PACKAGES = ("ioc", "sql", "connectors", "streams", "grafana", "deploy", "bench")


def classes_and_aliases(path: Path) -> Iterator[tuple[str, bool]]:
    """Give the type names that a module defines, without a leading underscore, and whether each is a class.

    A class may lie at any depth; an alias is a module's assignment of a name in CapWords (`Days = tuple[date, date]`).
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield node.name.lstrip("_"), True
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and isinstance(target := statement.targets[0], ast.Name):
            name = target.id.lstrip("_")
            if name[:1].isupper() and name != name.upper():
                yield name, False


def test_a_class_name_is_defined_once() -> None:
    homes = defaultdict[str, list[str]](list)
    classes = set[str]()
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for name, is_class in classes_and_aliases(path):
                homes[name].append(str(path.relative_to(ROOT)))
                if is_class:
                    classes.add(name)
    assert len(classes) > 300  # the search finds the code at all
    assert {name: homes[name] for name in sorted(classes) if len(homes[name]) > 1} == {}


def files_with(text: str) -> set[str]:
    """The modules of the product code that hold a text."""
    return {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if text in path.read_text(encoding="utf-8")
    }


def test_an_event_and_its_kafka_record_are_written_down_once() -> None:
    assert files_with('"specversion": "1.0"') == {"ioc/feeds/event.py", "connectors/gateway/openapi.py"}  # an example
    assert files_with("CONTENT_TYPE_BATCH if") | files_with("CONTENT_TYPE_EVENT if") == {"ioc/messaging/record.py"}


def words_in(text: str) -> set[str]:
    """Every word of a text with a `standing` in it, as it is written."""
    return set(re.findall(r"\w*standing\w*", text, re.IGNORECASE))


def test_standing_is_only_the_sum_of_a_stock_over_days() -> None:
    """A revision is winning, a target in force, a sum a running total; `standing_days` is a function of formulas."""
    paths = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    paths += (ROOT / "sql" / "queries").glob("*.sql")
    found = {word for path in paths for word in words_in(path.read_text(encoding="utf-8"))}
    assert {word for word in found if "standing_days" not in word} == set()
    assert {"standing_days", "select_standing_days"} <= found  # the search finds the word at all


def counted_names(tree: ast.AST) -> Iterator[str]:
    """Give the names of what a loop counts: of the first that `enumerate` gives, and of a `range`."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.For | ast.comprehension) or not isinstance(call := node.iter, ast.Call):
            continue
        target = node.target
        match getattr(call.func, "id", ""), target:
            case "enumerate", ast.Tuple(elts=[ast.Name(id=name), *_]):
                yield name
            case "range", ast.Name(id=name):
                yield name


def test_a_place_is_no_index() -> None:
    """A place is a shop, a hotel, or where something lies in a file; what is counted is an index or a number."""
    found = [
        (path, name)
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        for name in counted_names(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert len(found) > 100  # the search finds them at all
    assert [(path, name) for path, name in found if name == "place"] == []


def glossary() -> list[tuple[str, str]]:
    """The words of the glossary's first table, each with the field's terms for it."""
    table = (ROOT / "GLOSSARY.md").read_text(encoding="utf-8").partition("\n## ")[0]
    rows = [line.split(" | ", 2) for line in table.splitlines() if line.startswith("| ")]
    return [(word.removeprefix("| "), term) for word, term, _ in rows[1:]]


def test_the_glossary_has_each_word_once_in_order() -> None:
    words = [word for word, _ in glossary()]
    assert len(words) > 50
    assert words == sorted(set(words), key=str.lower)


@pytest.mark.parametrize(
    ("word", "term"),
    [
        ("duplicate", "deduplication"),
        ("fold", "incremental view maintenance"),
        ("late event", "late data"),
        ("position", "committed offset"),
        ("rebuild", "backfill"),
        ("record offset", "offset"),
        ("settled", "watermark"),
        ("void", "tombstone"),
        ("dead letter", "dead letter"),
    ],
)
def test_a_concept_stands_under_its_standard_term_once(word: str, term: str) -> None:
    """Who knows stream processing finds the project's word by the term of the field."""
    found = {own for own, terms in glossary() if re.search(rf"(^|, ){term}( \(|,|$)", terms)}
    assert found == {word}
