"""Telegram's Bot API."""

from __future__ import annotations

import httpx
from pydantic import BaseModel, ValidationError

from ioc.errors import DeliveryError, UndeliverableError
from ioc.notification.channel import TIMEOUT, ChannelMessage, ChannelName, post, raise_for_http

_MOST = 4096  # characters of a message
_FOR_GOOD = (400, 403)  # no such chat; the bot was blocked, or is no member


class _Parameters(BaseModel):
    retry_after: float | None = None
    migrate_to_chat_id: int | None = None


class _Sent(BaseModel):
    message_id: int


class _TelegramAnswer(BaseModel):
    ok: bool
    error_code: int = 0
    description: str = ""
    parameters: _Parameters = _Parameters()
    result: _Sent | None = None


class TelegramChannel:
    """Sends to a chat by `sendMessage` (https://core.telegram.org/bots/api#sendmessage).

    An answer is always JSON with `ok`; 429 says in `parameters.retry_after` how long to wait; a group that became a
    supergroup answers 400 with its new number, which is used at once.
    """

    name: ChannelName = "telegram"

    def __init__(self, token: str, base: str = "https://api.telegram.org", client: httpx.Client | None = None) -> None:
        self._url = f"{base}/bot{token}/sendMessage"
        self._client = client or httpx.Client(timeout=TIMEOUT, follow_redirects=False)

    def send(self, address: str, message: ChannelMessage) -> str:
        """Send to a chat's number, or `@channel`; return the message's number in the chat."""
        answer = self._ask(address, message)
        moved = answer.parameters.migrate_to_chat_id
        if not answer.ok and moved is not None:
            answer = self._ask(str(moved), message)
        if answer.ok:
            return "" if answer.result is None else str(answer.result.message_id)
        text = f"Telegram answered {answer.error_code} {answer.description}"
        if answer.error_code in _FOR_GOOD:
            raise UndeliverableError(text)
        raise DeliveryError(text, answer.parameters.retry_after)

    def _ask(self, chat: str, message: ChannelMessage) -> _TelegramAnswer:
        body = {"chat_id": chat, "text": message.plain(_MOST), "disable_web_page_preview": True}
        response = post(self._client, "Telegram", self._url, json=body)
        try:
            return _TelegramAnswer.model_validate_json(response.content)
        except ValidationError:
            raise_for_http("Telegram", response)
            raise DeliveryError("Telegram answered with what is no answer of its API") from None
