"""`ioc simulate-files`."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from connectors.publishing.publish import pseudonymiser_of
from deploy.simulator.calendar import SimulatedSpan
from deploy.simulator.files import MOST_TWINS, write_span
from deploy.simulator.roster import of_agencies
from ioc.command.output import AsJson, show_rows
from ioc.errors import ConfigError
from ioc.feeds.feed import load_feeds
from ioc.province.profile import load_profile, load_profile_catalogue
from ioc.settings import Settings

app = typer.Typer()


@app.command()
def simulate_files(
    directory: Annotated[
        Path, typer.Argument(help="Thư mục để ghi, chưa có hoặc còn trống · Where to write; new or empty.")
    ],
    *,
    first: Annotated[str, typer.Option(help="Ngày đầu · The first day, YYYY-MM-DD.")] = "2024-01-01",
    days: Annotated[int, typer.Option(help="Bao nhiêu ngày · How many days.", min=1, max=1100)] = 366,
    hourly: Annotated[
        float, typer.Option(help="Số sự kiện một giờ, trung bình · Events of an average hour.", min=1)
    ] = 50.0,
    twins: Annotated[
        int,
        typer.Option(
            help="Mỗi bản ghi được ghi thêm bấy nhiêu lần dưới danh tính khác, để thử tải"
            " · Each record comes so many times more under other identities, for load tests.",
            min=0,
            max=MOST_TWINS,
        ),
    ] = 0,
    native: Annotated[
        int,
        typer.Option(
            help="Mỗi tháng ghi thêm tệp theo mọi định dạng riêng của các ngành, mỗi tệp nhiều nhất bấy nhiêu bản ghi"
            " · Each month also files in every native format of the sectors, of at most so many records each.",
            min=0,
        ),
    ] = 0,
    seed: Annotated[int, typer.Option(help="Cùng hạt giống thì cùng tệp · The same seed makes the same files.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Write a simulated year of the province (IOC_PROFILE) as files, with what indicators must show beside them."""
    settings = Settings()
    try:
        begin = date.fromisoformat(first)
    except ValueError:
        raise ConfigError(f"{first!r} is no day; write --first as YYYY-MM-DD") from None
    if directory.exists() and any(directory.iterdir()):
        raise ConfigError(f"{directory} is not empty; name a new directory")
    profile = load_profile(settings.profile)
    rows = load_profile_catalogue(settings.profile, load_feeds()).indicators.values()
    began, busy = time.monotonic(), time.process_time()
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("ngày · days", total=days)
        made = write_span(
            directory,
            profile,
            of_agencies(rows),
            span=SimulatedSpan(begin, days),
            seed=seed,
            hourly=hourly,
            twins=twins,
            native=native,
            pseudonymise=pseudonymiser_of(settings) if native else None,
            watch=lambda done, events: progress.update(
                task, completed=done, description=f"{events:,} sự kiện · events"
            ),
        )
    seconds, cpu = time.monotonic() - began, time.process_time() - busy
    show_rows(
        [
            {
                "events": made.events,
                "bytes": made.size,
                "figures": len(made.figures),
                "seconds": round(seconds, 1),
                "processor_seconds": round(cpu, 1),
                "events_per_processor_second": round(made.events / cpu) if cpu else 0,
            }
        ],
        as_json=as_json,
    )
