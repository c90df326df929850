"""Connections to PostgreSQL, by role, with every wait bounded; and the translation of its errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal, get_args

import psycopg
from psycopg import errors as pg_errors
from pydantic import SecretStr

from ioc.errors import ConcurrentWriteError, DatabaseUnavailableError, FatalError, UnstorableError
from ioc.settings import Settings

# A process writes as a role of its own; `writer` is for commands, `reader` for all that only reads.
Role = Literal["owner", "writer", "worker", "rollup", "scheduler", "api", "reader", "grafana"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)


def role_name(settings: Settings, role: Role) -> str:
    """Return the name that a role has in the server."""
    name = getattr(settings, f"db_{role}_user")
    assert isinstance(name, str)
    return name


def role_password(settings: Settings, role: Role) -> SecretStr:
    """Return a role's password; empty where this process has none of it."""
    password = getattr(settings, f"db_{role}_password")
    assert isinstance(password, SecretStr)
    return password


def conninfo(settings: Settings, role: Role, *, database: str | None = None) -> str:
    """Return libpq's connection string for a role."""
    user = role_name(settings, role)
    password = role_password(settings, role)
    return psycopg.conninfo.make_conninfo(
        host=settings.db_host,
        port=settings.db_port,
        dbname=database or settings.db_name,
        user=user,
        password=password.get_secret_value(),
        **settings.db_tls,
        connect_timeout=settings.db_connect_timeout,
        application_name=f"ioc-{role}",
        # A peer that vanished is noticed within about 15 s instead of the system's two hours.
        keepalives_idle=5,
        keepalives_interval=5,
        keepalives_count=2,
        # Statements with an expression for every measure take longer to compile than to run: the proof of a month of
        # 177 measures compiled for over an hour, and a compilation heeds neither a timeout nor a cancellation.
        options=f"-c statement_timeout={settings.db_statement_timeout}s -c timezone=UTC -c jit=off",
    )


def connect(
    settings: Settings, role: Role, *, autocommit: bool = False, database: str | None = None
) -> psycopg.Connection:
    """Open a connection; raises `DatabaseUnavailableError` when the server is away."""
    try:
        return psycopg.connect(conninfo(settings, role, database=database), autocommit=autocommit)
    except psycopg.OperationalError as error:
        raise DatabaseUnavailableError(
            f"cannot connect to PostgreSQL at {settings.db_host}:{settings.db_port}, database "
            f"{database or settings.db_name}: {str(error).strip()}. Is it running (`ioc stack status`), "
            "and are IOC_DB_HOST, IOC_DB_PORT and the passwords right?"
        ) from error


@contextmanager
def snapshot(connection: psycopg.Connection) -> Iterator[None]:
    """Read everything within from one snapshot; the connection must be in autocommit mode, and idle."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raise the project's errors in place of psycopg's: what may be tried again, and what may not."""
    try:
        yield
    except (pg_errors.UniqueViolation, pg_errors.SerializationFailure, pg_errors.DeadlockDetected) as error:
        raise ConcurrentWriteError(f"another writer changed the same rows: {error.diag.message_primary}") from error
    except (pg_errors.UndefinedTable, pg_errors.UndefinedColumn, pg_errors.InsufficientPrivilege) as error:
        raise FatalError(f"{error.diag.message_primary}. Run `ioc db migrate`.") from error
    except (
        psycopg.DataError,
        psycopg.IntegrityError,
        psycopg.InternalError,
        pg_errors.ProgramLimitExceeded,
        pg_errors.StatementTooComplex,
    ) as error:
        raise UnstorableError(f"PostgreSQL: {error.diag.message_primary or str(error).strip()}") from error
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise DatabaseUnavailableError(f"PostgreSQL: {str(error).strip()}") from error
