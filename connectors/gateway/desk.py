"""Answers for receipts, to the token that published the events."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request

from connectors.gateway.answer import RequestRefusedError
from connectors.gateway.intake import Intake, too_fast
from connectors.gateway.receipt_source import ReceiptSource, unavailable
from ioc.errors import RejectedError
from ioc.feeds.feed import Feed
from ioc.reading.receipt import record_offsets_of
from ioc.settings import Settings
from ioc.web.rate_limit import RateLimit

_MOST_WAITING = 16


class ReceiptDesk:
    """Refuses at once what is no receipt, and passes the others on; each costs the API work, so few are granted."""

    def __init__(
        self,
        settings: Settings,
        feeds: Mapping[str, Feed],
        intake: Intake,
        source: ReceiptSource | None,
        limit: RateLimit,
    ) -> None:
        self._prefix = settings.topic_prefix
        self._topics = [feed.topic(settings.topic_prefix) for feed in feeds.values()]
        self._intake = intake
        self._source = source
        self._limit = limit
        self._waiting = 0

    async def take(self, request: Request, coded: str) -> bytes:
        """Return the receipt of an id as JSON; raises `RequestRefusedError`."""
        token = self._intake.authenticate(request)
        if wait := self._limit.take(token.id, 1):
            raise too_fast(wait)
        try:
            record_offsets_of(coded, self._prefix, self._topics)
        except RejectedError as error:
            raise RequestRefusedError(404, error.reasons) from None
        if self._source is None or self._waiting >= _MOST_WAITING:
            raise unavailable()
        self._waiting += 1
        try:
            return await self._source.fetch(coded, request.headers["authorization"])
        finally:
            self._waiting -= 1
