"""The settings of the database: where it is, and a role and its password for each process."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from ioc.setting_type import Host, Name, Port


class DatabaseSettings(BaseSettings):
    """What `Settings` holds of PostgreSQL."""

    db_host: Host = Field("127.0.0.1", description="Host of PostgreSQL.")
    db_port: Port = Field(15432, description="Port of PostgreSQL.")
    db_name: Name = Field("ioc", description="Database.")
    db_owner_user: Name = Field("ioc_owner", description="Role that owns the schema; migrations run as it.")
    db_owner_password: SecretStr = Field(SecretStr("ioc-owner-local"), description="Password of the owner.")
    db_writer_user: Name = Field("ioc_writer", description="Role of commands that write rows.")
    db_writer_password: SecretStr = Field(SecretStr("ioc-writer-local"), description="Password of the writer.")
    db_worker_user: Name = Field("ioc_worker", description="Role of the workers: records, positions, refused events.")
    db_worker_password: SecretStr = Field(SecretStr("ioc-worker-local"), description="Password of the workers' role.")
    db_rollup_user: Name = Field("ioc_rollup", description="Role of the roll-up: sums and figures, no record.")
    db_rollup_password: SecretStr = Field(SecretStr("ioc-rollup-local"), description="Password of the roll-up's role.")
    db_scheduler_user: Name = Field(
        "ioc_scheduler", description="Role of the scheduler: statuses, incidents, messages; reads records."
    )
    db_scheduler_password: SecretStr = Field(
        SecretStr("ioc-scheduler-local"), description="Password of the scheduler's role."
    )
    db_api_user: Name = Field(
        "ioc_api", description="Role in which the API acts on incidents and enters receipts; it reads as the reader."
    )
    db_api_password: SecretStr = Field(SecretStr("ioc-api-local"), description="Password of the API's role.")
    db_reader_user: Name = Field("ioc_reader", description="Read-only role of the HTTP API and of commands.")
    db_reader_password: SecretStr = Field(SecretStr("ioc-reader-local"), description="Password of the reader.")
    db_grafana_user: Name = Field("ioc_grafana", description="Role of Grafana's data source: figures, no records.")
    db_grafana_password: SecretStr = Field(
        SecretStr("ioc-grafana-local"), description="Password of Grafana's role; Grafana itself reads this variable."
    )
    db_sslmode: Literal["disable", "prefer", "require", "verify-ca", "verify-full"] = Field(
        "prefer", description="TLS to PostgreSQL: disable, prefer, require, verify-ca or verify-full (libpq's words)."
    )
    db_sslrootcert: Path | None = Field(None, description="CA of PostgreSQL's certificate; needed for verify-….")
    db_connect_timeout: int = Field(5, ge=1, description="Seconds to wait for a connection.")
    db_statement_timeout: int = Field(120, ge=1, description="Seconds after which a worker's statement is cancelled.")

    @property
    def db_tls(self) -> dict[str, str]:
        """How libpq protects its connections, by its own names; `verify-full` checks the certificate and its host."""
        root = {} if self.db_sslrootcert is None else {"sslrootcert": str(self.db_sslrootcert)}
        return {"sslmode": self.db_sslmode, **root}
