"""One word has one meaning: a class name is given once in the product code, and no type alias takes it too."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

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
