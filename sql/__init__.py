"""Versioned migrations and named queries, kept in `.sql` files, and the loader for both.

A query file holds statements under `-- name: <name>` lines; `load_queries("stream")` returns them by name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import LiteralString, cast

_HERE = Path(__file__).resolve().parent
_NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)
_MIGRATION = re.compile(r"^(\d{4})_(\w+)\.sql$")


@dataclass(frozen=True)
class Migration:
    """One numbered step of the schema."""

    number: int
    name: str
    text: str


@cache
def load_queries(name: str) -> dict[str, LiteralString]:
    """Return the statements of `sql/queries/<name>.sql` by name: texts of the project itself, as literal as code is."""
    parts = _NAME.split((_HERE / "queries" / f"{name}.sql").read_text(encoding="utf-8"))
    return {query: cast(LiteralString, body.strip()) for query, body in zip(parts[1::2], parts[2::2], strict=True)}


def load_migrations() -> list[Migration]:
    """Return all migrations in order; numbers start at 1 and have no gap."""
    migrations = []
    for path in sorted((_HERE / "migrations").glob("*.sql")):
        match = _MIGRATION.match(path.name)
        if match is None:
            raise ValueError(f"{path}: a migration's name is NNNN_what_it_does.sql")
        migrations.append(Migration(int(match[1]), match[2], path.read_text(encoding="utf-8")))
    if [migration.number for migration in migrations] != list(range(1, len(migrations) + 1)):
        raise ValueError("migrations must be numbered 0001, 0002, ... without gaps or repeats")
    return migrations
