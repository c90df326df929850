"""`ioc`: the one command line, composed of the services' own."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from connectors import cli as connectors_cli
from deploy.demo import cli as demo_cli
from deploy.local import cli as stack_cli
from deploy.simulator import cli as simulator_cli
from grafana import cli as grafana_cli
from ioc.api import cli as api_cli
from ioc.catalogue import cli as catalogue_cli
from ioc.database import cli as database_cli
from ioc.errors import ConfigError, IocError
from ioc.messaging import cli as messaging_cli
from ioc.messaging import schema_cli
from ioc.province import cli as province_cli
from ioc.reading import cli as reading_cli
from ioc.web import cli as web_cli
from streams import cli as streams_cli


class _Commands(TyperGroup):
    """Turns an error of the project into one message and an exit status: 2 = wrong settings, 1 = all else."""

    def invoke(self, ctx: Any) -> Any:
        from pydantic import ValidationError  # noqa: PLC0415 - `ioc --help` stays fast

        try:
            return super().invoke(ctx)
        except ValidationError as error:
            if ctx.params.get("debug") or error.title != "Settings":
                raise
            wrong = "; ".join(
                f"IOC_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" if e["loc"] else e["msg"]
                for e in error.errors()
            )
            raise _failed(f"A setting is wrong: {wrong}. Mend the environment or .env.", status=2) from error
        except IocError as error:
            if ctx.params.get("debug"):
                raise
            raise _failed(str(error), status=2 if isinstance(error, ConfigError) else 1) from error


def _failed(message: str, status: int) -> typer.Exit:
    from rich.console import Console  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    # Text, not markup: messages quote configuration and logs, which are full of brackets.
    Console(stderr=True).print(Text("error: ", style="bold red"), Text(message), sep="", soft_wrap=True)
    return typer.Exit(status)


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Data streams of a province's Intelligent Operations Centre.",
)
for _group, _name in (
    (stack_cli, "stack"),
    (web_cli, "token"),
    (catalogue_cli, "catalogue"),
    (database_cli, "db"),
    (reading_cli, "indicator"),
    (province_cli, "profile"),
    (messaging_cli, "topic"),
    (schema_cli, "schema"),
):
    app.add_typer(_group.app, name=_name)
for _service in (demo_cli, simulator_cli, connectors_cli, grafana_cli, api_cli, streams_cli):
    app.add_typer(_service.app)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415

        typer.echo(version("ioc-streams"))
        raise typer.Exit


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Data streams of a province's Intelligent Operations Centre."""


def main() -> None:
    """The console script."""
    app()
