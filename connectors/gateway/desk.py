"""Answers for receipts, to whoever published what they are for."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from starlette.requests import Request

from connectors.gateway.answer import RequestRefusedError, refusal
from connectors.gateway.fate import FateReader
from connectors.gateway.intake import Intake, too_fast
from connectors.gateway.receipt import Receipt, places_of
from ioc.errors import DatabaseUnavailableError, KafkaUnavailableError, RejectedError
from ioc.feeds.feed import Feed
from ioc.settings import Settings
from ioc.web.rate_limit import RateLimit

_MOST_WAITING = 16
_RETRY = {"retry-after": "5"}


class ReceiptDesk:
    """Looks receipts up, one at a time; each costs a reading of Kafka and of the database, so few are granted."""

    def __init__(
        self,
        settings: Settings,
        feeds: Mapping[str, Feed],
        intake: Intake,
        fates: FateReader | None,
        limit: RateLimit,
    ) -> None:
        self._prefix = settings.topic_prefix
        self._topics = [feed.topic(settings.topic_prefix) for feed in feeds.values()]
        self._intake = intake
        self._fates = fates
        self._limit = limit
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def take(self, request: Request, coded: str) -> Receipt:
        """Return the receipt of an id; raises `RequestRefusedError`."""
        token = self._intake.authenticate(request)
        if wait := self._limit.take(token.id, 1):
            raise too_fast(wait)
        try:
            places = places_of(coded, self._prefix, self._topics)
        except RejectedError as error:
            raise RequestRefusedError(404, error.reasons) from None
        if self._fates is None or self._waiting >= _MOST_WAITING:
            raise _away()
        self._waiting += 1
        try:
            async with self._turn:
                receipt = await asyncio.to_thread(self._fates.read, places, token.id)
        except (KafkaUnavailableError, DatabaseUnavailableError):
            raise _away() from None
        finally:
            self._waiting -= 1
        if receipt is None:
            raise refusal(
                404,
                "receipt",
                "receipt_foreign",
                vi="biên nhận này không thuộc mã truy cập của bạn",
                en="this receipt is of another token",
            )
        return receipt


def _away() -> RequestRefusedError:
    return refusal(
        503,
        "",
        "receipts_unavailable",
        vi="tạm thời không tra được biên nhận; hãy hỏi lại sau",
        en="receipts cannot be looked up now; ask again later",
        headers=_RETRY,
    )
