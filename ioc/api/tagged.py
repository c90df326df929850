"""Answers with an entity tag: a client that asks again for what has not changed gets no body (RFC 9110 §13.1.2)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

_KEPT = ("cache-control", "etag", "vary")


class TaggedRoute(APIRoute):
    """A route whose answers have an ETag of their content, and which answers 304 to a client that has it already."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler."""
        handle = super().get_route_handler()

        async def tagged(request: Request) -> Response:
            response = await handle(request)
            if response.status_code != 200 or not self.include_in_schema:
                return response
            # Weak: a proxy may compress the answer.
            tag = hashlib.sha256(response.body).hexdigest()[:32]
            response.headers["etag"] = f'W/"{tag}"'
            if f'"{tag}"' not in request.headers.get("if-none-match", ""):
                return response
            kept = {name: response.headers[name] for name in _KEPT if name in response.headers}
            return Response(status_code=304, headers=kept)

        return tagged
