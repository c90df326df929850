"""The connectors' commands; bodies live in the modules that they call."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from connectors import token_cli

app = typer.Typer(no_args_is_help=True)
app.add_typer(token_cli.app, name="token")

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@app.command()
def publish(
    *,
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Files to send.", exists=True, dir_okay=False)],
    gateway: Annotated[str, typer.Option(help="Address of the gateway; default from the settings.")] = "",
    token: Annotated[str, typer.Option(help="Token; others can see it in the process list.")] = "",
    token_file: Annotated[Path | None, typer.Option(help="File that holds the token.")] = None,
    establishment: Annotated[str, typer.Option(help="Lodging establishment's code, for the police templates.")] = "",
    received_at: Annotated[
        datetime | None, typer.Option(help="When the files arrived (local time); default: when each was last modified.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the events, send nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Send e-invoice and lodging files through the gateway; exit status 1 when anything was refused."""
    from connectors import publish as body  # noqa: PLC0415 - `ioc --help` stays fast
    from ioc.settings import Settings  # noqa: PLC0415

    settings = Settings()
    reader = body.Reader(settings, establishment=establishment, received_at=received_at)
    if dry_run:
        status = body.dry_run(files, reader, as_json=as_json)
    else:
        secret = body.token_of(settings, token, token_file)
        status = body.publish(files, settings, reader, gateway=gateway, token=secret, as_json=as_json)
    raise typer.Exit(status)


@app.command()
def simulate(
    *,
    seconds: Annotated[float | None, typer.Option(help="How long; default: until Ctrl-C.", min=0)] = None,
    rate: Annotated[float, typer.Option(help="Events a second, on average.", min=1)] = 1000.0,
    day_seconds: Annotated[float, typer.Option(help="Seconds that a simulated day takes.", min=0.1)] = 12.0,
    seed: Annotated[int, typer.Option(help="The same seed makes the same records.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Publish a simulated October 2024 of the province to the gateway of the settings."""
    from connectors.simulator.run import simulate as body  # noqa: PLC0415
    from ioc.settings import Settings  # noqa: PLC0415

    body(Settings(), seconds=seconds, rate=rate, day_seconds=day_seconds, seed=seed, as_json=as_json)


@app.command()
def gateway() -> None:
    """Take events over HTTP and write them to Kafka, until SIGTERM or Ctrl-C."""
    from connectors.gateway.server import run_gateway  # noqa: PLC0415
    from ioc.settings import Settings  # noqa: PLC0415

    run_gateway(Settings())
