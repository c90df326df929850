"""`ioc stack`: set up, start and stop the local Kafka, PostgreSQL and services."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from deploy.local.progress import Progress
from deploy.local.service import Service, endpoints, keep
from deploy.local.setup import steps
from deploy.local.stack import Stack
from ioc.command.heading import heading_of
from ioc.command.output import AsJson
from ioc.settings import Settings

app = typer.Typer(no_args_is_help=True)

PartName = Annotated[
    str, typer.Argument(help="Một trong các thành phần · kafka, postgres, gateway, worker, rollup, scheduler or api.")
]


@app.command()
def setup(
    peer: Annotated[
        bool, typer.Option("--peer", help="Kèm phần cần để đo so sánh · Also what the benchmark's peer needs.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Tải Kafka, cài TimescaleDB; phần đã có thì giữ nguyên · Fetch Kafka's jars and install TimescaleDB; what is
    done already is left alone.
    """
    progress = Progress()
    report = []
    for step in steps(Settings().state_dir.absolute() / "log" / "setup.log", peer=peer):
        begin = time.monotonic()
        ready_before = step.is_done()
        if ready_before:
            progress.done(f"{step.title}: there already")
        else:
            with progress.step(step.title):
                step.run()
        report.append({"step": step.title, "ready_before": ready_before, "seconds": round(time.monotonic() - begin, 1)})
    if as_json:
        typer.echo(json.dumps(report, ensure_ascii=False))


@app.command()
def up(as_json: AsJson = False) -> None:
    """Chạy nền mọi thành phần; xong khi tất cả đã sẵn sàng · Start everything in the background; returns when all
    parts are ready.
    """
    stack = _stack()
    stack.up(Progress())
    _show(stack, as_json=as_json)


@app.command()
def down(
    purge: Annotated[
        bool, typer.Option("--purge", help="Xóa cả topic và cơ sở dữ liệu · Delete topics and database as well.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Dừng mọi thành phần đang chạy nền · Stop everything that runs in the background."""
    stack = _stack()
    stack.down(Progress(), purge=purge)
    if as_json:
        _show(stack, as_json=True)


@app.command()
def status(as_json: AsJson = False) -> None:
    """Thành phần nào đang chạy, ở địa chỉ nào, nhật ký ở đâu · Which parts run, where they listen and where their
    logs are.
    """
    _show(_stack(), as_json=as_json)


@app.command()
def start(name: PartName) -> None:
    """Chạy nền một thành phần và đợi đến khi sẵn sàng · Start one part in the background and wait until it is ready."""
    stack = _stack()
    stack.part(name).start()
    _give_notice(stack)


@app.command()
def stop(name: PartName) -> None:
    """Dừng một thành phần · Stop one part."""
    _stack().part(name).stop()


@app.command("keep", hidden=True)
def keep_running(name: PartName) -> None:
    """Chạy một dịch vụ và khởi động lại khi hỏng · Run one service in the foreground and start it again when it
    fails.
    """
    settings = Settings()
    endpoint = next(endpoint for endpoint in endpoints(settings) if endpoint.name == name)
    log = _stack().part(name).log
    raise typer.Exit(keep(Service(endpoint, log, env=settings.to_environment(endpoint.name))))


def _stack() -> Stack:
    return Stack(Settings())


def _give_notice(stack: Stack) -> None:
    if stack.postgres.notice:
        typer.echo(stack.postgres.notice, err=True)


def _show(stack: Stack, *, as_json: bool) -> None:
    parts = stack.status()
    if as_json:
        typer.echo(json.dumps([asdict(part) for part in parts]))
        return
    _give_notice(stack)
    colours = {"ready": "green", "starting": "yellow", "stopped": "dim"}
    table = Table(box=None, pad_edge=False)
    for title in ("part", "state", "pid", "address", "log"):
        table.add_column(heading_of(title))
    for part in parts:
        state = f"[{colours[part.state]}]{part.state}[/]"
        table.add_row(part.name, state, str(part.pid or ""), part.address, part.log)
    Console().print(table)
