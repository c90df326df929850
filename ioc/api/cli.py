"""`ioc api`."""

from __future__ import annotations

import typer

from ioc.api.server import run_api
from ioc.settings import Settings

app = typer.Typer()


@app.command()
def api() -> None:
    """Answer questions about figures over HTTP, read-only, until SIGTERM or Ctrl-C."""
    run_api(Settings())
