"""The stack as the command line shows it, without any server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli import app
from deploy.local.kafka_server import KafkaServer
from deploy.local.postgres_server import PostgresServer, reachable_by_all
from deploy.local.stack import Stack
from ioc.errors import ConfigError
from ioc.settings import Settings


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str | None]:
    return {"IOC_STATE_DIR": str(tmp_path)}


def test_servers_elsewhere_are_refused_with_the_setting_to_change() -> None:
    with pytest.raises(ConfigError, match="IOC_KAFKA_BOOTSTRAP"):
        KafkaServer(Settings(kafka_bootstrap="kafka-1.example:9092,kafka-2.example:9092"))
    with pytest.raises(ConfigError, match="IOC_DB_HOST"):
        PostgresServer(Settings(db_host="db.example"))


def test_an_unknown_part_is_answered_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="kafka, postgres, gateway, worker, rollup"):
        Stack(Settings(state_dir=tmp_path)).part("zookeeper")


def test_stopping_what_does_not_run_is_harmless(tmp_path: Path) -> None:
    stack = Stack(Settings(state_dir=tmp_path))
    for part in stack.parts:
        part.stop()
    assert {part.state for part in stack.status()} == {"stopped"}


def test_status_as_json(environment: dict[str, str | None]) -> None:
    shown = CliRunner().invoke(app, ["stack", "status", "--json"], env=environment)
    assert shown.exit_code == 0
    parts = json.loads(shown.stdout)
    assert [part["name"] for part in parts] == ["kafka", "postgres", "gateway", "worker", "rollup", "api"]
    assert {(part["state"], part["pid"]) for part in parts} == {("stopped", None)}


def test_a_wrong_setting_is_one_message_and_status_2(environment: dict[str, str | None]) -> None:
    shown = CliRunner().invoke(app, ["stack", "status"], env=environment | {"IOC_DB_HOST": "db.example"})
    assert shown.exit_code == 2
    assert shown.stderr.startswith("error: ")
    assert "IOC_DB_HOST" in shown.stderr
    assert "Traceback" not in shown.stderr


def test_a_setting_of_the_wrong_type_names_its_variable(environment: dict[str, str | None]) -> None:
    shown = CliRunner().invoke(app, ["stack", "status"], env=environment | {"IOC_DB_PORT": "many"})
    assert shown.exit_code == 2
    assert "IOC_DB_PORT" in shown.stderr


def test_debug_shows_the_error_itself(environment: dict[str, str | None]) -> None:
    wrong = environment | {"IOC_DB_HOST": "db.example"}
    shown = CliRunner().invoke(app, ["--debug", "stack", "status"], env=wrong)
    assert isinstance(shown.exception, ConfigError)


def test_a_directory_behind_a_closed_one_is_not_reachable(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    (closed / "state").mkdir(parents=True)
    closed.chmod(0o700)
    assert not reachable_by_all(closed / "state" / "not-made-yet")
