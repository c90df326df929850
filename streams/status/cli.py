"""`ioc scheduler`."""

from __future__ import annotations

import typer

from ioc.settings import Settings
from streams.status.scheduler import run_scheduler

app = typer.Typer()


@app.command()
def scheduler() -> None:
    """Keep statuses, quality and incidents current until stopped."""
    run_scheduler(Settings())
