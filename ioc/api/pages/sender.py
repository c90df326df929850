"""The addresses of a sector's engineer: `/sending`, and the form that sends or tries a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ioc.api.pages.sending import GatewayUpload, SendingReading
from ioc.api.pages.workbench import MOST_NAMED
from ioc.api.problem import ProblemError
from ioc.errors import RejectedError
from ioc.web.signing import Signing, Visitor
from ioc.web.tokens import Token, TokenFile

SENDING = "/sending"
_ACTION = "send"
_MOST_FILE = 64 * 2**20
_REPORTER = 64


@dataclass(frozen=True)
class SenderPages:
    """Shows what became of a token's events; `page`, `cookie`, `take` and `failed` are those of all pages."""

    reading: SendingReading
    upload: GatewayUpload
    signing: Signing
    tokens: TokenFile

    def add_to(
        self,
        app: FastAPI,
        *,
        page: Callable[..., Response],
        cookie: Callable[[Request], str],
        take: Callable[[str], None],
        failed: Callable[[ProblemError, Visitor], Response],
    ) -> None:
        """Add the addresses to the application."""

        def signed_in(request: Request) -> tuple[Visitor, Token] | None:
            visitor = self.signing.open_session(cookie(request))
            token = self.tokens.find_live(visitor.token) if visitor and visitor.token else None
            if visitor is None or token is None or token.reads:
                return None
            request.scope["facts"].token = token.id
            return visitor, token

        async def shown(request: Request, visitor: Visitor, token: Token, **more: Any) -> Response:
            view = await run_in_threadpool(self.reading.view, token)
            form = self.signing.form(cookie(request), _ACTION)
            asked = {"answer": None, "problem": "", "most_named": MOST_NAMED} | more
            return page("sending.html", visitor, view=view, form=form, **asked)

        async def show(request: Request) -> Response:
            found = signed_in(request)
            if found is None:
                return RedirectResponse(f"/enter?next={SENDING}", 303)
            try:
                take(found[0].name)
                return await shown(request, *found)
            except ProblemError as error:
                return failed(error, found[0])

        async def send(request: Request) -> Response:
            found = signed_in(request)
            if found is None:
                return RedirectResponse(f"/enter?next={SENDING}", 303)
            visitor, token = found
            try:
                take(visitor.name)
                answer = await self._send(request, cookie(request), token)
            except ProblemError as error:
                if error.problem.status in (403, 413, 429):
                    return failed(error, visitor)
                return await shown(request, visitor, token, problem=error.problem.detail_vi)
            return await shown(request, visitor, token, answer=answer)

        app.add_route(SENDING, show, include_in_schema=False)
        app.add_route(f"{SENDING}/file", send, ["POST"], include_in_schema=False)

    async def _send(self, request: Request, session: str, token: Token) -> dict[str, Any]:
        """Pass the form's file on to the gateway; raises ProblemError where the form is not whole or not its own."""
        length = request.headers.get("content-length", "")
        if not length.isdigit() or int(length) > _MOST_FILE:
            raise ProblemError(
                413, "form", vi="tệp quá lớn; hãy gửi bằng ioc publish hoặc curl", en="the file is too large for a page"
            )
        try:
            async with request.form(max_files=1, max_fields=10, max_part_size=4096) as form:
                if not self.signing.is_form(str(form.get("form", "")), session, _ACTION):
                    raise ProblemError(
                        403,
                        "form",
                        vi="biểu mẫu không phải của phiên này; hãy mở lại trang rồi gửi lần nữa",
                        en="the form is not of this session; open the page again and send it once more",
                    )
                file, feed = form.get("file"), str(form.get("feed", ""))
                if not isinstance(file, UploadFile) or not file.filename or feed not in token.feeds:
                    raise ProblemError(422, "form", vi="hãy chọn nguồn dữ liệu và tệp", en="choose a feed and a file")
                secret = str(form.get("token", "")).strip()
                if self._token_of(secret).id != token.id:
                    raise ProblemError(
                        422,
                        "token",
                        vi="mã truy cập không phải mã đã đăng nhập",
                        en="the token is not the one that signed in",
                    )
                reporter = str(form.get("reporter", "")).strip()[:_REPORTER]
                trial = form.get("what") != "send"
                return await self.upload.send(feed, secret, file, dry_run=trial, reporter=reporter)
        except MultiPartException:
            raise ProblemError(422, "form", vi="biểu mẫu không đọc được", en="the form cannot be read") from None

    def _token_of(self, secret: str) -> Token:
        try:
            return self.tokens.authenticate(secret)
        except RejectedError as error:
            reason = error.reasons[0]
            raise ProblemError(422, reason.rule, vi=reason.message_vi, en=reason.message_en) from None
