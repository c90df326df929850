"""Running an HTTP service until it is told to stop."""

from __future__ import annotations

import signal
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

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


def serve(app: ASGIApp, *, host: str, port: int, patience: int) -> None:
    """Serve until SIGTERM or SIGINT: then take no more, answer what is under way, and return."""
    config = server_config(app, host=host, port=port, patience=patience)
    # uvicorn raises the signal again once it has stopped; by default that would end the process unflushed.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    uvicorn.Server(config).run()


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)
