"""`ioc drop run|list`."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Annotated

import structlog
import typer
from rich.console import Console

from connectors.file_drop.drop import FileDrop
from connectors.file_drop.ledger import DropLedger
from connectors.formats.memory import Memory
from connectors.publishing.cli import Gateway, Secret, SecretFile
from connectors.publishing.publish import FileReader
from connectors.publishing.sending import open_client
from ioc.command.output import AsJson, show_rows
from ioc.errors import IocError, RetryableError
from ioc.faultpoint import fault_from
from ioc.feeds.feed import load_feeds
from ioc.logging import configure_logging
from ioc.settings import Settings
from ioc.stop_signal import stop_event

app = typer.Typer(no_args_is_help=True)
_log = structlog.get_logger("file_drop")


@app.command()
def run(
    *,
    once: Annotated[
        bool, typer.Option("--once", help="Xử lý một lượt rồi dừng · Work through what is there once, and stop.")
    ] = False,
    gateway: Gateway = "",
    token: Secret = "",
    token_file: SecretFile = None,
) -> None:
    """Theo dõi thư mục nhận tệp cho đến khi có SIGTERM hoặc Ctrl-C · Watch the directories of IOC_DROP_DIR, send what
    arrives through the gateway, and put it away, until SIGTERM or Ctrl-C.
    """
    settings = Settings()
    configure_logging(settings)
    stop = stop_event()
    ledger = _ledger(settings)
    with (
        Memory(settings.state_dir.absolute() / "connectors" / "memory.sqlite3") as memory,
        open_client(settings, Console(stderr=True), gateway=gateway, token=token, token_file=token_file) as client,
    ):
        reader = FileReader(settings, memory=memory)
        drop = FileDrop(
            settings.drop_dir,
            load_feeds(),
            reader,
            client,
            ledger,
            settle=settings.drop_settle,
            fault=fault_from(settings.fault),
        )
        while not stop.is_set():
            try:
                done = drop.work()
            except (IocError, OSError, sqlite3.Error) as error:
                if once:
                    raise
                # Nothing is lost by waiting, whatever it is: a full disk, a token that was replaced.
                kind = "the gateway" if isinstance(error, RetryableError) else "an operator"
                _log.warning(f"files wait for {kind}", reason=str(error))
                done = None
            if once:
                break
            if done is None or not (done.archived or done.quarantined):
                stop.wait(settings.drop_interval)
    ledger.close()


@app.command("list")
def list_files(
    limit: Annotated[int, typer.Option(min=1, help="Số tệp nhiều nhất · Most files.")] = 50, as_json: AsJson = False
) -> None:
    """Xem các tệp đã nhận gần đây và kết quả · Show the newest files and what became of them."""
    rows = [
        {
            "done_at": entry.done_at,
            "feed": entry.feed,
            "reporter": entry.reporter,
            "name": entry.name,
            "state": entry.state,
            "accepted": entry.accepted,
            "refused": entry.refused,
        }
        for entry in _ledger(Settings()).newest(limit)
    ]
    show_rows(rows, as_json=as_json, empty="Chưa có tệp nào · No file has been dropped yet.")


def _ledger(settings: Settings) -> DropLedger:
    path: Path = settings.state_dir.absolute() / "connectors" / "drop.sqlite3"
    return DropLedger(path)
