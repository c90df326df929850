"""Servers that belong to one run of the tests: own directory, own ports, gone afterwards."""

from __future__ import annotations

import fcntl
import os
import random
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from psycopg import sql

from deploy.local.stack import Stack
from ioc.database.connection import connect
from ioc.settings import ROOT, Settings

_STATE = ROOT / ".state" / "test"
# Below the system's ephemeral ports: a client that keeps connecting to a server which is being restarted may
# otherwise be given that very port, connect to itself, and hold it.
_PORTS = range(20_000, 32_000)


def own_ports() -> range:
    """Return the ports of this process of the run: no two that run side by side choose the same port."""
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    return _PORTS[number :: int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))]


def free_ports(count: int) -> list[int]:
    """Return different ports that nothing listens on."""
    ports = own_ports()
    with ExitStack() as held:
        found: list[int] = []
        for port in random.SystemRandom().sample(ports, len(ports)):
            probe = held.enter_context(socket.socket())
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found.append(port)
            if len(found) == count:
                return found
    raise AssertionError(f"no {count} free ports in {ports}")


@contextmanager
def state_directory() -> Iterator[Path]:
    """Hold a state directory that no other run of the tests uses; the first one that is free."""
    for number in range(1, 20):
        directory = _STATE / str(number)
        directory.mkdir(parents=True, exist_ok=True)
        with (directory / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield directory
            return
    raise AssertionError(f"every directory of {_STATE} is in use by another run of the tests")


@contextmanager
def running_stack(settings: Settings) -> Iterator[Stack]:
    """Kafka and PostgreSQL, empty; whatever a run that was killed has left in the directory goes first."""
    stack = Stack(settings)
    _purge(stack)
    try:
        stack.start_infrastructure()
        yield stack
    finally:
        _purge(stack)


@contextmanager
def cloned_database(settings: Settings, template: str) -> Iterator[Settings]:
    """A copy of the template under the name that `settings` give; dropped afterwards.

    PostgreSQL waits some seconds for sessions that are just ending; one that a test forgot is an error.
    """
    name = sql.Identifier(settings.db_name)
    # CREATE and DROP DATABASE want another database to be connected to.
    with connect(settings, "owner", autocommit=True, database="postgres") as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(name, sql.Identifier(template))
        )
    try:
        yield settings
    finally:
        with connect(settings, "owner", autocommit=True, database="postgres") as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(name))


def _purge(stack: Stack) -> None:
    stack.postgres.purge()
    stack.kafka.purge()
