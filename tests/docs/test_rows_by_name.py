"""Rows of the database are read by name: nothing counts columns, so that a query may gain one or order them anew."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("ioc", "sql", "connectors", "streams", "grafana", "deploy", "bench")
MODULES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
READS = {"execute", "fetchall", "fetchone", "fetchmany"}


def reads(node: ast.AST | None) -> bool:
    """Whether an expression ends in a read: `connection.execute(...)`, `....fetchall()`."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in READS


def names(target: ast.AST) -> list[str]:
    return [node.id for node in ast.walk(target) if isinstance(node, ast.Name)]


def functions(tree: ast.Module) -> Iterator[ast.AST]:
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def by_position(function: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the lines at which a function takes a row apart by the order of its columns."""
    nodes = list(ast.walk(function))
    rows: set[str] = set()  # names that hold one row, or all rows
    for node in nodes:
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr) and reads(node.value):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Tuple) and len(target.elts) > 1:
                    yield node.lineno, "unpacks a row"
                rows |= set(names(target))
        if isinstance(node, ast.AugAssign) and reads(node.value):
            rows |= set(names(node.target))
    for node in nodes:
        if not isinstance(node, ast.For | ast.comprehension):
            continue
        of_rows = reads(node.iter) or (isinstance(node.iter, ast.Name) and node.iter.id in rows)
        if of_rows and isinstance(node.target, ast.Name):
            rows.add(node.target.id)
        elif of_rows and isinstance(node.target, ast.Tuple) and len(node.target.elts) > 1:
            yield node.target.lineno, "unpacks rows"
    passed = {id(one) for node in nodes if isinstance(node, ast.Call) for one in node.args}
    for node in nodes:
        held = node.value if isinstance(node, ast.Subscript | ast.Starred | ast.Assign) else None
        if not (isinstance(held, ast.Name) and held.id in rows):
            continue
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant | ast.Slice | ast.UnaryOp):
            if not (isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str)):
                yield node.lineno, "counts columns"
        elif isinstance(node, ast.Starred) and id(node) in passed:
            yield node.lineno, "passes a row on by the order of its columns"
        elif isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Tuple) and len(target.elts) > 1 for target in node.targets
        ):
            yield node.lineno, "unpacks a row"


def faults(text: str) -> list[tuple[int, str]]:
    return sorted({fault for function in functions(ast.parse(text)) for fault in by_position(function)})


@pytest.mark.parametrize(
    "text",
    [
        "def f(c):\n    row = c.execute('').fetchone()\n    return row[1]",
        "def f(c):\n    a, b = c.execute('').fetchone()",
        "def f(c):\n    row = c.execute('').fetchone()\n    a, b = row",
        "def f(c):\n    return {a: b for a, b in c.execute('').fetchall()}",
        "def f(c):\n    rows = c.execute('').fetchall()\n    for a, *rest in rows:\n        pass",
        "def f(c):\n    for row in c.execute(''):\n        Thing(*row)",
        "def f(c):\n    rows = c.execute('').fetchall()\n    return [row[2:] for row in rows]",
    ],
)
def test_what_is_found(text: str) -> None:
    assert faults(text)


@pytest.mark.parametrize(
    "text",
    [
        "def f(c):\n    return [key for (key,) in c.execute('').fetchall()]",
        "def f(c):\n    return dict(c.execute('').fetchall())",
        "def f(c):\n    row = c.execute('').fetchone()\n    return row['total'], row.total",
    ],
)
def test_what_is_no_fault(text: str) -> None:
    assert not faults(text)


def test_rows_are_read_by_name() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line} {fault}"
        for path in MODULES
        for line, fault in faults(path.read_text(encoding="utf-8"))
    ]
    assert not found, "use class_row, scalar_row or dict_row:\n" + "\n".join(found)
