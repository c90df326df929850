"""`ioc backup` and `ioc restore`: pg_dump and pg_restore, with a manifest of what the dump holds."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import class_row, scalar_row
from pydantic import AwareDatetime, BaseModel, ConfigDict, SecretStr, ValidationError

from deploy.local.files import POSTGRES_BIN
from ioc.audit.chain import read_chain, verify_chain
from ioc.database.connection import connect, snapshot, translated_errors
from ioc.errors import ConfigError, DatabaseUnavailableError, FatalError
from ioc.settings import Settings
from sql import load_queries

_DUMP = "database.dump"
_MANIFEST = "manifest.json"


class BackupPosition(BaseModel):
    """The next offset of a partition at the moment of the backup."""

    model_config = ConfigDict(frozen=True)

    topic: str
    partition: int
    next_offset: int


class BackupManifest(BaseModel):
    """What a backup holds. Everything was read in the snapshot of the dump: positions and figures belong together."""

    model_config = ConfigDict(frozen=True)

    taken_at: AwareDatetime
    database: str
    postgres: int
    timescale: str
    migrations: int
    epoch: int
    batches: int
    audit_head: str
    positions: tuple[BackupPosition, ...]
    bytes: int
    sha256: str


class _BackedUpState(BaseModel):
    postgres: int
    timescale: str
    migrations: int
    epoch: int
    batches: int


@dataclass(frozen=True)
class Administrator:
    """Who may make a database with TimescaleDB in it: a superuser of PostgreSQL."""

    user: str
    password: SecretStr


def back_up(settings: Settings, directory: Path) -> BackupManifest:
    """Write a backup to a directory that does not exist yet, readable by its owner only; workers go on meanwhile.

    Raises ConfigError where the directory exists, FatalError with pg_dump's message where it fails.
    """
    if directory.exists():
        raise ConfigError(f"{directory} exists already; a backup gets a directory of its own")
    partial = directory.with_name(f".{directory.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o700, parents=True)
    with ExitStack() as unless_done:
        unless_done.callback(shutil.rmtree, partial, ignore_errors=True)
        with connect(settings, "owner", autocommit=True) as connection, translated_errors(), snapshot(connection):
            name = (
                connection.cursor(row_factory=scalar_row).execute(load_queries("backup")["export_snapshot"]).fetchone()
            )
            manifest = _describe(connection, settings)
            _run(
                "pg_dump",
                [
                    "--format=custom",
                    "--compress=3",
                    # The owner sees every row of tables with policies; without this, pg_dump refuses them.
                    "--enable-row-security",
                    f"--snapshot={name}",
                    f"--file={partial / _DUMP}",
                    settings.db_name,
                ],
                settings,
                Administrator(settings.db_owner_user, settings.db_owner_password),
            )
        dump = partial / _DUMP
        manifest = manifest.model_copy(update={"bytes": dump.stat().st_size, "sha256": _sha256(dump)})
        (partial / _MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
        for file in partial.iterdir():
            file.chmod(0o600)
            with file.open("rb") as written:
                os.fsync(written.fileno())
        partial.rename(directory)
        unless_done.pop_all()
    return manifest


def read_manifest(directory: Path) -> BackupManifest:
    """Read what a backup holds, and check that its dump is whole; raises ConfigError."""
    try:
        manifest = BackupManifest.model_validate_json((directory / _MANIFEST).read_bytes())
    except (OSError, ValidationError) as error:
        raise ConfigError(f"{directory} holds no backup: {_MANIFEST}: {error}") from error
    dump = directory / _DUMP
    if not dump.exists() or dump.stat().st_size != manifest.bytes or _sha256(dump) != manifest.sha256:
        raise ConfigError(f"{dump} is not what was backed up: its size or its hash differs; use another backup")
    return manifest


def restore(settings: Settings, directory: Path, database: str, administrator: Administrator) -> BackupManifest:
    """Restore a backup into a new database, and compare it with the manifest; the one in use is left as it is.

    Incidents, messages, approvals and revisions of figures get numbers above those that were given out since.
    The roles of the settings must exist. Raises ConfigError where the database exists, FatalError where the restore
    fails or does not hold what the manifest says; the new database is removed then.
    """
    manifest = read_manifest(directory)
    name = sql.Identifier(database)
    with _connect(settings, administrator, "postgres") as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone()
        if known is not None:
            raise ConfigError(f"database {database} exists already; restore into a new one, then set IOC_DB_NAME")
        owner = sql.Identifier(settings.db_owner_user)
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0").format(name, owner))
    own = settings.model_copy(update={"db_name": database})
    with ExitStack() as unless_done:
        unless_done.callback(_drop, settings, administrator, name)
        with _connect(settings, administrator, database) as connection:
            connection.execute("SET client_min_messages = warning")
            connection.execute("CREATE EXTENSION timescaledb")
            connection.execute("SELECT timescaledb_pre_restore()")
        _run(
            "pg_restore",
            ["--exit-on-error", f"--dbname={database}", str(directory / _DUMP)],
            settings,
            administrator,
        )
        with _connect(settings, administrator, database) as connection:
            connection.execute("SELECT timescaledb_post_restore()")
            connection.execute("ANALYZE")
        with connect(own, "owner", autocommit=True) as connection, translated_errors(), snapshot(connection):
            _compare(_describe(connection, own), manifest)
        with connect(own, "owner", autocommit=True) as connection, translated_errors():
            connection.execute(load_queries("backup")["advance_numbers"])
        unless_done.pop_all()
    return manifest


def _drop(settings: Settings, administrator: Administrator, name: sql.Identifier) -> None:
    with _connect(settings, administrator, "postgres") as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))


def _describe(connection: psycopg.Connection, settings: Settings) -> BackupManifest:
    queries = load_queries("backup")
    state = connection.cursor(row_factory=class_row(_BackedUpState)).execute(queries["select_state"]).fetchone()
    assert state is not None
    positions = connection.cursor(row_factory=class_row(BackupPosition)).execute(queries["select_positions"]).fetchall()
    return BackupManifest(
        taken_at=datetime.now(UTC),
        database=settings.db_name,
        **state.model_dump(),
        audit_head=verify_chain(read_chain(connection)).head,
        positions=tuple(positions),
        bytes=0,
        sha256="",
    )


def _compare(found: BackupManifest, wanted: BackupManifest) -> None:
    names = ("migrations", "epoch", "batches", "audit_head", "positions")
    if wrong := [name for name in names if getattr(found, name) != getattr(wanted, name)]:
        raise FatalError(
            f"what was restored is not what was backed up: {', '.join(wrong)} differ; the restore is undone"
        )


def _run(program: str, arguments: Sequence[str], settings: Settings, who: Administrator) -> None:
    beside = POSTGRES_BIN / program
    found = str(beside) if beside.exists() else shutil.which(program)
    if found is None:
        raise FatalError(f"{program} is not installed: install postgresql-client of the server's version")
    # Passwords and settings of TLS go through the environment: others see a command's arguments.
    environment = {**os.environ, "PGPASSWORD": who.password.get_secret_value(), "PGCONNECT_TIMEOUT": "10"}
    environment |= {f"PG{name.upper()}": value for name, value in settings.db_tls.items()}
    where = [f"--host={settings.db_host}", f"--port={settings.db_port}", f"--username={who.user}", "--no-password"]
    done = subprocess.run(
        [found, *where, *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise FatalError(f"{program} failed: {done.stderr.strip()[-2000:]}")


def _connect(settings: Settings, who: Administrator, database: str) -> psycopg.Connection[Any]:
    conninfo = psycopg.conninfo.make_conninfo(
        host=settings.db_host,
        port=settings.db_port,
        user=who.user,
        password=who.password.get_secret_value(),
        dbname=database,
        connect_timeout=settings.db_connect_timeout,
        **settings.db_tls,
    )
    try:
        return psycopg.connect(conninfo, autocommit=True)
    except psycopg.OperationalError as error:
        raise DatabaseUnavailableError(f"PostgreSQL, as {who.user}: {str(error).strip()}") from error


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
