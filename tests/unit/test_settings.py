"""Settings check themselves: a wrong one is told by its name, and no process knows a secret that it does not need."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError
from testbed.secret import NO_SHIPPED_SECRETS
from typer.testing import CliRunner

from connectors.publishing.publish import pseudonymiser_of
from deploy.cli import app
from ioc.errors import ConfigError
from ioc.settings import Settings, state_home

PORTS = [name for name in Settings.model_fields if name.endswith("_port")]


def wrong_field(**values: object) -> str:
    with pytest.raises(ValidationError) as raised:
        Settings(_env_file=None, **values)
    (error,) = raised.value.errors()
    return str(error["loc"][0]) if error["loc"] else str(error["msg"])


@pytest.mark.parametrize("name", PORTS)
@pytest.mark.parametrize("value", [-1, 65536, 99999, "many"])
def test_a_port_is_between_0_and_65535(name: str, value: object) -> None:
    assert wrong_field(**{name: value}) == name


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("log_level", ["LOUD", "", "WARN"]),
        ("kafka_security_protocol", ["TLS", "ssl"]),
        ("kafka_sasl_mechanism", ["GSSAPI"]),
        ("kafka_bootstrap", ["", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:70000", "a b:1", "127.0.0.1:9092,"]),
        ("db_host", ["", "a,b", "a b"]),
        ("grafana_url", ["grafana", "ftp://grafana", "http://", "http://127.0.0.1:port", "http://127.0.0.1:0"]),
        ("alert_webhook_url", ["webhook", "http://127.0.0.1:99999"]),
        ("alert_email", ["someone", "a@b, c"]),
        ("earliest_business_date", ["yesterday", "2000-13-01"]),
        ("future_tolerance_days", [-1, 100_000]),
        ("pseudonym_key_id", ["", "K1", "k 1", "key-of-2024"]),
        ("pseudonym_previous_key_id", ["K1", "key-of-2024"]),
        *((name, [0, -1, "nan", "inf"]) for name in ("gateway_rate", "gateway_burst", "api_rate", "api_burst")),
        *((name, [0, -1]) for name in ("worker_stall_timeout", "rollup_interval", "gateway_produce_timeout")),
        *((name, [0]) for name in ("gateway_max_body", "gateway_max_events", "kafka_partitions")),
    ],
)
def test_a_wrong_value_names_its_setting(name: str, values: list[object]) -> None:
    assert [wrong_field(**{name: value}) for value in values] == [name] * len(values)


def test_a_log_level_may_be_written_small() -> None:
    assert Settings(_env_file=None, log_level="debug").log_level == "DEBUG"


def test_a_wrong_setting_ends_a_service_with_the_status_that_stops_its_supervisor() -> None:
    shown = CliRunner().invoke(app, ["gateway"], env={"IOC_LOG_LEVEL": "LOUD"})
    assert shown.exit_code == 2
    assert "IOC_LOG_LEVEL" in shown.stderr
    assert "Traceback" not in shown.stderr


@pytest.mark.parametrize(
    "outside",
    [
        {"kafka_bootstrap": "127.0.0.1:9092,kafka-2:9092"},
        {"db_host": "10.1.2.3"},
        {"gateway_host": "0.0.0.0"},  # noqa: S104 - refused
        {"gateway_host": "::"},
        {"api_host": "192.168.1.5"},
        {"grafana_url": "https://grafana.example.vn"},
        {"api_url": "https://api.example.vn"},
        {"gateway_url": "https://gateway.example.vn"},
        {"public_url": "https://ioc.example.vn"},
        {"alert_webhook_url": "https://alert.example.vn/hook"},
        {"digest_webhook_url": "https://digest.example.vn/hook"},
        {"smtp_host": "mail.example.vn"},
        {"telegram_token": "1:a"},
        {"zalo_app_id": "1"},
    ],
)
def test_known_secrets_are_refused_as_soon_as_anything_is_outside(outside: dict[str, str]) -> None:
    message = wrong_field(**outside)
    for name in NO_SHIPPED_SECRETS:
        assert f"IOC_{name.upper()}" in message
    assert f"IOC_{next(iter(outside)).upper().partition('_')[0]}_" in message
    assert Settings(_env_file=None, **outside, **NO_SHIPPED_SECRETS)
    for name in NO_SHIPPED_SECRETS:
        default = Settings.model_fields[name].default.get_secret_value()
        assert f"IOC_{name.upper()}:" in wrong_field(**outside, **NO_SHIPPED_SECRETS | {name: default})


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.53", "localhost", "::1"])
def test_known_secrets_do_on_this_machine(host: str) -> None:
    url = f"http://{f'[{host}]' if ':' in host else host}:1"
    assert Settings(
        _env_file=None,
        db_host=host,
        gateway_host=host,
        smtp_host=host,
        public_url=url,
        digest_webhook_url=url,
        telegram_token="1:a",
        telegram_url=url,
    )


def test_every_address_among_the_settings_is_looked_at() -> None:
    """A further address of a service or of a receiver is refused with known secrets, too."""
    elsewhere = {"kafka_bootstrap": "10.0.0.1:9092", "telegram_token": "1:a", "zalo_app_id": "1"}
    for name in Settings.model_fields:
        if name.endswith(("_host", "_url")) or name in elsewhere:
            value = elsewhere.get(name, "10.0.0.1" if name.endswith("_host") else "https://10.0.0.1")
            used = {"telegram_url": {"telegram_token": "1:a"}, "zalo_url": {"zalo_app_id": "1"}}.get(name, {})
            used |= {"zalo_app_id": "1"} if name == "zalo_oauth_url" else {}
            assert "IOC_LINK_KEY" in wrong_field(**{name: value}, **used), name


def test_each_process_is_told_only_what_it_needs() -> None:
    settings = Settings(_env_file=None, kafka_sasl_password="k", grafana_token="g", **NO_SHIPPED_SECRETS)
    secrets = {f"IOC_{name.upper()}" for name, field in Settings.model_fields.items() if "SecretStr" in str(field)}
    assert "IOC_DB_OWNER_PASSWORD" in secrets

    def told(service: str) -> set[str]:
        environment = settings.to_environment(service)
        return {name for name in secrets if environment[name]}

    assert told("gateway") == {"IOC_KAFKA_SASL_PASSWORD", "IOC_PSEUDONYM_KEY"}
    assert told("worker") == {"IOC_KAFKA_SASL_PASSWORD", "IOC_DB_WORKER_PASSWORD"}
    assert told("rollup") == {"IOC_DB_ROLLUP_PASSWORD"}
    assert told("scheduler") == {"IOC_KAFKA_SASL_PASSWORD", "IOC_DB_SCHEDULER_PASSWORD", "IOC_LINK_KEY"}
    assert told("api") == {
        "IOC_KAFKA_SASL_PASSWORD",
        "IOC_DB_READER_PASSWORD",
        "IOC_DB_API_PASSWORD",
        "IOC_LINK_KEY",
    }


def test_grafanas_token_under_its_other_name_is_passed_to_no_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAFANA_TOKEN", "a token of an administrator")
    settings = Settings(_env_file=None)
    assert settings.grafana_token.get_secret_value() == "a token of an administrator"
    assert "a token of an administrator" not in settings.to_environment("gateway").values()
    assert settings.to_environment()["IOC_GRAFANA_TOKEN"] == "a token of an administrator"


def test_a_signed_link_needs_a_key(tmp_path: Path) -> None:
    away = {"IOC_STATE_DIR": str(tmp_path), "IOC_DB_PORT": "1"}  # where the audit log would go
    shown = CliRunner().invoke(app, ["link", "/", "--for", "Chủ tịch"], env={"IOC_LINK_KEY": "", **away})
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert "IOC_LINK_KEY" in shown.stderr


def test_without_a_key_nothing_is_pseudonymised() -> None:
    with pytest.raises(ConfigError, match="IOC_PSEUDONYM_KEY is empty"):
        pseudonymiser_of(Settings(_env_file=None, pseudonym_key=SecretStr("")))


def test_the_gateway_which_faces_the_internet_holds_no_password_of_the_database() -> None:
    """Whatever passwords of the database there are, or will be: none is in its environment, under any name."""
    settings = Settings(_env_file=None, **{name: f"secret-{name}" for name in NO_SHIPPED_SECRETS})
    passwords = {f"secret-{name}" for name in NO_SHIPPED_SECRETS if name.startswith("db_")}
    names = {name for name in Settings.model_fields if name.startswith("db_") and name.endswith("_password")}
    assert names == {name for name in NO_SHIPPED_SECRETS if name.startswith("db_")}
    assert not passwords & set(settings.to_environment("gateway").values())
    assert passwords <= set(settings.to_environment().values())


@pytest.mark.parametrize(
    ("values", "address"),
    [
        ({}, "http://127.0.0.1:18082"),
        ({"api_port": 1234}, "http://127.0.0.1:1234"),
        ({"api_host": "0.0.0.0"}, "http://127.0.0.1:18082"),  # noqa: S104 - what others ask instead
        ({"api_host": "::"}, "http://[::1]:18082"),
        ({"api_host": "api.ioc.vn"}, "http://api.ioc.vn:18082"),
        ({"api_host": "0.0.0.0", "api_url": "https://api.ioc.vn/"}, "https://api.ioc.vn"),  # noqa: S104
    ],
)
def test_the_api_is_reached_where_it_listens_or_where_a_setting_says(values: dict[str, Any], address: str) -> None:
    assert Settings(_env_file=None, **values, **NO_SHIPPED_SECRETS).api_address == address


def test_a_child_process_sees_exactly_these_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("IOC_DB_PORT=1\nIOC_LOG_LEVEL=DEBUG\n")
    monkeypatch.chdir(tmp_path)
    environment = Settings(_env_file=None, db_port=2).to_environment()
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert (Settings().db_port, Settings().log_level) == (2, "INFO")


def test_a_file_of_settings_is_read_and_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("IOC_DB_PORT=1\n")
    (tmp_path / "other.env").write_text("IOC_DB_PORT=2\n")
    assert Settings().db_port == 15432  # tests read no file
    monkeypatch.delenv("IOC_ENV_FILE")
    assert Settings().db_port == 1
    monkeypatch.setenv("IOC_ENV_FILE", "other.env")
    assert Settings().db_port == 2


def test_a_checkout_keeps_its_state_in_itself_and_an_installed_package_never_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site-packages"
    package.mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    for told, wanted in (
        (None, tmp_path / "home/.local/state/ioc"),
        (str(tmp_path / "state"), tmp_path / "state/ioc"),
        ("relative", tmp_path / "home/.local/state/ioc"),
    ):
        monkeypatch.delenv("XDG_STATE_HOME", raising=False)
        if told is not None:
            monkeypatch.setenv("XDG_STATE_HOME", told)
        assert state_home(package) == wanted
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert state_home(package) == Path("/var/lib/ioc")
    (package / "pyproject.toml").touch()
    assert state_home(package) == package / ".state"
