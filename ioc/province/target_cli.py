"""`ioc target set|list|import|end`."""

from __future__ import annotations

import getpass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from ioc.catalogue.target import TargetInForce, fields_of, read_targets
from ioc.command.act import note_change
from ioc.command.output import AsJson, show_rows
from ioc.database.connection import connect, translated_errors
from ioc.errors import ConfigError
from ioc.feeds.feed import load_feeds
from ioc.province.profile import load_profile, load_profile_catalogue
from ioc.province.target_store import end_target, load_in_force, set_targets
from ioc.settings import Settings
from ioc.table import write_rows

app = typer.Typer(no_args_is_help=True)
_DAY = ["%Y-%m-%d"]


@app.command("list")
def list_command(
    code: Annotated[str | None, typer.Option("--code", help="Chỉ chỉ tiêu này · Only this indicator.")] = None,
    as_json: AsJson = False,
) -> None:
    """Các chỉ tiêu đang được giao · List the targets in force."""

    with connect(Settings(), "reader", autocommit=True) as connection, translated_errors():
        targets = load_in_force(connection)
    rows = [
        {"target_id": target.target_id, **fields_of(target), "origin": target.origin}
        for target in targets
        if code in (None, target.code)
    ]
    show_rows(
        rows, as_json=as_json, title="Chỉ tiêu được giao · targets", empty="Chưa có mục tiêu nào · There is no target."
    )


@app.command("set")
def set_command(
    code: Annotated[str, typer.Argument(help="Mã chỉ tiêu · Code of the indicator.")],
    target: Annotated[str, typer.Argument(help="'>=95' hoặc '<=10' · >= or <= and a number.")],
    source: Annotated[str, typer.Option("--source", help="Văn bản giao · The document that asks for it.")],
    on: Annotated[
        datetime | None,
        typer.Option("--on", formats=_DAY, help="Hạn; không có = ngay và luôn · By when; none = at once and always."),
    ] = None,
    area: Annotated[str, typer.Option("--area", help="Chỉ địa bàn này · Code of the one area that it is for.")] = "",
    baseline: Annotated[
        float | None, typer.Option("--baseline", help="Mức xuất phát · Value that the pace starts from.")
    ] = None,
    baseline_on: Annotated[
        datetime | None,
        typer.Option("--baseline-on", formats=_DAY, help="Ngày của mức xuất phát · Day of the baseline."),
    ] = None,
    pace: Annotated[
        str, typer.Option("--pace", help="linear, seasonal (theo năm trước · last year's own curve).")
    ] = "",
    steps: Annotated[str, typer.Option("--steps", help="'2025-03-31=5;2025-06-30=12': theo mốc · values by day.")] = "",
    as_json: AsJson = False,
) -> None:
    """Đặt chỉ tiêu, thay cái cùng mã, địa bàn, hạn · Set a target, in place of that of the same code, area and date."""
    cells = {
        "code": code,
        "area": area,
        "target": target,
        "target_on": "" if on is None else on.date().isoformat(),
        "baseline": "" if baseline is None else repr(baseline),
        "baseline_on": "" if baseline_on is None else baseline_on.date().isoformat(),
        "pace": pace,
        "steps": steps,
        "target_source": source,
    }

    with TemporaryDirectory() as directory:
        path = Path(directory) / "target"
        write_rows(path, [cells])
        _import(path, as_json)


@app.command("import")
def import_command(
    file: Annotated[
        Path,
        typer.Argument(help="CSV như targets.csv · CSV with the columns of targets.csv.", exists=True, dir_okay=False),
    ],
    as_json: AsJson = False,
) -> None:
    """Đặt mọi chỉ tiêu trong tệp · Set all targets of a file; nothing is set where one of them is wrong."""
    _import(file, as_json)


@app.command("end")
def end_command(
    target_id: Annotated[
        int, typer.Argument(help="Số, như `ioc target list` · Number, as `ioc target list` shows it.")
    ],
    as_json: AsJson = False,
) -> None:
    """Bỏ chỉ tiêu đặt bằng lệnh · End a target that was set by command; those of the profile end with their row."""

    with connect(Settings(), "owner") as connection, translated_errors():
        found = next((one for one in load_in_force(connection) if one.target_id == target_id), None)
        if found is None:
            raise ConfigError(f"no target {target_id} is in force; `ioc target list` shows them")
        if found.origin != "command":
            raise ConfigError(f"target {target_id} comes from the {found.origin}; remove its row and load the profile")
        end_target(connection, target_id)
    note_change(subject=found.code, before={"target_id": found.target_id, **fields_of(found)})
    _show([found], as_json)


def _import(file: Path, as_json: bool) -> None:

    settings = Settings()
    catalogue = load_profile_catalogue(settings.profile, load_feeds())
    targets = read_targets(file, catalogue, origin="command")
    areas = load_profile(settings.profile).areas
    with connect(settings, "owner") as connection, translated_errors():
        codes = {one.code for one in targets}
        before = [
            {"target_id": one.target_id, **fields_of(one)} for one in load_in_force(connection) if one.code in codes
        ]
        note_change(subject=", ".join(sorted(codes)[:5]), before=before)
        done = set_targets(connection, targets, areas, by=getpass.getuser())
    _show(done, as_json)


def _show(targets: list[TargetInForce], as_json: bool) -> None:

    rows = [{"target_id": target.target_id, **fields_of(target)} for target in targets]
    show_rows(rows, as_json=as_json, empty="Tệp không có mục tiêu nào · The file names no target.")
