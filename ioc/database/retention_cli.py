"""`ioc retention`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from ioc.command.output import AsJson, show_rows
from ioc.database.retention import prune
from ioc.settings import Settings

app = typer.Typer()


@app.command()
def retention(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Chỉ đếm, không xóa · Count, remove nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Xóa dữ liệu cũ hơn thời hạn giữ của từng bảng (`IOC_RETENTION_..._DAYS`), chạy mỗi ngày một lần · Remove what is
    older than its table's setting; run it once a day.
    """
    rows = [asdict(pruned) for pruned in prune(Settings(), dry_run=dry_run)]
    show_rows(rows, as_json=as_json, title="Dọn dữ liệu cũ · retention")
