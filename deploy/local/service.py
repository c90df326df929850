"""A service of the project as a process that is kept alive: started again, after a pause, when it fails."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from deploy.local.process import Address, BackgroundProcess, end_of, wait_until
from ioc.errors import FatalError
from ioc.settings import Settings
from ioc.stop_signal import stop_event

# Exit statuses after which trying again cannot help: done, and wrong settings (see deploy/cli.py).
_FINAL_STATUSES: Final = (0, 2)
_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 30.0
# One that ran this long has started well; its next failure is a new story.
_HEALTHY_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Endpoint:
    """What to run and where it answers `GET /ready` with 200 when it works."""

    name: str
    argv: Sequence[str]
    address: Address

    def is_ready(self) -> bool:
        """Whether it says that it works."""
        url = f"http://{self.address.host}:{self.address.port}/ready"
        try:
            return httpx.get(url, timeout=2.0, trust_env=False).is_success
        except httpx.HTTPError:
            return False


def endpoints(settings: Settings) -> tuple[Endpoint, ...]:
    """The services of the stack, in the order in which they start."""
    command = str(Path(sys.executable).with_name("ioc"))
    gateway = Address(settings.gateway_host, settings.gateway_port, "IOC_GATEWAY_PORT")
    worker = Address("127.0.0.1", settings.worker_port, "IOC_WORKER_PORT")
    rollup = Address("127.0.0.1", settings.rollup_port, "IOC_ROLLUP_PORT")
    scheduler = Address("127.0.0.1", settings.scheduler_port, "IOC_SCHEDULER_PORT")
    api = Address(settings.api_host, settings.api_port, "IOC_API_PORT")
    return (
        Endpoint("gateway", (command, "gateway"), gateway),
        Endpoint("worker", (command, "worker"), worker),
        Endpoint("rollup", (command, "rollup"), rollup),
        Endpoint("scheduler", (command, "scheduler"), scheduler),
        Endpoint("api", (command, "api"), api),
    )


class Service:
    """Runs one endpoint's program as a child of this process until `stop`; output is appended to `log`.

    A thread waits for the child and starts it again when it fails (unless `restart` is false).
    Should this process be killed, the kernel ends the child.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        log: Path,
        *,
        env: Mapping[str, str] | None = None,
        restart: bool = True,
    ) -> None:
        self.name = endpoint.name
        self.log = log
        self._endpoint = endpoint
        self._env = env
        self._restart = restart
        self._starts = 0
        self._child: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._keeper: threading.Thread | None = None

    @property
    def pid(self) -> int | None:
        """Process id while the program runs, else None."""
        child = self._child
        return child.pid if child is not None and child.returncode is None else None

    @property
    def starts(self) -> int:
        """How often the program has been started."""
        return self._starts

    @property
    def is_kept(self) -> bool:
        """Whether it runs or will be started again."""
        return self._keeper is not None and self._keeper.is_alive()

    def start(self) -> None:
        """Start the program; returns before it is ready. `ConfigError` when its port is in use."""
        if self.is_kept:
            return
        self._endpoint.address.require_free(self.name)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._stopping.clear()
        self._keeper = threading.Thread(target=self._keep, name=f"keep-{self.name}", daemon=True)
        self._keeper.start()

    def is_ready(self) -> bool:
        return self._endpoint.is_ready()

    def wait_ready(self, timeout: float = 60.0) -> None:
        """Wait until it says that it works; `FatalError` when it has ended for good or `timeout` passes."""
        in_time = wait_until(lambda: not self.is_kept or self.is_ready(), timeout, poll=0.1)
        if not self.is_kept or not in_time:
            what = f"was not ready within {timeout:.0f} s" if self.is_kept else "ended"
            raise FatalError(f"{self.name} {what}. {end_of(self.log)}")

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait until it has ended for good; its last exit status, None when `timeout` passed before."""
        if self._keeper is not None:
            self._keeper.join(timeout)
        return None if self.is_kept or self._child is None else self._child.returncode

    def stop(self, timeout: float = 15.0) -> int | None:
        """SIGTERM, and after `timeout` seconds SIGKILL; returns the exit status once it is gone."""
        with self._lock:
            self._stopping.set()
            child = self._child
        if child is not None:
            child.terminate()
        status = self.wait(timeout)
        if self.is_kept:
            self.kill()
            status = self.wait()
        return status

    def kill(self) -> None:
        """SIGKILL, as a crash would; it is started again unless it is being stopped."""
        if self._child is not None:
            self._child.kill()

    def _keep(self) -> None:
        pause = _FIRST_PAUSE
        while (child := self._spawn()) is not None:
            begin = time.monotonic()
            status = child.wait()
            if status in _FINAL_STATUSES or not self._restart:
                return
            if time.monotonic() - begin > _HEALTHY_SECONDS:
                pause = _FIRST_PAUSE
            self._stopping.wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _spawn(self) -> subprocess.Popen[bytes] | None:
        """Start the child, unless `stop` was faster."""
        with self._lock, self.log.open("ab") as log:
            if self._stopping.is_set():
                return None
            self._child = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", "--", *self._endpoint.argv],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C in the terminal is for this process, which then stops the child.
                start_new_session=True,
                env=self._env,
            )
            self._starts += 1
            return self._child


class BackgroundService:
    """A service under a keeper process (`ioc stack keep NAME`) that outlives the command line."""

    def __init__(self, endpoint: Endpoint, settings: Settings) -> None:
        self.name = endpoint.name
        self._endpoint = endpoint
        self._settings = settings
        self._process = BackgroundProcess(endpoint.name, settings.state_dir.absolute())

    @property
    def pid(self) -> int | None:
        """Process id of the keeper while it runs."""
        return self._process.pid

    @property
    def address(self) -> str:
        return f"{self._endpoint.address.host}:{self._endpoint.address.port}"

    @property
    def log(self) -> Path:
        return self._process.log

    def start(self, timeout: float = 60.0) -> None:
        """Start and wait until it is ready; returns at once when it already runs."""
        if self.pid is None:
            self._endpoint.address.require_free(self.name)
            keeper = [self._endpoint.argv[0], "stack", "keep", self.name]
            self._process.start(keeper, env=self._settings.to_environment(self._endpoint.name))
        self._process.wait_ready(self.is_ready, timeout)

    def stop(self) -> None:
        self._process.stop(timeout=30.0)

    def kill(self) -> None:
        self._process.kill()

    def is_ready(self) -> bool:
        return self._endpoint.is_ready()

    def purge(self) -> None:
        """A service keeps no data of its own."""
        self.stop()


def keep(service: Service) -> int:
    """Run a service until SIGTERM or SIGINT; its exit status, or 0 when it was asked to end and did."""
    asked = stop_event()
    service.start()
    while service.is_kept and not asked.wait(0.5):
        pass
    service.stop()
    return 0 if asked.is_set() else service.wait() or 0
