"""The one reader of the environment.

Every value has a default that suits the local stack, so that a checkout runs with no environment at all.
What a service needs is passed to it; nothing else reads `os.environ`.
"""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Settings of all services; each is an environment variable `IOC_<NAME>` or a line of `.env`."""

    model_config = SettingsConfigDict(env_prefix="IOC_", env_file=".env", extra="ignore", frozen=True)

    # --- where things are -------------------------------------------------------------------------
    state_dir: Path = Field(ROOT / ".state", description="Data directories, logs and pid files of the local stack.")
    profile: Path = Field(
        ROOT / "ioc" / "profiles" / "ba_ria_vung_tau",
        description="Directory with a province's areas, reporters, targets and catalogue.",
    )
    timezone: str = Field("Asia/Ho_Chi_Minh", description="Time zone of business days.")

    # --- Kafka ------------------------------------------------------------------------------------
    kafka_bootstrap: str = Field("127.0.0.1:19092", description="host:port[,host:port] of the brokers.")
    kafka_controller_port: int = Field(19093, description="Port of the local stack's Kafka controller.")
    kafka_security_protocol: str = Field("PLAINTEXT", description="PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL.")
    kafka_sasl_mechanism: str = Field("SCRAM-SHA-512", description="Used with a SASL protocol.")
    kafka_sasl_username: str = Field("", description="Used with a SASL protocol.")
    kafka_sasl_password: SecretStr = Field(SecretStr(""), description="Used with a SASL protocol.")
    kafka_ssl_cafile: Path | None = Field(None, description="CA bundle of the brokers' certificates.")
    kafka_partitions: int = Field(6, ge=1, description="Partitions of a feed's topic when it is created.")
    kafka_replication: int = Field(1, ge=1, description="Replication factor of a topic when it is created.")
    kafka_retention_days: int = Field(14, ge=0, description="Days a new topic keeps events; 0 = without end.")
    topic_prefix: str = Field("ioc", pattern=r"^[a-z][a-z0-9-]*$", description="First part of every topic's name.")
    consumer_group: str = Field("ioc-streams", description="Consumer group (and Faust application id) of the workers.")

    # --- PostgreSQL -------------------------------------------------------------------------------
    db_host: str = Field("127.0.0.1", description="Host of PostgreSQL.")
    db_port: int = Field(15432, description="Port of PostgreSQL.")
    db_name: str = Field("ioc", description="Database.")
    db_owner_user: str = Field("ioc_owner", description="Role that owns the schema; migrations run as it.")
    db_owner_password: SecretStr = Field(SecretStr("ioc-owner-local"), description="Password of the owner.")
    db_writer_user: str = Field("ioc_writer", description="Role of the workers.")
    db_writer_password: SecretStr = Field(SecretStr("ioc-writer-local"), description="Password of the writer.")
    db_reader_user: str = Field("ioc_reader", description="Read-only role of dashboards and of the HTTP API.")
    db_reader_password: SecretStr = Field(SecretStr("ioc-reader-local"), description="Password of the reader.")
    db_connect_timeout: int = Field(5, ge=1, description="Seconds to wait for a connection.")
    db_statement_timeout: int = Field(120, ge=1, description="Seconds after which a worker's statement is cancelled.")

    # --- HTTP gateway -----------------------------------------------------------------------------
    gateway_host: str = Field("127.0.0.1", description="Address the gateway listens on.")
    gateway_port: int = Field(18080, description="Port the gateway listens on.")
    gateway_max_body: int = Field(4 * 1024 * 1024, description="Largest request body in bytes (413 above).")
    gateway_max_events: int = Field(1000, description="Most events of one batch (413 above).")
    gateway_rate: float = Field(5000.0, description="Events a second that one token may send (429 above).")
    gateway_burst: float = Field(20000.0, description="Events a token may send at once.")
    gateway_produce_timeout: float = Field(10.0, description="Seconds to wait for Kafka's acknowledgement (503 after).")
    token_file: Path = Field(ROOT / ".state" / "tokens.json", description="Hashed tokens of the sector systems.")
    publish_token: SecretStr = Field(SecretStr(""), description="Token that `ioc publish` sends.")

    # --- HTTP API ---------------------------------------------------------------------------------
    api_host: str = Field("127.0.0.1", description="Address the read-only API listens on.")
    api_port: int = Field(18082, description="Port the read-only API listens on.")
    api_rate: float = Field(20.0, gt=0, description="Requests a second that one token may make (429 above).")
    api_burst: float = Field(100.0, gt=0, description="Requests a token may make at once.")
    api_connections: int = Field(4, ge=1, description="Most connections of the API to PostgreSQL.")
    api_timeout: int = Field(15, ge=1, description="Seconds that an answer may take (504 after).")

    # --- worker -----------------------------------------------------------------------------------
    worker_port: int = Field(16066, description="Port of a worker's liveness, readiness and metrics; 0 = any free.")
    worker_fetch_records: int = Field(10_000, ge=1, description="Most records of one fetch.")
    worker_whole_fetch: bool = Field(True, description="Deliver a whole fetch as one message; false = stock Faust.")
    worker_session_timeout: float = Field(10.0, description="Seconds after which the group gives a silent worker up.")
    worker_stall_timeout: float = Field(150.0, description="Seconds without progress after which a worker ends itself.")
    fault: str = Field("", description="Tests only: `point[:passes]` at which the worker kills itself.")
    rollup_interval: float = Field(0.5, gt=0, description="Seconds between two folds of contributions into cells.")
    rollup_port: int = Field(16067, description="Port of the roll-up's liveness and metrics; 0 = any free.")

    # --- rules ------------------------------------------------------------------------------------
    pseudonym_key: SecretStr = Field(
        SecretStr("local-demo-key-replace-me"),
        description="HMAC key of pseudonyms; one per province, kept secret.",
    )
    pseudonym_key_id: str = Field("k1", description="Name of the key, stored beside each pseudonym.")
    earliest_business_date: str = Field("2000-01-01", description="Events before it are rejected as implausible.")
    future_tolerance_days: int = Field(1, ge=0, description="Events further in the future are rejected.")

    # --- logging and Grafana ----------------------------------------------------------------------
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR.")
    log_json: bool = Field(False, description="One JSON object a line instead of readable lines.")
    grafana_url: str = Field(
        "",
        validation_alias=AliasChoices("grafana_url", "IOC_GRAFANA_URL", "GRAFANA_URL"),
        description="Address of a Grafana server; empty = none (files are still built). GRAFANA_URL is read too.",
    )
    grafana_token: SecretStr = Field(
        SecretStr(""),
        validation_alias=AliasChoices("grafana_token", "IOC_GRAFANA_TOKEN", "GRAFANA_TOKEN"),
        description="Service-account token for Grafana's API. GRAFANA_TOKEN is read too.",
    )
    alert_webhook_url: str = Field("http://127.0.0.1:18081/alerts", description="Where Grafana sends alerts.")
    alert_email: str = Field("ioc@example.invalid", description="Addresses of the alert e-mails, comma-separated.")

    @cached_property
    def kafka_security(self) -> dict[str, object]:
        """Security options under the names that kafka-python and aiokafka share."""
        options: dict[str, object] = {"security_protocol": self.kafka_security_protocol}
        if self.kafka_security_protocol.startswith("SASL"):
            options["sasl_mechanism"] = self.kafka_sasl_mechanism
            options["sasl_plain_username"] = self.kafka_sasl_username
            options["sasl_plain_password"] = self.kafka_sasl_password.get_secret_value()
        return options

    def to_environment(self) -> dict[str, str]:
        """The environment for a child process that shall see exactly these settings."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("IOC_")}
        for name, value in self:
            if value is not None:
                secret = isinstance(value, SecretStr)
                environment[f"IOC_{name.upper()}"] = value.get_secret_value() if secret else str(value)
        return environment
