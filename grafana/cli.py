"""`ioc grafana build|check|push`."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from pydantic_core import to_json
from rich.console import Console
from rich.table import Table

from grafana.bundle import load_bundle
from grafana.check import check_all, rule_queries
from grafana.provisioning import read_tree, write_tree
from grafana.push import push_bundle
from grafana.run import QueryResult, last_days, run_board, run_queries
from grafana.server import GrafanaServer
from grafana.text import LANGUAGES, Language
from ioc.command.heading import heading_of
from ioc.command.output import AsJson
from ioc.database.connection import connect
from ioc.feeds.feed import load_feeds
from ioc.province.profile import load_profile_catalogue
from ioc.settings import Settings

app = typer.Typer(no_args_is_help=True)

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
    as_json: AsJson = False,
) -> None:
    """Ghi cây cấu hình: nguồn dữ liệu, bảng, luật cảnh báo, nơi nhận, chính sách · Write the provisioning tree: data
    source, boards, alert rules, contact points, policy.
    """
    bundle = load_bundle(Settings(), language.languages)
    manifest = write_tree(bundle, directory, mount or directory.absolute())
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
        typer.Option("--run", help="Chạy mọi truy vấn bằng vai trò chỉ đọc · Run every query as the read-only role."),
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
        with connect(settings, "reader", autocommit=True) as connection:
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
    settings = Settings()
    bundle = load_bundle(settings, language.languages)
    server = GrafanaServer(settings)
    changes = push_bundle(bundle, server, settings.db_reader_password, replace_policy=replace_policy)
    if as_json:
        typer.echo(to_json(changes, indent=2))
        return
    table = Table(*map(heading_of, ("kind", "created", "updated", "unchanged", "deleted")))
    counts = Counter((change.kind, change.action) for change in changes)
    for kind in dict.fromkeys(change.kind for change in changes):
        table.add_row(kind, *(str(counts[kind, action]) for action in ("created", "updated", "unchanged", "deleted")))
    Console().print(table)
