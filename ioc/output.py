"""Tables for people and JSON for programs, from the same rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def show_rows(rows: Sequence[Mapping[str, Any]], *, as_json: bool, title: str = "", empty: str = "Nothing.") -> None:
    """Print rows that share their keys as a table (headings are the keys) or as a JSON array."""
    from pydantic_core import to_json  # noqa: PLC0415 - `ioc --help` stays fast
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    if as_json:
        typer.echo(to_json(list(rows), indent=2))
        return
    if not rows:
        Console().print(empty)
        return
    table = Table(title=title or None)
    for name in rows[0]:
        numeric = all(isinstance(row[name], int | float | None) for row in rows)
        table.add_column(name.replace("_", " "), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(cell, row.values()))
    Console().print(table)


def cell(value: Any) -> str:
    """Return a value as people read it: numbers grouped by thousands, times to the second, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, tuple | list):
        return "; ".join(map(cell, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() else f"{value:,.2f}"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"
    if isinstance(value, date):
        return value.isoformat()
    return str(value)
