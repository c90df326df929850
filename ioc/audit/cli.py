"""`ioc audit list|verify`."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from psycopg.rows import dict_row

from ioc.audit.chain import read_chain, verify_chain
from ioc.audit.journal import Journal, waiting_entries
from ioc.command.output import AsJson, show_rows
from ioc.database.connection import connect, translated_errors
from ioc.errors import ConfigError
from ioc.settings import Settings
from sql import load_queries

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_command(
    actor: Annotated[str | None, typer.Option("--actor", help="Chỉ người này · Only of this person.")] = None,
    act: Annotated[
        str | None, typer.Option("--act", help="Chỉ việc này · Only this act, such as token or 'target set'.")
    ] = None,
    within: Annotated[str, typer.Option("--within", help="Lùi lại bao lâu · How far back, e.g. '7 days'.")] = "30 days",
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Tối đa · At most so many.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Ai đã làm gì, khi nào, trước và sau ra sao; mới nhất trước · Who did what, when, what was before and after;
    newest first. An act that is `begun` only has not ended, or its process was killed.
    """
    asked: dict[str, Any] = {"actor": actor, "act": act, "within": within, "limit": limit}
    with connect(Settings(), "owner", autocommit=True) as connection, translated_errors():
        rows = connection.cursor(row_factory=dict_row).execute(load_queries("audit")["list_entries"], asked).fetchall()
    if not as_json:
        shown = ("audit_id", "told_at", "actor", "act", "subject", "outcome", "before", "after")
        rows = [{name: row[name] for name in shown} for row in rows]
    show_rows(rows, as_json=as_json, title="Nhật ký quản trị · audit log", empty="Chưa có việc nào · Nothing was done.")


@app.command("verify")
def verify_command(
    head: Annotated[
        str,
        typer.Option("--head", help="Đầu chuỗi đã ghi lại lần trước · The head that an earlier run told: NUMBER:HASH."),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Tính lại chuỗi băm: có mục nào bị sửa, xóa; mã thoát 1 nếu có · Compute the chain of hashes anew; exit status 1
    where an entry was changed or removed. Keep the head elsewhere: with --head, entries cut off at the end are seen.
    """
    if head and not head.partition(":")[0].isdecimal():
        raise ConfigError(f"--head {head!r} is not NUMBER:HASH as an earlier `ioc audit verify` told it")
    settings = Settings()
    with connect(settings, "owner", autocommit=True) as connection, translated_errors():
        found = verify_chain(read_chain(connection), head)
    row = {
        "entries": found.entries,
        "head": found.head,
        "faults": list(found.faults),
        "waiting": waiting_entries(Journal(settings).waiting_file),
    }
    show_rows([row], as_json=as_json)
    raise typer.Exit(1 if found.faults else 0)
