"""`ioc publish` and `ioc registry publish`."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from connectors.formats.memory import Memory
from connectors.formats.readers.legacy_text import named_encoding
from connectors.publishing.publish import FileReader, run
from connectors.publishing.receipt import ReceiptWait
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


def _encoding(told: str) -> str:
    """Check the name of an encoding before any file is read."""
    if told and not named_encoding(told):
        raise typer.BadParameter(
            f"{told}: không phải windows-1258, tcvn3, viscii, vni hay utf-8"
            " · is none of windows-1258, tcvn3, viscii, vni, utf-8"
        )
    return told


@app.command()
def publish(
    *,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE", help="Tệp cần gửi, hoặc .zip gồm nhiều tệp · Files to send; a .zip is read file by file."
        ),
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
    reporter: Annotated[
        str,
        typer.Option(
            help="Mã đơn vị báo cáo, cho tệp không ghi đơn vị · Reporter's code, for other files that do not name it."
        ),
    ] = "",
    encoding: Annotated[
        str,
        typer.Option(
            callback=_encoding,
            help=(
                "Bảng mã của tệp văn bản không phải UTF-8: windows-1258, tcvn3 (ABC), viscii, vni"
                " · Encoding of text files that are not UTF-8: windows-1258, tcvn3 (ABC), viscii, vni."
            ),
        ),
    ] = "",
    received_at: Annotated[
        datetime | None,
        typer.Option(
            help=(
                "Thời điểm nhận tệp (giờ địa phương); mặc định là lúc tệp được sửa lần cuối, khi gặp tệp lần đầu"
                " · When the files arrived (local time); default: when each was last modified, as first seen."
            )
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Chỉ in sự kiện, không gửi · Print the events, send nothing.")
    ] = False,
    wait: Annotated[
        int,
        typer.Option(
            "--wait",
            min=0,
            max=3600,
            metavar="SECONDS",
            help=(
                "Sau khi gửi, chờ tối đa bấy nhiêu giây rồi báo sự kiện nào đã lưu, trùng, bị từ chối; 0 = không chờ"
                " · Then wait up to so many seconds, and tell which events were stored, duplicates, or rejected;"
                " 0 = do not wait."
            ),
        ),
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Gửi tệp của các hệ thống ngành qua cổng nhận; mã thoát 1 khi có gì bị từ chối · Send files of the sectors' own
    formats through the gateway; exit status 1 when anything was refused, or with --wait is not known to be stored.
    """
    settings, stderr = Settings(), Console(stderr=True)
    memory = Memory(settings.state_dir.absolute() / "connectors" / "memory.sqlite3")
    reader = FileReader(
        settings,
        establishment=establishment,
        reporter=reporter,
        received_at=received_at,
        charset=encoding,
        memory=memory,
    )
    with (
        nullcontext()
        if dry_run
        else open_client(settings, stderr, gateway=gateway, token=token, token_file=token_file) as client
    ):
        receipts = ReceiptWait(client, wait) if client is not None and wait else None
        status = run(files, reader, client, as_json=as_json, stdout=Console(), stderr=stderr, receipts=receipts)
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
