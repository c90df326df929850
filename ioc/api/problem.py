"""The API's errors: RFC 9457 problem details, in both languages, saying what to do."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.responses import Response

from ioc.api.model import Problem
from ioc.errors import Reason, UnstorableError
from ioc.feeds.validation import reasons_from
from ioc.web.bearer import UnauthenticatedError


class ProblemError(Exception):
    """A request is answered with a problem."""

    def __init__(self, status: int, rule: str, *, vi: str, en: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(en)
        self.problem = Problem(title=HTTPStatus(status).phrase, status=status, rule=rule, detail=en, detail_vi=vi)
        self.headers = dict(headers or {})


def respond(error: ProblemError) -> Response:
    """Return the answer of a problem."""
    body = to_json(error.problem)
    headers = {"cache-control": "no-store"} | error.headers
    return Response(body, error.problem.status, headers, media_type="application/problem+json")


def handle_problems(app: FastAPI) -> None:
    """Let the application answer every error as a problem."""

    @app.exception_handler(ProblemError)
    async def known(_: Request, error: ProblemError) -> Response:
        return respond(error)

    @app.exception_handler(UnauthenticatedError)
    async def unauthenticated(_: Request, error: UnauthenticatedError) -> Response:
        reason = error.reasons[0]
        headers = {"www-authenticate": error.challenge}
        return respond(ProblemError(401, reason.rule, vi=reason.message_vi, en=reason.message_en, headers=headers))

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        reasons = [(reason.field.rpartition(".")[2], reason) for reason in reasons_from(error.errors())]
        vi = "; ".join(f"{name}: {reason.message_vi}" for name, reason in reasons)
        en = "; ".join(f"{name}: {reason.message_en}" for name, reason in reasons)
        return respond(
            ProblemError(
                422,
                "parameters",
                vi=f"tham số không hợp lệ: {vi}; xem /openapi.json",
                en=f"parameters are wrong: {en}; see /openapi.json",
            )
        )

    @app.exception_handler(UnstorableError)
    async def unstorable(_: Request, __: UnstorableError) -> Response:
        return respond(unstorable_problem())

    @app.exception_handler(HTTPException)
    async def unrouted(_: Request, error: HTTPException) -> Response:
        vi = "không có địa chỉ này, hoặc phương thức không được dùng ở đây; xem /openapi.json"
        en = f"{error.detail}; /openapi.json lists what there is"
        return respond(ProblemError(error.status_code, "route", vi=vi, en=en, headers=error.headers))


def unstorable_problem() -> ProblemError:
    """Return the answer to a request with a value that no column of the database holds, such as a NUL in a text."""
    return ProblemError(
        422,
        "unstorable",
        vi="một giá trị trong yêu cầu không ghi hay tra được (có ký tự NUL, hoặc là số quá lớn); hãy sửa rồi gửi lại",
        en="a value of the request can be neither stored nor looked up (it has a NUL character, or is a number too "
        "large); change it and send it again",
    )


def refuse(status: int, reason: Reason, headers: Mapping[str, str]) -> Response:
    """Return the answer to a request that is refused before it is looked into."""
    return respond(ProblemError(status, reason.rule, vi=reason.message_vi, en=reason.message_en, headers=headers))


def internal_problem() -> Response:
    """Return the answer to a request at which the code failed."""
    vi = "lỗi của hệ thống; hãy thử lại, và báo kèm mã yêu cầu (x-request-id)"
    en = "the service failed; try again, and report it with the request's id (x-request-id)"
    return respond(ProblemError(500, "internal_error", vi=vi, en=en))
