"""`ioc quality` and `ioc quality report|control-totals`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from ioc.command.output import AsJson, AsOf, show_rows
from ioc.database.connection import connect, translated_errors
from ioc.feeds.feed import load_feeds
from ioc.incident.reading import list_quality
from ioc.province.profile import load_profile, load_profile_catalogue
from ioc.reading.past import within
from ioc.reading.past.latest import moment_of
from ioc.settings import Settings
from streams.quality.control import take_control_totals
from streams.quality.report import report_quality as run

_SECTOR = "data_quality"  # whose indicators the platform reports of itself

app = typer.Typer(invoke_without_command=True)


@app.command("report")
def report_quality(
    on: Annotated[
        datetime | None,
        typer.Option(
            "--on",
            formats=["%Y-%m-%d"],
            help=(
                "Ngày cần đo; mặc định hôm qua và hôm nay đến giờ"
                " · Day to measure; default: yesterday, and today so far."
            ),
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Đo và hiện, không gửi · Measure and show, send nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Đo chất lượng dữ liệu, báo cáo thành chỉ tiêu `data_quality`; không đổi thì không gửi · Measure the data's
    quality and report it as the figures of `data_quality`; what has not changed is not sent.
    """
    settings, feeds = Settings(), load_feeds()
    catalogue = load_profile_catalogue(settings.profile, feeds)
    if not any(one.sector == _SECTOR for one in catalogue.indicators.values()):
        typer.echo(
            f"Danh mục của tỉnh này không có lĩnh vực {_SECTOR}, nên không có gì để báo cáo; xem `ioc quality` · This "
            f"province's catalogue has no sector {_SECTOR}, so that there is nothing to report; `ioc quality` shows "
            "what is measured",
            err=as_json,
        )
        if as_json:
            typer.echo("[]")
        return
    # Run by the timer it has the reader's password only: the scheduler takes the totals, every minute.
    if not dry_run and settings.db_writer_password.get_secret_value():
        take_control_totals(settings)
    reports = run(
        settings,
        [] if on is None else [on.date()],
        datetime.now(UTC),
        profile=load_profile(settings.profile),
        catalogue=catalogue,
        feeds=feeds,
        dry_run=dry_run,
    )
    show_rows(
        [report.to_row() for report in reports],
        as_json=as_json,
        title="Chất lượng dữ liệu · data quality",
        empty="Chưa có gì để đo: chưa nạp danh mục (`ioc profile load`), chưa có sự kiện · "
        "There is nothing to measure: no catalogue is loaded, no event has come.",
    )
    if not as_json:
        changed = sum(report.status != "unchanged" for report in reports)
        typer.echo(
            f"{changed} {'cần gửi · to send' if dry_run else 'đã gửi · sent'},"
            f" {len(reports) - changed} không đổi · unchanged"
        )


@app.command("control-totals")
def control_totals(as_json: AsJson = False) -> None:
    """Nhận tổng đối chiếu mà các đơn vị đã báo · Take the control totals that reporters have sent into the database,
    where the platform compares them with the records; the scheduler does so every minute.
    """
    show_rows([{"taken": take_control_totals(Settings())}], as_json=as_json)


@app.callback()
def show_quality(
    context: typer.Context,
    feed: Annotated[str | None, typer.Option("--feed", help="Chỉ nguồn này · Only this feed.")] = None,
    area: Annotated[
        str | None, typer.Option("--area", help="Mã địa bàn; mặc định cả tỉnh · Code of an area; none = the province.")
    ] = None,
    on: Annotated[
        datetime | None,
        typer.Option(
            "--on", formats=["%Y-%m-%d"], help="Ngày; mặc định mới nhất · Day; none = the newest of each measure."
        ),
    ] = None,
    reporter: Annotated[
        str | None,
        typer.Option("--reporter", help="Chỉ đơn vị này; mặc định gộp · Only this reporter; none = all together."),
    ] = None,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Đúng, đủ, sạch, sống, mỗi tỷ lệ kèm tử số và mẫu số · How correct, complete, clean and live the data is, each
    share with the numbers behind it.
    """
    if context.invoked_subcommand is not None:
        return
    settings = Settings()
    moment = None if as_of is None else moment_of(settings, as_of)
    day = on.date() if on else moment.day(ZoneInfo(load_profile(settings.profile).timezone)) if moment else None
    with (
        connect(settings, "reader", autocommit=True) as connection,
        translated_errors(),
        within(connection, moment),
    ):
        rows = list_quality(connection, feed=feed, area=area, on=day, reporter=reporter)
    if not as_json:
        shown = ("feed", "measure", "day", "area_name", "reporter", "numerator", "denominator", "share", "detail")
        rows = [{name: row[name] for name in shown} for row in rows]
    show_rows(
        rows,
        as_json=as_json,
        title="Đúng, đủ, sạch, sống · correct, complete, clean, live",
        empty="Chưa đo được gì; `ioc scheduler` đo mỗi phút một lần · "
        "Nothing has been measured yet; `ioc scheduler` measures every minute.",
    )
