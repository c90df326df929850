"""The shared contract's commands: catalogue, schema, indicators, profile, topics."""

from __future__ import annotations

import typer

from ioc import catalogue_cli, db_cli, indicator_cli, profile_cli, schema_cli, topic_cli

app = typer.Typer()
app.add_typer(catalogue_cli.app, name="catalogue")
app.add_typer(db_cli.app, name="db")
app.add_typer(indicator_cli.app, name="indicator")
app.add_typer(profile_cli.app, name="profile")
app.add_typer(topic_cli.app, name="topic")
app.add_typer(schema_cli.app, name="schema")
