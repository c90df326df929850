"""`ioc db migrate|status`."""

from __future__ import annotations

import typer

from ioc.command.output import AsJson, show_rows
from ioc.settings import Settings

app = typer.Typer(help="The database's schema.", no_args_is_help=True)


@app.command("migrate")
def migrate_command(as_json: AsJson = False) -> None:
    """Apply the migrations that are pending."""
    from ioc.database.migration import migrate  # noqa: PLC0415
    from ioc.feeds.feed import load_feeds  # noqa: PLC0415 - `ioc --help` stays fast

    done = migrate(Settings(), load_feeds().values())
    rows = [{"number": migration.number, "name": migration.name} for migration in done]
    show_rows(rows, as_json=as_json, title="Applied", empty="The schema is up to date.")


@app.command("status")
def status_command(as_json: AsJson = False) -> None:
    """Show each migration and when it was applied."""
    from ioc.database.migration import status  # noqa: PLC0415 - `ioc --help` stays fast

    rows = [vars(state) for state in status(Settings())]
    show_rows(rows, as_json=as_json, title="Migrations")
