"""Tables for people and JSON for programs, from the same rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any

import typer
from pydantic_core import to_json
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ioc.command.act import note_rows
from ioc.command.heading import heading_of

_SHORT = 32  # columns up to this width are never broken
_LEAST = 12  # what a long text needs at least

AsJson = Annotated[bool, typer.Option("--json", help="In JSON · Print JSON.")]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        help="Như đã biết vào thời điểm này: ngày (đến hết ngày) hoặc ngày giờ"
        " · As it was known at this moment: a day (its end) or a time, e.g. 2025-03-05T09:30.",
    ),
]


def show_rows(
    rows: Sequence[Mapping[str, Any]], *, as_json: bool, title: str = "", empty: str = "Không có · Nothing."
) -> None:
    """Print rows that share their keys as a table (headings: `ioc.command.heading`) or as a JSON array.

    Empty columns are left out, short ones keep their width and long texts wrap; where even that does not fit the
    terminal, each row becomes a block of lines.
    """
    note_rows(rows)
    if as_json:
        typer.echo(to_json(list(rows), indent=2))
        return
    console = Console()
    if not rows:
        console.print(Text(empty))
        return
    names = [name for name in rows[0] if any(cell(row[name]) for row in rows)]
    texts = [[cell(row[name]) for name in names] for row in rows]
    widths = [
        max(map(len, (*heading_of(name).split("\n"), *column))) for name, *column in zip(names, *texts, strict=True)
    ]
    short = [width <= _SHORT for width in widths]
    needed = sum(width if keep else _LEAST for width, keep in zip(widths, short, strict=True)) + 3 * len(widths) + 1
    if needed > console.width:
        if title:
            console.print(Text(title, style="bold"))
        for row in texts:
            block = Table.grid(padding=(0, 2))
            for name, text in zip(names, row, strict=True):
                if text:
                    block.add_row(Text(heading_of(name, " · "), style="dim"), text)
            console.print(block, "")
        return
    table = Table(title=Text(title) if title else None)
    for name, keep in zip(names, short, strict=True):
        numeric = all(isinstance(row[name], int | float | None) for row in rows)
        table.add_column(heading_of(name), justify="right" if numeric else "left", no_wrap=keep, overflow="fold")
    for row in texts:
        table.add_row(*map(Text, row))
    console.print(table)


def cell(value: Any) -> str:
    """Return a value as people read it: numbers grouped by thousands, times to the second, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, dict):
        return ", ".join(f"{name} = {cell(part)}" for name, part in value.items() if part not in (None, ""))
    if isinstance(value, tuple | list):
        return "; ".join(map(cell, value))
    if isinstance(value, bool):
        return "có · yes" if value else "không · no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() else f"{value:,.2f}"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"
    if isinstance(value, date):
        return value.isoformat()
    return str(value)
