"""`ioc topic create|list`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from pydantic_core import to_json
from rich.console import Console
from rich.table import Table

from ioc.feed import load_feeds
from ioc.settings import Settings
from ioc.topic import TopicState, create_topics, list_topics

app = typer.Typer(help="Kafka topics of the feeds.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("create")
def create_command(as_json: AsJson = False) -> None:
    """Create the topics that are missing; those that exist are compared and left as they are."""
    _show(create_topics(Settings(), load_feeds()), as_json)


@app.command("list")
def list_command(as_json: AsJson = False) -> None:
    """Show the topics that the feeds need and how they differ from the settings."""
    _show(list_topics(Settings(), load_feeds()), as_json)


def _show(states: Sequence[TopicState], as_json: bool) -> None:
    """Print the states as a table or as JSON."""
    if as_json:
        typer.echo(to_json(states, indent=2))
        return
    table = Table("topic", "status", "partitions", "differences")
    for state in states:
        table.add_row(state.name, state.status, str(state.partitions), "; ".join(state.differences))
    Console().print(table)
