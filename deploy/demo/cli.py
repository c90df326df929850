"""`ioc demo`."""

from __future__ import annotations

from typing import Annotated

import typer

from deploy.demo.run import Wishes
from deploy.demo.run import demo as body
from deploy.simulator.publisher import Pace
from ioc.settings import Settings

app = typer.Typer()


@app.command()
def demo(
    *,
    seconds: Annotated[
        float | None,
        typer.Option(
            help="Gửi trong bao lâu; mặc định đến khi Ctrl-C · How long to publish; default: until Ctrl-C.", min=1
        ),
    ] = None,
    rate: Annotated[
        float, typer.Option(help="Số sự kiện mỗi giây, trung bình · Events a second, on average.", min=1)
    ] = 1000.0,
    day_seconds: Annotated[
        float, typer.Option(help="Số giây của một ngày mô phỏng · Seconds that a simulated day takes.", min=0.1)
    ] = 12.0,
    seed: Annotated[
        int, typer.Option(help="Cùng hạt giống thì cùng sự kiện · The same seed makes the same events.")
    ] = 1,
    as_json: Annotated[
        bool, typer.Option("--json", help="In bảng đối chiếu dạng JSON · Print the account as JSON.")
    ] = False,
) -> None:
    """A simulated province on the real stack, with a live table; exit status 0 when the account balances."""
    wishes = Wishes(seconds, Pace(rate, day_seconds), seed)
    raise typer.Exit(body(Settings(), wishes, as_json=as_json))
