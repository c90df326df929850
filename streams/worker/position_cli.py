"""`ioc position list|accept`."""

from __future__ import annotations

from typing import Annotated

import typer

from ioc.command.output import AsJson, show_rows
from ioc.errors import ConfigError
from ioc.feeds.feed import load_feeds
from ioc.settings import Settings
from streams.worker.acceptance import accept_positions, list_positions

app = typer.Typer(no_args_is_help=True)
_DIGITS = 19  # an offset has fewer


@app.command("list")
def list_command(as_json: AsJson = False) -> None:
    """Vị trí đã ghi của từng phân vùng cạnh nhật ký Kafka; phân vùng bị tạm dừng và lý do · Show each partition's
    stored position beside Kafka's log, and which partitions are halted, and why.
    """
    settings = Settings()
    rows = list_positions(settings, load_feeds().values())
    if not as_json:
        rows = [{name: value for name, value in row.items() if name != "topic_id"} for row in rows]
    show_rows(rows, as_json=as_json, title="Vị trí đọc · positions", empty="Chưa đọc gì · Nothing was read yet.")


@app.command("accept")
def accept_command(
    topic: Annotated[str, typer.Argument(help="Topic bị tạm dừng · The halted topic, by its full name.")],
    partition: Annotated[
        list[int] | None, typer.Option("--partition", help="Chỉ phân vùng này · Only this partition; repeatable.")
    ] = None,
    at: Annotated[
        str, typer.Option("--at", help="start, end, hoặc một offset · start, end, or an offset to go on at.")
    ] = "start",
    as_json: AsJson = False,
) -> None:
    """Cho đọc tiếp phân vùng bị tạm dừng, từ đầu nhật ký hiện có · Let the reading of halted partitions go on.

    A topic that was deleted and made again, or cut, holds other events under the offsets that were counted. From its
    start, everything that it holds is read: what is known already is a duplicate. Running workers start again.
    """
    if at not in ("start", "end") and not (at.isascii() and at.isdecimal() and len(at) < _DIGITS):
        raise ConfigError(f"--at {at[:100]!r} is none of start, end or an offset")
    settings = Settings()
    topics = [feed.topic(settings.topic_prefix) for feed in load_feeds().values()]
    if topic not in topics:
        raise ConfigError(f"{topic[:100]!r} is no topic of a feed; the topics are {', '.join(topics)}")
    rows = accept_positions(settings, topic, partition, at)
    show_rows(
        rows,
        as_json=as_json,
        title="Đọc tiếp · accepted",
        empty="Không có phân vùng nào bị tạm dừng · No partition is halted.",
    )
    raise typer.Exit(0 if rows else 1)
