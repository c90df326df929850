"""`ioc link`."""

from __future__ import annotations

from typing import Annotated

import typer

from ioc.errors import ConfigError
from ioc.settings import Settings
from ioc.web.signing import Signing

app = typer.Typer()


@app.command()
def link(
    path: Annotated[str, typer.Argument(help="Trang cần mở · The page to open, such as /morning.")] = "/",
    name: Annotated[
        str, typer.Option("--for", help="Chức vụ hoặc người được mở · The post or person that it is for.")
    ] = "",
    hours: Annotated[
        float | None, typer.Option(min=0.01, max=24 * 31, help="Số giờ còn dùng được · Hours that it opens the page.")
    ] = None,
) -> None:
    """Print a signed link that opens the pages without a token."""
    if not path.startswith("/") or path.startswith("//"):
        raise ConfigError(f"{path!r} is no path of a page; write one such as /, /morning or /incidents/12")
    if not name.strip():
        raise ConfigError("say for whom the link is (--for): acts through it are entered under this name")
    settings = Settings()
    if not settings.link_key.get_secret_value():
        raise ConfigError("IOC_LINK_KEY is empty: the link would open nothing. Set it to the key that the API has.")
    typer.echo(Signing(settings).link(path, name.strip(), hours))
