"""Who sends a request: the token of its Authorization header."""

from __future__ import annotations

from starlette.requests import Request

from ioc.errors import Reason, RejectedError
from ioc.web.tokens import Token, TokenFile

CHALLENGE = 'Bearer realm="ioc"'


class UnauthenticatedError(RejectedError):
    """Nobody known sends this (401); `challenge` is the header WWW-Authenticate of the answer."""

    def __init__(self, reasons: tuple[Reason, ...], challenge: str = CHALLENGE) -> None:
        super().__init__(reasons)
        self.challenge = challenge


def authenticate(request: Request, tokens: TokenFile) -> Token:
    """Return the request's token; raises UnauthenticatedError without a good one."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret:
        raise UnauthenticatedError((_MISSING,))
    try:
        return tokens.authenticate(secret.strip())
    except RejectedError as error:
        raise UnauthenticatedError(error.reasons, f'{CHALLENGE}, error="invalid_token"') from None


_MISSING = Reason(
    field="authorization",
    rule="token_missing",
    message_vi="thiếu tiêu đề Authorization: Bearer <mã truy cập>",
    message_en="the header Authorization: Bearer <token> is missing",
)
