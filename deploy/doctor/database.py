"""PostgreSQL: roles, versions, clock, rights, migrations, the edition of the catalogue, and work that waits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import psycopg
from psycopg.rows import class_row, scalar_row

from deploy.doctor.finding import CheckResult, clock_finding
from ioc.catalogue.diff import compare_catalogues
from ioc.catalogue.store import load_editions
from ioc.database.connection import ROLES, Role, connect, role_name, role_password, translated_errors
from ioc.errors import DatabaseUnavailableError
from ioc.feeds.feed import Feed
from ioc.province.profile import load_profile, load_profile_catalogue
from ioc.province.store import check_province
from ioc.settings import Settings
from sql import load_migrations, load_queries

_CLOCK_SECONDS = 2.0
_LEAST_POSTGRES = 150_000
_LEAST_TIMESCALE = (2, 19)
# Who may read what is looked at, the fewest rights first.
_READING: tuple[Role, ...] = ("reader", "scheduler", "worker", "rollup", "writer", "owner")
_WAITING = timedelta(seconds=90)
_SILENT = timedelta(minutes=30)


class _Server(NamedTuple):
    version_number: int
    version: str
    now: datetime
    timescale: str | None
    edition: str | None
    timezone: str
    bytes: int
    connections: int
    sessions: int


class _WaitingWork(NamedTuple):
    oldest: datetime | None
    set_aside: int


class _JobRun(NamedTuple):
    job: str
    finished_at: datetime | None
    failed_at: datetime | None
    error: str | None


class _Right(NamedTuple):
    role: str
    may: str


def check_roles(settings: Settings) -> Iterator[CheckResult]:
    """Whether each role whose password is set gets in."""
    for role in ROLES:
        if not role_password(settings, role).get_secret_value():
            continue  # a process has the passwords of the roles it uses, and no others: the gateway has none
        user = role_name(settings, role)
        try:
            connect(settings, role, autocommit=True).close()
        except DatabaseUnavailableError as error:
            yield CheckResult(
                part="database",
                check="role",
                verdict="fault",
                message=f"{user}: {error}",
                advice=f"Kiểm tra vai trò, mật khẩu, pg_hba.conf · Check the role, IOC_DB_{role.upper()}_PASSWORD and "
                "pg_hba.conf (docs/install.md, step 3).",
            )
        else:
            yield CheckResult(part="database", check="role", verdict="good", message=f"{user} vào được · gets in")


def check_server(settings: Settings) -> Iterator[CheckResult]:
    """Versions, edition, clock, size, and connections."""
    with connect(settings, _reading_role(settings), autocommit=True) as connection:
        connection.execute("SELECT 1")
        before = datetime.now(UTC)
        cursor = connection.cursor(row_factory=class_row(_Server))
        server = cursor.execute(load_queries("doctor")["select_server"]).fetchone()
        after = datetime.now(UTC)
    assert server is not None
    new_enough = server.version_number >= _LEAST_POSTGRES
    yield CheckResult(
        part="database",
        check="version",
        verdict="good" if new_enough else "fault",
        message=f"PostgreSQL {server.version}, {server.bytes / 2**20:,.0f} MiB",
        advice="" if new_enough else "Cần PostgreSQL 15 trở lên · PostgreSQL 15 or later is needed.",
    )
    yield judge_timescale(server.timescale, server.edition)
    yield clock_finding(
        "database",
        (server.now - (before + (after - before) / 2)).total_seconds(),
        (after - before).total_seconds() / 2,
        _CLOCK_SECONDS,
    )
    if server.sessions > 0.8 * server.connections:
        yield CheckResult(
            part="database",
            check="connections",
            verdict="warning",
            message=f"{server.sessions} / {server.connections} kết nối · connections are in use",
            advice="Tăng max_connections hoặc bớt tiến trình · Raise max_connections, or run fewer processes.",
        )


def judge_timescale(version: str | None, edition: str | None) -> CheckResult:
    """Judge the extension: its version, and which edition it is."""
    if version is None:
        return CheckResult(
            part="database",
            check="timescaledb",
            verdict="fault",
            message="chưa có TimescaleDB · the extension is not in this database",
            advice="CREATE EXTENSION timescaledb; (superuser)",
        )
    numbers = tuple(int(part) for part in version.split("-")[0].split(".")[:2])
    told = f"TimescaleDB {version}, edition {edition}"
    if numbers < _LEAST_TIMESCALE:
        return CheckResult(
            part="database",
            check="timescaledb",
            verdict="fault",
            message=told,
            advice="Cần TimescaleDB 2.19 trở lên · 2.19 or later is needed: install it, then ALTER EXTENSION "
            "timescaledb UPDATE.",
        )
    note = (
        ""
        if edition != "apache"
        else "; không có nén và chính sách, không cần · no columnstore, no policies: not needed"
    )
    return CheckResult(part="database", check="timescaledb", verdict="good", message=told + note)


def check_migrations(settings: Settings) -> Iterator[CheckResult]:
    """Whether the schema is that of this version of the code."""
    with connect(settings, _reading_role(settings), autocommit=True) as connection, translated_errors():
        cursor = connection.cursor(row_factory=scalar_row)
        applied = set(cursor.execute(load_queries("doctor")["select_migrations"]).fetchall())
    known = {migration.number for migration in load_migrations()}
    if pending := sorted(known - applied):
        yield CheckResult(
            part="database",
            check="migrations",
            verdict="fault",
            message=f"chưa áp dụng · pending: {', '.join(map(str, pending))}",
            advice="`ioc db migrate`",
        )
    if ahead := sorted(applied - known):
        yield CheckResult(
            part="database",
            check="migrations",
            verdict="fault",
            message=f"cơ sở dữ liệu mới hơn mã · the database is ahead of the code: {', '.join(map(str, ahead))}",
            advice="Cài phiên bản mới hơn · Install the newer version of the project.",
        )
    if known == applied:
        yield CheckResult(
            part="database", check="migrations", verdict="good", message=f"đủ {len(known)} bước · all are applied"
        )


def check_rights(settings: Settings) -> Iterator[CheckResult]:
    """Whether a role of the processes may do what it must not."""
    readers = [settings.db_reader_user, settings.db_grafana_user]
    asked = {"roles": [role_name(settings, role) for role in ROLES if role != "owner"], "readers": readers}
    with connect(settings, _reading_role(settings), autocommit=True) as connection:
        rows = connection.cursor(row_factory=class_row(_Right)).execute(load_queries("doctor")["select_rights"], asked)
        found = [f"{row.role}: {row.may}" for row in rows]
    if found:
        yield CheckResult(
            part="database",
            check="rights",
            verdict="fault",
            message=f"quyền thừa · too many rights: {'; '.join(found[:5])}{'; …' if len(found) > 5 else ''}",
            advice="REVOKE các quyền này · Revoke them; docs/security.md says what each role needs.",
        )
    else:
        yield CheckResult(
            part="database", check="rights", verdict="good", message="đúng quyền tối thiểu · least rights"
        )


def check_catalogue(settings: Settings, feeds: Mapping[str, Feed]) -> Iterator[CheckResult]:
    """Whether the catalogue of the files is the one that the database computes."""
    profile = load_profile(settings.profile)
    wanted = load_profile_catalogue(settings.profile, feeds)
    with connect(settings, _reading_role(settings)) as connection, translated_errors():
        check_province(connection, settings, profile)
        editions = load_editions(connection)
    if not editions.live.indicators:
        yield CheckResult(
            part="catalogue",
            check="edition",
            verdict="fault",
            message="chưa nạp danh mục · no catalogue is loaded",
            advice="`ioc profile load`",
        )
        return
    following = editions.next or editions.live
    changes = compare_catalogues(following.indicators, wanted.indicators).changes
    if changes:
        yield CheckResult(
            part="catalogue",
            check="edition",
            verdict="warning",
            message=f"{len(changes)} chỉ tiêu trong tệp khác bản đang dùng · indicators of the files are not "
            "those loaded",
            advice="`ioc catalogue diff database`, rồi · then `ioc profile load`",
        )
    if editions.candidates:
        yield CheckResult(
            part="catalogue",
            check="candidates",
            verdict="warning",
            message=f"{len(editions.candidates)} chỉ tiêu chờ thay · candidates wait",
            advice="`ioc rebuild`",
        )
    if not changes and not editions.candidates:
        yield CheckResult(
            part="catalogue",
            check="edition",
            verdict="good",
            message=f"{len(editions.live.indicators):,} chỉ tiêu, bản {editions.epoch} · indicators, epoch "
            f"{editions.epoch}",
        )


def check_work(settings: Settings) -> Iterator[CheckResult]:
    """Whether contributions are folded, and the scheduler's jobs run."""
    queries = load_queries("doctor")
    with connect(settings, _reading_role(settings), autocommit=True) as connection, translated_errors():
        asked = connection.cursor(row_factory=class_row(_WaitingWork))
        waiting = asked.execute(queries["select_waiting"]).fetchone()
        jobs = connection.cursor(row_factory=class_row(_JobRun)).execute(queries["select_jobs"]).fetchall()
        now = _now(connection)
    assert waiting is not None
    late = waiting.oldest is not None and now - waiting.oldest > _WAITING
    yield CheckResult(
        part="rollup",
        check="waiting",
        verdict="fault" if late else "good",
        message="không có gì chờ cộng · nothing waits to be folded"
        if waiting.oldest is None
        else f"chờ cộng từ · contributions wait since {waiting.oldest:%Y-%m-%d %H:%M:%SZ}",
        advice="Khởi động `ioc rollup`, xem nhật ký · Start `ioc rollup`, and read its log." if late else "",
    )
    if waiting.set_aside:
        yield CheckResult(
            part="rollup",
            check="set aside",
            verdict="fault",
            message=f"{waiting.set_aside:,} phần không cộng được · contributions cannot be folded",
            advice="`ioc contribution list`",
        )
    for job in jobs:
        if job.failed_at is not None and (job.finished_at is None or job.failed_at > job.finished_at):
            yield CheckResult(
                part="scheduler",
                check=job.job,
                verdict="fault",
                message=f"lỗi lúc · failed at {job.failed_at:%Y-%m-%d %H:%M:%SZ}: {job.error}",
                advice="Xem nhật ký của `ioc scheduler` · Read the scheduler's log; it tries again by itself.",
            )
    newest = max((job.finished_at for job in jobs if job.finished_at is not None), default=None)
    alive = newest is not None and now - newest < _SILENT
    yield CheckResult(
        part="scheduler",
        check="jobs",
        verdict="good" if alive else "fault",
        message="chưa chạy lần nào · it has never run"
        if newest is None
        else f"lần chạy cuối · a job ended last at {newest:%Y-%m-%d %H:%M:%SZ}",
        advice=""
        if alive
        else "Khởi động `ioc scheduler` · Start `ioc scheduler`: statuses and incidents are not current.",
    )


def _now(connection: psycopg.Connection) -> datetime:
    now = connection.cursor(row_factory=scalar_row).execute("SELECT clock_timestamp()").fetchone()
    assert isinstance(now, datetime)
    return now


def _reading_role(settings: Settings) -> Role:
    """Return the role with the fewest rights that this machine has a password of."""
    for role in _READING:
        if role_password(settings, role).get_secret_value():
            return role
    return "reader"
