"""`ioc quality report|control-totals`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from ioc.command.output import AsJson, show_rows
from ioc.feeds.feed import load_feeds
from ioc.province.profile import load_profile, load_profile_catalogue
from ioc.settings import Settings
from streams.quality.control import take_control_totals
from streams.quality.report import report_quality as run

app = typer.Typer(no_args_is_help=True)


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
    if not dry_run:
        take_control_totals(settings)
    reports = run(
        settings,
        [] if on is None else [on.date()],
        datetime.now(UTC),
        profile=load_profile(settings.profile),
        catalogue=load_profile_catalogue(settings.profile, feeds),
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
    """Nhận tổng đối chiếu mà các đơn vị đã báo · Take the control totals that reporters have told into the database,
    where the platform compares them with the records; `ioc quality report` does so too.
    """
    show_rows([{"taken": take_control_totals(Settings())}], as_json=as_json)
