"""`ioc reconcile`."""

from __future__ import annotations

import typer

from ioc.command.output import AsJson, show_rows
from ioc.settings import Settings
from streams.proof.reconcile import reconcile as run

app = typer.Typer()


@app.command()
def reconcile(as_json: AsJson = False) -> None:
    """Recompute every cell and figure from the records, in SQL, and compare; exit status 1 where they differ."""
    result = run(Settings())
    rows = [vars(difference) for difference in result.differences]
    if as_json:
        typer.echo(result.to_json())
    else:
        show_rows(
            rows[:50],
            as_json=False,
            title="Chênh lệch · differences",
            empty="Số đã lưu khớp số tính lại · Stored and recomputed are equal.",
        )
        typer.echo(
            f"So sánh {result.cells:,} tổng · sums, {result.figures:,} số liệu · figures:"
            f" {len(rows):,} chênh lệch · differences"
        )
    raise typer.Exit(1 if rows else 0)
