"""A name that lives longer than three lines is a word: `w`, `s`, `of` and `at` say nothing to who reads on."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("ioc", "sql", "connectors", "streams", "grafana", "deploy", "bench")
MODULES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))

LINES = 3
SHORT = {"of", "at", "to", "by", "in_", "on", "up"}
# Words all the same: `on` is the day of a date, `at` and `by` are columns of records, `to` and `by` are asked for so.
ARGUMENTS = {"on", "to", "by", "at", "of"}


def is_short(name: str) -> bool:
    return (len(name) == 1 and name not in "_T") or name in SHORT


Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def own_names(scope: ast.AST) -> Iterator[ast.Name]:
    """Yield the names of a function or comprehension, without those that belong to a scope inside it."""
    for child in ast.iter_child_nodes(scope):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if isinstance(child, ast.Name):
            yield child
        inside = own_names(child)
        if isinstance(child, Comprehension):
            targets = {name for one in child.generators for name in stored(one.target)}
            inside = (name for name in inside if name.id not in targets)
        yield from inside


def stored(target: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(target) if isinstance(node, ast.Name)}


def long_lived(text: str) -> list[tuple[int, str]]:
    """The short names of a module that are used more than three lines from where they were bound, with the line."""
    found = set()
    for scope in ast.walk(ast.parse(text)):
        begun: dict[str, int] = {}
        if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
            asked = [*scope.args.posonlyargs, *scope.args.args, *scope.args.kwonlyargs]
            begun = {one.arg: scope.body[0].lineno for one in asked if one.arg not in ARGUMENTS}
        elif not isinstance(scope, Comprehension):
            continue
        names = list(own_names(scope))
        for name in names:
            if isinstance(name.ctx, ast.Store):
                begun[name.id] = min(begun.get(name.id, name.lineno), name.lineno)
        found |= {
            (begun[name.id], name.id)
            for name in names
            if is_short(name.id) and name.id in begun and abs(name.lineno - begun[name.id]) > LINES
        }
    return sorted(found)


def test_what_is_found() -> None:
    assert long_lived("def f(x):\n    a = 1\n    b = 2\n\n\n\n    return a + x") == [(2, "a"), (2, "x")]
    assert not long_lived("def f(number):\n    of = [n for n in number]\n    return of")


def test_no_short_name_lives_long() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line} {name}"
        for path in MODULES
        for line, name in long_lived(path.read_text(encoding="utf-8"))
    ]
    assert found == []
