"""`ioc reporter list|add|import|end|token`."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from pydantic_core import to_json

from ioc.command.output import AsJson, show_rows
from ioc.errors import ConfigError
from ioc.feeds.feed import load_feeds
from ioc.province.calendar import load_calendar
from ioc.province.deadline import Deadline, Deadlines, load_deadlines
from ioc.province.profile import load_profile
from ioc.province.register_file import add_rows, end_reporter
from ioc.province.reporter import Reporter
from ioc.settings import Settings
from ioc.territory.area import FOREVER
from ioc.web.tokens import Token, TokenFile

app = typer.Typer(no_args_is_help=True)

FeedKey = Annotated[str, typer.Option("--feed", help="Nguồn dữ liệu · Feed.")]
ReporterCode = Annotated[str, typer.Argument(metavar="CODE", help="Mã đơn vị báo cáo · Code of the reporter.")]
_NEXT = (
    "Chạy `ioc profile load` để áp dụng; worker tự khởi động lại với danh bạ mới · "
    "Run `ioc profile load`: the workers start again with the new register by themselves."
)


@app.command("list")
def list_reporters(
    *,
    feed: FeedKey = "",
    code: Annotated[str, typer.Option(help="Mã, hoặc phần đầu của mã · Code, or how it begins.")] = "",
    area: Annotated[str, typer.Option(help="Mã địa bàn · Code of the area.")] = "",
    on: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Phải báo cáo vào ngày này · Those that must report on this day."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Số dòng nhiều nhất · Most rows.")] = 200,
    as_json: AsJson = False,
) -> None:
    """Ai phải báo cáo gì, từ khi nào, bao lâu một lần, hạn nộp nào, bằng mã truy cập nào · Who must report what, since
    when, how often, by which deadline, and with which tokens. A deadline is that of deadlines.csv, as the next one due.
    """
    settings, feeds = Settings(), load_feeds()
    if feed and feed not in feeds:
        raise ConfigError(f"There is no feed {feed}; the feeds are {', '.join(sorted(feeds))}.")
    day = None if on is None else on.date()
    tokens = [token for token in TokenFile(settings.token_file).read() if token.is_live(datetime.now(UTC))]
    profile = load_profile(settings.profile)
    found = [
        reporter
        for reporter in profile.reporters
        if (not feed or reporter.feed == feed)
        and reporter.code.startswith(code)
        and (not area or reporter.area_code == area)
        and (day is None or reporter.valid_from <= day < reporter.valid_to)
    ]
    zone = ZoneInfo(profile.timezone)
    deadlines = load_deadlines(settings.profile, feeds, load_calendar(settings.profile), zone)
    ahead = _NextDeadlines(deadlines, zone, datetime.now(UTC))
    rows = [_row(reporter, feeds[reporter.feed].cadence, tokens, ahead) for reporter in found[:limit]]
    show_rows(rows, as_json=as_json, empty="Không có đơn vị nào · There is no such reporter.")
    if len(found) > limit and not as_json:
        typer.echo(
            f"… còn {len(found) - limit:,} đơn vị, dùng --limit để xem thêm · more; --limit shows more.", err=True
        )


@app.command()
def add(
    code: ReporterCode,
    *,
    feed: Annotated[list[str], typer.Option(help="Nguồn phải báo cáo; lặp lại được · Feed to report; repeatable.")],
    name: Annotated[str, typer.Option(help="Tên đơn vị · Its name.")],
    area: Annotated[str, typer.Option(help="Mã địa bàn nhỏ nhất · Code of the lowest unit that it lies in.")],
    since: Annotated[
        datetime | None,
        typer.Option(
            "--from", formats=["%Y-%m-%d"], help="Ngày bắt đầu; mặc định hôm nay · First day; default: today."
        ),
    ] = None,
    register: Annotated[
        list[str] | None, typer.Option(help="Danh bạ có đơn vị này; lặp lại được · Register that holds it; repeatable.")
    ] = None,
    attribute: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Thuộc tính, ví dụ type=hotel · An attribute.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Thêm một đơn vị vào hồ sơ tỉnh · Add a reporter to the profile's register."""
    row = {
        "feeds": ";".join(feed),
        "registers": ";".join(register or ()),
        "code": code,
        "name": name,
        "area_code": area,
        "valid_from": (since or datetime.now()).date().isoformat(),  # noqa: DTZ005 - a day of the operator's calendar
        **_attributes(attribute or ()),
    }
    path = add_rows(Settings().profile, [row])
    _tell({"added": 1, "file": path.name}, as_json=as_json)


@app.command("import")
def import_file(
    file: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, help="CSV UTF-8, các cột như reporters_*.csv · CSV in UTF-8."),
    ],
    as_json: AsJson = False,
) -> None:
    """Thêm nhiều đơn vị từ tệp CSV: tất cả hoặc không đơn vị nào · Add reporters from a CSV file with the columns of
    the profile's reporters_*.csv: all of them, or none.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as source:
            rows = [dict(row) for row in csv.DictReader(source)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{str(file)[:200]} cannot be read as CSV in UTF-8: {error}") from None
    if not rows or not {"feeds", "code", "name", "area_code"} <= set(rows[0]):
        raise ConfigError(f"{file} must have a header with feeds, code, name, area_code, and rows below it.")
    if any(None in row or None in row.values() for row in rows):
        raise ConfigError(f"{file}: every row must have as many cells as the header; quote texts that hold commas.")
    if len({row["feeds"] for row in rows}) > 1:
        raise ConfigError(f"{file}: all rows must have the same feeds; import a file for each.")
    path = add_rows(Settings().profile, rows)
    _tell({"added": len(rows), "file": path.name}, as_json=as_json)


@app.command()
def end(
    code: ReporterCode,
    *,
    on: Annotated[
        datetime,
        typer.Option(formats=["%Y-%m-%d"], help="Ngày đầu tiên không còn báo cáo · First day without reports."),
    ],
    feed: FeedKey = "",
    as_json: AsJson = False,
) -> None:
    """Kết thúc một đơn vị: sau ngày đó không ai chờ báo cáo của nó · End a reporter: from then on nobody waits for its
    reports. What it has reported stays.
    """
    ended = end_reporter(Settings().profile, code, on.date(), feed)
    _tell({"ended": len(ended), "file": ", ".join(dict.fromkeys(row.path.name for row in ended))}, as_json=as_json)


@app.command()
def token(
    code: ReporterCode,
    *,
    days: Annotated[
        int | None, typer.Option(min=1, help="Số ngày hiệu lực · Days until it expires; default: never.")
    ] = 365,
    as_json: AsJson = False,
) -> None:
    """Tạo mã truy cập chỉ cho đơn vị này; mã chỉ hiện một lần · Create a token for this reporter alone and the feeds
    that it must report; its secret is shown once. `ioc token rotate` and `revoke` change it.
    """
    settings = Settings()
    entries = [one for one in load_profile(settings.profile).reporters if one.code == code]
    if not entries:
        raise ConfigError(f"{code} is in no register; `ioc reporter list` shows them.")
    feeds = list(dict.fromkeys(one.feed for one in entries))
    expires_at = None if days is None else datetime.now(UTC) + timedelta(days=days)
    made, secret = TokenFile(settings.token_file).create(entries[0].name[:100], feeds, [code], expires_at)
    if as_json:
        typer.echo(to_json({"id": made.id, "feeds": feeds, "reporter": code, "secret": secret}, indent=2))
        return
    typer.echo(secret)
    typer.echo(
        f"Mã {made.id} của {made.name} cho {', '.join(feeds)}: giữ dòng trên, mã không hiện lại"
        " · keep the line above, it is not shown again.",
        err=True,
    )


@dataclass(frozen=True)
class _NextDeadlines:
    """When each row of deadlines.csv is due next after a moment, in local time; computed once a row."""

    rows: Deadlines
    zone: ZoneInfo
    now: datetime
    known: dict[Deadline, str] = field(default_factory=dict)

    def next_due(self, row: Deadline) -> str:
        if row not in self.known:
            self.known[row] = f"{self.rows.next_due(row, self.now).astimezone(self.zone):%Y-%m-%d %H:%M}"
        return self.known[row]


def _row(reporter: Reporter, cadence: timedelta, tokens: list[Token], deadlines: _NextDeadlines) -> dict[str, object]:
    due = deadlines.rows.of_reporter(reporter.feed, reporter.code, cadence)
    able = [one.id for one in tokens if reporter.feed in one.feeds and one.allows_reporter(reporter.code)]
    return {
        "feed": reporter.feed,
        "code": reporter.code,
        "name": reporter.name,
        "area": reporter.area_code,
        "since": reporter.valid_from.isoformat(),
        "until": _until(reporter.valid_to),
        "every_hours": cadence.total_seconds() / 3600,
        "must_report": any(row.duty for row in due),
        "next_deadlines": "; ".join(f"{row.cadence} {deadlines.next_due(row)}" for row in due),
        "tokens": ", ".join(able),
    }


def _until(day: date) -> str | None:
    return None if day == FOREVER else day.isoformat()


def _attributes(given: list[str] | tuple[str, ...]) -> dict[str, str]:
    pairs = [one.partition("=") for one in given]
    if any(not sign or not name for name, sign, _ in pairs):
        raise ConfigError("Write an attribute as NAME=VALUE, for example --attribute type=hotel.")
    return {name: value for name, _, value in pairs}


def _tell(done: dict[str, object], *, as_json: bool) -> None:
    show_rows([done], as_json=as_json)
    if not as_json:
        typer.echo(_NEXT, err=True)
