"""`ioc digest`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from ioc.command.output import AsJson, show_rows
from ioc.database.connection import connect, translated_errors
from ioc.feeds.feed import load_feeds
from ioc.notification.digest import Kind
from ioc.notification.digest_run import ComposedDigest, DigestRun
from ioc.notification.sending import address_book, open_channels
from ioc.province.profile import load_profile, load_profile_catalogue
from ioc.reading.business_day import business_now
from ioc.settings import Settings

app = typer.Typer()


@app.command()
def digest(
    weekly: Annotated[
        bool, typer.Option("--weekly", help="Bản tin tuần; mặc định bản tin ngày · The weekly one; default: daily.")
    ] = False,
    post: Annotated[
        str | None,
        typer.Option("--for", help="Chỉ chức vụ này, mã như trong duty.csv · Only this post, by its code in duty.csv."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="In ra, không ghi, không gửi · Print them; write and send nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bản tin của từng lãnh đạo; không có `--dry-run` thì ghi vào hàng gửi, mỗi ngày một lần · The digest of each
    leader; without `--dry-run` it is put in the outbox, once a day, and `ioc scheduler` sends it.
    """
    settings, now = Settings(), datetime.now(UTC)
    profile = load_profile(settings.profile)
    catalogue = load_profile_catalogue(settings.profile, load_feeds())
    book = address_book(settings, tuple(catalogue.sectors), catalogue.owners)
    kind: Kind = "weekly" if weekly else "daily"
    zone = ZoneInfo(profile.timezone)
    with connect(settings, "reader" if dry_run else "writer", autocommit=True) as connection, translated_errors():
        run = DigestRun(connection, profile, book, tuple(open_channels(settings)))
        today = business_now(connection, settings, profile, now).astimezone(zone).date()
        if not dry_run:
            new = run.put(kind, now.astimezone(zone).date(), now, today)
            show_rows([{"new": new}], as_json=as_json)
            return
        found = [one for one in run.compose(kind, now, today) if post in (None, one.reader.post)]
    if as_json:
        show_rows([_row(one) for one in found], as_json=True)
        return
    if not found:
        typer.echo("Không có lãnh đạo nào trong duty.csv · There is no leader in duty.csv.")
    for one in found:
        channels = ", ".join(one.channels) or "chưa có kênh nào · no channel is set"
        typer.secho(f"{one.digest.subject}", bold=True)
        typer.echo(f"[{one.reader.post}: {channels}]\n{one.digest.text}\n")


def _row(one: ComposedDigest) -> dict[str, object]:
    return {
        "post": one.reader.post,
        "name": one.reader.name,
        "channels": list(one.channels),
        "sectors": list(one.reader.sectors),
        "subject": one.digest.subject,
        "text": one.digest.text,
        "counts": dict(one.digest.counts),
    }
