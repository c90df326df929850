"""`ioc worker`."""

from __future__ import annotations

import typer

from ioc.settings import Settings
from streams.worker.process import run_worker

app = typer.Typer()


@app.command()
def worker() -> None:
    """Run the Faust agents of all feeds until stopped."""
    run_worker(Settings())
