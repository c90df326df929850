"""`ioc change list|relay`."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime

import typer
from psycopg.rows import dict_row

from ioc.command.output import AsJson, show_rows
from ioc.database.connection import connect, translated_errors
from ioc.province.profile import load_profile
from ioc.settings import Settings
from sql import load_queries
from streams.change.relay import ChangeRelay

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_command(as_json: AsJson = False) -> None:
    """Bao nhiêu thay đổi đang chờ gửi, từ bao giờ · How many changed cells and finished events wait, and since when."""
    with connect(Settings(), "writer", autocommit=True) as connection, translated_errors():
        cursor = connection.cursor(row_factory=dict_row)
        rows = cursor.execute(load_queries("figure_change")["count_waiting"]).fetchall()
    show_rows(rows, as_json=as_json)


@app.command("relay")
def relay_command(as_json: AsJson = False) -> None:
    """Gửi ngay mọi thay đổi đang chờ; bộ lập lịch vẫn tự gửi · Relay all that waits now, as the scheduler does by
    itself; harmless when repeated.
    """
    settings = Settings()
    timezone = load_profile(settings.profile).timezone
    with (
        connect(settings, "writer", autocommit=True) as connection,
        closing(ChangeRelay(settings, connection, timezone)) as relay,
    ):
        relayed = relay.run(datetime.now(UTC), seconds=float("inf"))
    show_rows([{"cells": relayed.cells, "sent": relayed.sent}], as_json=as_json)
