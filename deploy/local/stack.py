"""The whole local stack: Kafka, PostgreSQL and the services, as one thing that goes up and down."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Protocol

from deploy.local.kafka_server import KafkaServer
from deploy.local.postgres_server import PostgresServer
from deploy.local.process import end_of
from deploy.local.progress import Progress
from deploy.local.service import BackgroundService, endpoints
from ioc.errors import ConfigError, FatalError
from ioc.settings import Settings

# What makes an empty Kafka and an empty database ready for the services; each may be run again.
_PREPARATIONS: Final = (("db", "migrate"), ("topic", "create"), ("profile", "load"))


class Component(Protocol):
    """A server or a service: one thing that starts and stops."""

    name: str

    @property
    def pid(self) -> int | None: ...
    @property
    def address(self) -> str: ...
    @property
    def log(self) -> Path: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def purge(self) -> None: ...
    def is_ready(self) -> bool: ...


@dataclass(frozen=True)
class PartStatus:
    """How one part does; `pid` is None when it is stopped."""

    name: str
    state: Literal["ready", "starting", "stopped"]
    pid: int | None
    address: str
    log: str


class Stack:
    """All parts of one state directory, on the ports of its settings."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.kafka = KafkaServer(settings)
        self.postgres = PostgresServer(settings)
        self.services = tuple(BackgroundService(endpoint, settings) for endpoint in endpoints(settings))
        self.parts: tuple[Component, ...] = (self.kafka, self.postgres, *self.services)

    def part(self, name: str) -> Component:
        """A part by its name; `ConfigError` when there is none of that name."""
        for part in self.parts:
            if part.name == name:
                return part
        raise ConfigError(f"The stack has no part {name!r}; it has {', '.join(part.name for part in self.parts)}.")

    def start_infrastructure(self) -> None:
        """Kafka and PostgreSQL; returns when both are ready. What already runs is left alone."""
        _at_once((self.kafka, self.postgres))

    def prepare(self, progress: Progress) -> None:
        """Schema, topics and the province's profile, by the project's own commands."""
        for words in _PREPARATIONS:
            with progress.step(f"ioc {' '.join(words)}"):
                self._run(*words)

    def up(self, progress: Progress) -> None:
        """Everything, in the order of its needs; returns when all parts are ready.

        When it fails, what it has started is stopped again.
        """
        with stopped_unless_done(self.parts, progress):
            with progress.step("Kafka and PostgreSQL"):
                self.start_infrastructure()
            self.prepare(progress)
            with progress.step(", ".join(service.name for service in self.services)):
                _at_once(self.services)

    def down(self, progress: Progress, *, purge: bool = False) -> None:
        """Everything, services first; `purge` deletes topics and database as well."""
        for part in reversed(self.parts):
            if part.pid is not None:
                with progress.step(f"Stop {part.name}"):
                    part.stop()
            if purge:
                part.purge()

    def status(self) -> list[PartStatus]:
        """How each part does."""
        return [_status(part) for part in self.parts]

    def _run(self, *words: str) -> None:
        log = self._settings.state_dir.absolute() / "log" / "prepare.log"
        command = [str(Path(sys.executable).with_name("ioc")), *words]
        with log.open("wb") as output:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._settings.to_environment(),
                check=False,
            )
        if done.returncode != 0:
            raise FatalError(f"`ioc {' '.join(words)}` failed with status {done.returncode}. {end_of(log)}")


@contextmanager
def stopped_unless_done(parts: Sequence[Component], progress: Progress) -> Iterator[None]:
    """Stop what was started within, should it fail.

    What ran before stays; what a failed attempt has started would only hold the ports that the next one needs.
    """
    before = [part for part in parts if part.pid is None]
    try:
        yield
    except BaseException:
        for part in reversed(before):
            if part.pid is not None:
                with progress.step(f"Stop {part.name}"):
                    part.stop()
        raise


def _status(part: Component) -> PartStatus:
    pid = part.pid
    state: Literal["ready", "starting", "stopped"] = "stopped"
    if pid is not None:
        state = "ready" if part.is_ready() else "starting"
    return PartStatus(part.name, state, pid, part.address, str(part.log))


def _at_once(parts: Iterable[Component]) -> None:
    """Start parts side by side; the first error is raised when all have ended their attempt."""
    with ThreadPoolExecutor() as pool:
        for started in [pool.submit(part.start) for part in parts]:
            started.result()
