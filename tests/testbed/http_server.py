"""An application behind the server that the services use, in a thread of the test, and clients that misbehave."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp

from ioc.web.connection import BoundedConnection
from ioc.web.serving import server_config
from testbed.server import free_ports


class ImpatientConnection(BoundedConnection):
    """Gives up within a test's time."""

    head_seconds = 0.5
    unread_seconds = 0.5
    most_connections = 40


@dataclass(frozen=True)
class HttpServer:
    """A server on a port of its own."""

    port: int

    def connect(self) -> socket.socket:
        """Open a connection; reads give up after ten seconds."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def exchange(self, request: bytes) -> bytes:
        """Send bytes, and return all that comes until the server closes."""
        with self.connect() as client:
            client.sendall(request)
            return read_all(client)

    def status(self, request: bytes) -> int:
        """Return the status of the first answer to bytes."""
        answer = self.exchange(request)
        return int(answer.split(b" ", 2)[1]) if answer else 0

    def get(self, path: str) -> int:
        """Return the status of a plain GET."""
        return self.status(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())


def read_all(client: socket.socket) -> bytes:
    """Read until the server closes the connection."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while chunk := client.recv(65536):
            received += chunk
    return received


@contextlib.contextmanager
def http_server(app: ASGIApp) -> Iterator[HttpServer]:
    """Serve an application as the services do, with short waits."""
    (port,) = free_ports(1)
    config = server_config(app, host="127.0.0.1", port=port, patience=1, connection=ImpatientConnection)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield HttpServer(port)
    finally:
        server.should_exit = True
        thread.join(10)
