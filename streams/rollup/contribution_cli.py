"""`ioc contribution list|fold`."""

from __future__ import annotations

from typing import Annotated

import typer
from psycopg.rows import dict_row
from pydantic_core import to_json

from ioc.command.act import note_change
from ioc.command.output import AsJson, show_rows
from ioc.database.connection import connect, translated_errors
from ioc.errors import ConfigError
from ioc.feeds.feed import load_feeds
from ioc.settings import Settings
from sql import load_queries
from streams.rollup.service import Rollup

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_command(
    feed: Annotated[str | None, typer.Option("--feed", help="Chỉ nguồn này · Only of this feed.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Tối đa · At most so many.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Phần đóng góp chưa cộng được vào chỉ tiêu: của bản ghi nào, vì sao · Show the contributions that could not be
    folded and that figures lack: of which records, and why.
    """
    if feed is not None and feed not in load_feeds():
        raise ConfigError(f"there is no feed {feed!r}; `ioc feed list` shows them")
    with connect(Settings(), "owner") as connection, translated_errors():
        cursor = connection.cursor(row_factory=dict_row)
        rows = cursor.execute(load_queries("rollup")["list_set_aside"], {"feed": feed, "most": limit}).fetchall()
    show_rows(
        rows,
        as_json=as_json,
        title="Chưa cộng được · set aside",
        empty="Không có phần nào bị gác lại · No contribution is set aside.",
    )


@app.command("fold")
def fold_command(as_json: AsJson = False) -> None:
    """Cộng lại ngay những phần bị gác lại, sau khi đã sửa nguyên nhân; mã thoát 1 khi còn phần chưa cộng được · Fold
    what was set aside once more, now, after a fix; the roll-up tries it every minute by itself. Ends with 1 where
    something is still set aside.
    """
    settings = Settings()
    with connect(settings, "owner", autocommit=True) as connection:
        before, after = Rollup(settings, connection).retry_all_set_aside(connection)
    note_change(before={"set_aside": before}, after={"set_aside": after})
    if as_json:
        typer.echo(to_json({"set_aside_before": before, "set_aside": after}))
    else:
        typer.echo(
            f"{before - after:,} phần đã được cộng, {after:,} còn bị gác lại"
            f" · {before - after:,} contributions were folded, {after:,} are still set aside"
        )
    raise typer.Exit(1 if after else 0)
