"""Running an HTTP service until a signal stops it."""

from __future__ import annotations

import signal
import socket
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from ioc.errors import FatalError
from ioc.web.connection import BoundedConnection


def server_config(
    app: ASGIApp, *, host: str, port: int, patience: int, connection: type[BoundedConnection] = BoundedConnection
) -> uvicorn.Config:
    """Return how services are served; `connection` bounds what a client may keep waiting.

    patience: seconds that requests under way may take once the service is told to stop.
    """
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        loop="uvloop",
        http=connection,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=patience,
    )


def serve(app: ASGIApp, *, host: str, port: int, patience: int, setting: str) -> None:
    """Serve until SIGTERM or SIGINT: then take no more, answer what is under way, and return.

    setting: what the names of the settings of host and port begin with, such as IOC_GATEWAY. Raises `FatalError`, which
    names them, where it cannot listen there.
    """
    require_address(host, port, setting)
    config = server_config(app, host=host, port=port, patience=patience)
    # uvicorn raises the signal again once it has stopped; by default that would end the process unflushed.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    uvicorn.Server(config).run()


def require_address(host: str, port: int, setting: str) -> None:
    """Raise `FatalError` where nothing can listen on a host's port: it is taken, or no address of this machine."""
    try:
        for family, kind, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            with socket.socket(family, kind) as probe:
                # As asyncio listens: the address of a server that has just ended is free.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                probe.bind(address)
    except OSError as error:
        raise FatalError(
            f"cannot listen on {host}, port {port}: {error.strerror}. Stop what listens there, or set {setting}_HOST "
            f"and {setting}_PORT to an address of this machine and a free port."
        ) from error


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)
