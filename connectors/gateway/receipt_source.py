"""Asks the read API for a receipt, with the sender's own token: the gateway itself reaches no database."""

from __future__ import annotations

import asyncio
import ssl
from typing import Protocol
from urllib.parse import quote

import httpx
import structlog
from pydantic import BaseModel, ValidationError

from connectors.gateway.answer import RequestRefusedError, refusal
from connectors.gateway.intake import too_fast
from ioc.settings import Settings

# The API waits for its turn as long as any of its answers may take, then reads Kafka and the database.
_READ_SECONDS = 15.0
_CONNECT_SECONDS = 3.0
_MOST_BYTES = 64 * 1024 * 1024
_LONGEST_PAUSE = 60
_RETRY = {"retry-after": "5"}
_log = structlog.get_logger("gateway")


class ReceiptSource(Protocol):
    """Answers for receipts."""

    async def fetch(self, coded: str, authorization: str) -> bytes:
        """Return the receipt of an id as JSON; `authorization` is its sender's. Raises `RequestRefusedError`."""


class ApiReceiptSource:
    """Asks the API at `api_address`, within a bounded time; follows no redirect, as the token would go along.

    transport: takes the place of the network in tests.
    """

    def __init__(self, settings: Settings, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._address = settings.api_address
        self._patience = settings.api_timeout + _READ_SECONDS
        self._transport = transport
        self._tls = ssl.create_default_context()  # costs tens of milliseconds, so once

    async def fetch(self, coded: str, authorization: str) -> bytes:
        """Return the receipt as JSON; refuses what the API refuses, and with 503 whatever it does not answer."""
        try:
            async with asyncio.timeout(self._patience):
                return await self._ask(coded, authorization)
        except (httpx.HTTPError, TimeoutError) as error:
            raise self._away(type(error).__name__) from None

    async def _ask(self, coded: str, authorization: str) -> bytes:
        client = httpx.AsyncClient(
            base_url=self._address,
            verify=self._tls,
            transport=self._transport,
            timeout=httpx.Timeout(self._patience, connect=_CONNECT_SECONDS),
            follow_redirects=False,
            trust_env=False,
        )
        path = f"/v1/receipts/{quote(coded, safe='')}"
        headers = {"authorization": authorization, "accept-encoding": "identity"}
        async with client, client.stream("GET", path, headers=headers) as response:
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > _MOST_BYTES:
                    raise self._away("the answer is too large")
        kind = response.headers.get("content-type", "").partition(";")[0]
        if response.status_code == 200 and kind == "application/json":
            return bytes(body)
        rule = _rule(body)
        if (response.status_code, rule) == (404, "receipt_foreign"):
            raise _foreign()
        if (response.status_code, rule) == (429, "too_fast"):
            raise too_fast(_pause(response.headers.get("retry-after", "")))
        raise self._away(f"HTTP {response.status_code} {rule}".strip())

    def _away(self, reason: str) -> RequestRefusedError:
        _log.warning(
            "the API answers for no receipt",
            reason=reason,
            address=self._address,
            next_step="run `ioc api`, or set IOC_API_URL",
        )
        return unavailable()


class _Told(BaseModel):
    """What the gateway reads of a problem of the API."""

    rule: str = ""


def unavailable() -> RequestRefusedError:
    """Return the refusal (503) of a receipt that cannot be looked up now."""
    return refusal(
        503,
        "",
        "receipts_unavailable",
        vi="tạm thời không tra được biên nhận; hãy hỏi lại sau",
        en="receipts cannot be looked up now; ask again later",
        headers=_RETRY,
    )


def _rule(body: bytes | bytearray) -> str:
    """Return which rule a problem names, nothing for what is no problem."""
    try:
        return _Told.model_validate_json(bytes(body)).rule[:50]
    except ValidationError:
        return ""


def _pause(value: str) -> int:
    """Return the seconds of `Retry-After`, 1 to 60."""
    return min(max(int(value), 1), _LONGEST_PAUSE) if value.isdecimal() and len(value) <= 9 else 1


def _foreign() -> RequestRefusedError:
    return refusal(
        404,
        "receipt",
        "receipt_foreign",
        vi="biên nhận này không thuộc mã truy cập của bạn",
        en="this receipt is of another token",
    )
