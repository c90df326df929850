"""`ioc incident list|show|ack|silence|assign`."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Annotated, Any

import typer
from pydantic_core import to_json

from ioc.command.output import AsJson, show_rows
from ioc.database.connection import connect, translated_errors
from ioc.incident.acting import Actor, IncidentActs
from ioc.incident.reading import list_incidents, show_incident
from ioc.province.duty import load_ladder
from ioc.province.profile import load_sectors
from ioc.settings import Settings

app = typer.Typer(no_args_is_help=True)

Number = Annotated[int, typer.Argument(help="Số của sự cố · Number of the incident.")]
By = Annotated[
    str,
    typer.Option(
        "--by",
        help="Ai thực hiện; mặc định người đang đăng nhập · Who acts: a post or a name; none = who is logged in.",
    ),
]
Note = Annotated[str, typer.Option("--note", help="Ghi chú · A remark for the history.")]


@app.command("list")
def list_command(
    closed: Annotated[bool, typer.Option("--all", help="Cả sự cố đã kết thúc · Also those that have ended.")] = False,
    sector: Annotated[str | None, typer.Option("--sector", help="Chỉ ngành này · Only this sector.")] = None,
    kind: Annotated[
        str | None, typer.Option("--kind", help="Chỉ loại này, ví dụ lagging · Only this kind, e.g. lagging.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="Nhiều nhất · Most rows.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Các sự cố, nặng nhất trước · List incidents, the worst first."""
    with connect(Settings(), "reader", autocommit=True) as connection, translated_errors():
        rows = list_incidents(connection, closed=closed, sector=sector, kind=kind, limit=limit)
    if not as_json:
        names = ("incident_id", "severity", "title_vi", "since", "told", "acknowledged_by", "assigned_to", "closed_at")
        rows = [_with_posts({name: row[name] for name in names}) for row in rows]
    show_rows(rows, as_json=as_json, title="Sự cố · incidents", empty="Không có sự cố · No incident is open.")


@app.command("show")
def show_command(incident: Number, as_json: AsJson = False) -> None:
    """Một sự cố: bằng chứng, chỉ tiêu và địa bàn liên quan, diễn biến, đã báo cho ai · Show an incident: its evidence,
    what it affects, its history, and who got a message.
    """
    with connect(Settings(), "reader", autocommit=True) as connection, translated_errors():
        found = show_incident(connection, incident)
    if as_json:
        typer.echo(to_json(found, indent=2).decode())
        return
    parts = {name: found.pop(name) for name in ("changes", "touches", "receipts")}
    show_rows([_with_posts(found)], as_json=False)
    changes = ("changed_at", "what", "by", "through", "note", "step")
    show_rows(
        [_with_posts({name: row[name] for name in changes}) for row in parts["changes"]],
        as_json=False,
        title="Diễn biến · course",
    )
    touches = ("code", "area_name", "status", "value", "expected", "lag", "ended_at")
    show_rows(
        [{name: row[name] for name in touches} for row in parts["touches"][:20]],
        as_json=False,
        title="Chỉ tiêu và địa bàn · indicators and areas",
        empty="Không liên quan chỉ tiêu nào · It touches no figure.",
    )
    show_rows(
        [_with_posts(row) for row in parts["receipts"]],
        as_json=False,
        title="Đã báo cho · told",
        empty="Chưa báo cho ai · Nobody has been told yet.",
    )


@app.command("ack")
def ack_command(incident: Number, by: By = "", note: Note = "", as_json: AsJson = False) -> None:
    """Nhận xử lý; cấp trên tiếp theo chưa bị báo · Acknowledge: somebody has taken it on, and the next step of the duty
    ladder waits.
    """
    _act(incident, by, as_json, lambda acting, actor, now: acting.acknowledge(incident, actor, now, note))


@app.command("silence")
def silence_command(
    incident: Number,
    reason: Annotated[str, typer.Option("--reason", help="Lý do · Reason for the silence.")],
    hours: Annotated[
        float,
        typer.Option("--hours", min=0, max=720, help="Bao nhiêu giờ; 0 để báo lại · For how long; 0 ends a silence."),
    ] = 24,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Tạm dừng báo; sự cố vẫn còn · Silence: no messages for some time; the incident stays open."""
    _act(
        incident,
        by,
        as_json,
        lambda acting, actor, now: acting.silence(incident, actor, now, now + timedelta(hours=hours), reason),
    )


@app.command("assign")
def assign_command(
    incident: Number,
    to: Annotated[str, typer.Option("--to", help="Giao cho ai · Who sees to it: a post or an agency.")],
    by: By = "",
    note: Note = "",
    as_json: AsJson = False,
) -> None:
    """Giao người xử lý · Assign: say who sees to it."""
    _act(incident, by, as_json, lambda acting, actor, now: acting.assign(incident, actor, now, to, note))


def _with_posts(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with the names of posts in place of their codes, for people."""
    posts = _posts()
    named = ("told", "acknowledged_by", "assigned_to", "silenced_by", "by", "note", "recipient")
    return {name: posts.get(value, value) if name in named else value for name, value in row.items()}


@cache
def _posts() -> dict[str, str]:
    profile = Settings().profile
    return {post.post: post.post_vi for post in load_ladder(profile, load_sectors(profile)).posts}


def _act(incident: int, by: str, as_json: bool, what: Callable[[IncidentActs, Actor, datetime], None]) -> None:
    with connect(Settings(), "writer", autocommit=True) as connection, translated_errors():
        what(IncidentActs(connection), Actor(by or getpass.getuser(), "command"), datetime.now(UTC))
        found: dict[str, Any] = show_incident(connection, incident)
    names = ("incident_id", "title_vi", "acknowledged_by", "assigned_to", "silenced_until", "told")
    row = {name: found[name] for name in names}
    show_rows([row if as_json else _with_posts(row)], as_json=as_json)
