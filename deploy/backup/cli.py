"""`ioc backup`, `ioc restore`, `ioc heal`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from pydantic import SecretStr
from pydantic_core import to_json
from rich.console import Console

from deploy.backup.dump import Administrator, BackupManifest, back_up
from deploy.backup.dump import restore as restore_backup
from deploy.backup.heal import heal as heal_database
from deploy.backup.heal import survey
from ioc.command.act import note_change
from ioc.command.output import AsJson, show_rows
from ioc.errors import ConfigError
from ioc.feeds.feed import load_feeds
from ioc.settings import Settings

backup_app = typer.Typer()
restore_app = typer.Typer()
heal_app = typer.Typer()


@backup_app.command()
def backup(
    directory: Annotated[Path, typer.Argument(help="Thư mục mới · A new directory, such as backup-2026-11-28.")],
    as_json: AsJson = False,
) -> None:
    """Sao lưu cơ sở dữ liệu kèm vị trí đọc Kafka; hệ thống vẫn chạy · Back the database up, positions within; the
    platform goes on meanwhile.
    """
    _show(back_up(Settings(), directory.absolute()), as_json)


@restore_app.command()
def restore(
    directory: Annotated[Path, typer.Argument(help="Thư mục của `ioc backup` · What `ioc backup` has written.")],
    database: Annotated[str, typer.Option("--database", help="Tên mới · A new database's name.")],
    superuser: Annotated[str, typer.Option("--superuser", help="Siêu người dùng · Superuser.")] = "postgres",
    password_file: Annotated[
        Path | None,
        typer.Option("--password-file", exists=True, dir_okay=False, help="Tệp chứa mật khẩu · Its password."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Khôi phục vào một cơ sở dữ liệu mới, đối chiếu với bản kê · Restore into a new database and compare it with the
    manifest; the one in use is left as it is. Then stop the processes, set IOC_DB_NAME, start them, and run `ioc heal`.
    """
    password = _password(password_file) if password_file else ""
    settings = Settings()
    if database == settings.db_name:
        raise ConfigError(f"{database} is the database in use; restore into a new one")
    _show(restore_backup(settings, directory, database, Administrator(superuser, SecretStr(password))), as_json)


def _password(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"không đọc được mật khẩu trong {file}; kiểm tra --password-file"
            f" · the password in {file} cannot be read; check --password-file"
        ) from error


@heal_app.command()
def heal(
    wait: Annotated[
        float, typer.Option("--wait", min=0, help="Chờ tối đa bao nhiêu giây · Seconds to wait for the workers.")
    ] = 0.0,
    within: Annotated[
        str, typer.Option("--within", help="Khoảng trống tìm thấy trong · Also gaps found so far back, e.g. '1 day'.")
    ] = "1 day",
    as_json: AsJson = False,
) -> None:
    """Sau khôi phục: Kafka còn đọc lại được gì, mất gì; với --wait thì chờ đọc hết rồi đối chiếu mọi số liệu · After a
    restore: what Kafka gives again, and what it no longer holds; with --wait it waits until all is read and proves
    every figure. Exit status 1 where something is missing, halted or differs, 3 where events still wait.
    """
    settings, feeds = Settings(), load_feeds()
    if wait:
        console = Console(stderr=True)
        with console.status("…") as status:
            found = heal_database(
                settings,
                feeds,
                seconds=wait,
                within=within,
                watch=lambda waiting: status.update(f"{waiting:,} bản ghi Kafka chờ đọc · records wait"),
            )
    else:
        found = survey(settings, feeds, within=within)
    differences = len(found.proof.differences) if found.proof else 0
    unproved = bool(wait) and (found.proof is None or found.proof.waiting > 0)
    if as_json:
        proved = None if found.proof is None else {"figures": found.proof.figures, "differences": differences}
        told = {"waiting": found.waiting, "halted": found.halted, "missing": found.missing, "proof": proved}
        typer.echo(to_json(told, indent=2))
    else:
        show_rows(
            [vars(one) for one in found.missing],
            as_json=False,
            title="Kafka không còn giữ · no longer in Kafka",
            empty="Kafka còn giữ đủ · Kafka holds all that is not stored.",
        )
        typer.echo(f"{found.waiting:,} bản ghi Kafka chờ đọc · records of Kafka wait to be read")
        for one in found.halted:
            typer.echo(f"{one}: `ioc position list`, `ioc position accept`")
        if found.proof is not None:
            typer.echo(
                f"{found.proof.figures:,} số liệu đối chiếu · figures compared, {differences} chênh lệch · differ"
            )
    raise typer.Exit(1 if found.missing or found.halted or differences else 3 if unproved else 0)


def _show(manifest: BackupManifest, as_json: bool) -> None:
    row = manifest.model_dump(mode="json", exclude={"positions"})
    row["positions"] = len(manifest.positions)
    note_change(subject=manifest.database, after=row)
    show_rows([row], as_json=as_json)
