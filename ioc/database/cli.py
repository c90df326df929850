"""`ioc db migrate|status|size|reader`."""

from __future__ import annotations

import typer

from ioc.command.output import AsJson, show_rows
from ioc.database import reader_cli
from ioc.database.migration import migrate, status
from ioc.database.size import measure_database
from ioc.feeds.feed import load_feeds
from ioc.settings import Settings

app = typer.Typer(no_args_is_help=True)
app.add_typer(reader_cli.app, name="reader")


@app.command("migrate")
def migrate_command(as_json: AsJson = False) -> None:
    """Áp dụng các bước nâng cấp lược đồ còn chờ · Apply the migrations that are pending."""
    done = migrate(Settings(), load_feeds().values())
    rows = [{"number": migration.number, "name": migration.name} for migration in done]
    show_rows(
        rows, as_json=as_json, title="Đã áp dụng · applied", empty="Lược đồ đã mới nhất · The schema is up to date."
    )


@app.command("status")
def status_command(as_json: AsJson = False) -> None:
    """Hiện từng bước nâng cấp và thời điểm áp dụng · Show each migration and when it was applied."""
    rows = [vars(state) for state in status(Settings())]
    show_rows(rows, as_json=as_json, title="Các bước nâng cấp · migrations")


@app.command("size")
def size_command(as_json: AsJson = False) -> None:
    """Đo dung lượng từng bảng: tổng, mỗi dòng, mỗi sự kiện · Measure the room of each table: in all, a row, an event;
    every row is counted, so that it reads the whole database once.
    """
    events, sizes = measure_database(Settings())
    rows: list[dict[str, object]] = []
    for one in sizes:
        shares = {"bytes_a_row": one.bytes_a_row, "bytes_an_event": one.bytes_an_event}
        told = {name: None if share is None else round(share, 1) for name, share in shares.items()}
        if as_json:
            parts = {"chunks": one.chunks, "table_bytes": one.table_bytes, "index_bytes": one.index_bytes}
            rows.append({"table": one.name, "rows": one.rows, **parts, "total_bytes": one.total_bytes, **told})
        elif one.rows:
            rows.append({"table": one.name, "rows": one.rows, "MiB": round(one.total_bytes / 2**20, 1), **told})
    show_rows(rows, as_json=as_json, title="Dung lượng · size", empty="Chưa có dòng nào · No table holds a row.")
    if not as_json:
        typer.echo(
            f"{sum(one.total_bytes for one in sizes) / 2**20:,.0f} MiB; {events.consumed:,} sự kiện · events, "
            f"{events.accepted:,} nhận · accepted, {events.rejected:,} bị từ chối · rejected"
        )
