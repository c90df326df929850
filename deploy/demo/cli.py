"""`ioc demo`."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def demo(
    *,
    seconds: Annotated[float | None, typer.Option(help="How long to publish; default: until Ctrl-C.", min=1)] = None,
    rate: Annotated[float, typer.Option(help="Events a second, on average.", min=1)] = 1000.0,
    day_seconds: Annotated[float, typer.Option(help="Seconds that a simulated day takes.", min=0.1)] = 12.0,
    seed: Annotated[int, typer.Option(help="The same seed makes the same events.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print the account as JSON.")] = False,
) -> None:
    """A simulated province on the real stack, with a live table; exit status 0 when the account balances."""
    from deploy.demo.run import Wishes  # noqa: PLC0415
    from deploy.demo.run import demo as body  # noqa: PLC0415
    from deploy.simulator.publisher import Pace  # noqa: PLC0415 - `ioc --help` stays fast
    from ioc.settings import Settings  # noqa: PLC0415

    wishes = Wishes(seconds, Pace(rate, day_seconds), seed)
    raise typer.Exit(body(Settings(), wishes, as_json=as_json))
