"""`ioc grafana build|check|push|pull`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from pydantic_core import to_json

from grafana.bundle import Bundle, load_bundle
from grafana.checking.check import check_all, rule_queries
from grafana.checking.run import QueryResult, last_days, run_board, run_queries
from grafana.days import data_range
from grafana.provisioning.push import apply_plan, make_plan, read_state
from grafana.provisioning.server import GrafanaServer
from grafana.provisioning.tree import PASSWORD_VARIABLE, read_tree, write_tree
from grafana.text import LANGUAGES, Language
from ioc.command.output import AsJson, show_rows
from ioc.database.connection import connect
from ioc.feeds.feed import load_feeds
from ioc.province.profile import load_profile, load_profile_catalogue
from ioc.settings import Settings

app = typer.Typer(no_args_is_help=True)

_PLANNED = "Khác với máy chủ · Differs from the server"
_DONE = "Đã làm · Done"
_NOTHING = "Máy chủ đã đúng như cấu hình · The server holds everything as it should be."

Directory = Annotated[
    Path, typer.Argument(metavar="DIR", file_okay=False, help="Thư mục cấu hình · Provisioning directory.")
]


class LanguageChoice(StrEnum):
    """Languages of the boards; alerts are Vietnamese with an English line."""

    VI = "vi"
    EN = "en"
    BOTH = "both"

    @property
    def languages(self) -> tuple[Language, ...]:
        """Return the languages chosen."""
        return tuple(language for language in LANGUAGES if self in (language, LanguageChoice.BOTH))


Languages = Annotated[LanguageChoice, typer.Option("--language", help="Ngôn ngữ của bảng · Language of the boards.")]


@app.command("build")
def build_command(
    directory: Directory,
    language: Languages = LanguageChoice.BOTH,
    mount: Annotated[
        Path | None,
        typer.Option(
            help=(
                "Đường dẫn mà Grafana thấy DIR, nếu khác · Where Grafana sees DIR, if elsewhere (a container's path)."
            )
        ),
    ] = None,
    password_file: Annotated[
        Path | None,
        typer.Option(
            help=(
                "Tệp chứa mật khẩu mà Grafana đọc, thay cho biến IOC_DB_GRAFANA_PASSWORD"
                " · File with the password that Grafana reads, in place of the variable IOC_DB_GRAFANA_PASSWORD."
            )
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Ghi cây cấu hình: nguồn dữ liệu, bảng, luật cảnh báo, nơi nhận, chính sách · Write the provisioning tree: data
    source, boards, alert rules, contact points, policy.
    """
    _, bundle = _load(language)
    password = f"$__file{{{password_file}}}" if password_file else PASSWORD_VARIABLE
    manifest = write_tree(bundle, directory, mount or directory.absolute(), password)
    if as_json:
        typer.echo(to_json(manifest, indent=2))
        return
    typer.echo(
        f"{len(manifest.boards)} bảng · boards, {len(manifest.rules)} luật · rules, {len(manifest.files)} tệp · files"
    )
    if manifest.deleted_rules:
        typer.echo(
            f"{len(manifest.deleted_rules)} luật cũ Grafana sẽ xóa · rules of earlier builds that Grafana deletes"
        )
    typer.echo(f"Kiểm tra · check them: ioc grafana check {directory} --run")


@app.command("check")
def check_command(
    directory: Directory,
    run: Annotated[
        bool,
        typer.Option("--run", help="Chạy mọi truy vấn bằng vai trò của Grafana · Run every query as Grafana's role."),
    ] = False,
    days: Annotated[
        int, typer.Option(min=1, help="Số ngày tính đến nay mà truy vấn hỏi · Days up to now that the queries ask for.")
    ] = 3650,
    as_json: AsJson = False,
) -> None:
    """Kiểm tra cây cấu hình; mã thoát 1 khi có lỗi · Check a tree; exit status 1 where something is wrong."""
    settings, feeds, tree = Settings(), load_feeds(), read_tree(directory)
    catalogue = load_profile_catalogue(settings.profile, feeds)
    problems = check_all(tree.boards, tree.rules, tree.receivers, tree.policy, {*catalogue.indicators, *feeds})
    answers: list[QueryResult] = []
    if run:
        with connect(settings, "grafana", autocommit=True) as connection:
            for board in tree.boards:
                answers += run_board(connection, board, last_days(days))
            answers += run_queries(connection, rule_queries(tree.rules), last_days(days))
        problems += [f"{answer.place}: {answer.error}" for answer in answers if answer.error]
    empty = [answer.place for answer in answers if not answer.error and not answer.rows]
    if as_json:
        report = {"problems": problems, "boards": len(tree.boards), "rules": len(tree.rules)}
        typer.echo(to_json(report | {"queries": len(answers), "empty": empty}, indent=2))
    else:
        for problem in problems:
            typer.echo(problem, err=True)
        ran = f"; {len(answers)} truy vấn · queries run, {len(empty)} không có dòng · without rows" if run else ""
        typer.echo(
            f"{len(tree.boards)} bảng · boards, {len(tree.rules)} luật · rules{ran}: {len(problems)} lỗi · problems"
        )
    if problems:
        raise typer.Exit(1)


@app.command("push")
def push_command(
    language: Languages = LanguageChoice.BOTH,
    plan: Annotated[
        bool,
        typer.Option("--plan", help="Chỉ xem sẽ tạo, đổi, xóa gì · Only show what would be created, changed, deleted."),
    ] = False,
    replace_policy: Annotated[
        bool,
        typer.Option(
            "--replace-policy",
            help=(
                "Thay chính sách thông báo không do phần mềm này tạo"
                " · Replace a notification policy that is not the project's."
            ),
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Đưa máy chủ tại IOC_GRAFANA_URL theo danh mục; đẩy lần nữa không đổi gì · Bring the server at IOC_GRAFANA_URL
    to the catalogue's state; a second push changes nothing.
    """
    settings, bundle = _load(language)
    server = GrafanaServer(settings)
    changes = make_plan(bundle, read_state(bundle, server), replace_policy=replace_policy)
    if not plan:
        apply_plan(changes, server, settings.db_grafana_password, settings.receipt_token)
    rows = [{"action": change.action, "kind": str(change.kind), "uid": change.uid} for change in changes]
    show_rows(rows, as_json=as_json, title=_PLANNED if plan else _DONE, empty=_NOTHING)


@app.command("pull")
def pull_command(
    language: Languages = LanguageChoice.BOTH,
    diff: Annotated[
        bool, typer.Option("--diff", help="Xem từng dòng khác nhau · Show every difference line by line.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Xem máy chủ tại IOC_GRAFANA_URL khác cấu hình chỗ nào, không đổi gì; mã thoát 1 khi có khác · Show how the
    server at IOC_GRAFANA_URL differs from what a push would make, and change nothing; exit status 1 where it does.
    """
    settings, bundle = _load(language)
    server = GrafanaServer(settings)
    changes = make_plan(bundle, read_state(bundle, server), replace_policy=True)
    if diff and not as_json:
        for change in changes:
            typer.echo(f"{change.action} {change.kind} {change.uid}")
            typer.echo(change.diff() if change.action == "change" else "")
    else:
        rows = [
            {"action": change.action, "kind": str(change.kind), "uid": change.uid}
            | ({"diff": change.diff()} if diff else {})
            for change in changes
        ]
        show_rows(rows, as_json=as_json, title=_PLANNED, empty=_NOTHING)
    if changes:
        raise typer.Exit(1)


def _load(language: LanguageChoice) -> tuple[Settings, Bundle]:
    """Return the settings and what they make; boards open at the days that the database has figures of."""
    settings = Settings()
    shown = data_range(settings, load_profile(settings.profile).timezone)
    return settings, load_bundle(settings, language.languages, shown)
