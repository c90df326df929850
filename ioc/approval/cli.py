"""`ioc approval sign|list|verify`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from pydantic_core import to_json
from rich.console import Console
from rich.text import Text

from ioc.approval.model import Verification
from ioc.approval.store import Verifier, find_approval, list_approvals, sign
from ioc.command.output import AsJson, show_rows
from ioc.database.connection import connect, translated_errors
from ioc.feeds.feed import load_feeds
from ioc.province.profile import load_profile
from ioc.settings import Settings

app = typer.Typer(no_args_is_help=True)

_BROKEN, _REVISED = 1, 3  # exit statuses of verify
_VERDICTS = {
    "intact": "nguyên vẹn · intact",
    "revised": "đã sửa sau khi duyệt · revised since",
    "broken": "KHÔNG KHỚP chữ ký · BROKEN: what is kept is not what was signed",
}

Period = Annotated[
    str, typer.Option("--period", help="Ngày, tuần, tháng, quý hoặc năm · day, week, month, quarter or year.")
]


@app.command("sign")
def sign_command(
    sector: Annotated[str, typer.Argument(help="Lĩnh vực · Sector, e.g. lodging.")],
    on: Annotated[datetime, typer.Option("--on", formats=["%Y-%m-%d"], help="Một ngày của kỳ · A day of the period.")],
    by: Annotated[str, typer.Option("--by", help="Ai duyệt: chức vụ, họ tên · Who signs: a post or a name.")],
    period: Period = "month",
    reason: Annotated[
        str, typer.Option("--reason", help="Vì sao duyệt lại sau khi sửa · Why it is approved again after a revision.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Duyệt số liệu một kỳ của một lĩnh vực, như đang có · Sign off a period of a sector, as its figures are now.

    The figures are kept with a SHA-256 over them. What changes afterwards is shown as revised.
    """
    settings = Settings()
    today = datetime.now(UTC).astimezone(ZoneInfo(load_profile(settings.profile).timezone)).date()
    with connect(settings, "writer", autocommit=True) as connection, translated_errors():
        approval = sign(connection, sector, period, on.date(), by=by, reason=reason, today=today)
    show_rows([approval.model_dump()], as_json=as_json, title="Đã duyệt · approved")


@app.command("list")
def list_command(
    sector: Annotated[str | None, typer.Option("--sector", help="Chỉ lĩnh vực này · Only this sector.")] = None,
    period: Annotated[str | None, typer.Option("--period", help="Chỉ loại kỳ này · Only this kind of period.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="Nhiều nhất · Most rows.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Các lần duyệt, mới nhất trước · List approvals, the newest first."""
    with connect(Settings(), "reader", autocommit=True) as connection, translated_errors():
        rows = [one.model_dump() for one in list_approvals(connection, sector=sector, period=period, limit=limit)]
    if not as_json:
        names = ("approval_id", "sector", "period", "bucket", "signed_by", "signed_at", "figures", "reason", "last")
        rows = [{name: row[name] for name in names} for row in rows]
    show_rows(
        rows, as_json=as_json, title="Duyệt · approvals", empty="Chưa có kỳ nào được duyệt · Nothing is approved."
    )


@app.command("verify")
def verify_command(
    approval: Annotated[
        int | None,
        typer.Argument(help="Số của lần duyệt; mặc định: mọi lần còn hiệu lực · Number; none = all in force."),
    ] = None,
    history: Annotated[
        bool,
        typer.Option(
            "--history",
            help="Tính lại cả từ lịch sử bản ghi · Compute the digest from the history of records, too.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Tính lại mã băm và so với số liệu hiện nay; mã thoát 1 nếu không khớp chữ ký, 3 nếu đã sửa sau khi duyệt ·
    Compute the digest again and compare with the figures of now; exit status 1 where it is not what was signed, 3
    where figures have been revised since.
    """
    settings = Settings()
    profile = load_profile(settings.profile)
    with connect(settings, "reader", autocommit=True) as connection, translated_errors():
        if approval is not None:
            approvals = [find_approval(connection, approval)]
        else:
            approvals = [one for one in list_approvals(connection, limit=1000) if one.last]
        verifier = Verifier(connection, load_feeds(), profile.areas, profile.timezone)
        found = [verifier.verify(one, history=history) for one in approvals]
    if as_json:
        typer.echo(to_json(found, indent=2).decode())
    else:
        _print(found)
    verdicts = {one.verdict for one in found}
    raise typer.Exit(_BROKEN if "broken" in verdicts else _REVISED if "revised" in verdicts else 0)


def _print(found: list[Verification]) -> None:
    console = Console()
    if not found:
        console.print("Chưa có kỳ nào được duyệt · Nothing is approved.")
    for one in found:
        told = one.approval
        head = f"{told.approval_id}: {told.sector}, {told.period} {told.bucket}, {told.signed_by}, {told.figures:,} số"
        console.print(Text(f"{head}: {_VERDICTS[one.verdict]}", style="bold"))
        if one.revisions:
            show_rows(
                [revision.model_dump(exclude={"area_code"}) for revision in one.revisions[:20]],
                as_json=False,
                title=f"{len(one.revisions):,} số đã sửa sau khi duyệt · figures revised since",
            )
