"""Running an HTTP service until a signal stops it."""

from __future__ import annotations

import signal
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from ioc.errors import ConfigError, FatalError
from ioc.web.connection import BoundedConnection


@dataclass(frozen=True)
class Tls:
    """Certificate (with its chain) and key that a service shows, in PEM files."""

    certificate: Path
    key: Path

    @classmethod
    def of(cls, certificate: Path | None, key: Path | None, setting: str) -> Tls | None:
        """Return both, or None where neither is set. Raises ConfigError for one alone, and for files that do not fit.

        setting: what the names of their settings begin with, such as IOC_GATEWAY_TLS.
        """
        if certificate is None and key is None:
            return None
        if certificate is None or key is None:
            raise ConfigError(f"set {setting}_CERTFILE and {setting}_KEYFILE, or neither")
        try:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key, lambda: b"")
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(
                f"{setting}_CERTFILE={certificate}, {setting}_KEYFILE={key}: {error}. Both are PEM files that this "
                "process may read; the key is the certificate's, without a password"
            ) from None
        return cls(certificate, key)


def server_config(
    app: ASGIApp,
    *,
    host: str,
    port: int,
    patience: int,
    connection: type[BoundedConnection] = BoundedConnection,
    tls: Tls | None = None,
) -> uvicorn.Config:
    """Return how services are served; `connection` bounds what a client may keep waiting.

    patience: seconds that requests under way may take once the service is told to stop. tls: None: a proxy ends it.
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
        ssl_certfile=tls.certificate if tls else None,
        ssl_keyfile=tls.key if tls else None,
    )


def serve(app: ASGIApp, *, host: str, port: int, patience: int, setting: str, tls: Tls | None = None) -> None:
    """Serve until SIGTERM or SIGINT: then take no more, answer what is under way, and return.

    setting: what the names of the settings of host and port begin with, such as IOC_GATEWAY. Raises `FatalError`, which
    names them, where it cannot listen there.
    """
    require_address(host, port, setting)
    config = server_config(app, host=host, port=port, patience=patience, tls=tls)
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
