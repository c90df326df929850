"""What every request passes before a service's own code: nothing ambiguous, and not more at once than can be done."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ioc.errors import Reason

Refuse = Callable[[int, Reason, Mapping[str, str]], Response]

_ALWAYS = ("/live", "/metrics")
_RETRY_SECONDS = 1


class RequestGuard:
    """ASGI middleware; `refuse` makes the service's own answer of status, reason and headers.

    most: requests under way at once; with the largest of each, they bound a service's memory.
    """

    def __init__(self, app: ASGIApp, *, refuse: Refuse, most: int) -> None:
        self._app = app
        self._refuse = refuse
        self._most = most
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it at once."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        names = {name for name, _ in scope["headers"]}
        if b"content-length" in names and b"transfer-encoding" in names:
            await self._refuse(400, _TWO_LENGTHS, {"connection": "close"})(scope, receive, send)
            return
        if b"%00" in scope.get("raw_path", b"") or b"%00" in scope["query_string"]:
            await self._refuse(400, _NUL, {})(scope, receive, send)
            return
        if self._under_way >= self._most and scope["path"] not in _ALWAYS:
            await self._refuse(503, _BUSY, {"retry-after": str(_RETRY_SECONDS)})(scope, receive, send)
            return
        self._under_way += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._under_way -= 1


# Two servers on the way may each believe another of the two lengths: RFC 9112 §6.1 lets a server refuse it.
_TWO_LENGTHS = Reason(
    field="transfer-encoding",
    rule="two_lengths",
    message_vi="yêu cầu không được có cả Content-Length và Transfer-Encoding",
    message_en="a request must not have both Content-Length and Transfer-Encoding",
)
# Nothing here is named so, and PostgreSQL's text cannot hold it.
_NUL = Reason(
    field="path",
    rule="nul_character",
    message_vi="địa chỉ và tham số không được có ký tự NUL (%00)",
    message_en="the address and its parameters must not have the character NUL (%00)",
)
_BUSY = Reason(
    field="",
    rule="busy",
    message_vi=f"máy chủ đang bận; hãy gửi lại sau {_RETRY_SECONDS} giây, gửi lại không gây hại",
    message_en=f"the service is busy; try again in {_RETRY_SECONDS} s, which is harmless",
)
