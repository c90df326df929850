"""An application served on a real port by a thread of the test's process, as services are served."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from ioc.web.serving import server_config


@contextmanager
def serving(app: ASGIApp) -> Iterator[int]:
    """Yield the port; requests under way are answered before it ends."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()  # so that clients wait for the server instead of being turned away
        port: int = listener.getsockname()[1]
        server = uvicorn.Server(server_config(app, host="127.0.0.1", port=port, patience=5))
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        thread = threading.Thread(target=lambda: server.run(sockets=[listener]), daemon=True)
        thread.start()
        try:
            yield port
        finally:
            server.should_exit = True
            thread.join(60)
