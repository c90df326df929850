"""PostgreSQL 15 with TimescaleDB for the local stack: a cluster of its own, beside the system's."""

from __future__ import annotations

import hashlib
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
from pathlib import Path
from typing import Final, LiteralString

import psycopg
from psycopg import sql
from pydantic import SecretStr

from deploy.local.files import LOCAL, POSTGRES_BIN
from deploy.local.process import Address, BackgroundProcess, wait_until
from ioc.database.connection import ROLES, role_name, role_password
from ioc.errors import ConfigError, FatalError
from ioc.settings import Settings

_LOOPBACK: Final = ("127.0.0.1", "localhost")
_SUPERUSER: Final = "postgres"
# PostgreSQL refuses to run as root; Debian's package brings this user along.
_SYSTEM_USER: Final = "postgres"
_ROOTS_HOME: Final = Path("/var/lib/ioc-local")


class PostgresServer:
    """The server behind `IOC_DB_HOST` and `IOC_DB_PORT`; data below `IOC_STATE_DIR`/postgres."""

    name = "postgres"

    def __init__(self, settings: Settings) -> None:
        if settings.db_host not in _LOOPBACK:
            raise ConfigError(
                f"The local stack cannot start PostgreSQL on {settings.db_host!r}: "
                "set IOC_DB_HOST to 127.0.0.1, or use your own server without `make up`."
            )
        self._settings = settings
        self._address = Address("127.0.0.1", settings.db_port, "IOC_DB_PORT")
        self._dir = settings.state_dir.absolute() / "postgres"
        self._user = _SYSTEM_USER if os.geteuid() == 0 else None
        self._process = BackgroundProcess(self.name, settings.state_dir.absolute())

    @property
    def pid(self) -> int | None:
        return self._process.pid

    @property
    def address(self) -> str:
        return f"{self._address.host}:{self._address.port}"

    @property
    def log(self) -> Path:
        return self._process.log

    @property
    def home(self) -> Path:
        """Where the cluster is kept.

        As root the server runs as another user, who may be unable to reach a checkout below /root. Only then it is
        kept below /var/lib, where none but root can make anything, under a name that belongs to this state directory.
        """
        if self._user is None or reachable_by_all(self._dir):
            return self._dir
        digest = hashlib.sha256(str(self._dir).encode()).hexdigest()[:12]
        return _ROOTS_HOME / f"postgres-{digest}"

    @property
    def notice(self) -> str | None:
        """What the operator should know about where the data is, when it is not in the state directory."""
        if self.home == self._dir:
            return None
        return (
            f"PostgreSQL keeps its data in {self.home}: it runs as the user {self._user!r}, "
            f"who cannot reach {self._dir}."
        )

    def start(self, timeout: float = 60.0) -> None:
        """Start, wait until it answers, and make roles and database; what is there already stays.

        Raises `ConfigError` for a port in use, `FatalError` when it does not come up.
        """
        if self.pid is None:
            self._require_binaries()
            self._address.require_free("PostgreSQL")
            self._initialise()
            self._release()
            self._process.start([POSTGRES_BIN / "postgres", "-D", self._data], user=self._user)
        self._process.wait_ready(self.is_ready, timeout)
        self._provide()

    def stop(self) -> None:
        """Shut down fast: open transactions are rolled back, the data is left clean."""
        self._process.stop(signal.SIGINT)

    def kill(self) -> None:
        """SIGKILL, to the server and all its backends; the next start recovers from the log."""
        self._process.kill()

    def is_ready(self) -> bool:
        """Whether the server accepts connections."""
        asked = [
            str(POSTGRES_BIN / "pg_isready"),
            "-q",
            "-h",
            self._address.host,
            "-p",
            str(self._address.port),
        ]
        return subprocess.run(asked, check=False).returncode == 0

    def purge(self) -> None:
        """Stop and delete the cluster."""
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    @property
    def _data(self) -> Path:
        return self.home / "data"

    @property
    def _password_file(self) -> Path:
        return self.home / "superuser"

    def _require_binaries(self) -> None:
        if not (POSTGRES_BIN / "initdb").exists():
            raise FatalError("PostgreSQL 15 is not installed: run `make setup`.")
        if self._user:
            try:
                pwd.getpwnam(self._user)
            except KeyError:
                raise FatalError(
                    f"PostgreSQL refuses to run as root, and the system user {self._user!r} is missing: "
                    "run `make setup`, or work as an ordinary user."
                ) from None

    def _initialise(self) -> None:
        """Make the cluster when there is none; address and tuning follow the settings at every start."""
        self.home.mkdir(parents=True, exist_ok=True)
        # At every start: a cluster that is there already may be the one that somebody else has prepared.
        require_own(self.home)
        if not (self._data / "PG_VERSION").exists():
            # What a failed attempt left is removed rather than used: nothing is written through a link.
            self._password_file.unlink(missing_ok=True)
            if self._data.is_symlink() or self._data.exists():
                raise FatalError(f"{self._data} holds no cluster of PostgreSQL and is not empty space: remove it.")
            self._data.mkdir(mode=0o700)
            write_secret(self._password_file, secrets.token_urlsafe(24))
            if self._user:
                shutil.chown(self._data, self._user, self._user)
                shutil.chown(self._password_file, self._user, self._user)
            self._initdb()
        tuning = (LOCAL / "postgres.conf").read_text()
        address = f"listen_addresses = '{self._address.host}'\nport = {self._address.port}\n"
        config = self._data / "ioc.conf"
        config.write_text(tuning + address)
        if self._user:
            shutil.chown(config, self._user, self._user)

    def _initdb(self) -> None:
        options = ["--encoding=UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256", f"--username={_SUPERUSER}"]
        made = subprocess.run(
            [POSTGRES_BIN / "initdb", "-D", self._data, *options, f"--pwfile={self._password_file}"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            user=self._user,
            group=self._user,
            extra_groups=() if self._user else None,
            cwd=self._data,
            check=False,
        )
        if made.returncode != 0:
            shutil.rmtree(self._data, ignore_errors=True)
            raise FatalError(f"initdb failed in {self._data}: {made.stderr.strip()}")
        with (self._data / "postgresql.conf").open("a") as config:
            config.write("include 'ioc.conf'\n")

    def _release(self) -> None:
        """Make the data free after a server that was killed.

        Its backends hold the shared memory until they notice, within moments. Its lock file stays, and
        PostgreSQL honours it for as long as any process has that number, a zombie or a stranger.
        """
        if not wait_until(lambda: not self._is_in_use(), timeout=10.0):
            raise FatalError(f"Another PostgreSQL is at work in {self._data}: stop it, then start again.")
        (self._data / "postmaster.pid").unlink(missing_ok=True)

    def _is_in_use(self) -> bool:
        """Whether any process works in the data directory, which all of a server's processes do."""
        data = self._data.resolve()
        for process in Path("/proc").glob("[0-9]*/cwd"):
            try:
                if process.readlink() == data:
                    return True
            except OSError:  # it ended meanwhile, or is another user's
                continue
        return False

    def _provide(self) -> None:
        """The roles and the database of the settings, with the extension."""
        settings = self._settings
        with self._connect("postgres") as connection:
            for role in ROLES:
                rights: tuple[LiteralString, ...] = ("CREATEDB",) if role == "owner" else ()
                self._role(connection, role_name(settings, role), role_password(settings, role), *rights)
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [settings.db_name])
            if known.fetchone() is None:
                names = sql.Identifier(settings.db_name), sql.Identifier(settings.db_owner_user)
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(*names))
        with self._connect(settings.db_name) as connection:
            connection.execute("SET client_min_messages = warning")  # the extension greets with a banner
            connection.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")

    def _role(
        self,
        connection: psycopg.Connection[tuple[object, ...]],
        name: str,
        password: SecretStr,
        *rights: LiteralString,
    ) -> None:
        known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone()
        connection.execute(
            sql.SQL("{verb} ROLE {name} LOGIN PASSWORD {password} {rights}").format(
                verb=sql.SQL("ALTER" if known else "CREATE"),
                name=sql.Identifier(name),
                password=sql.Literal(password.get_secret_value()),
                rights=sql.SQL(" ").join(map(sql.SQL, rights)),
            )
        )

    def _connect(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host=self._address.host,
            port=self._address.port,
            user=_SUPERUSER,
            password=self._password_file.read_text(),
            dbname=database,
            autocommit=True,
            connect_timeout=self._settings.db_connect_timeout,
        )


def require_own(directory: Path) -> None:
    """Raises `FatalError` when a directory is a link, another user's, or may be changed by others.

    Whoever may write there could have prepared the cluster that is about to be started.
    """
    state = directory.lstat()
    # A umask of 002 lets the group write, too: that is the user's own one, unless the directory was given to another.
    others = stat.S_IWOTH | (stat.S_IWGRP if state.st_gid != os.getegid() else 0)
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.geteuid() or state.st_mode & others:
        raise FatalError(
            f"{directory} is a link, belongs to another user, or may be changed by others: look at what it holds, "
            "remove it, and start again."
        )


def write_secret(file: Path, text: str) -> None:
    """Write a new file that only its owner may read; raises `FileExistsError` for one that is there, or a link."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)


def reachable_by_all(directory: Path) -> bool:
    """Whether every existing directory on the way lets any user through."""
    way = [parent for parent in (directory, *directory.parents) if parent.exists()]
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in way)
