"""`ioc gateway`."""

from __future__ import annotations

import typer

from connectors.gateway.server import run_gateway
from ioc.settings import Settings

app = typer.Typer()


@app.command()
def gateway() -> None:
    """Take events over HTTP and write them to Kafka, until SIGTERM or Ctrl-C."""
    run_gateway(Settings())
