"""`ioc`: the one command line, composed of the rooms' own commands."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic_core import ValidationError
from typer.exceptions import TyperException

from deploy.audited import audited
from ioc import __version__
from ioc.command.lazy import CommandEntry, LazyGroup
from ioc.errors import ConfigError, IocError

# Vietnamese first, then English. Help is here so that `ioc --help` imports no module of a command.
COMMANDS = (
    CommandEntry(
        "stack",
        "deploy.local.cli",
        "Kafka, PostgreSQL và dịch vụ trên máy này: cài, chạy, dừng"
        " · Set up, start and stop the local Kafka, PostgreSQL and services.",
    ),
    CommandEntry(
        "doctor",
        "deploy.doctor.cli",
        "Khám toàn hệ thống và nêu việc cần làm; mã thoát 1 khi có lỗi"
        " · Check every dependency, clock, disk, topic and process, and say what to do; exit status 1 with a fault.",
    ),
    CommandEntry(
        "audit",
        "ioc.audit.cli",
        "Nhật ký quản trị: ai đã làm gì, khi nào; kiểm tra có bị sửa không"
        " · The audit log: who did what, when; and whether it was changed.",
    ),
    CommandEntry(
        "token",
        "ioc.web.cli",
        "Mã truy cập để hệ thống ngành gửi, hệ thống khác đọc"
        " · Tokens with which sector systems publish, and others read.",
    ),
    CommandEntry(
        "catalogue",
        "ioc.catalogue.cli",
        "Danh mục chỉ tiêu: xem, kiểm tra, so sánh · The catalogue of indicators: its rows, checked whole.",
    ),
    CommandEntry(
        "feed",
        "deploy.scaffold.cli",
        "Nguồn dữ liệu: có những nguồn nào, thêm nguồn mới · The feeds: what there is, and making a new one.",
    ),
    CommandEntry(
        "backup",
        "deploy.backup.cli",
        "Sao lưu cơ sở dữ liệu kèm vị trí đọc Kafka · Back the database up, positions within.",
        "backup_app",
    ),
    CommandEntry(
        "restore",
        "deploy.backup.cli",
        "Khôi phục bản sao lưu vào một cơ sở dữ liệu mới · Restore a backup into a new database.",
        "restore_app",
    ),
    CommandEntry(
        "heal",
        "deploy.backup.cli",
        "Sau khôi phục: Kafka còn đọc lại được gì, mất gì; mã thoát 1 khi mất"
        " · After a restore: what Kafka gives again and what is gone; exit status 1 where something is.",
        "heal_app",
    ),
    CommandEntry("db", "ioc.database.cli", "Lược đồ cơ sở dữ liệu · The database's schema."),
    CommandEntry(
        "indicator",
        "ioc.reading.cli",
        "Chỉ tiêu: có những gì, số liệu, vì sao · Indicators: what there is, what it shows, and why.",
    ),
    CommandEntry(
        "approval",
        "ioc.approval.cli",
        "Duyệt số liệu: ký duyệt một kỳ, xem lại, đối chiếu"
        " · Approval: sign a period off, list, verify what has changed since.",
    ),
    CommandEntry(
        "status",
        "ioc.incident.status_cli",
        "Tình trạng từng chỉ tiêu: chậm, chưa cập nhật, đúng tiến độ"
        " · Statuses of indicators: behind, stale, on their pace.",
    ),
    CommandEntry(
        "incident",
        "ioc.incident.cli",
        "Sự cố: điều gì sai, từ bao giờ, ai xử lý · Incidents: what is wrong, since when, and who sees to it.",
    ),
    CommandEntry(
        "digest",
        "ioc.notification.digest_cli",
        "Bản tin ngày, tuần cho lãnh đạo: xem trước, ghi vào hàng gửi"
        " · Digests for leaders, daily and weekly: show them, or put them in the outbox.",
    ),
    CommandEntry(
        "notification",
        "ioc.notification.cli",
        "Đã báo gì cho ai, khi nào, qua kênh nào · What was sent to whom, when, through what.",
    ),
    CommandEntry(
        "target",
        "ioc.province.target_cli",
        "Chỉ tiêu được giao trong các văn bản · Targets: what documents ask of indicators.",
    ),
    CommandEntry(
        "profile",
        "ioc.province.cli",
        "Dữ liệu của tỉnh: địa bàn, đơn vị báo cáo, danh mục · The province's data: areas, reporters, catalogue.",
    ),
    CommandEntry(
        "reporter",
        "ioc.province.reporter_cli",
        "Đơn vị báo cáo: ai phải báo cáo gì, thêm, kết thúc, cấp mã"
        " · Reporters: who must report what, and their tokens.",
    ),
    CommandEntry("topic", "ioc.messaging.cli", "Topic Kafka của các nguồn · Kafka topics of the feeds."),
    CommandEntry(
        "change",
        "streams.change.cli",
        "Thay đổi số liệu gửi cho hệ thống khác qua Kafka · Changes of figures that other systems read from Kafka.",
    ),
    CommandEntry(
        "position",
        "streams.worker.position_cli",
        "Vị trí đọc của từng phân vùng Kafka; cho đọc tiếp phân vùng bị tạm dừng"
        " · Positions of partitions; let a halted one go on.",
    ),
    CommandEntry(
        "contribution",
        "streams.rollup.contribution_cli",
        "Phần đóng góp chưa cộng được vào chỉ tiêu: xem, cộng lại"
        " · Contributions that could not be folded: show them, fold them again.",
    ),
    CommandEntry(
        "retention",
        "ioc.database.retention_cli",
        "Xóa dữ liệu vận hành đã quá thời hạn lưu · Remove what is older than its table's retention setting.",
    ),
    CommandEntry(
        "schema",
        "ioc.messaging.schema_cli",
        "JSON Schema của sự kiện, và AsyncAPI · JSON Schemas of the events, and AsyncAPI.",
    ),
    CommandEntry(
        "demo",
        "deploy.demo.cli",
        "Tỉnh mô phỏng trên hệ thống thật, có bảng theo dõi"
        " · A simulated province on the real stack, with a live table; exit status 0 when the account balances.",
    ),
    CommandEntry(
        "simulate",
        "deploy.simulator.cli",
        "Gửi dữ liệu mô phỏng tháng 10/2024 tới cổng nhận"
        " · Publish a simulated October 2024 of the province to the gateway of the settings.",
    ),
    CommandEntry(
        "simulate-files",
        "deploy.simulator.files_cli",
        "Ghi một năm mô phỏng của tỉnh thành tệp, kèm số liệu đúng phải có"
        " · Write a simulated year of the province as files, with what indicators must show beside them.",
    ),
    CommandEntry(
        "publish",
        "connectors.publishing.cli",
        "Gửi tệp của các hệ thống ngành qua cổng nhận; mã thoát 1 khi có gì bị từ chối, hoặc"
        " với --wait chưa biết chắc đã lưu"
        " · Send files in the sectors' native formats through the gateway; exit status 1 when anything was refused,"
        " or with --wait is not known to be stored.",
    ),
    CommandEntry(
        "format",
        "connectors.formats.cli",
        "Định dạng tệp đọc được: nguồn dữ liệu, phiên bản, cách nhận ra"
        " · File formats that are read: feeds, versions, how each is recognised.",
    ),
    CommandEntry(
        "drop",
        "connectors.file_drop.cli",
        "Thư mục nhận tệp: theo dõi, gửi tệp, cất giữ · The file drop: watch directories, send files, put them away.",
    ),
    CommandEntry(
        "poller",
        "connectors.poller.cli",
        "Lấy dữ liệu từ giao diện REST và cơ sở dữ liệu của các ngành, theo khai báo của hồ sơ tỉnh"
        " · Fetch from the sectors' REST interfaces and databases, as the profile declares.",
    ),
    CommandEntry(
        "registry",
        "connectors.publishing.cli",
        "Danh bạ đơn vị trong hồ sơ tỉnh · Registers of places, as the profile holds them.",
        "registry",
    ),
    CommandEntry(
        "gateway",
        "connectors.gateway.cli",
        "Nhận sự kiện qua HTTP, ghi vào Kafka, đến khi có SIGTERM hoặc Ctrl-C"
        " · Take events over HTTP and write them to Kafka, until SIGTERM or Ctrl-C.",
    ),
    CommandEntry(
        "grafana",
        "grafana.cli",
        "Bảng điều hành và luật cảnh báo dưới dạng mã nguồn · Dashboards and alert rules as code.",
    ),
    CommandEntry(
        "api",
        "ioc.api.cli",
        "Trả lời số liệu qua HTTP, chỉ đọc, đến khi có SIGTERM hoặc Ctrl-C"
        " · Answer questions about figures over HTTP, read-only, until SIGTERM or Ctrl-C.",
    ),
    CommandEntry(
        "link",
        "ioc.api.link_cli",
        "In liên kết có chữ ký, mở được trang web mà không cần mã truy cập"
        " · Print a signed link that opens the pages without a token.",
    ),
    CommandEntry(
        "worker",
        "streams.worker.cli",
        "Chạy các agent Faust của mọi nguồn cho đến khi dừng · Run the Faust agents of all feeds until stopped.",
    ),
    CommandEntry(
        "rollup",
        "streams.rollup.cli",
        "Cộng dồn thành chỉ tiêu cho đến khi dừng · Fold contributions into indicators until stopped.",
    ),
    CommandEntry(
        "scheduler",
        "streams.status.cli",
        "Cập nhật tình trạng, chất lượng, sự cố cho đến khi dừng"
        " · Keep statuses, quality and incidents current until stopped.",
    ),
    CommandEntry(
        "reconcile",
        "streams.proof.cli",
        "Tính lại mọi số liệu từ bản ghi bằng SQL rồi so sánh; mã thoát 1 khi có chênh lệch"
        " · Recompute every cell and figure from the records, in SQL, and compare; exit status 1 where they differ.",
    ),
    CommandEntry(
        "rebuild",
        "streams.rebuild.cli",
        "Tính chỉ tiêu đã đổi bên cạnh số đang dùng, cho xem chênh lệch, rồi thay cùng lúc"
        " · Compute changed indicators beside the live ones, show which cells move, then swap all at once.",
    ),
    CommandEntry(
        "dead-letter",
        "streams.dead_letter.cli",
        "Sự kiện bị từ chối: lý do, và gửi lại sau khi sửa"
        " · Events that were refused: why, and their replay after the fault is fixed.",
    ),
    CommandEntry(
        "quality",
        "streams.quality.cli",
        "Chất lượng dữ liệu do nền tảng đo · Quality of the data as the platform measures it.",
    ),
)


_PATH = 200  # characters of a path that are shown


class Commands(LazyGroup):
    """Turns every error into one message and an exit status: 2 = wrong arguments or settings, 1 = all else."""

    entries = COMMANDS

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that the arguments name; what it changes is entered in the audit log."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command if command is None or name is None else audited(command, name), rest

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Refuse arguments that are no text: neither PostgreSQL nor UTF-8 has them, whatever command they are for."""
        for number, argument in enumerate(args, 1):
            if "\0" in argument or any("\ud800" <= one <= "\udfff" for one in argument):
                raise _failed(
                    f"Tham số thứ {number} không phải văn bản UTF-8; hãy gõ lại"
                    f" · Argument {number} is no text in UTF-8; write it again.",
                    status=2,
                )
        rest: list[str] = super().parse_args(ctx, args)
        return rest

    def invoke(self, ctx: Any) -> Any:
        """Run the command that the arguments name."""
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, TyperException, BrokenPipeError):
            raise
        except ValidationError as error:
            if ctx.params.get("debug"):
                raise
            if error.title != "Settings":
                raise _unexpected(error) from error
            wrong = "; ".join(
                f"IOC_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" if e["loc"] else e["msg"]
                for e in error.errors()
            )
            raise _failed(
                f"Cài đặt sai: {wrong}; sửa biến môi trường hoặc .env"
                " · A setting is wrong; mend the environment or .env.",
                status=2,
            ) from error
        except IocError as error:
            if ctx.params.get("debug"):
                raise
            raise _failed(str(error), status=2 if isinstance(error, ConfigError) else 1) from error
        except Exception as error:
            if ctx.params.get("debug"):
                raise
            if isinstance(error, OSError) and error.filename is not None:
                raise _failed(f"{str(error.filename)[:_PATH]}: {error.strerror}", status=1) from error
            raise _unexpected(error) from error


def _unexpected(error: Exception) -> typer.Exit:
    """Tell a fault of the program without its message, which may quote data of persons."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{type(error).__name__}, {Path(place.filename).name}:{place.lineno}"
    return _failed(
        f"Lỗi không lường trước ({where}); chạy lại với `ioc --debug` để xem vết lỗi và báo cho đơn vị vận hành"
        " · A fault that was not foreseen: run it again as `ioc --debug ...`, and report the traceback.",
        status=1,
    )


def _failed(message: str, status: int) -> typer.Exit:
    # Without markup: messages quote configuration and logs, which are full of brackets.
    typer.secho("lỗi · error: ", fg="red", bold=True, nl=False, err=True)
    typer.echo(message, err=True)
    return typer.Exit(status)


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Luồng dữ liệu của IOC cấp tỉnh · Data streams of a province's Intelligent Operations Centre.",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Hiện vết lỗi · Show the traceback of an error.")] = False,
    version: Annotated[
        bool,
        typer.Option("--version", help="Hiện phiên bản · Show the version.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    pass


def main() -> None:
    """The console script."""
    app()
