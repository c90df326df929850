"""From a request to Kafka's acknowledgement: the token, the limits, the checks of events, and the writing."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog
from pydantic_core import to_json
from starlette.requests import Request

from connectors.gateway.answer import PublishResponse, RequestRefusedError, all_accepted, refusal, status_of
from connectors.gateway.cloudevents import check_nesting, mode_of, read_events
from connectors.gateway.metrics import GatewayMetrics
from connectors.gateway.producer import EventProducer
from connectors.gateway.quick_read import Passed, QuickRead, QuickReader
from connectors.gateway.verdict import MAX_RECORD_BYTES, Packed, Verdict, accepted, judge, pack, too_large
from ioc.errors import KafkaUnavailableError
from ioc.feeds.feed import Feed
from ioc.feeds.plausibility import Calendar, Now
from ioc.messaging.record import TOKEN_HEADER, OutgoingRecord, RecordOffset, record_of
from ioc.settings import Settings
from ioc.web.access import RequestFacts
from ioc.web.bearer import CHALLENGE, UnauthenticatedError, authenticate
from ioc.web.rate_limit import RateLimit
from ioc.web.tokens import Token, TokenFile

MAX_EVENT_BYTES = 64 * 1024
# What the rate takes for an event; the cost of a request follows its bytes where there are few events in many.
_BYTES_OF_AN_EVENT = 2048
_BODY_SECONDS = 30.0
_RETRY_SECONDS = 5
_MOST_PAUSES = 20
_log = structlog.get_logger("gateway")


@dataclass(frozen=True, slots=True)
class EventsTaken:
    """An answer: its HTTP status, its body as JSON, and where the records lie that came of the request."""

    status: int
    body: bytes
    record_offsets: list[RecordOffset]


class Intake:
    """Takes the events of requests; `feeds` are by event type."""

    def __init__(
        self,
        settings: Settings,
        feeds: Mapping[str, Feed],
        tokens: TokenFile,
        *,
        calendar: Calendar,
        limit: RateLimit,
        producer: EventProducer,
        metrics: GatewayMetrics,
    ) -> None:
        self._settings = settings
        self._feeds = feeds
        self._calendar = calendar
        self._tokens = tokens
        self._producer = producer
        self._metrics = metrics
        self._limit = limit
        self._quick = QuickReader(feeds)

    def admit(self, request: Request) -> Token:
        """Return the request's token, before the work of reading its body; raises `RequestRefusedError`."""
        token = self.authenticate(request)
        if wait := self._limit.wait(token.id):
            raise too_fast(wait)
        return token

    async def pace(self, token: Token, events: int) -> None:
        """Wait until so many events are granted: a long file is read no faster than its sender may send."""
        for _ in range(_MOST_PAUSES):
            wait = self._limit.take(token.id, events)
            if not wait:
                return
            await asyncio.sleep(wait)
        raise too_fast(self._limit.wait(token.id, events))

    def require_live(self, token: Token) -> None:
        """Refuse (401) to go on for a token that was revoked, or has expired, since its request began."""
        if self._tokens.find_live(token.id) is None:
            raise refusal(
                401,
                "authorization",
                "token_ended",
                vi="mã truy cập đã bị thu hồi hoặc hết hạn trong khi gửi; phần còn lại không được nhận",
                en="the token was revoked, or expired, while this was sent; the rest is not taken",
                headers={"www-authenticate": f'{CHALLENGE}, error="invalid_token"'},
            )

    def now(self) -> Now:
        """Return what is plausible now."""
        return self._calendar.at(datetime.now(UTC))

    async def take(self, request: Request, *, dry_run: bool = False) -> EventsTaken:
        """Answer a request event by event, and say where its records lie; none are written in a dry run.

        Raises `RequestRefusedError` where that is not possible.
        """
        facts: RequestFacts = request.scope["facts"]
        token = self.admit(request)
        mode = mode_of(request.headers)
        most = self._settings.gateway_max_events if mode == "batch" else 1
        body = await self.read_body(request, self._settings.gateway_max_body if mode == "batch" else MAX_EVENT_BYTES)
        worth = math.ceil(len(body) / _BYTES_OF_AN_EVENT)
        now = self.now()
        read = None
        try:
            check_nesting(body, most)
            if mode != "binary":
                read = self._quick.read(body, token, now, batch=mode == "batch", most=most)
            good = read is not None and None not in read.passed
            events = [] if good else read_events(mode, request.headers, body)
        except RequestRefusedError:
            self._limit.take(token.id, max(worth, 1))
            raise
        number = len(events) if read is None else len(read.texts)
        if number > most:
            raise _too_large(f"{most:,} sự kiện", f"{most:,} events")
        if wait := self._limit.take(token.id, max(number, worth, 1)):
            raise too_fast(wait)
        if read is not None and (alike := read.alike()):
            taken = await self._take_alike(read, alike, token, dry_run=dry_run)
            if taken is not None:
                facts.accepted = number
                return taken
        verdicts = self._judged(read, events, token, now)
        record_offsets = [] if dry_run else await self.write(verdicts, token)
        results = [verdict.result for verdict in verdicts]
        facts.accepted = sum(result.status == "accepted" for result in results)
        facts.refused = len(results) - facts.accepted
        answer = PublishResponse(accepted=facts.accepted, refused=facts.refused, results=results)
        return EventsTaken(status_of(results), to_json(answer), record_offsets)

    async def _take_alike(self, read: QuickRead, alike: Passed, token: Token, *, dry_run: bool) -> EventsTaken | None:
        """Take good events of one feed and reporter as one record, as they were sent; None where it is too large."""
        record_offsets: list[RecordOffset] = []
        if not dry_run:
            topic = alike.feed.topic(self._settings.topic_prefix)
            record = record_of(topic, alike.reporter, read.texts, (TOKEN_HEADER, token.id.encode()))
            if len(record.value or b"") > MAX_RECORD_BYTES:
                return None
            record_offsets = await self.produce([record], token)
            if not record_offsets:
                return None
            self._metrics.count_accepted(alike.feed, len(read.texts))
        return EventsTaken(202, all_accepted([one.id for one in read.passed if one is not None]), record_offsets)

    def _judged(self, read: QuickRead | None, events: list[Any], token: Token, now: Now) -> list[Verdict]:
        """Return the verdict of each event, those that passed at once without asking pydantic."""
        if read is None:
            return [judge(self._feeds, token, index, event, now=now) for index, event in enumerate(events)]
        return [
            judge(self._feeds, token, index, events[index], now=now)
            if one is None
            else accepted(index, one.id, one.feed, one.reporter, text)
            for index, (text, one) in enumerate(zip(read.texts, read.passed, strict=True))
        ]

    async def write(self, verdicts: list[Verdict], token: Token) -> list[RecordOffset]:
        """Write the events that passed, and return where they lie; refuses (503) when Kafka does not say so in time.

        Verdicts of events that are too large for their topic are replaced in `verdicts`.
        """
        prefix = self._settings.topic_prefix
        packed = pack(verdicts, prefix, token.id)
        written = await self._produce([one.record for one in packed], token)
        # A record that holds several events is parted: only an event that is too large by itself is refused.
        large = [one for one, record_offset in zip(packed, written, strict=True) if record_offset is None]
        apart = [
            Packed(single.record, (number,))
            for one in large
            if len(one.verdicts) > 1
            for number in one.verdicts
            for single in pack([verdicts[number]], prefix, token.id)
        ]
        again = await self._produce([one.record for one in apart], token)
        alone = [one for one in large if len(one.verdicts) == 1]
        alone += [one for one, record_offset in zip(apart, again, strict=True) if record_offset is None]
        for one in alone:
            (number,) = one.verdicts
            verdicts[number] = too_large(verdicts[number])
        self._metrics.count(verdicts)
        return [record_offset for record_offset in (*written, *again) if record_offset is not None]

    async def produce(self, records: list[OutgoingRecord], token: Token) -> list[RecordOffset]:
        """Wait until Kafka has the records, and say where; refuses (503) when it does not say so in time.

        What is too large for its topic has no offset.
        """
        return [record_offset for record_offset in await self._produce(records, token) if record_offset is not None]

    async def _produce(self, records: list[OutgoingRecord], token: Token) -> list[RecordOffset | None]:
        """Wait until Kafka has the records; None where one is too large for its topic."""
        try:
            if not records:
                return []
            with self._metrics.acknowledgement.time():
                return await self._producer.publish(records)
        except KafkaUnavailableError as error:
            _log.warning("not acknowledged", reason=str(error), records=len(records), token=token.id)
            raise refusal(
                503,
                "",
                "kafka_unavailable",
                vi="hệ thống tiếp nhận tạm thời gián đoạn: chưa sự kiện nào của yêu cầu này được xác nhận; "
                "gửi lại không gây hại",
                en="Kafka is away: none of these events is confirmed; sending again is harmless",
                headers={"retry-after": str(_RETRY_SECONDS)},
            ) from None

    def authenticate(self, request: Request) -> Token:
        """Return the request's token; refuses without a good one (401), or with one that only reads (403)."""
        try:
            token = authenticate(request, self._tokens)
        except UnauthenticatedError as error:
            raise RequestRefusedError(401, error.reasons, {"www-authenticate": error.challenge}) from None
        if token.reads:
            raise refusal(
                403,
                "authorization",
                "token_reads",
                vi="mã truy cập này chỉ để đọc số liệu; hãy dùng mã của hệ thống gửi dữ liệu",
                en="this token reads figures only; publish with a token of the sector system",
            )
        request.scope["facts"].token = token.id
        return token

    async def read_body(self, request: Request, limit: int) -> bytes:
        """Read the body as it comes, and no more of it than is allowed, whatever its announced length."""
        limit = min(limit, self._settings.gateway_max_body)
        announced = request.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > limit:
            raise _too_large(f"{limit:,} byte", f"{limit:,} bytes")
        body = bytearray()
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > limit:
                        raise _too_large(f"{limit:,} byte", f"{limit:,} bytes")
        except TimeoutError:
            raise refusal(408, "", "body_timeout", vi="nội dung gửi quá chậm", en="the body came too slowly") from None
        return bytes(body)


def _too_large(most_vi: str, most_en: str) -> RequestRefusedError:
    return refusal(
        413,
        "",
        "too_large",
        vi=f"yêu cầu quá lớn: tối đa {most_vi}; hãy chia nhỏ",
        en=f"the request is too large: at most {most_en}; send it in parts",
    )


def too_fast(wait: float) -> RequestRefusedError:
    """Return the refusal (429) of a sender who is to wait so many seconds."""
    seconds = math.ceil(wait)
    return refusal(
        429,
        "",
        "too_fast",
        vi=f"gửi quá nhanh; hãy gửi lại sau {seconds} giây",
        en=f"too many events; send again in {seconds} s",
        headers={"retry-after": str(seconds)},
    )
