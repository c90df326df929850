"""Services are kept alive, stop when asked, and never outlive who keeps them."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.process import Address, born_at, wait_until
from deploy.local.service import BackgroundService, Endpoint, Service, endpoints
from ioc.errors import ConfigError, FatalError
from ioc.settings import Settings

SERVER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/ready" else 404)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@pytest.fixture
def address() -> Address:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return Address("127.0.0.1", free.getsockname()[1], "IOC_GATEWAY_PORT")


@pytest.fixture
def server(address: Address, tmp_path: Path) -> Iterator[Service]:
    argv = (sys.executable, "-c", SERVER, str(address.port))
    service = Service(Endpoint("gateway", argv, address), tmp_path / "gateway.log")
    yield service
    service.stop()


def _program(address: Address, code: str, tmp_path: Path, *, restart: bool = True) -> Service:
    endpoint = Endpoint("worker", (sys.executable, "-c", code), address)
    return Service(endpoint, tmp_path / "worker.log", restart=restart)


def test_a_killed_service_comes_back(server: Service) -> None:
    server.start()
    server.wait_ready(timeout=20)
    first = server.pid
    server.kill()
    assert wait_until(lambda: server.pid not in (None, first), timeout=10)
    server.wait_ready(timeout=20)
    assert server.starts == 2


def test_a_stopped_service_stays_down(server: Service) -> None:
    server.start()
    server.wait_ready(timeout=20)
    assert server.stop() == -signal.SIGTERM
    assert not server.is_kept
    assert not server.is_ready()
    assert server.starts == 1


def test_it_can_be_started_again(server: Service) -> None:
    for _ in range(2):
        server.start()
        server.wait_ready(timeout=20)
        server.stop()
    assert server.starts == 2


def test_a_port_in_use_is_found_before_the_start(server: Service, address: Address) -> None:
    with (
        socket.create_server((address.host, address.port)),
        pytest.raises(ConfigError, match="IOC_GATEWAY_PORT"),
    ):
        server.start()
    assert server.starts == 0


@pytest.mark.parametrize("status", [0, 2])
def test_success_and_wrong_settings_are_an_end(address: Address, tmp_path: Path, status: int) -> None:
    service = _program(address, f"print('done'); raise SystemExit({status})", tmp_path)
    service.start()
    assert service.wait(timeout=10) == status
    assert service.starts == 1
    with pytest.raises(FatalError, match=r"worker ended(.|\n)*done"):
        service.wait_ready()


def test_without_restart_a_failure_is_an_end(address: Address, tmp_path: Path) -> None:
    service = _program(address, "raise SystemExit(7)", tmp_path, restart=False)
    service.start()
    assert service.wait(timeout=10) == 7
    assert service.starts == 1


def test_one_that_ignores_the_request_is_killed(address: Address, tmp_path: Path) -> None:
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('here', flush=True); time.sleep(60)"
    service = _program(address, code, tmp_path)
    service.start()
    assert wait_until(lambda: service.log.exists() and "here" in service.log.read_text(), timeout=10)
    assert service.stop(timeout=0.3) == -signal.SIGKILL
    assert not service.is_kept


def test_a_service_does_not_outlive_a_killed_keeper(address: Address, tmp_path: Path) -> None:
    keeper = f"""
import sys, time
from pathlib import Path
from deploy.local.process import Address
from deploy.local.service import Endpoint, Service
code = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
endpoint = Endpoint("worker", (sys.executable, "-c", code), Address("127.0.0.1", {address.port}, ""))
Service(endpoint, Path({str(tmp_path / "worker.log")!r})).start()
time.sleep(60)
"""
    log = tmp_path / "worker.log"
    with subprocess.Popen([sys.executable, "-c", keeper]) as process:
        assert wait_until(lambda: log.exists() and log.read_text().endswith("\n"), timeout=20)
        child = int(log.read_text())
        process.kill()
    assert wait_until(lambda: born_at(child) is None, timeout=5)


def test_every_service_of_the_stack_has_a_port_of_its_own_setting() -> None:
    settings = Settings(gateway_port=1, worker_port=2, rollup_port=3, api_port=4, scheduler_port=5)
    found = {endpoint.name: endpoint.address for endpoint in endpoints(settings)}
    assert {name: (address.port, address.setting) for name, address in found.items()} == {
        "gateway": (1, "IOC_GATEWAY_PORT"),
        "worker": (2, "IOC_WORKER_PORT"),
        "rollup": (3, "IOC_ROLLUP_PORT"),
        "scheduler": (5, "IOC_SCHEDULER_PORT"),
        "api": (4, "IOC_API_PORT"),
    }


def test_a_child_process_sees_the_settings_it_is_given() -> None:
    given = Settings(db_port=5999, worker_whole_fetch=False, db_owner_password="s3cret")
    code = "from ioc.settings import Settings; print(Settings().model_dump_json())"
    seen = subprocess.run(
        [sys.executable, "-c", code], env=given.to_environment(), capture_output=True, text=True, check=True
    )
    assert Settings.model_validate_json(seen.stdout).model_dump(mode="json") == given.model_dump(mode="json")
    assert given.to_environment()["IOC_DB_OWNER_PASSWORD"] == "s3cret"


@pytest.mark.parametrize("status", [0, 1])
def test_a_keeper_that_ends_early_is_reported_with_its_last_words(
    address: Address, tmp_path: Path, status: int
) -> None:
    command = tmp_path / "ioc"
    command.write_text(f"#!/bin/sh\necho asked to $1 $2 $3\nexit {status}\n")
    command.chmod(0o755)
    settings = Settings(state_dir=tmp_path / "state")
    service = BackgroundService(Endpoint("worker", (str(command), "worker"), address), settings)
    with pytest.raises(FatalError, match=r"worker ended while starting(.|\n)*asked to stack keep worker"):
        service.start(timeout=10)
    assert service.pid is None


def test_the_pause_before_the_next_try_ends_when_asked_to_stop(address: Address, tmp_path: Path) -> None:
    service = _program(address, "raise SystemExit(1)", tmp_path)
    service.start()
    assert wait_until(lambda: service.starts >= 3, timeout=10)
    begin = time.monotonic()
    service.stop()
    assert time.monotonic() - begin < 1.5
    assert not service.is_kept


def test_a_keeper_asked_to_end_takes_its_service_along(address: Address, tmp_path: Path) -> None:
    program = f"""
import sys
from pathlib import Path
from deploy.local.process import Address
from deploy.local.service import Endpoint, Service, keep
endpoint = Endpoint("gateway", (sys.executable, "-c", {SERVER!r}, "{address.port}"),
    Address("127.0.0.1", {address.port}, ""))
sys.exit(keep(Service(endpoint, Path({str(tmp_path / "gateway.log")!r}))))
"""
    with subprocess.Popen([sys.executable, "-c", program]) as keeper:
        assert wait_until(address.answers, timeout=20)
        keeper.terminate()
        assert keeper.wait(timeout=20) == 0
    assert not address.answers()
