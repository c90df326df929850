"""`ioc topic create|list`."""

from __future__ import annotations

import typer

from ioc.command.output import AsJson, show_rows
from ioc.feeds.feed import load_feeds
from ioc.messaging.topic import create_topics, list_topics
from ioc.settings import Settings

app = typer.Typer(no_args_is_help=True)


@app.command("create")
def create_command(as_json: AsJson = False) -> None:
    """Tạo topic còn thiếu; topic đã có thì so sánh, chỉ đặt lại giờ của bản ghi theo máy chủ Kafka · Create the topics
    that are missing; those that exist are compared, and altered only where a record's time is not the broker's.
    """
    states = create_topics(Settings(), load_feeds())
    show_rows([state.model_dump() for state in states], as_json=as_json, title="Chủ đề (topic) Kafka · topics")


@app.command("list")
def list_command(as_json: AsJson = False) -> None:
    """Hiện topic mà các nguồn cần, và chỗ khác với thiết lập · Show the topics that the feeds need and how they
    differ from the settings. Ends with 1 where one is missing, or keeps its producers' time instead of the broker's.
    """
    states = list_topics(Settings(), load_feeds())
    show_rows([state.model_dump() for state in states], as_json=as_json, title="Chủ đề (topic) Kafka · topics")
    wrong = [state.name for state in states if not state.keeps_promises]
    if wrong:
        typer.echo(
            f"{len(wrong)} topic còn thiếu hoặc giữ thời gian của bên gửi, `ioc topic create` sửa được"
            f" · {len(wrong)} topics are missing or keep the time of producers: `ioc topic create` mends it",
            err=True,
        )
        raise typer.Exit(1)
