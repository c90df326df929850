"""The demo's own stage: an empty database, topics, ports and tokens beside whatever else the stack holds."""

from __future__ import annotations

import fcntl
import re
import secrets
import socket
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from psycopg import sql as pg
from pydantic import SecretStr

from deploy.local.process import end_of
from deploy.local.progress import Progress
from deploy.local.service import Service, endpoints
from deploy.local.stack import Stack
from ioc.database.connection import connect
from ioc.errors import ConfigError, FatalError, RetryableError
from ioc.messaging.client import admin_client
from ioc.settings import Settings

DATABASE: Final = "ioc_demo"
_TOPIC: Final = re.compile(r"^demo-[0-9a-f]{8}\.")


def demo_settings(settings: Settings, run: str, ports: Sequence[int]) -> Settings:
    """The settings of one run: all that it writes is its own. `ports`: of gateway, worker, roll-up, scheduler, API."""
    gateway, worker, rollup, scheduler, api = ports
    return settings.model_copy(
        update={
            "db_name": DATABASE,
            "topic_prefix": f"demo-{run}",
            "consumer_group": f"demo-{run}",
            # One worker serves all partitions; a transaction takes from one, so fewer means larger ones.
            "kafka_partitions": 2,
            "token_file": settings.state_dir / "demo" / "tokens.json",
            "gateway_host": "127.0.0.1",
            "gateway_port": gateway,
            # One connection of the simulator sends for a whole domain.
            "gateway_rate": 1_000_000.0,
            "gateway_burst": 1_000_000.0,
            "worker_port": worker,
            "rollup_port": rollup,
            "scheduler_port": scheduler,
            "api_host": "127.0.0.1",
            "api_port": api,
            "public_url": "",
            "link_key": SecretStr(secrets.token_hex(16)),
        }
    )


class Stage:
    """The servers and services of one run, once `set_up` has entered."""

    def __init__(self, settings: Settings, services: Sequence[Service], stack: Stack) -> None:
        self.settings = settings
        self.services = services
        self._stack = stack

    def notes(self) -> list[str]:
        """What an operator should know of the services; raises FatalError when a server or a service is gone."""
        for server in (self._stack.kafka, self._stack.postgres):
            if server.pid is None:
                raise FatalError(
                    f"{server.name} has ended. {end_of(server.log)}\nMend the cause and run `make demo` again."
                )
        for service in self.services:
            if not service.is_kept:
                raise FatalError(
                    f"{service.name} has ended. {end_of(service.log)}\nMend the cause and run `make demo` again."
                )
        return [
            f"{service.name}: khởi động lại {service.starts - 1} lần · started again; see {service.log}"
            for service in self.services
            if service.starts > 1
        ]

    def last_words(self) -> str:
        """The ends of the services' logs."""
        return "\n".join(end_of(service.log, lines=6) for service in self.services)


@contextmanager
def set_up(settings: Settings, progress: Progress, leaving: Callable[[], None]) -> Iterator[Stage]:
    """Start everything, empty; stop on leaving, whatever happened, all that was not running before.

    `leaving` is called before the stopping begins.
    """
    with ExitStack() as cleanup:
        try:
            yield _build(settings, progress, cleanup)
        finally:
            leaving()


def _build(settings: Settings, progress: Progress, cleanup: ExitStack) -> Stage:
    """Start one thing after the other, and tell `cleanup` how each is stopped."""
    cleanup.enter_context(only_one(settings.state_dir / "demo" / "lock"))
    own = demo_settings(settings, secrets.token_hex(4), free_ports(5))
    own.token_file.unlink(missing_ok=True)
    stack = Stack(own)
    for server in (stack.postgres, stack.kafka):
        if server.pid is None:
            cleanup.callback(server.stop)
    with progress.step("Kafka and PostgreSQL"):
        stack.start_infrastructure()
    with progress.step("An empty database and empty topics"):
        _drop_database(own)
        stack.postgres.start()
        _delete_topics(own, _TOPIC)
    cleanup.callback(_delete_topics, own, re.compile(f"^{own.topic_prefix}\\."))
    stack.prepare(progress)
    services = [
        Service(endpoint, _fresh_log(own, endpoint.name), env=own.to_environment(endpoint.name))
        for endpoint in endpoints(own)
    ]
    cleanup.callback(_stop_at_once, services)
    with progress.step(", ".join(service.name for service in services)):
        for service in services:
            service.start()
        for service in services:
            service.wait_ready()
    return Stage(own, services, stack)


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Hold the lock of the state directory's one demo."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(
                "A demo runs already in this checkout: stop it, or choose another IOC_STATE_DIR."
            ) from None
        yield


def _drop_database(settings: Settings) -> None:
    with connect(settings, "owner", autocommit=True, database="postgres") as connection:
        connection.execute(pg.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(pg.Identifier(settings.db_name)))


def _delete_topics(settings: Settings, pattern: re.Pattern[str]) -> None:
    """Delete the topics that match; those that Kafka keeps for now are deleted by the next demo."""
    try:
        with admin_client(settings) as admin:
            topics = [topic for topic in admin.list_topics() if pattern.match(topic)]
            if topics:
                admin.delete_topics(topics)
    except RetryableError:
        return


def _stop_at_once(services: Sequence[Service]) -> None:
    with ThreadPoolExecutor() as pool:
        for stopped in [pool.submit(service.stop) for service in services]:
            stopped.result()


def _fresh_log(settings: Settings, name: str) -> Path:
    log = settings.state_dir.absolute() / "log" / f"demo-{name}.log"
    log.unlink(missing_ok=True)
    return log


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now, all different."""
    with ExitStack() as open_sockets:
        probes = [open_sockets.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
