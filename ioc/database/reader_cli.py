"""`ioc db reader set|list|remove`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from ioc.command.act import note_change
from ioc.command.output import AsJson, show_rows
from ioc.database.connection import connect, translated_errors
from ioc.database.reader_scope import list_scopes, remove_scope, set_scope
from ioc.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Người đọc theo ngành, địa bàn · Readers of some sectors and areas.")

_Role = Annotated[str, typer.Argument(help="Vai trò của PostgreSQL · Role of PostgreSQL.")]


@app.command("set")
def set_command(
    role: _Role,
    sector: Annotated[list[str] | None, typer.Option(help="Ngành được đọc, lặp lại được · Sector; repeatable.")] = None,
    area: Annotated[
        list[str] | None,
        typer.Option(help="Mã địa bàn được đọc, kể cả cấp dưới · Code of an area, with all below it; repeatable."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Cho một vai trò chỉ đọc số liệu của ngành, địa bàn đã nêu · Let a role read the figures of these sectors and
    areas, and no others; what it had before is replaced.
    """
    settings = Settings()
    with connect(settings, "owner") as connection, translated_errors():
        before = [asdict(scope) for scope in list_scopes(connection) if scope.role == role]
        note_change(subject=role, before=before)
        set_scope(connection, settings, role, sector or [], area or [])
        rows = [asdict(scope) for scope in list_scopes(connection) if scope.role == role]
    show_rows(rows, as_json=as_json, title="Được đọc · may read")


@app.command("list")
def list_command(as_json: AsJson = False) -> None:
    """Hiện ai được đọc gì · Show who may read what; an empty sector or area is every one."""
    with connect(Settings(), "owner", autocommit=True) as connection, translated_errors():
        rows = [asdict(scope) for scope in list_scopes(connection)]
    show_rows(
        rows,
        as_json=as_json,
        title="Người đọc · readers",
        empty="Chưa có ai bị giới hạn · No reader is bound to sectors or areas.",
    )


@app.command("remove")
def remove_command(role: _Role, as_json: AsJson = False) -> None:
    """Thu lại quyền đọc của một vai trò · Take a role's scope and its rights away."""
    with connect(Settings(), "owner") as connection, translated_errors():
        before = [asdict(scope) for scope in list_scopes(connection) if scope.role == role]
        note_change(subject=role, before=before)
        removed = remove_scope(connection, role)
    show_rows([{"role": role, "removed": removed}], as_json=as_json)
