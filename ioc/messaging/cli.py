"""`ioc topic create|list`."""

from __future__ import annotations

import typer

from ioc.command.output import AsJson, show_rows
from ioc.settings import Settings

app = typer.Typer(help="Kafka topics of the feeds.", no_args_is_help=True)


@app.command("create")
def create_command(as_json: AsJson = False) -> None:
    """Create the topics that are missing; those that exist are compared and left as they are."""
    from ioc.feeds.feed import load_feeds  # noqa: PLC0415 - `ioc --help` stays fast
    from ioc.messaging.topic import create_topics  # noqa: PLC0415

    states = create_topics(Settings(), load_feeds())
    show_rows([state.model_dump() for state in states], as_json=as_json, title="Topics")


@app.command("list")
def list_command(as_json: AsJson = False) -> None:
    """Show the topics that the feeds need and how they differ from the settings."""
    from ioc.feeds.feed import load_feeds  # noqa: PLC0415 - `ioc --help` stays fast
    from ioc.messaging.topic import list_topics  # noqa: PLC0415

    states = list_topics(Settings(), load_feeds())
    show_rows([state.model_dump() for state in states], as_json=as_json, title="Topics")
