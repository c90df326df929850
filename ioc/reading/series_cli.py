"""`ioc indicator series`: figures over time, as they were stored or in the units of any date."""

from __future__ import annotations

import csv
import io
import sys
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.text import Text

from ioc.catalogue.store import load_editions
from ioc.command.output import AsJson, AsOf, show_rows
from ioc.database.connection import connect, translated_errors
from ioc.feeds.feed import load_feeds
from ioc.province.profile import load_profile
from ioc.reading.past import within
from ioc.reading.past.latest import moment_of
from ioc.reading.series import Series, SeriesReader
from ioc.reading.series_file import written
from ioc.settings import Settings

_DAY = ["%Y-%m-%d"]


class FileForm(StrEnum):
    """What `--format` takes."""

    csv = "csv"
    parquet = "parquet"
    sdmx_csv = "sdmx-csv"
    sdmx_json = "sdmx-json"


def series_command(
    code: Annotated[str, typer.Argument(help="Mã chỉ tiêu · Code of the indicator, e.g. lodging.guests.total.")],
    first: Annotated[
        datetime, typer.Option("--from", formats=_DAY, help="Một ngày của kỳ đầu · A day of the first period.")
    ],
    last: Annotated[
        datetime, typer.Option("--to", formats=_DAY, help="Một ngày của kỳ cuối · A day of the last period.")
    ],
    area: Annotated[
        str | None, typer.Option("--area", help="Mã địa bàn; hoặc dùng --level · Code of an area; or give --level.")
    ] = None,
    level: Annotated[
        str | None,
        typer.Option("--level", help="Mọi địa bàn của một cấp · All areas of a level: province, commune, ..."),
    ] = None,
    period: Annotated[
        str, typer.Option("--period", help="Ngày, tuần, tháng, quý hoặc năm · day, week, month, quarter or year.")
    ] = "month",
    units_on: Annotated[
        datetime | None,
        typer.Option(
            "--units-on",
            formats=_DAY,
            help="Quy về đơn vị hành chính của ngày này · Show all of it in the units of this day.",
        ),
    ] = None,
    as_of: AsOf = None,
    as_json: AsJson = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="In CSV, mỗi dòng một số liệu · Print CSV, one figure a row.")
    ] = False,
    form: Annotated[
        FileForm | None,
        typer.Option("--format", help="Ghi tệp theo dạng này · Write a file in this form."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Tệp của --format; mặc định in ra · File of --format; default: standard output.")
    ] = None,
) -> None:
    """Chuỗi số liệu theo thời gian: theo đơn vị từng thời kỳ, hoặc theo đơn vị của một ngày bất kỳ · Show an
    indicator's figures over time: by the units of each period, or by the units of any one day.
    """
    if sum((as_json, as_csv, form is not None)) > 1:
        raise typer.BadParameter("one of them", param_hint="--json / --csv / --format")
    settings = Settings()
    found = _read(
        settings,
        code,
        as_of=as_of,
        period=period,
        first=first.date(),
        last=last.date(),
        area_code=area,
        level=level,
        units_on=units_on.date() if units_on else None,
    )
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
        return
    if form is not None:
        today = datetime.now(ZoneInfo(load_profile(settings.profile).timezone)).date()
        content = written(found, form.value, today)
        if output is None:
            sys.stdout.buffer.write(content)
        else:
            output.write_bytes(content)
        return
    rows = [
        {
            "area_code": one.area_code,
            "area_name": one.name_vi,
            "bucket": point.bucket,
            "value": point.value,
            "note": point.note,
            "approval": point.approval,
        }
        for one in found.areas
        for point in one.points
    ]
    if as_csv:
        typer.echo(_csv(rows), nl=False)
    else:
        _print(found, rows)


def _read(settings: Settings, code: str, as_of: str | None, **wanted: Any) -> Series:
    """Read a series over a connection of its own, by the definitions that are (or were) live in the database."""
    areas = load_profile(settings.profile).areas
    moment = None if as_of is None else moment_of(settings, as_of)
    with (
        connect(settings, "reader", autocommit=True) as connection,
        translated_errors(),
        within(connection, moment),
    ):
        compiled = load_editions(connection).live.compiled
        return SeriesReader(connection, compiled, load_feeds(), areas, moment=moment).read(code, **wanted)


def _csv(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("area_code", "area_name", "bucket", "value", "note", "approval"))
    writer.writerows(row.values() for row in rows)
    return text.getvalue()


def _print(found: Series, rows: list[dict[str, Any]]) -> None:
    units = f", đơn vị hành chính ngày {found.units_on} · units of {found.units_on}" if found.units_on else ""
    if found.as_of is not None:
        units += f", như đã biết lúc · as known at {found.as_of:%Y-%m-%d %H:%M} UTC"
    notes = dict.fromkeys(row["note"] for row in rows if row["note"])
    marks = {note: f"({number})" for number, note in enumerate(notes, 1)}
    show_rows(
        [{**row, "note": marks.get(row["note"])} for row in rows],
        as_json=False,
        title=f"{found.name_vi} ({found.unit}), {found.code} v{found.version}{units}",
        empty=f"{found.code}: chưa có số liệu · no figure here.",
    )
    console = Console()
    for note, mark in marks.items():
        console.print(Text(f"{mark} {note}"))
