"""`ioc indicator history`: how far back figures can be asked for, and what that costs on disk."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

from psycopg.rows import scalar_row

from ioc.command.output import AsJson, show_rows
from ioc.database.connection import connect, translated_errors
from ioc.reading.past.storage import history_storage
from ioc.settings import Settings
from sql import load_queries

_MEGABYTE = 1_000_000


def history_command(as_json: AsJson = False) -> None:
    """Lịch sử để xem lại số liệu quá khứ: từ khi nào, chiếm bao nhiêu, mỗi ngày thêm bao nhiêu, giữ bao lâu · The
    history that `--as-of` reads: since when, its size, what a day adds, and how long it is kept.
    """
    settings = Settings()
    with connect(settings, "reader", autocommit=True) as connection, translated_errors():
        cursor = connection.cursor(row_factory=scalar_row)
        since: datetime | None = cursor.execute(load_queries("past")["select_since"]).fetchone()
        tables = history_storage(connection, settings)
    rows = [{**asdict(one), "bytes_per_row": one.per_row, "bytes_per_day": one.per_day} for one in tables]
    if not as_json:
        rows = [
            {
                "table": one.table,
                "rows": one.rows,
                "MB": round(one.bytes / _MEGABYTE, 1),
                "bytes_per_row": round(one.per_row),
                "MB_per_day": round(one.per_day / _MEGABYTE, 2),
                "kept_days": one.kept_days or "∞",
            }
            for one in tables
        ]
    begins = f"{since.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if since else "–"
    show_rows(rows, as_json=as_json, title=f"Lịch sử từ · the history since {begins}")
