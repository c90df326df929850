"""`ioc notification list`."""

from __future__ import annotations

from typing import Annotated

import typer
from psycopg.rows import dict_row

from ioc.command.output import AsJson, show_rows
from ioc.database.connection import connect, translated_errors
from ioc.settings import Settings
from sql import load_queries

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Đã báo gì cho ai · What was sent to whom."""


@app.command("list")
def list_command(
    unsent: Annotated[
        bool, typer.Option("--unsent", help="Chỉ tin chưa gửi được · Only what waits, or was given up.")
    ] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="Nhiều nhất · Most rows.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Tin đã gửi và chưa gửi, mới nhất trước · Messages sent and not sent, the newest first."""
    with connect(Settings(), "reader", autocommit=True) as connection, translated_errors():
        cursor = connection.cursor(row_factory=dict_row)
        statement = load_queries("outbox")["list_messages"].encode()
        rows = cursor.execute(statement, {"unsent": unsent, "limit": limit}).fetchall()
    show_rows(rows, as_json=as_json, title="Tin báo · messages", empty="Chưa gửi tin nào · Nothing was sent yet.")
