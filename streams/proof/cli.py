"""`ioc reconcile`."""

from __future__ import annotations

from typing import Annotated

import typer

from ioc.command.output import AsJson, show_rows
from ioc.settings import Settings
from streams.proof.reconcile import reconcile as run

app = typer.Typer()

_WAITING = 3  # exit status: neither equal nor different; ask again


@app.command()
def reconcile(
    patience: Annotated[
        float,
        typer.Option(
            "--patience",
            min=0.0,
            help="Số giây chờ đến lúc không còn phần chờ cộng dồn"
            " · Seconds to wait for a moment in which nothing waits to be folded.",
        ),
    ] = 30.0,
    as_json: AsJson = False,
) -> None:
    """Tính lại mọi số liệu từ bản ghi bằng SQL rồi so sánh; mã thoát 1 nếu có sai khác, 3 nếu còn phần chờ cộng dồn ·
    Recompute every cell and figure from the records, in SQL, and compare; exit status 1 where they differ, 3 where
    contributions wait to be folded, so that there is nothing to compare with yet.
    """
    result = run(Settings(), patience=patience)
    rows = [vars(difference) for difference in result.differences]
    if as_json:
        typer.echo(result.to_json())
    elif result.waiting:
        typer.echo(
            f"Còn {result.waiting:,} phần đóng góp chờ cộng dồn nên chưa so sánh được; chạy lại sau vài giây, và xem "
            f"`ioc rollup` có đang chạy không · {result.waiting:,} contributions wait to be folded; nothing was "
            "compared. Run it again in a few seconds; is `ioc rollup` running?"
        )
    else:
        show_rows(
            rows[:50],
            as_json=False,
            title="Chênh lệch · differences",
            empty="Số đã lưu khớp số tính lại · Stored and recomputed are equal.",
        )
        typer.echo(
            f"So sánh {result.cells:,} tổng · sums, {result.figures:,} số liệu · figures:"
            f" {len(rows):,} chênh lệch · differences"
        )
        if result.set_aside:
            typer.echo(
                f"{result.set_aside:,} phần chưa cộng được, chỉ tiêu còn thiếu (`ioc contribution list`)"
                " · contributions cannot be folded, and the figures lack them (`ioc contribution list`)"
            )
    raise typer.Exit(_WAITING if result.waiting else 1 if rows else 0)
