"""What became of published events, for the token that published them: `/v1/receipts/{receipt}`."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI, Request, Response
from pydantic_core import to_json

from ioc.api.problem import ProblemError
from ioc.errors import DatabaseUnavailableError, KafkaUnavailableError, RejectedError
from ioc.feeds.feed import Feed
from ioc.reading.fate import FateReader
from ioc.reading.receipt import Receipt, record_offsets_of
from ioc.settings import Settings
from ioc.web.bearer import authenticate
from ioc.web.rate_limit import RateLimit
from ioc.web.tokens import Token, TokenFile

_MOST_WAITING = 16
_RATE, _BURST = 2.0, 20.0


class ReceiptAnswers:
    """Looks receipts up, one at a time; each costs a reading of Kafka and of the database, so few are granted."""

    def __init__(
        self, settings: Settings, feeds: Mapping[str, Feed], fates: FateReader, clock: Callable[[], float]
    ) -> None:
        self._prefix = settings.topic_prefix
        self._topics = [feed.topic(settings.topic_prefix) for feed in feeds.values()]
        self._fates = fates
        self._patience = settings.api_timeout
        self._limit = RateLimit(_RATE, _BURST, clock)
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def take(self, token: Token, coded: str) -> Receipt:
        """Return a receipt of this token's own; raises `ProblemError`."""
        if wait := self._limit.take(token.id, 1):
            pause = math.ceil(wait)
            raise ProblemError(
                429,
                "too_fast",
                vi=f"hỏi quá nhanh; hãy hỏi lại sau {pause} giây",
                en=f"too many requests; ask again in {pause} s",
                headers={"retry-after": str(pause)},
            )
        try:
            record_offsets = record_offsets_of(coded, self._prefix, self._topics)
        except RejectedError as error:
            reason = error.reasons[0]
            raise ProblemError(404, reason.rule, vi=reason.message_vi, en=reason.message_en) from None
        if self._waiting >= _MOST_WAITING:
            raise _away()
        self._waiting += 1
        try:
            async with asyncio.timeout(self._patience) as waiting, self._turn:
                waiting.reschedule(None)  # what is read now has bounds of its own
                receipt = await asyncio.to_thread(self._fates.read, record_offsets, token.id)
        except (TimeoutError, KafkaUnavailableError, DatabaseUnavailableError):
            raise _away() from None
        finally:
            self._waiting -= 1
        if receipt is None:
            raise ProblemError(
                404,
                "receipt_foreign",
                vi="biên nhận này không thuộc mã truy cập của bạn",
                en="this receipt is of another token",
            )
        return receipt


def add_receipts(
    app: FastAPI, tokens: TokenFile, answers: ReceiptAnswers, responses: dict[int | str, dict[str, Any]]
) -> None:
    """Add the address; tokens that publish ask there, each for its own events, and readers' tokens do not."""

    @app.get("/v1/receipts/{receipt}", response_model=Receipt, responses=responses)
    async def get_receipt(receipt: str, request: Request) -> Response:
        """Tell what became of each accepted event of a request: stored, duplicate, superseded, rejected, waiting.

        The gateway asks here with the sender's own token. A receipt is answered to the token that published what it
        is for, and to no other.
        """
        token = authenticate(request, tokens)
        request.scope["facts"].token = token.id
        if token.reads:
            raise ProblemError(
                403,
                "token_reads",
                vi="mã truy cập này chỉ để đọc số liệu; biên nhận chỉ trả cho mã đã gửi dữ liệu",
                en="this token reads figures only; only the token that published can read a receipt",
            )
        body = to_json(await answers.take(token, receipt))
        return Response(body, headers={"cache-control": "no-store"}, media_type="application/json")


def _away() -> ProblemError:
    return ProblemError(
        503,
        "receipts_unavailable",
        vi="tạm thời không tra được biên nhận; hãy hỏi lại sau",
        en="receipts cannot be looked up now; ask again later",
        headers={"retry-after": "5"},
    )
