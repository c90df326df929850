"""`ioc publish` and `ioc registry publish`."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from connectors.publishing.publish import FileReader, run
from connectors.publishing.registry import changed_at, publish_registers
from connectors.publishing.sending import open_client
from ioc.command.output import AsJson
from ioc.feeds.feed import load_feeds
from ioc.province.profile import load_profile
from ioc.province.reporter import REGISTER_FEED
from ioc.settings import Settings

app = typer.Typer()
registry = typer.Typer(no_args_is_help=True)


Gateway = Annotated[
    str,
    typer.Option(
        "--gateway", help="Địa chỉ cổng nhận; mặc định theo thiết lập · Address of the gateway; default: the settings'."
    ),
]
Secret = Annotated[
    str,
    typer.Option(
        "--token",
        help=(
            "Mã truy cập; người khác thấy được trong danh sách tiến trình"
            " · Token; others see it in the process list. Default: IOC_PUBLISH_TOKEN."
        ),
    ),
]
SecretFile = Annotated[
    Path | None, typer.Option("--token-file", help="Tệp chứa mã truy cập · File that holds the token.")
]


@app.command()
def publish(
    *,
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE", help="Tệp cần gửi · Files to send.", exists=True, dir_okay=False, readable=True),
    ],
    gateway: Gateway = "",
    token: Secret = "",
    token_file: SecretFile = None,
    establishment: Annotated[
        str,
        typer.Option(
            help=(
                "Mã cơ sở lưu trú, cho biểu mẫu của công an · Lodging establishment's code, for the police templates."
            )
        ),
    ] = "",
    received_at: Annotated[
        datetime | None,
        typer.Option(
            help=(
                "Thời điểm nhận tệp (giờ địa phương); mặc định là lúc tệp được sửa lần cuối"
                " · When the files arrived (local time); default: when each was last modified."
            )
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Chỉ in sự kiện, không gửi · Print the events, send nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Send e-invoice and lodging files through the gateway; exit status 1 when anything was refused."""
    settings, stderr = Settings(), Console(stderr=True)
    reader = FileReader(settings, establishment=establishment, received_at=received_at)
    with (
        nullcontext()
        if dry_run
        else open_client(settings, stderr, gateway=gateway, token=token, token_file=token_file) as client
    ):
        status = run(files, reader, client, as_json=as_json, stdout=Console(), stderr=stderr)
    raise typer.Exit(status)


@registry.command("publish")
def publish_registry(
    *, gateway: Gateway = "", token: Secret = "", token_file: SecretFile = None, as_json: AsJson = False
) -> None:
    """Gửi danh bạ của hồ sơ; hồ sơ không đổi thì gửi lại không đổi gì · Publish the registers of the profile; an
    unchanged profile published again changes nothing.
    """
    settings, stderr = Settings(), Console(stderr=True)
    profile, at = load_profile(settings.profile), changed_at(settings.profile, datetime.now(UTC))
    with open_client(settings, stderr, gateway=gateway, token=token, token_file=token_file) as client:
        status = publish_registers(profile, load_feeds()[REGISTER_FEED], at, client, as_json=as_json, stderr=stderr)
    raise typer.Exit(status)


@registry.callback()
def _group() -> None:
    """Keep `publish` a command of its own, as others may follow."""
