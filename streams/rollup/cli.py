"""`ioc rollup`."""

from __future__ import annotations

import typer

from ioc.settings import Settings
from streams.rollup.service import run_rollup

app = typer.Typer()


@app.command()
def rollup() -> None:
    """Fold contributions into indicators until stopped."""
    run_rollup(Settings())
