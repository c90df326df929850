"""Around every request that counts: the first span of its trace."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ioc.tracing import HEADER, Tracing

_TRACED = "/v1/"


class TracedRequests:
    """ASGI middleware inside the access log, whose facts it adds to; only a service that is traced has it."""

    def __init__(self, app: ASGIApp, *, tracing: Tracing) -> None:
        self._app = app
        self._tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on within its span."""
        if scope["type"] != "http" or not scope["path"].startswith(_TRACED):
            await self._app(scope, receive, send)
            return
        told = [value for name, value in scope["headers"] if name == HEADER.encode()]
        # Two of them are none: Trace Context, level 1, §3.2.
        parent = told[0].decode("latin-1") if len(told) == 1 else ""
        span = self._tracing.begin_request(scope["method"], parent, {"http.request.method": scope["method"]})
        facts = scope["facts"]
        facts.trace_id = span.traceparent[3:35]
        status = 500

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        failure: BaseException | None = None
        try:
            with self._tracing.within(span):
                await self._app(scope, receive, send_and_note)
        except BaseException as error:
            failure = error
            raise
        finally:
            # The route, never the path: what no route knows may hold anything.
            route = getattr(scope.get("route"), "path", "")
            span.tell(
                {
                    "http.route": route,
                    "http.response.status_code": status,
                    "ioc.events.accepted": facts.accepted,
                    "ioc.events.refused": facts.refused,
                },
                f"{scope['method']} {route}".strip(),
            )
            span.end(failure)
