"""A program in the background: detached, found again by its pid file, stopped within bounded time."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ioc.errors import ConfigError, FatalError

_GONE_SECONDS = 3.0
_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Address:
    """Where a server listens, and the setting that says so."""

    host: str
    port: int
    setting: str

    def answers(self) -> bool:
        """Whether something accepts connections there."""
        try:
            socket.create_connection((self.host, self.port), timeout=1.0).close()
        except OSError:
            return False
        return True

    def require_free(self, name: str) -> None:
        """Raises `ConfigError` when another program listens there already.

        A program that was killed a moment ago may hold its sockets until the last of its threads is gone: that is
        waited for.
        """
        if wait_until(self._is_free_for(name), _GONE_SECONDS):
            return
        raise ConfigError(
            f"{name} cannot listen on {self.host}:{self.port}: another program uses this port. "
            f"Stop it, or choose another port with {self.setting}."
        )

    def _is_free_for(self, name: str) -> Callable[[], bool]:
        def is_free() -> bool:
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((self.host, self.port))
                except OSError as error:
                    if error.errno == errno.EADDRINUSE:
                        return False
                    raise ConfigError(f"{name} cannot listen on {self.host}:{self.port}: {error.strerror}.") from error
            return True

        return is_free


def wait_until(ready: Callable[[], bool], timeout: float, poll: float = _POLL_SECONDS) -> bool:
    """Ask `ready` until it holds or `timeout` seconds have passed; says whether it held."""
    deadline = time.monotonic() + timeout
    while not ready():
        if time.monotonic() >= deadline:
            return False
        time.sleep(poll)
    return True


def end_of(log: Path, lines: int = 12) -> str:
    """The last lines of a log, for an error message."""
    try:
        tail = log.read_text(errors="replace").splitlines()[-lines:]
    except FileNotFoundError:
        tail = []
    return "\n".join([f"The end of {log}:", *(f"    {line}" for line in tail)])


def children_of(pid: int) -> list[int]:
    """Direct children of a process; empty when it is gone."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def send_signal(pid: int, number: signal.Signals) -> None:
    """Signal a process that may be gone already."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def born_at(pid: int) -> str | None:
    """Start time of a live process in clock ticks since boot, None when it is gone or a zombie.

    Together with the pid it names one process for as long as the machine is up: pids are used again.
    """
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if after_name[0] in "ZX" else after_name[19]


class BackgroundProcess:
    """One named process in a session of its own; its output goes to `log`, its identity to a pid file.

    Any later process of the same state directory finds it again by the pid file, so that what `make up`
    started, `make down` stops.
    """

    def __init__(self, name: str, state_dir: Path) -> None:
        self.name = name
        self.log = state_dir / "log" / f"{name}.log"
        self._pid_file = state_dir / "run" / f"{name}.pid"

    @property
    def pid(self) -> int | None:
        """Process id while it runs, else None."""
        try:
            pid, birth = self._pid_file.read_text().split()
        except (FileNotFoundError, ValueError):
            return None
        return int(pid) if born_at(int(pid)) == birth else None

    def start(
        self,
        argv: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        user: str | None = None,
        cwd: Path | None = None,
    ) -> None:
        """Start `argv`, as `user` when given (needs root); the environment is inherited unless given."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._pid_file.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            child = subprocess.Popen(
                [str(argument) for argument in argv],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=env,
                user=user,
                group=user,
                extra_groups=() if user else None,
                cwd=cwd,
            )
        # A child that nobody waits for stays a zombie while this process lives.
        threading.Thread(target=child.wait, name=f"reap-{self.name}", daemon=True).start()
        self._pid_file.write_text(f"{child.pid} {born_at(child.pid)}\n")

    def wait_ready(self, ready: Callable[[], bool], timeout: float) -> None:
        """Wait until `ready` holds; `FatalError` when the process ends or `timeout` seconds pass before."""
        in_time = wait_until(lambda: self.pid is None or ready(), timeout)
        if self.pid is None:
            raise FatalError(f"{self.name} ended while starting. {end_of(self.log)}")
        if not in_time:
            raise FatalError(f"{self.name} was not ready within {timeout:.0f} s. {end_of(self.log)}")

    def stop(self, number: signal.Signals = signal.SIGTERM, timeout: float = 20.0) -> None:
        """Ask it to end with a signal; after `timeout` seconds kill it. One that is gone stays gone."""
        pid = self.pid
        if pid is None:
            return
        send_signal(pid, number)
        if not wait_until(lambda: self.pid is None, timeout):
            self.kill()
        self._pid_file.unlink(missing_ok=True)

    def kill(self) -> None:
        """SIGKILL, to it and its direct children: what a power cut would do. Returns when they are gone."""
        pid = self.pid
        if pid is None:
            return
        family = {member: born_at(member) for member in (pid, *children_of(pid))}
        for member in family:
            send_signal(member, signal.SIGKILL)
        wait_until(lambda: all(born_at(member) != birth for member, birth in family.items()), timeout=10.0)
        self._pid_file.unlink(missing_ok=True)
