"""`ioc feed list|new`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from deploy.scaffold.feed import NewFeed, write_feed
from ioc.command.output import AsJson, show_rows
from ioc.feeds.feed import load_feeds
from ioc.settings import ROOT, Settings

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_command(as_json: AsJson = False) -> None:
    """Hiện các nguồn: tên, topic, bảng, im lặng bao lâu thì là cũ · Show the feeds: name, topic, table, and after how
    much silence each is stale.
    """
    prefix = Settings().topic_prefix
    rows = [
        {
            "feed": feed.key,
            "name_vi": feed.name_vi,
            "name_en": feed.name_en,
            "topic": feed.topic(prefix),
            "table": feed.table,
            "cadence_hours": round(feed.cadence.total_seconds() / 3600, 2),
        }
        for _, feed in sorted(load_feeds().items())
    ]
    show_rows(rows, as_json=as_json, title="Nguồn dữ liệu · Feeds")


@app.command("new")
def new_command(
    key: Annotated[
        str,
        typer.Argument(metavar="DOMAIN.RECORD", help="Mã của nguồn · The feed's key, e.g. water.meter_reading."),
    ],
    name_vi: Annotated[str, typer.Option(help="Tên tiếng Việt · What it is, in Vietnamese.")] = "",
    name_en: Annotated[str, typer.Option(help="Tên tiếng Anh · What it is, in English.")] = "",
    cadence_hours: Annotated[
        float,
        typer.Option(
            min=0.1, max=366 * 24, help="Im lặng quá số giờ này thì nguồn là cũ · Silence longer than this is stale."
        ),
    ] = 24,
    as_json: AsJson = False,
) -> None:
    """Viết những gì một nguồn mới cần: mô-đun, migration, mẫu, mô phỏng, đơn vị báo cáo, trang docs/feeds.md · Write
    what a new feed needs: module, migration, samples, simulator, reporter, its place in docs/feeds.md.

    What is written runs as it is; docs/adding-a-feed.md says what to put in place of the example.
    """
    domain, _, record = key.partition(".")
    words = record.replace("_", " ")
    new = NewFeed(
        key,
        name_vi or f"Dữ liệu {words} ({domain})",
        name_en or f"{words.capitalize()} ({domain})",
        timedelta(hours=cadence_hours),
    )
    written = [{"written": str(path.relative_to(ROOT))} for path in write_feed(new)]
    show_rows(written, as_json=as_json, title=key)
    if not as_json:
        typer.echo("Tiếp theo · next: docs/adding-a-feed.md")
