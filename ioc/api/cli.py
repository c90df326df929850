"""`ioc api`."""

from __future__ import annotations

import typer

app = typer.Typer()


@app.command()
def api() -> None:
    """Answer questions about figures over HTTP, read-only, until SIGTERM or Ctrl-C."""
    from ioc.api.server import run_api  # noqa: PLC0415
    from ioc.settings import Settings  # noqa: PLC0415

    run_api(Settings())
