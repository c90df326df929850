"""Around every request: an id, a line in the access log, a count, and an answer when the code failed.

No body, query string, token, or path that no route knows is logged: all may hold personal data.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from prometheus_client import Counter, Histogram
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_QUIET = ("/live", "/ready", "/metrics")
CLIENT_CLOSED = 499  # the client has gone; the status is for the log only


@dataclass
class RequestFacts:
    """What the access log says of a request beside method, route, status and time."""

    request_id: str = field(default_factory=lambda: secrets.token_hex(8))
    token: str | None = None
    accepted: int = 0
    refused: int = 0
    trace_id: str = ""


class AccessLog:
    """ASGI middleware; handlers find the request's `RequestFacts` in `scope["facts"]`."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        name: str,
        requests: Counter,
        failed: Callable[[], Response],
        seconds: Histogram | None = None,
    ) -> None:
        """
        name:     of the service, as its log lines bear it.
        requests: counts by route and status.
        seconds:  how long requests took, by route.
        failed:   makes the answer when the code failed before it answered.
        """
        self._app = app
        self._requests = requests
        self._failed = failed
        self._seconds = seconds
        self._log = structlog.get_logger(f"{name}.access")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; what is not HTTP goes through untouched."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        facts = scope["facts"] = RequestFacts()
        begun = time.perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", facts.request_id.encode())]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except ClientDisconnect:
            status = CLIENT_CLOSED
        except Exception as error:
            self._log.error("request failed", request_id=facts.request_id, error=_place_of(error))
            if status == 0:
                await self._failed()(scope, receive, send_with_id)
            status = 500
        route = getattr(scope.get("route"), "path", "-")
        took = time.perf_counter() - begun
        self._requests.labels(route, str(status)).inc()
        if self._seconds is not None:
            self._seconds.labels(route).observe(took)
        log = self._log.debug if route in _QUIET and status < 400 else self._log.info
        log(
            "request",
            method=scope["method"],
            path=route,
            status=status,
            token=facts.token,
            accepted=facts.accepted,
            refused=facts.refused,
            ms=round(took * 1000, 1),
            request_id=facts.request_id,
            **({"trace_id": facts.trace_id} if facts.trace_id else {}),
        )


def _place_of(error: Exception) -> str:
    """Return an error's class and where it was raised; its message may quote an event."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    code = traceback.tb_frame.f_code if traceback is not None else None
    place = f" at {code.co_filename}:{traceback.tb_lineno}" if code and traceback else ""
    return f"{type(error).__name__}{place}"
