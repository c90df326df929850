"""Zalo's Official Account API."""

from __future__ import annotations

import os
from pathlib import Path

import httpx
from pydantic import BaseModel, ValidationError

from ioc.errors import DeliveryError, UndeliverableError
from ioc.notification.channel import TIMEOUT, ChannelMessage, ChannelName, post, raise_for_http

_MOST = 2000  # characters of a text message
# Of a refresh token that was used, is over, or is none of the application's.
_TOKEN_INVALID = (-216, -124)
# The account may send no more for a while: per minute, per day, of its package.
_LIMITED = (-32, -211)
# The user is none, does not follow the account, has blocked it, or has not spoken to it for too long.
_FOR_GOOD = (-201, -213, -217, -227, -230)


class _SentMessage(BaseModel):
    message_id: str = ""


class _ZaloAnswer(BaseModel):
    error: int
    message: str = ""
    data: _SentMessage | None = None


class _TokenPair(BaseModel):
    access_token: str
    refresh_token: str


class _TokenRefused(BaseModel):
    error: int
    error_name: str = ""


class ZaloTokens:
    """The account's tokens: an access token holds for about a day, and each refresh gives a new refresh token.

    A refresh token is used once, so the pair is kept in a file before anything is sent with it.
    """

    def __init__(
        self, path: Path, app_id: str, app_secret: str, first_refresh: str, base: str, client: httpx.Client
    ) -> None:
        self._path, self._app_id, self._app_secret = path, app_id, app_secret
        self._first_refresh, self._base, self._client = first_refresh, base, client
        self._pair: _TokenPair | None = None

    def access(self) -> str:
        """Return the access token; raises DeliveryError where none can be had."""
        if self._pair is None:
            self._pair = self._stored()
        return self._pair.access_token if self._pair is not None else self.renew()

    def renew(self) -> str:
        """Exchange the refresh token for a new pair."""
        before = self._pair or self._stored()
        refresh = before.refresh_token if before is not None else self._first_refresh
        form = {"app_id": self._app_id, "grant_type": "refresh_token", "refresh_token": refresh}
        response = post(
            self._client,
            "Zalo",
            f"{self._base}/v4/oa/access_token",
            data=form,
            headers={"secret_key": self._app_secret},
        )
        try:
            self._pair = _TokenPair.model_validate_json(response.content)
        except ValidationError:
            raise DeliveryError(
                f"Zalo gives no access token ({_refusal(response)}); set IOC_ZALO_REFRESH_TOKEN to a new one "
                f"and remove {self._path}"
            ) from None
        self._keep(self._pair)
        return self._pair.access_token

    def _stored(self) -> _TokenPair | None:
        try:
            return _TokenPair.model_validate_json(self._path.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None

    def _keep(self, pair: _TokenPair) -> None:
        """Replace the file in one step; only its owner may read it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside = self._path.with_suffix(".new")
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(pair.model_dump_json())
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path)


class ZaloChannel:
    """Sends to a user of the account (https://developers.zalo.me/docs/official-account/tin-nhan).

    An answer is HTTP 200 whatever became of the message: `error` 0 says that it was sent, any other number why not.
    """

    name: ChannelName = "zalo"

    def __init__(
        self, tokens: ZaloTokens, base: str = "https://openapi.zalo.me", client: httpx.Client | None = None
    ) -> None:
        self._tokens = tokens
        self._url = f"{base}/v3.0/oa/message/cs"
        self._client = client or httpx.Client(timeout=TIMEOUT, follow_redirects=False)

    def send(self, address: str, message: ChannelMessage) -> str:
        """Send to a user's number as the account knows it; a token that is over is renewed once."""
        answer = self._ask(address, message, self._tokens.access())
        if answer.error in _TOKEN_INVALID:
            answer = self._ask(address, message, self._tokens.renew())
        if answer.error == 0:
            return answer.data.message_id if answer.data is not None else ""
        text = f"Zalo answered {answer.error} {answer.message}"
        if answer.error in _FOR_GOOD:
            raise UndeliverableError(text)
        raise DeliveryError(text, 60.0 if answer.error in _LIMITED else None)

    def _ask(self, user: str, message: ChannelMessage, token: str) -> _ZaloAnswer:
        body = {"recipient": {"user_id": user}, "message": {"text": message.plain(_MOST)}}
        response = post(self._client, "Zalo", self._url, json=body, headers={"access_token": token})
        raise_for_http("Zalo", response)
        try:
            return _ZaloAnswer.model_validate_json(response.content)
        except ValidationError:
            raise DeliveryError("Zalo answered with what is no answer of its API") from None


def _refusal(response: httpx.Response) -> str:
    try:
        told = _TokenRefused.model_validate_json(response.content)
    except ValidationError:
        return f"HTTP {response.status_code}"
    return f"{told.error} {told.error_name}".strip()
