"""Running an HTTP service until it is told to stop."""

from __future__ import annotations

import signal
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

# With the largest request of each, these bound a service's memory.
_MOST_CONNECTIONS = 256


def serve(app: ASGIApp, *, host: str, port: int, patience: int) -> None:
    """Serve until SIGTERM or SIGINT: then take no more, answer what is under way, and return.

    patience: seconds that requests under way may take.
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        loop="uvloop",
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_graceful_shutdown=patience,
    )
    # uvicorn raises the signal again once it has stopped; by default that would end the process unflushed.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    uvicorn.Server(config).run()


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)
