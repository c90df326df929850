"""`ioc topic create|list`."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from ioc.feed import load_feeds
from ioc.output import AsJson, show_rows
from ioc.settings import Settings
from ioc.topic import TopicState, create_topics, list_topics

app = typer.Typer(help="Kafka topics of the feeds.", no_args_is_help=True)


@app.command("create")
def create_command(as_json: AsJson = False) -> None:
    """Create the topics that are missing; those that exist are compared and left as they are."""
    _show(create_topics(Settings(), load_feeds()), as_json=as_json)


@app.command("list")
def list_command(as_json: AsJson = False) -> None:
    """Show the topics that the feeds need and how they differ from the settings."""
    _show(list_topics(Settings(), load_feeds()), as_json=as_json)


def _show(states: Sequence[TopicState], *, as_json: bool) -> None:
    """Print the states; differences as a list in JSON, as a sentence in the table."""
    rows = [state.model_dump() for state in states]
    if not as_json:
        rows = [{**row, "differences": "; ".join(row["differences"])} for row in rows]
    show_rows(rows, as_json=as_json)
