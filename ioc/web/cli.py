"""`ioc token create|list|rotate|revoke`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from pydantic_core import to_json

from ioc.command.output import AsJson, show_rows
from ioc.errors import ConfigError
from ioc.feeds.feed import load_feeds
from ioc.settings import Settings
from ioc.web.tokens import Token, TokenFile

_SOON = timedelta(days=14)
app = typer.Typer(no_args_is_help=True)


@app.command()
def create(
    name: Annotated[
        str,
        typer.Argument(
            help="Của ai: hệ thống ngành, hoặc bên đọc số liệu · Whose it is: the sector system, or who reads."
        ),
    ],
    feed: Annotated[
        list[str] | None,
        typer.Option(
            help="Nguồn được phép gửi; lặp lại nếu nhiều nguồn · A feed that it may publish; repeat for more."
        ),
    ] = None,
    reporter: Annotated[
        list[str] | None,
        typer.Option(
            help=(
                "Đơn vị được gửi thay: mã hoặc mẫu như '77-*'; lặp lại được"
                " · Reporters it may publish for: a code or a glob like '77-*'; repeatable."
            )
        ),
    ] = None,
    reader: Annotated[
        bool,
        typer.Option(
            "--reader",
            help="Chỉ đọc số liệu qua API, không gửi · It reads figures over the HTTP API, and publishes nothing.",
        ),
    ] = False,
    acts: Annotated[
        bool,
        typer.Option(
            "--acts", help="Đọc và xử lý sự cố qua API · It reads, and acts on incidents: acknowledge, silence, assign."
        ),
    ] = False,
    sector: Annotated[
        list[str] | None,
        typer.Option(help="Mã đọc chỉ xem được ngành này; lặp lại được · A reader sees this sector only; repeatable."),
    ] = None,
    area: Annotated[
        list[str] | None,
        typer.Option(
            help="Mã đọc chỉ xem được địa bàn này và cấp dưới; lặp lại được"
            " · A reader sees the area of this code, and what lies below it, only; repeatable."
        ),
    ] = None,
    days: Annotated[
        int | None,
        typer.Option(min=1, help="Số ngày hiệu lực; mặc định không hết hạn · Days until it expires; default: never."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tạo mã truy cập; mã chỉ hiện một lần, không lưu lại · Create a token. Its secret is shown once and kept
    nowhere.
    """
    reader = reader or acts
    if reader and (feed or reporter):
        raise ConfigError("A token reads (--reader), or publishes (--feed, --reporter); make two for both.")
    if not reader and not (feed and reporter):
        raise ConfigError("Name what it may publish (--feed and --reporter), or let it read (--reader).")
    if not reader and (sector or area):
        raise ConfigError("--sector and --area bind a reader's token; what one publishes is bound by --reporter.")
    known = load_feeds()
    if unknown := sorted(set(feed or ()) - set(known)):
        raise ConfigError(f"There is no feed {', '.join(unknown)}; the feeds are {', '.join(sorted(known))}.")
    expires_at = None if days is None else datetime.now(UTC) + timedelta(days=days)
    token, secret = _file().create(
        name,
        feed or (),
        reporter or (),
        expires_at,
        reads=reader,
        acts=acts,
        sectors=sector or (),
        areas=area or (),
    )
    if as_json:
        typer.echo(to_json({**_shown(token), "secret": secret}, indent=2))
        return
    typer.echo(secret)
    typer.echo(
        f"Mã {token.id} của {name}: giữ dòng trên, mã không hiện lại · keep the line above, it is not shown again.",
        err=True,
    )


@app.command("list")
def list_tokens(as_json: AsJson = False) -> None:
    """Hiện mọi mã truy cập và quyền của mã · Show all tokens and what they allow."""
    rows = [_shown(token) for token in _file().read()]
    if not as_json:
        rows = [{k: "\n".join(v) if isinstance(v, list) else v for k, v in row.items()} for row in rows]
    show_rows(rows, as_json=as_json, empty="Chưa có mã truy cập; `ioc token create` tạo mã · There are no tokens.")


@app.command()
def rotate(
    token_id: Annotated[
        str, typer.Argument(metavar="ID", help="Như `ioc token list` hiện · As `ioc token list` shows it.")
    ],
    overlap_days: Annotated[
        int,
        typer.Option(
            min=0,
            help="Số ngày mã cũ còn dùng được · Days for which the old secret still opens.",
        ),
    ] = 7,
    days: Annotated[
        int | None,
        typer.Option(min=1, help="Số ngày hiệu lực kể từ nay · Days from now until the token expires, if it does."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Đổi mã; mã mới chỉ hiện một lần, mã cũ dùng thêm vài ngày · Give a token a new secret, shown once; the old one
    opens for some days more.
    """
    expires_at = None if days is None else datetime.now(UTC) + timedelta(days=days)
    token, secret = _file().rotate(token_id, timedelta(days=overlap_days), expires_at)
    if as_json:
        typer.echo(to_json({**_shown(token), "secret": secret}, indent=2))
        return
    typer.echo(secret)
    typer.echo(
        f"Mã {token.id} của {token.name}: giữ dòng trên; mã cũ còn dùng được đến {token.previous_until}"
        f" · keep the line above; the old secret opens until {token.previous_until}.",
        err=True,
    )


@app.command()
def revoke(
    token_id: Annotated[
        str, typer.Argument(metavar="ID", help="Như `ioc token list` hiện · As `ioc token list` shows it.")
    ],
    as_json: AsJson = False,
) -> None:
    """Thu hồi hẳn một mã; cổng nhận đang chạy từ chối ngay từ yêu cầu kế tiếp · Revoke a token for good; a running
    gateway refuses it from its next request on.
    """
    token = _file().revoke(token_id)
    typer.echo(
        to_json(_shown(token), indent=2)
        if as_json
        else f"Đã thu hồi mã {token.id} của {token.name} · the token is revoked."
    )


def _file() -> TokenFile:
    return TokenFile(Settings().token_file)


def _shown(token: Token) -> dict[str, object]:
    """Return what may be shown of a token, its hash left out."""
    return {**token.model_dump(mode="json", exclude={"sha256", "previous_sha256"}), "state": _state(token)}


def _state(token: Token) -> str:
    """Return a token's state; one that ends within two weeks is to be rotated or renewed."""
    now = datetime.now(UTC)
    if token.revoked_at is not None:
        return "revoked"
    if not token.is_live(now):
        return "expired"
    return "expiring" if token.expires_at is not None and token.expires_at - now < _SOON else "live"
