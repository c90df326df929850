"""`ioc indicator list|show|explain|series|history`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

import typer
from psycopg.errors import QueryCanceled
from psycopg.rows import dict_row
from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from ioc.catalogue.store import load_editions
from ioc.command.output import AsJson, AsOf, cell, show_rows
from ioc.database.connection import connect, translated_errors
from ioc.errors import DatabaseUnavailableError
from ioc.feeds.feed import load_feeds
from ioc.province.profile import load_profile
from ioc.reading.explanation import CalculationNode, Explainer, Explanation
from ioc.reading.history_cli import history_command
from ioc.reading.past import within
from ioc.reading.past.latest import latest_then, moment_of
from ioc.reading.series_cli import series_command
from ioc.settings import Settings
from sql import load_queries

app = typer.Typer(no_args_is_help=True)
app.command("series")(series_command)
app.command("history")(history_command)

_NAMED = 20  # missing reporters that are named

Code = Annotated[str, typer.Argument(help="Mã chỉ tiêu · Code of the indicator, e.g. lodging.guests.total.")]
Period = Annotated[
    str, typer.Option("--period", help="Ngày, tuần, tháng, quý hoặc năm · day, week, month, quarter or year.")
]


@app.command("list")
def list_command(
    sector: Annotated[str | None, typer.Option("--sector", help="Chỉ ngành này · Only this sector.")] = None,
    search: Annotated[
        str | None, typer.Option("--search", help="Một phần của mã hoặc tên · Part of a code or name.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Liệt kê chỉ tiêu đang dùng · List the live indicators."""
    rows = _read("list_indicators", {"sector": sector, "search": search})
    if not as_json:
        rows = [{name: row[name] for name in ("code", "name_vi", "unit", "kind", "target")} for row in rows]
    show_rows(
        rows, as_json=as_json, empty="Không có chỉ tiêu phù hợp; `ioc profile load` nạp danh mục · No indicator fits."
    )


@app.command("show")
def show_command(
    code: Code,
    period: Period = "day",
    version: Annotated[
        int | None,
        typer.Option(
            "--version",
            min=1,
            help=(
                "Phiên bản đã thay, hoặc đang chờ; mặc định là bản đang dùng"
                " · A version that was replaced, or waits; none = the live one."
            ),
        ),
    ] = None,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Số liệu mới nhất của tỉnh và của cấp ngay dưới · Show an indicator's latest figures: of the province and of
    the units right below it, such as districts.
    """
    if as_of is None:
        rows = _read("select_latest", {"code": code, "period": period, "version": version})
    elif version is None:
        settings = Settings()
        rows = [vars(row) for row in latest_then(settings, code, period, moment_of(settings, as_of))]
    else:
        raise typer.BadParameter("one of them", param_hint="--version / --as-of")
    if not as_json:
        rows = [{name: row[name] for name in ("area_code", "area_name", "bucket", "value")} for row in rows]
    show_rows(
        rows,
        as_json=as_json,
        title=code,
        empty=f"{code}: chưa có số liệu, hoặc không có chỉ tiêu này · no figure yet, or no such indicator.",
    )


@app.command("explain")
def explain_command(
    code: Code,
    area: Annotated[str, typer.Option("--area", help="Mã địa bàn · Code of the area.")],
    on: Annotated[datetime, typer.Option("--on", formats=["%Y-%m-%d"], help="Một ngày của kỳ · A day of the period.")],
    period: Period = "day",
    limit: Annotated[
        int, typer.Option("--limit", min=0, max=1000, help="Số bản ghi tối đa · At most this many records.")
    ] = 20,
    offset: Annotated[int, typer.Option("--offset", min=0, help="Bỏ qua số bản ghi đầu · Records to skip.")] = 0,
    as_of: AsOf = None,
    with_sql: Annotated[
        bool, typer.Option("--sql", help="Kèm công thức và điều kiện SQL · Formulas and SQL conditions too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Giải thích một số liệu: định nghĩa, tử số, mẫu số, bản ghi được tính, sự kiện bị từ chối, ai chưa báo cáo ·
    Explain one figure: definition, numerator and denominator, records counted, events refused, who is missing.
    """
    found = explain(Settings(), code, area, on.date(), period=period, limit=limit, offset=offset, as_of=as_of)
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        _print(found, with_sql=with_sql)


def explain(
    settings: Settings,
    code: str,
    area: str,
    on: date,
    *,
    period: str,
    limit: int,
    offset: int,
    as_of: str | None = None,
) -> Explanation:
    """Explain a figure over a connection of its own, by the definitions that are (or were) live in the database.

    Raises QuestionError for what does not exist, DatabaseUnavailableError where it takes too long.
    """
    profile = load_profile(settings.profile)
    moment = None if as_of is None else moment_of(settings, as_of)
    with (
        connect(settings, "reader", autocommit=True) as connection,
        translated_errors(),
        within(connection, moment),
    ):
        compiled = load_editions(connection).live.compiled
        explainer = Explainer(
            connection, compiled, load_feeds(), profile.areas, timezone=profile.timezone, moment=moment
        )
        try:
            return explainer.explain(code, explainer.cell(area, period, on), limit=limit, offset=offset)
        except QueryCanceled:
            raise DatabaseUnavailableError(
                f"a part of the explanation took more than {settings.db_statement_timeout} s; ask for a shorter period "
                "or a smaller area, or raise IOC_DB_STATEMENT_TIMEOUT"
            ) from None


def _read(query: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    with connect(Settings(), "reader") as connection, translated_errors():
        return connection.cursor(row_factory=dict_row).execute(load_queries("explain")[query], parameters).fetchall()


def _told(part: CalculationNode) -> str:
    """Return a part's value, or why there is none."""
    if part.value is not None:
        return cell(part.value)
    return f"chưa có số liệu: {part.none_vi} · no value: {part.none_en}"


def _print_since(console: Console, found: Explanation) -> None:
    """Print how the figure stood, what it is now, and what has come since."""
    then, status = found.since_then, found.status_then
    if found.known_at is None or then is None:
        return
    at = f"{found.known_at:%Y-%m-%d %H:%M:%S} UTC"
    console.print(Text(f"theo dữ liệu đã có đến {at} · as it was known at {at}", style="bold yellow"))
    if status is not None:
        called = f", {status.reported}/{status.due}" if status.due else ""
        console.print(Text(f"trạng thái khi đó · status then: {status.status}{called} ({status.settlement or '–'})"))
    console.print(Text(f"hiện nay · now: {cell(then.value_now) or '–'} {found.unit} (v{then.version_now})"))
    show_rows(
        [one.model_dump() for one in then.moved],
        as_json=False,
        title="Thay đổi từ đó đến nay · moved since then",
        empty="Không bản ghi nào làm thay đổi số này từ đó đến nay · No record has moved this figure since.",
    )
    if then.changes:
        show_rows(
            [
                {"record": one.record, "what": one.what, "changed_at": one.changed_at, "adds_to": effect.adds_to}
                | {"before": effect.before, "after": effect.after}
                for one in then.changes
                for effect in one.effects
            ],
            as_json=False,
            title=f"{then.changes_total:,} bản ghi đến hoặc đổi sau đó · records that came or changed since",
        )
    if then.register_changes:
        console.print(
            f"{then.register_changes:,} thay đổi danh sách đơn vị báo cáo · changes of the register of reporters since"
        )


def _print(found: Explanation, *, with_sql: bool) -> None:
    console = Console()
    console.print(Text(f"{found.name_vi} · {found.name_en}", style="bold"))
    days = str(found.start) if found.start == found.end else f"{found.start} … {found.end}"
    console.print(Text(f"{found.code} v{found.version}, {found.kind}; {found.area_name} ({found.area_code}), {days}"))
    made_of = found.made_of
    value = _told(made_of) if found.value is None else f"{cell(found.value)} {found.unit}"
    console.print(Text(value, style="bold green"))
    if found.as_of is not None:
        is_old = found.stale and max(one.reported_for for one in found.carried) == found.as_of
        old = "; đã cũ, chưa có báo cáo mới · stale: no report since" if is_old else ""
        told = f"số báo cáo cho kỳ từ {found.as_of:%d/%m/%Y} · reported for the period from {found.as_of}{old}"
        console.print(Text(told, style="yellow" if old else ""))
    if found.carried:
        show_rows(
            [one.model_dump() for one in found.carried],
            as_json=False,
            title="Giữ số của kỳ trước, chưa có báo cáo mới · carried from an earlier period, not reported anew",
        )

    _print_since(console, found)

    def grow(tree: Tree, part: CalculationNode) -> None:
        text = f"{_told(part)}  {part.text_vi} · {part.text_en}"
        branch = tree.add(Text(f"{text}\n    {part.code or ''} = {part.what}" if with_sql else text))
        for source in part.inputs:
            grow(branch, source)

    tree = Tree(Text("tính từ · made of"))
    grow(tree, made_of)
    console.print(tree)
    if found.fraction is not None:
        half = found.fraction
        above, below = (
            "chưa có · none" if v is None else cell(v) for v in (half.numerator_value, half.denominator_value)
        )
        console.print(Text(f"tử số · numerator: {above} = {half.numerator}"))
        console.print(Text(f"mẫu số · denominator: {below} = {half.denominator}"))
    show_rows(
        [record.model_dump(include={"record", "revision", "counts_on", "adds", "adds_to"}) for record in found.records],
        as_json=False,
        title=f"{found.records_total:,} bản ghi được tính · records count",
        empty="Không có bản ghi nào được tính · No record counts here.",
    )
    console.print(
        f"{found.excluded_total:,} bản ghi khác cùng nguồn, địa bàn và kỳ nhưng không thuộc định nghĩa"
        " · other records lie here and are not counted by the definition"
    )
    show_rows(
        [one.model_dump(exclude={"feed"} if len(found.freshness) == 1 else set()) for one in found.corrections],
        as_json=False,
        title="Sửa đổi theo ngày · corrections by day",
        empty="Chưa có bản ghi nào bị sửa · No record of this place and period was corrected.",
    )
    show_rows(
        [
            {"record": one.record or one.reporter or "", "revision": one.revision, "recorded_at": one.recorded_at}
            | {"adds_to": effect.adds_to, "before": effect.before, "after": effect.after}
            for one in found.changes
            for effect in one.effects
        ],
        as_json=False,
        title="Nội dung sửa đổi · what they changed",
        empty="Không sửa đổi nào làm thay đổi số này · No correction moved this figure.",
    )
    if found.older_revisions:
        console.print(
            f"… và {found.older_revisions:,} phiên bản cũ hơn của các bản ghi này, không xét đến"
            " · and older revisions of these records, not looked at"
        )
    show_rows(
        [one.model_dump(include={"feed", "rule", "field", "message_vi", "events"}) for one in found.rejections],
        as_json=False,
        title="Sự kiện bị từ chối · refused events",
        empty="Không có sự kiện nào bị từ chối · No event of these feeds was refused.",
    )
    for feed in found.completeness:
        names = ", ".join(f"{one.name} ({one.code})" for one in feed.missing)
        if feed.expected is None:
            told = (
                f"{feed.reported:,} đơn vị đã gửi; nguồn theo sự kiện, không có hạn nộp · "
                "senders so far; events drive this feed, no report is due"
            )
        else:
            more = " …" if len(feed.missing) >= _NAMED else ""
            missing = f"; còn thiếu · missing: {names}{more}" if names else ""
            told = f"{feed.reported:,} / {feed.expected:,} báo cáo đã có · reported{missing}"
        console.print(Text(f"{feed.indicator or feed.feed}: {told}"))
    if found.postponed:
        console.print(
            "Số liệu kỳ này đang được tính lại do có hồ sơ đến muộn · it is being computed after a late record"
        )
    for fresh in found.freshness:
        newest = cell(fresh.newest_received_at) or "chưa có · none yet"
        waiting = f"; {fresh.waiting:,} phần chờ cộng dồn · contributions wait to be folded" if fresh.waiting else ""
        console.print(Text(f"{fresh.feed}: sự kiện mới nhất · newest event: {newest}{waiting}"))
    if len(found.versions) > 1:
        show_rows(
            [one.model_dump(exclude={"definition"}) for one in found.versions],
            as_json=False,
            title="Các phiên bản định nghĩa · versions of the definition",
        )
