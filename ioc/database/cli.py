"""`ioc db migrate|status`."""

from __future__ import annotations

import typer

from ioc.command.output import AsJson, show_rows
from ioc.database.migration import migrate, status
from ioc.feeds.feed import load_feeds
from ioc.settings import Settings

app = typer.Typer(no_args_is_help=True)


@app.command("migrate")
def migrate_command(as_json: AsJson = False) -> None:
    """Áp dụng các bước nâng cấp lược đồ còn chờ · Apply the migrations that are pending."""
    done = migrate(Settings(), load_feeds().values())
    rows = [{"number": migration.number, "name": migration.name} for migration in done]
    show_rows(
        rows, as_json=as_json, title="Đã áp dụng · applied", empty="Lược đồ đã mới nhất · The schema is up to date."
    )


@app.command("status")
def status_command(as_json: AsJson = False) -> None:
    """Hiện từng bước nâng cấp và thời điểm áp dụng · Show each migration and when it was applied."""
    rows = [vars(state) for state in status(Settings())]
    show_rows(rows, as_json=as_json, title="Các bước nâng cấp · migrations")
