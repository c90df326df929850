"""`ioc dead-letter list|show|replay`."""

from __future__ import annotations

from typing import Annotated

import typer

from ioc.command.output import AsJson, show_rows
from ioc.errors import ConfigError
from ioc.feeds.feed import load_feeds
from ioc.settings import Settings
from streams.dead_letter.letter import list_causes, replay, show_events

app = typer.Typer(no_args_is_help=True)

FeedOption = Annotated[str | None, typer.Option("--feed", help="Chỉ nguồn này · Only this feed, e.g. tourism.stay.")]
RuleOption = Annotated[
    str | None, typer.Option("--rule", help="Chỉ quy tắc này · Only this rule, e.g. unknown_reporter.")
]
Within = Annotated[str, typer.Option("--within", help="Lùi lại bao lâu · How far back, e.g. '1 day'.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="Số sự kiện tối đa · At most this many events.")]


@app.command("list")
def list_letters(feed: FeedOption = None, within: Within = "30 days", as_json: AsJson = False) -> None:
    """Sự kiện bị từ chối, gom theo nguyên nhân, nhiều nhất trước · Show refused events grouped by cause, most
    frequent first.
    """
    rows = list_causes(Settings(), feed=feed, within=within)
    if not as_json:
        shown = ("feed", "rule", "field", "message_vi", "events", "replayable")
        rows = [{name: row[name] for name in shown} for row in rows]
    show_rows(rows, as_json=as_json, empty="Không có sự kiện bị từ chối · No event was refused.")


@app.command("show")
def show_letters(
    feed: FeedOption = None,
    rule: RuleOption = None,
    within: Within = "30 days",
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    """Từng sự kiện bị từ chối kèm lý do, mới nhất trước · Show single refused events with their reasons, newest
    first.
    """
    rows = show_events(Settings(), feed=feed, rule=rule, within=within, limit=limit)
    show_rows(rows, as_json=as_json, empty="Không có sự kiện bị từ chối · No event was refused.")


@app.command("replay")
def replay_letters(
    feed: Annotated[str, typer.Option("--feed", help="Nguồn để gửi lại · The feed to replay into.")],
    rule: RuleOption = None,
    limit: Limit = 10_000,
    as_json: AsJson = False,
) -> None:
    """Gửi lại sự kiện bị từ chối sau khi sửa nguyên nhân; lặp lại không sao · Send refused events to their feed
    again, once the cause is fixed; harmless when repeated.
    """
    feeds = load_feeds()
    if feed not in feeds:
        raise ConfigError(f"no feed is named {feed!r}; there are {', '.join(feeds)}")
    replayed = replay(Settings(), feeds[feed], rule=rule, limit=limit)
    show_rows([{"feed": feed, "replayed": replayed}], as_json=as_json)
