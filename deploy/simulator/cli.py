"""`ioc simulate`."""

from __future__ import annotations

from typing import Annotated

import typer

from deploy.simulator.run import simulate as body
from ioc.command.output import AsJson
from ioc.settings import Settings

app = typer.Typer()


@app.command()
def simulate(
    *,
    seconds: Annotated[
        float | None,
        typer.Option(help="Trong bao lâu; mặc định đến khi Ctrl-C · How long; default: until Ctrl-C.", min=0),
    ] = None,
    rate: Annotated[
        float, typer.Option(help="Số sự kiện mỗi giây, trung bình · Events a second, on average.", min=1)
    ] = 1000.0,
    day_seconds: Annotated[
        float, typer.Option(help="Số giây của một ngày mô phỏng · Seconds that a simulated day takes.", min=0.1)
    ] = 12.0,
    seed: Annotated[
        int, typer.Option(help="Cùng hạt giống thì cùng bản ghi · The same seed makes the same records.")
    ] = 1,
    as_json: AsJson = False,
) -> None:
    """Publish a simulated October 2024 of the province to the gateway of the settings."""
    body(Settings(), seconds=seconds, rate=rate, day_seconds=day_seconds, seed=seed, as_json=as_json)
