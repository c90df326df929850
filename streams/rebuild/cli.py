"""`ioc rebuild`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from pydantic_core import to_json
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ioc.command.act import note_change
from ioc.command.output import AsJson, show_rows
from ioc.settings import Settings
from streams.rebuild.comparison import Comparison
from streams.rebuild.run import ProgressCallback, RebuildPlan, open_rebuild

app = typer.Typer()


@app.command()
def rebuild(
    codes: Annotated[
        list[str] | None,
        typer.Argument(
            help=(
                "Chỉ tiêu có thay đổi đang chờ; không nêu là tất cả"
                " · Indicators whose change waits; none = all that wait."
            )
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Thay mà không hỏi · Swap without asking.")] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Chỉ tính và so sánh; giữ số đang hiển thị · Compute and compare; leave what is shown."
        ),
    ] = False,
    recount: Annotated[
        bool,
        typer.Option(
            "--recount",
            help=(
                "So mọi số đã lưu với bản ghi và sửa lại: dùng sau khi đổi địa bàn"
                " · Compare all stored sums with the records, and correct them: use it after units changed."
            ),
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compute changed indicators beside the live ones, show which cells move, then swap all at once.

    `ioc profile load` lets changed rows wait for this where their feeds hold records already. Events keep flowing.
    Interrupted, it goes on where it was.
    """
    if recount:
        if codes or dry_run:
            raise typer.BadParameter("--recount corrects all sums; give neither codes nor --dry-run with it")
        with open_rebuild(Settings(), recount=True) as job, _progress() as watch:
            job.run(watch)
        mended = {"sums": job.appended.sums, "members": job.appended.members, "set_aside": job.set_aside}
        note_change(subject="--recount", after=mended)
        if as_json:
            typer.echo(to_json(mended))
        else:
            typer.echo(
                f"Đã sửa {mended['sums']:,} địa bàn và ngày, {mended['members']:,} thành viên khác với bản ghi"
                f" · {mended['sums']:,} areas and days and {mended['members']:,} members differed and were corrected."
            )
            _tell_set_aside(job.set_aside)
        return
    with open_rebuild(Settings(), codes or ()) as job:
        if not as_json:
            _tell(job.plan)
        with _progress() as watch:
            found = job.run(watch)
        if not as_json:
            _show(found)
            _tell_set_aside(job.set_aside)
        swapped = not dry_run and (yes or (not as_json and _confirmed(len(found))))
        if swapped:
            job.swap()
        moved = [one.model_dump(mode="json", exclude={"largest"}) for one in found]
        note_change(subject=", ".join(codes or ()), after={"swapped": swapped, "indicators": moved})
    if as_json:
        typer.echo(
            to_json(
                {
                    "swapped": swapped,
                    "set_aside": job.set_aside,
                    "indicators": [one.model_dump(mode="json") for one in found],
                },
                indent=2,
            )
        )
    elif swapped:
        typer.echo(f"Đã thay {len(found)} chỉ tiêu cùng lúc · {len(found)} indicators are shown as computed anew.")
    else:
        typer.echo(
            "Số liệu đang hiển thị giữ nguyên; `ioc rebuild --yes` thay số liệu"
            " · Nothing that is shown has changed; `ioc rebuild --yes` swaps."
        )


def _tell(plan: RebuildPlan) -> None:
    with_them = len(plan.codes) - plan.asked
    lacking, feeds = sum(map(len, plan.measures.values())), ", ".join(plan.measures)
    typer.echo(
        f"{plan.asked} chỉ tiêu"
        + (f", và {with_them} chỉ tiêu liên quan," if with_them else "")
        + f" trong {len(plan.sectors)} lĩnh vực; {lacking} số đo còn thiếu bản ghi cũ"
        + (f" của {feeds}" if feeds else "")
        + f"\n{plan.asked} indicators"
        + (f", and {with_them} that they use or that use them," if with_them else "")
        + f" in {len(plan.sectors)} sectors; {lacking} measures lack older records"
        + (f" of {feeds}" if feeds else "")
    )


def _tell_set_aside(contributions: int) -> None:
    if contributions:
        typer.echo(
            f"{contributions:,} phần chưa cộng được vẫn bị gác lại, số liệu còn thiếu (`ioc contribution list`)"
            f" · {contributions:,} contributions cannot be folded and stay set aside; the figures lack them",
            err=True,
        )


def _show(found: list[Comparison]) -> None:
    rows = [
        {
            "code": one.code,
            "version": f"{one.old_version or '–'} → {one.new_version}",
            "cells": one.cells,
            "same": one.same,
            "moved": one.moved,
            "new": one.appeared,
            "gone": one.vanished,
        }
        for one in found
    ]
    show_rows(rows, as_json=False, title="Ô số liệu · cells", empty="Không có ô số liệu · No indicator has cells.")
    moves = [{"code": one.code, **move.model_dump(exclude={"area_code"})} for one in found for move in one.largest]
    if moves:
        show_rows(moves[:30], as_json=False, title="Thay đổi lớn nhất · largest moves")


def _confirmed(indicators: int) -> bool:
    return sys.stdin.isatty() and typer.confirm(f"Show these {indicators} indicators as computed anew?")


@contextmanager
def _progress() -> Iterator[ProgressCallback]:
    """Show each step as a bar on a terminal, as a line elsewhere."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=None)
        last = ""

        def watch(step: str, done: int, total: int) -> None:
            nonlocal last
            progress.update(task, description=step, completed=done, total=total)
            if not console.is_terminal and step != last:
                console.print(f"  … {step}", highlight=False, soft_wrap=True)
            last = step

        yield watch
