"""The one reader of the environment.

Every value has a default that suits the local stack, so that a checkout runs with no environment at all. Each is
checked when it is read: a wrong one ends a process at once, with its name and what it may be.
What a service needs is passed to it; nothing else reads `os.environ`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, DotEnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from ioc.setting_database import DatabaseSettings
from ioc.setting_secret import SECRETS_OF, SHIPPED_SECRETS
from ioc.setting_trace import TraceSettings
from ioc.setting_type import (
    Host,
    KeyName,
    LogLevel,
    MailAddresses,
    Name,
    OldKeyName,
    Port,
    PortOrAny,
    Rate,
    Seconds,
    Servers,
    Url,
    address_of,
    is_loopback,
)

ROOT = Path(__file__).resolve().parent.parent


def is_checkout(root: Path = ROOT) -> bool:
    """Whether the code runs from a checkout of the project, not from an installed package."""
    return (root / "pyproject.toml").is_file()


def state_home(root: Path = ROOT) -> Path:
    """Return the directory for data, logs and tokens where no setting names one; never inside an installed package.

    `.state/` of a checkout. Of an installed package `/var/lib/ioc` for root, otherwise `$XDG_STATE_HOME/ioc`, which is
    `~/.local/state/ioc` by default (XDG Base Directory Specification 0.8: a relative path is ignored).
    """
    if is_checkout(root):
        return root / ".state"
    if os.geteuid() == 0:
        return Path("/var/lib/ioc")
    told = Path(os.environ.get("XDG_STATE_HOME", ""))
    return (told if told.is_absolute() else Path.home() / ".local" / "state") / "ioc"


# Names the file of settings; empty = none. Tests and child processes get all settings from the environment.
ENV_FILE = "IOC_ENV_FILE"


class Settings(TraceSettings, DatabaseSettings):
    """Settings of all services; each is an environment variable `IOC_<NAME>` or a line of `.env`."""

    model_config = SettingsConfigDict(env_prefix="IOC_", env_file=".env", extra="ignore", frozen=True)

    # --- where things are -------------------------------------------------------------------------
    state_dir: Path = Field(
        default_factory=state_home,
        description="Data directories, logs and pid files of the local stack; of an installed package "
        "`/var/lib/ioc` (root) or `$XDG_STATE_HOME/ioc`.",
    )
    profile: Path = Field(
        ROOT / "ioc" / "profiles" / "ba_ria_vung_tau",
        description="Directory with a province's areas, reporters, targets and catalogue.",
    )
    business_day: Literal["auto", "clock", "data"] = Field(
        "auto",
        description="Which day is today for statuses: the clock's, or the newest one with data (simulated provinces "
        "live in the past); auto = the profile says.",
    )

    # --- Kafka ------------------------------------------------------------------------------------
    kafka_bootstrap: Servers = Field("127.0.0.1:19092", description="host:port[,host:port] of the brokers.")
    kafka_controller_port: Port = Field(19093, description="Port of the local stack's Kafka controller.")
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL."
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512; used with a SASL protocol."
    )
    kafka_sasl_username: str = Field("", description="Used with a SASL protocol.")
    kafka_sasl_password: SecretStr = Field(SecretStr(""), description="Used with a SASL protocol.")
    kafka_ssl_cafile: Path | None = Field(None, description="CA bundle of the brokers' certificates.")
    kafka_ssl_certfile: Path | None = Field(None, description="Certificate that this process shows to the brokers.")
    kafka_ssl_keyfile: Path | None = Field(None, description="Key of that certificate, readable by the process only.")
    kafka_partitions: int = Field(6, ge=1, description="Partitions of a feed's topic when it is created.")
    kafka_replication: int = Field(1, ge=1, description="Replication factor of a topic when it is created.")
    kafka_retention_days: int = Field(14, ge=0, description="Days a new topic keeps events; 0 = without end.")
    topic_prefix: str = Field("ioc", pattern=r"^[a-z][a-z0-9-]*$", description="First part of every topic's name.")
    consumer_group: Name = Field("ioc-streams", description="Consumer group (and Faust application id) of the workers.")

    # --- HTTP gateway -----------------------------------------------------------------------------
    gateway_host: Host = Field("127.0.0.1", description="Address the gateway listens on.")
    gateway_port: Port = Field(18080, description="Port the gateway listens on.")
    gateway_url: Url = Field(
        "",
        description="Address at which sector systems, and the API's page for them, reach the gateway; empty = "
        "`IOC_GATEWAY_HOST` and `IOC_GATEWAY_PORT`.",
    )
    gateway_tls_certfile: Path | None = Field(
        None, description="Certificate, with its chain, that the gateway shows; empty = a proxy before it ends TLS."
    )
    gateway_tls_keyfile: Path | None = Field(None, description="Key of that certificate, readable by the gateway only.")
    gateway_max_body: int = Field(4 * 1024 * 1024, ge=1024, description="Largest request body in bytes (413 above).")
    gateway_max_file: int = Field(
        64 * 1024 * 1024, ge=1024, description="Largest file in bytes that `POST /v1/feeds/...` takes (413 above)."
    )
    gateway_max_events: int = Field(1000, ge=1, description="Most events of one batch (413 above).")
    gateway_rate: Rate = Field(5000.0, description="Events a second that one token may send (429 above).")
    gateway_burst: Rate = Field(20000.0, description="Events a token may send at once.")
    gateway_produce_timeout: Seconds = Field(
        10.0, description="Seconds to wait for Kafka's acknowledgement (503 after)."
    )
    token_file: Path = Field(
        default_factory=lambda: state_home() / "tokens.json",
        description="Hashed tokens of the sector systems; as the state directory, of an installed package elsewhere.",
    )
    publish_token: SecretStr = Field(SecretStr(""), description="Token that `ioc publish` sends.")

    # --- file drop --------------------------------------------------------------------------------
    drop_dir: Path = Field(
        ROOT / ".state" / "drop", description="Directory whose sub-directories, one a feed, `ioc drop run` watches."
    )
    drop_settle: float = Field(10.0, ge=0, description="Seconds without a change after which a dropped file is whole.")
    drop_interval: float = Field(5.0, gt=0, description="Seconds between two looks at the directories.")

    # --- pollers ----------------------------------------------------------------------------------
    poller_secrets: Path = Field(
        default_factory=lambda: state_home() / "poller-secrets",
        description="Directory with a file for each key or password that the profile's `pollers.toml` names.",
    )

    # --- both HTTP services -----------------------------------------------------------------------
    http_requests: int = Field(
        128, ge=1, description="Requests that gateway and API each work on at once (503 above; /live always answers)."
    )

    # --- HTTP API ---------------------------------------------------------------------------------
    api_host: Host = Field("127.0.0.1", description="Address the read-only API listens on.")
    api_port: Port = Field(18082, description="Port the read-only API listens on.")
    api_url: Url = Field(
        "",
        description="Address at which the gateway reaches the API, which answers for receipts; empty = `IOC_API_HOST` "
        "and `IOC_API_PORT`.",
    )
    api_rate: Rate = Field(20.0, description="Requests a second that one token may make (429 above).")
    api_burst: Rate = Field(100.0, description="Requests a token may make at once.")
    api_connections: int = Field(4, ge=1, description="Most connections of the API to PostgreSQL.")
    api_timeout: int = Field(15, ge=1, description="Seconds that an answer may take (504 after).")
    public_url: str = Field(
        "",
        pattern=r"^$|^https?://[^/?#\s]+$",
        description="Address at which people open the pages, such as https://ioc.example.vn; empty = the API's own.",
    )
    link_key: SecretStr = Field(
        SecretStr("ioc-local-link-key"), description="Key of signed links, sessions and forms of the pages."
    )
    link_hours: int = Field(72, ge=1, le=24 * 31, description="Hours that a signed link opens the pages.")
    session_hours: int = Field(
        12, ge=1, le=24 * 31, description="Hours until who signed in with a token signs in again."
    )

    # --- worker -----------------------------------------------------------------------------------
    worker_port: PortOrAny = Field(
        16066, description="Port of a worker's liveness, readiness and metrics; 0 = any free."
    )
    worker_fetch_records: int = Field(10_000, ge=1, description="Most records of one fetch.")
    worker_linger: float = Field(
        0.25,
        ge=0,
        le=10,
        description="Seconds that few events wait for more before they are parsed and stored together.",
    )
    worker_whole_fetch: bool = Field(True, description="Deliver a whole fetch as one message; false = stock Faust.")
    worker_session_timeout: Seconds = Field(10.0, description="Seconds after which the group gives a silent worker up.")
    worker_stall_timeout: Seconds = Field(
        150.0, description="Seconds without progress after which a worker ends itself."
    )
    fault: str = Field("", description="Tests only: `point[:passes]` at which a process kills itself.")
    rollup_interval: Seconds = Field(
        0.5, description="Seconds between two looks for contributions; workers wake it earlier."
    )
    rollup_port: PortOrAny = Field(16067, description="Port of the roll-up's liveness and metrics; 0 = any free.")
    scheduler_interval: Seconds = Field(5.0, description="Seconds between two looks at statuses and incidents.")
    scheduler_port: PortOrAny = Field(16068, description="Port of the scheduler's liveness and metrics; 0 = any free.")
    figure_changes: bool = Field(True, description="Publish changes of figures on the topic `ioc.figure.v1`.")
    figure_change_interval: Seconds = Field(
        10.0, description="Seconds between two relays of changed figures; two changes in between give one event."
    )
    small_cell_below: int = Field(
        5,
        ge=0,
        description="Health counts of persons below this are hidden from readers (0 = none), by `ioc profile load`.",
    )
    reconcile_minutes: int = Field(30, ge=1, description="Minutes between two windows that the scheduler recomputes.")

    # --- retention --------------------------------------------------------------------------------
    retention_rejected_event_days: int = Field(
        365, ge=0, description="Days that refused events are kept for replay; 0 = without end."
    )
    retention_stream_batch_days: int = Field(
        1096, ge=0, description="Days that the account of each batch is kept; 0 = without end."
    )
    retention_stream_gap_days: int = Field(
        1096, ge=0, description="Days that gaps in Kafka's logs are kept; 0 = without end."
    )
    retention_record_revision_days: int = Field(
        0, ge=0, description="Days that replaced revisions are kept; 0 = without end: past views need them."
    )
    retention_indicator_status_change_days: int = Field(
        1096, ge=0, description="Days that changes of an indicator's status are kept; 0 = without end."
    )
    retention_figure_snapshot_days: int = Field(
        400,
        ge=0,
        description="Days that figures at the close of a day are kept; 0 = without end. Older ones are computed anew.",
    )
    retention_quality_snapshot_days: int = Field(
        1096, ge=0, description="Days that quality at the close of a day is kept; 0 = without end."
    )

    # --- rules ------------------------------------------------------------------------------------
    pseudonym_key: SecretStr = Field(
        SecretStr("local-demo-key-replace-me"),
        description="HMAC key of pseudonyms; one per province, kept secret.",
    )
    pseudonym_key_id: KeyName = Field("k1", description="Name of the key, stored beside each pseudonym.")
    pseudonym_key_from: date | None = Field(
        None, description="First day of the key's records while keys rotate; earlier ones use the previous key."
    )
    pseudonym_previous_key: SecretStr = Field(SecretStr(""), description="The key before, while keys rotate.")
    pseudonym_previous_key_id: OldKeyName = Field("", description="Name of the key before.")
    earliest_business_date: date = Field(date(2000, 1, 1), description="Events before it are rejected as implausible.")
    future_tolerance_days: int = Field(1, ge=0, le=366, description="Events further in the future are rejected.")
    clock_tolerance: float = Field(
        600.0, ge=0, le=86_400, description="Seconds that an event's `time` or `revision` may be ahead of now."
    )

    # --- logging and Grafana ----------------------------------------------------------------------
    log_level: LogLevel = Field("INFO", description="DEBUG, INFO, WARNING or ERROR.")
    log_json: bool = Field(False, description="One JSON object a line instead of readable lines.")
    grafana_url: Url = Field(
        "",
        validation_alias=AliasChoices("grafana_url", "IOC_GRAFANA_URL", "GRAFANA_URL"),
        description="Address of a Grafana server; empty = none (files are still built). GRAFANA_URL is read too.",
    )
    grafana_token: SecretStr = Field(
        SecretStr(""),
        validation_alias=AliasChoices("grafana_token", "IOC_GRAFANA_TOKEN", "GRAFANA_TOKEN"),
        description="Service-account token for Grafana's API. GRAFANA_TOKEN is read too.",
    )
    alert_webhook_url: Url = Field("http://127.0.0.1:18081/alerts", description="Where Grafana sends alerts.")
    alert_email: MailAddresses = Field(
        "ioc@example.invalid", description="Addresses of the alert e-mails, comma-separated."
    )

    receipt_token: SecretStr = Field(
        SecretStr(""),
        description="Token with which Grafana reports to the API what it sent to whom; empty = it does not.",
    )

    # --- messages of the platform's own -----------------------------------------------------------
    smtp_host: str = Field("", description="Mail server of digests; empty = no e-mail.")
    smtp_port: Port = Field(587, description="Port of the mail server.")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="How the talk with the mail server is kept secret: starttls, tls or none."
    )
    smtp_user: str = Field("", description="User of the mail server; empty = no sign-in.")
    smtp_password: SecretStr = Field(SecretStr(""), description="Password of the mail server.")
    mail_from: MailAddresses = Field("ioc@example.invalid", description="Sender of the platform's e-mails.")
    digest_webhook_url: Url = Field(
        "", description="Where digests of leaders without a webhook of their own are posted; empty = nowhere."
    )
    telegram_token: SecretStr = Field(SecretStr(""), description="Token of the Telegram bot; empty = no Telegram.")
    telegram_url: Url = Field("https://api.telegram.org", description="Address of Telegram's Bot API.")
    zalo_app_id: str = Field("", description="Application of the Zalo Official Account; empty = no Zalo.")
    zalo_app_secret: SecretStr = Field(SecretStr(""), description="Secret key of the Zalo application.")
    zalo_refresh_token: SecretStr = Field(
        SecretStr(""),
        description="First refresh token of the Official Account; its successors are kept in `zalo-token.json` of the "
        "state directory.",
    )
    zalo_url: Url = Field("https://openapi.zalo.me", description="Address of Zalo's Official Account API.")
    zalo_oauth_url: Url = Field("https://oauth.zaloapp.com", description="Address at which Zalo renews tokens.")

    @cached_property
    def kafka_security(self) -> dict[str, object]:
        """Security options under the names that kafka-python and aiokafka share."""
        options: dict[str, object] = {"security_protocol": self.kafka_security_protocol}
        if self.kafka_security_protocol.startswith("SASL"):
            options["sasl_mechanism"] = self.kafka_sasl_mechanism
            options["sasl_plain_username"] = self.kafka_sasl_username
            options["sasl_plain_password"] = self.kafka_sasl_password.get_secret_value()
        return options

    @property
    def api_address(self) -> str:
        """Address at which other processes reach the API: `api_url`, or where it listens on this machine."""
        return self.api_url or address_of(self.api_host, self.api_port)

    @property
    def gateway_address(self) -> str:
        """Address at which others reach the gateway: `gateway_url`, or where it listens on this machine."""
        own = address_of(self.gateway_host, self.gateway_port)
        return self.gateway_url or (own.replace("http:", "https:", 1) if self.gateway_tls_certfile else own)

    @model_validator(mode="after")
    def _keep_shipped_secrets_inside(self) -> Self:
        """Refuse passwords and keys that everyone knows as soon as anything is reachable from, or lies, outside."""
        outside = [f"IOC_{name.upper()}={value}" for name, value in self._reachable() if not is_loopback(value)]
        known = [name for name in SHIPPED_SECRETS if getattr(self, name) == type(self).model_fields[name].default]
        if outside and known:
            raise ValueError(
                f"{', '.join(f'IOC_{name.upper()}' for name in known)}: still the value that comes with the project, "
                f"which everyone knows, while {', '.join(outside)} is not only on this machine. Set each to a secret "
                "of your own; leave those empty that this process does not need"
            )
        return self

    def _reachable(self) -> Iterator[tuple[str, str]]:
        for server in self.kafka_bootstrap.split(","):
            yield "kafka_bootstrap", server.rpartition(":")[0].strip("[]")
        for name in ("db_host", "gateway_host", "api_host"):
            yield name, getattr(self, name)
        urls = [
            "api_url",
            "gateway_url",
            "public_url",
            "grafana_url",
            "alert_webhook_url",
            "digest_webhook_url",
            "trace_url",
        ]
        # The addresses of Telegram and Zalo are set by default, and are used once there is a key for them.
        urls += ["telegram_url"] if self.telegram_token.get_secret_value() else []
        urls += ["zalo_url", "zalo_oauth_url"] if self.zalo_app_id else []
        for name in urls:
            if url := getattr(self, name):
                yield name, urlsplit(url).hostname or ""
        if self.smtp_host:
            yield "smtp_host", self.smtp_host

    def to_environment(self, service: str | None = None) -> dict[str, str]:
        """The environment for a child process that shall see exactly these settings.

        service: the child is this one, and is told no secret but those that it needs.
        """
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("IOC_", "GRAFANA_"))}
        environment[ENV_FILE] = ""
        for name, value in self:
            if isinstance(value, SecretStr):
                needed = service is None or name in SECRETS_OF[service]
                environment[f"IOC_{name.upper()}"] = value.get_secret_value() if needed else ""
            elif value is not None:
                environment[f"IOC_{name.upper()}"] = str(value)
        return environment

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read `.env`, or the file that `IOC_ENV_FILE` names."""
        sources = (init_settings, env_settings)
        wanted = isinstance(dotenv_settings, DotEnvSettingsSource) and dotenv_settings.env_file is not None
        file = os.environ.get(ENV_FILE, ".env") if wanted else ""
        return (*sources, DotEnvSettingsSource(settings_cls, env_file=file)) if file else sources
