"""The stack as the command line shows it, without any server."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest
from testbed.secret import NO_SHIPPED_SECRETS
from typer.testing import CliRunner

from deploy.cli import app
from deploy.local.kafka_server import KafkaServer
from deploy.local.postgres_server import PostgresServer, reachable_by_all, require_own, write_secret
from deploy.local.progress import Progress
from deploy.local.stack import Stack, stopped_unless_done
from ioc.errors import ConfigError, FatalError
from ioc.settings import Settings


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str | None]:
    return {"IOC_STATE_DIR": str(tmp_path)}


def test_servers_elsewhere_are_refused_with_the_setting_to_change() -> None:
    with pytest.raises(ConfigError, match="IOC_KAFKA_BOOTSTRAP"):
        KafkaServer(Settings(kafka_bootstrap="kafka-1.example:9092,kafka-2.example:9092", **NO_SHIPPED_SECRETS))
    with pytest.raises(ConfigError, match="IOC_DB_HOST"):
        PostgresServer(Settings(db_host="db.example", **NO_SHIPPED_SECRETS))


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
    assert [part["name"] for part in parts] == ["kafka", "postgres", "gateway", "worker", "rollup", "scheduler", "api"]
    assert {(part["state"], part["pid"]) for part in parts} == {("stopped", None)}


def test_a_wrong_setting_is_one_message_and_status_2(environment: dict[str, str | None]) -> None:
    shown = CliRunner().invoke(app, ["stack", "status"], env=environment | {"IOC_DB_HOST": "db.example"})
    assert shown.exit_code == 2
    assert shown.stderr.startswith("lỗi · error: ")
    assert "IOC_DB_HOST" in shown.stderr
    assert "Traceback" not in shown.stderr


def test_a_setting_of_the_wrong_type_names_its_variable(environment: dict[str, str | None]) -> None:
    shown = CliRunner().invoke(app, ["stack", "status"], env=environment | {"IOC_DB_PORT": "many"})
    assert shown.exit_code == 2
    assert "IOC_DB_PORT" in shown.stderr


def test_debug_shows_the_error_itself(environment: dict[str, str | None]) -> None:
    secrets = {f"IOC_{name.upper()}": value for name, value in NO_SHIPPED_SECRETS.items()}
    wrong = environment | secrets | {"IOC_DB_HOST": "db.example"}
    shown = CliRunner().invoke(app, ["--debug", "stack", "status"], env=wrong)
    assert isinstance(shown.exception, ConfigError)


def test_a_directory_behind_a_closed_one_is_not_reachable(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    (closed / "state").mkdir(parents=True)
    closed.chmod(0o700)
    assert not reachable_by_all(closed / "state" / "not-made-yet")


def test_what_others_could_have_prepared_is_not_used(tmp_path: Path) -> None:
    own, open_to_all, link = tmp_path / "own", tmp_path / "open", tmp_path / "link"
    own.mkdir(mode=0o755)
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    link.symlink_to(own)
    require_own(own)
    for refused in (open_to_all, link):
        with pytest.raises(FatalError, match=refused.name):
            require_own(refused)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_a_directory_of_another_user_or_group_is_not_used(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    own.chmod(0o775)
    require_own(own)
    os.chown(own, 0, 65534)
    with pytest.raises(FatalError, match="may be changed by others"):
        require_own(own)
    own.chmod(0o755)
    require_own(own)
    os.chown(own, 65534, 0)
    with pytest.raises(FatalError, match="belongs to another user"):
        require_own(own)


def test_a_cluster_that_others_could_have_prepared_is_not_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it looks like one that an earlier start has made."""
    monkeypatch.setattr("deploy.local.postgres_server.reachable_by_all", lambda _directory: True)
    monkeypatch.setattr(PostgresServer, "_require_binaries", lambda _server: None)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    server = PostgresServer(Settings(_env_file=None, state_dir=tmp_path, db_port=port))
    data = tmp_path / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("15")
    (tmp_path / "postgres").chmod(0o777)
    with pytest.raises(FatalError, match="look at what it holds"):
        server.start()
    assert server.pid is None and not (data / "ioc.conf").exists()


def test_a_secret_is_not_written_through_a_link_or_over_a_file(tmp_path: Path) -> None:
    victim, link = tmp_path / "victim", tmp_path / "link"
    victim.write_text("as it was")
    link.symlink_to(victim)
    for there in (victim, link):
        with pytest.raises(FileExistsError):
            write_secret(there, "secret")
    assert victim.read_text() == "as it was"
    write_secret(tmp_path / "new", "secret")
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o600


class _Part:
    """A part of a stack that starts at once, or fails to."""

    def __init__(self, name: str, *, runs: bool = False, fails: bool = False) -> None:
        self.name, self.address, self.log = name, "", Path()
        self.pid = 1 if runs else None
        self._fails = fails

    def start(self) -> None:
        if self._fails:
            raise FatalError(f"{self.name} fails")
        self.pid = self.pid or 2

    def stop(self) -> None:
        self.pid = None

    def purge(self) -> None:
        self.stop()

    def is_ready(self) -> bool:
        return True


def test_an_up_that_fails_stops_what_it_has_started_and_no_more() -> None:
    kafka, postgres = _Part("kafka", runs=True), _Part("postgres")
    worker, gateway = _Part("worker"), _Part("gateway", fails=True)
    parts = (kafka, postgres, worker, gateway)
    with pytest.raises(FatalError, match="gateway fails"), stopped_unless_done(parts, Progress()):
        for part in parts:
            part.start()
    assert {part.name for part in parts if part.pid is not None} == {"kafka"}
    with stopped_unless_done(parts, Progress()):
        postgres.start()
    assert postgres.pid
