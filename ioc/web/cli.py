"""`ioc token create|list|revoke`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from ioc.command.output import AsJson, show_rows

if TYPE_CHECKING:
    from ioc.web.tokens import Token, TokenFile

app = typer.Typer(no_args_is_help=True, help="Tokens with which sector systems publish, and others read.")


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Whose it is: the sector system, or who reads.")],
    feed: Annotated[list[str] | None, typer.Option(help="A feed that it may publish; repeat for more.")] = None,
    reporter: Annotated[
        list[str] | None,
        typer.Option(help="Reporters it may publish for: a code or a glob like '77-*'; repeatable."),
    ] = None,
    reader: Annotated[
        bool, typer.Option("--reader", help="It reads figures over the HTTP API, and publishes nothing.")
    ] = False,
    days: Annotated[int | None, typer.Option(min=1, help="Days until it expires; default: never.")] = None,
    as_json: AsJson = False,
) -> None:
    """Create a token. Its secret is shown once and kept nowhere."""
    from pydantic_core import to_json  # noqa: PLC0415 - `ioc --help` stays fast

    from ioc.errors import ConfigError  # noqa: PLC0415
    from ioc.feeds.feed import load_feeds  # noqa: PLC0415

    if reader and (feed or reporter):
        raise ConfigError("A token reads (--reader), or publishes (--feed, --reporter); make two for both.")
    if not reader and not (feed and reporter):
        raise ConfigError("Name what it may publish (--feed and --reporter), or let it read (--reader).")
    known = load_feeds()
    if unknown := sorted(set(feed or ()) - set(known)):
        raise ConfigError(f"There is no feed {', '.join(unknown)}; the feeds are {', '.join(sorted(known))}.")
    expires_at = None if days is None else datetime.now(UTC) + timedelta(days=days)
    token, secret = _file().create(name, feed or (), reporter or (), expires_at, reads=reader)
    if as_json:
        typer.echo(to_json({**_shown(token), "secret": secret}, indent=2))
        return
    typer.echo(secret)
    typer.echo(f"Token {token.id} of {name}: keep the line above, it is not shown again.", err=True)


@app.command("list")
def list_tokens(as_json: AsJson = False) -> None:
    """Show all tokens and what they allow."""
    rows = [_shown(token) for token in _file().read()]
    if not as_json:
        rows = [{k: "\n".join(v) if isinstance(v, list) else v for k, v in row.items()} for row in rows]
    show_rows(rows, as_json=as_json, empty="There are no tokens; `ioc token create` makes one.")


@app.command()
def revoke(
    token_id: Annotated[str, typer.Argument(metavar="ID", help="As `ioc token list` shows it.")],
    as_json: AsJson = False,
) -> None:
    """Revoke a token for good; a running gateway refuses it from its next request on."""
    from pydantic_core import to_json  # noqa: PLC0415

    token = _file().revoke(token_id)
    typer.echo(to_json(_shown(token), indent=2) if as_json else f"Token {token.id} of {token.name} is revoked.")


def _file() -> TokenFile:
    from ioc.settings import Settings  # noqa: PLC0415
    from ioc.web.tokens import TokenFile  # noqa: PLC0415

    return TokenFile(Settings().token_file)


def _shown(token: Token) -> dict[str, object]:
    """Return what may be shown of a token, its hash left out."""
    state = "revoked" if token.revoked_at else "live" if token.is_live(datetime.now(UTC)) else "expired"
    return {**token.model_dump(mode="json", exclude={"sha256"}), "state": state}
