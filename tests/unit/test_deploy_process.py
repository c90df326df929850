"""Background processes: found by their pid file, never mistaken for another, gone within bounded time."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.process import Address, BackgroundProcess, born_at, children_of, end_of, wait_until
from ioc.errors import ConfigError, FatalError

SLEEP = [sys.executable, "-c", "import time; print('here', flush=True); time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(15, signal.SIG_IGN); print('here', flush=True); time.sleep(60)",
]


@pytest.fixture
def process(tmp_path: Path) -> Iterator[BackgroundProcess]:
    process = BackgroundProcess("sleeper", tmp_path)
    yield process
    process.kill()


def _has_spoken(process: BackgroundProcess) -> bool:
    return "here" in process.log.read_text()


def test_another_object_of_the_same_directory_finds_and_stops_it(process: BackgroundProcess, tmp_path: Path) -> None:
    process.start(SLEEP)
    process.wait_ready(lambda: _has_spoken(process), timeout=10)
    later = BackgroundProcess("sleeper", tmp_path)
    assert later.pid == process.pid is not None
    later.stop()
    assert process.pid is None


def test_one_that_ignores_the_request_is_killed_in_time(process: BackgroundProcess) -> None:
    process.start(STUBBORN)
    process.wait_ready(lambda: _has_spoken(process), timeout=10)
    process.stop(timeout=0.3)
    assert process.pid is None


def test_a_pid_used_again_by_another_process_is_not_ours(process: BackgroundProcess, tmp_path: Path) -> None:
    pid_file = tmp_path / "run" / "sleeper.pid"
    pid_file.parent.mkdir()
    pid_file.write_text(f"{os.getpid()} 1\n")
    assert process.pid is None
    process.stop()
    process.kill()  # would end this test run if it trusted the number alone


def test_one_that_dies_is_seen_as_gone_at_once(process: BackgroundProcess) -> None:
    process.start(SLEEP)
    pid = process.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: process.pid is None, timeout=2)


def test_kill_takes_the_children_along(process: BackgroundProcess) -> None:
    nested = f"import subprocess, sys; subprocess.run({SLEEP!r})"
    process.start([sys.executable, "-c", nested])
    process.wait_ready(lambda: _has_spoken(process), timeout=10)
    assert process.pid is not None
    (child,) = children_of(process.pid)
    process.kill()
    assert born_at(child) is None


def test_an_early_end_is_reported_with_the_end_of_the_log(process: BackgroundProcess) -> None:
    process.start([sys.executable, "-c", "raise SystemExit('no such disk')"])
    with pytest.raises(FatalError, match=r"ended while starting(.|\n)*no such disk"):
        process.wait_ready(lambda: False, timeout=10)


def test_one_that_never_gets_ready_is_reported_after_the_timeout(process: BackgroundProcess) -> None:
    process.start(SLEEP)
    with pytest.raises(FatalError, match="not ready within 0 s"):
        process.wait_ready(lambda: False, timeout=0.2)


def test_a_port_in_use_names_the_setting_to_change() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = Address("127.0.0.1", other.getsockname()[1], "IOC_DB_PORT")
        assert address.answers()
        with pytest.raises(ConfigError, match=r"PostgreSQL cannot listen.*IOC_DB_PORT"):
            address.require_free("PostgreSQL")
    address.require_free("PostgreSQL")
    assert not address.answers()


def test_the_end_of_a_log_that_does_not_exist_is_empty(tmp_path: Path) -> None:
    assert end_of(tmp_path / "none.log").splitlines() == [f"The end of {tmp_path / 'none.log'}:"]
