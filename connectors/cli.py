"""The connectors' commands; bodies live in the modules that they call."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from ioc.command.output import AsJson

app = typer.Typer(no_args_is_help=True)
registry = typer.Typer(help="Registers of places, as the profile holds them.", no_args_is_help=True)
app.add_typer(registry, name="registry")

Gateway = Annotated[str, typer.Option("--gateway", help="Address of the gateway; default: the settings'.")]
Secret = Annotated[
    str, typer.Option("--token", help="Token; others see it in the process list. Default: IOC_PUBLISH_TOKEN.")
]
SecretFile = Annotated[Path | None, typer.Option("--token-file", help="File that holds the token.")]


@app.command()
def publish(
    *,
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE", help="Files to send.", exists=True, dir_okay=False, readable=True),
    ],
    gateway: Gateway = "",
    token: Secret = "",
    token_file: SecretFile = None,
    establishment: Annotated[str, typer.Option(help="Lodging establishment's code, for the police templates.")] = "",
    received_at: Annotated[
        datetime | None, typer.Option(help="When the files arrived (local time); default: when each was last modified.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the events, send nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Send e-invoice and lodging files through the gateway; exit status 1 when anything was refused."""
    from rich.console import Console  # noqa: PLC0415 - `ioc --help` stays fast

    from connectors.publishing.publish import FileReader, run  # noqa: PLC0415
    from connectors.publishing.sending import open_client  # noqa: PLC0415
    from ioc.settings import Settings  # noqa: PLC0415

    settings, stderr = Settings(), Console(stderr=True)
    reader = FileReader(settings, establishment=establishment, received_at=received_at)
    with (
        nullcontext()
        if dry_run
        else open_client(settings, stderr, gateway=gateway, token=token, token_file=token_file) as client
    ):
        status = run(files, reader, client, as_json=as_json, stdout=Console(), stderr=stderr)
    raise typer.Exit(status)


@registry.command("publish")
def publish_registry(
    *, gateway: Gateway = "", token: Secret = "", token_file: SecretFile = None, as_json: AsJson = False
) -> None:
    """Publish the registers of the profile; an unchanged profile published again changes nothing."""
    from datetime import UTC  # noqa: PLC0415 - `ioc --help` stays fast

    from rich.console import Console  # noqa: PLC0415

    from connectors.publishing.registry import changed_at, publish_registers  # noqa: PLC0415
    from connectors.publishing.sending import open_client  # noqa: PLC0415
    from ioc.feeds.feed import load_feeds  # noqa: PLC0415
    from ioc.province.profile import load_profile  # noqa: PLC0415
    from ioc.province.reporter import REGISTER_FEED  # noqa: PLC0415
    from ioc.settings import Settings  # noqa: PLC0415

    settings, stderr = Settings(), Console(stderr=True)
    profile, at = load_profile(settings.profile), changed_at(settings.profile, datetime.now(UTC))
    with open_client(settings, stderr, gateway=gateway, token=token, token_file=token_file) as client:
        status = publish_registers(profile, load_feeds()[REGISTER_FEED], at, client, as_json=as_json, stderr=stderr)
    raise typer.Exit(status)


@app.command()
def gateway() -> None:
    """Take events over HTTP and write them to Kafka, until SIGTERM or Ctrl-C."""
    from connectors.gateway.server import run_gateway  # noqa: PLC0415
    from ioc.settings import Settings  # noqa: PLC0415

    run_gateway(Settings())
