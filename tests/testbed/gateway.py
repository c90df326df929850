"""A gateway in this process, with the in-memory producer and clocks that a test moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from connectors.gateway.app import create_app
from connectors.gateway.producer import EventProducer, InMemoryEventProducer
from connectors.gateway.receipt_source import ReceiptSource
from ioc.feeds.event import CONTENT_TYPE_BATCH, CONTENT_TYPE_EVENT
from ioc.feeds.feed import load_feeds
from ioc.messaging.record import OutgoingRecord, RecordOffset
from ioc.settings import Settings
from ioc.web.tokens import TokenFile
from testbed.event import encoded

EVENT = {"content-type": CONTENT_TYPE_EVENT}
BATCH = {"content-type": CONTENT_TYPE_BATCH}
START = datetime(2024, 10, 5, 8, tzinfo=UTC)


class BrokenProducer(InMemoryEventProducer):
    """Fails as only a mistake in the code does, and quotes what it carried."""

    async def publish(self, records: Sequence[OutgoingRecord]) -> list[RecordOffset | None]:
        raise RuntimeError(records[0].value.decode())


class AsgiTransport(httpx.BaseTransport):
    """Hands the requests of a client that knows no asyncio to an ASGI application."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return asyncio.run(self._ask(request))

    async def _ask(self, request: httpx.Request) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self._app)) as client:
            answer = await client.request(request.method, request.url, headers=request.headers, content=request.content)
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


class GatewayBed:
    """Requests go through the whole application; `secret` may publish stays for 77-*."""

    def __init__(
        self,
        directory: Path,
        producer: EventProducer | None = None,
        settings: Settings | None = None,
        source: ReceiptSource | None = None,
        **changes: Any,
    ) -> None:
        self.memory = InMemoryEventProducer()
        self.seconds = 0.0
        self.tokens = TokenFile(directory / "tokens.json", now=lambda: START + timedelta(seconds=self.seconds))
        self.token, self.secret = self.tokens.create("Tourism", ["tourism.stay"], ["77-*"])
        self.app = create_app(
            (settings or Settings(_env_file=None, state_dir=directory)).model_copy(update=changes),
            load_feeds(),
            self.tokens,
            producer or self.memory,
            source,
            clock=lambda: self.seconds,
        )

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send one request and return the response."""

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
                return await client.request(method, path, **options)

        return asyncio.run(send())

    def get(self, path: str) -> httpx.Response:
        """Send GET."""
        return self.request("GET", path)

    def post(
        self,
        body: bytes | AsyncIterator[bytes] | object,
        headers: Mapping[str, str] = EVENT,
        secret: str | None = None,
    ) -> httpx.Response:
        """Publish `body`, as JSON where it is not bytes, with the bed's token or another."""
        content = body if isinstance(body, bytes | AsyncIterator) else encoded(body)
        authorization = {"authorization": f"Bearer {secret or self.secret}"}
        return self.request("POST", "/v1/events", content=content, headers={**authorization, **headers})
