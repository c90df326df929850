"""Takes what reporters say they have sent, and writes it to Kafka; the comparison is the platform's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request

from connectors.gateway.answer import EventResult, PublishResponse, RequestRefusedError, refusal
from connectors.gateway.intake import Intake
from ioc.errors import Reason
from ioc.feeds.control_total import ControlTotal, ToldControlTotal, summable
from ioc.feeds.feed import Feed
from ioc.feeds.validation import reasons_of
from ioc.messaging.record import OutgoingRecord
from ioc.messaging.topic import control_total_topic
from ioc.settings import Settings
from ioc.web.tokens import Token

MAX_TOTALS = 1000
_MAX_BYTES = 512 * 1024
_LIST = TypeAdapter(list[ControlTotal])
_ONE = TypeAdapter(ControlTotal)


class ControlDesk:
    """Takes control totals; `feeds` are by key."""

    def __init__(self, settings: Settings, feeds: Mapping[str, Feed], intake: Intake) -> None:
        self._topic = control_total_topic(settings.topic_prefix)
        self._feeds = feeds
        self._intake = intake

    async def take(self, request: Request, key: str) -> PublishResponse:
        """Take one control total or an array of them, all or none; raises `RequestRefusedError`."""
        token = self._intake.admit(request)
        feed = feed_of(self._feeds, key, token)
        totals = _totals(await self._intake.read_body(request, _MAX_BYTES))
        await self._intake.pace(token, len(totals))
        if reasons := [reason for index, total in enumerate(totals) for reason in _check(feed, token, index, total)]:
            raise RequestRefusedError(422, reasons)
        now = datetime.now(UTC)
        records = [
            OutgoingRecord(
                topic=self._topic,
                key=total.reporter.encode(),
                value=ToldControlTotal(feed=key, told_at=now, **dict(total)).model_dump_json().encode(),
                headers=(("content-type", b"application/json"), ("ioc-token", token.id.encode())),
            )
            for total in totals
        ]
        await self._intake.produce(records, token)
        results = [EventResult(index=index, id=None, status="accepted") for index in range(len(totals))]
        return PublishResponse(accepted=len(totals), results=results)


def feed_of(feeds: Mapping[str, Feed], key: str, token: Token) -> Feed:
    """Return the feed that an address names; refuses one that is not there (404) or not the token's (403)."""
    feed = feeds.get(key)
    if feed is None:
        known = ", ".join(sorted(feeds))
        raise refusal(
            404,
            "feed",
            "feed_unknown",
            vi=f"không có nguồn dữ liệu này; các nguồn: {known}",
            en=f"there is no such feed; the feeds are {known}",
        )
    if key not in token.feeds:
        raise refusal(
            403,
            "feed",
            "feed_forbidden",
            vi=f"mã truy cập này không được gửi {feed.name_vi.lower()} ({feed.key})",
            en=f"this token may not publish {feed.key}",
        )
    return feed


def _totals(body: bytes) -> Sequence[ControlTotal]:
    try:
        totals = _LIST.validate_json(body) if body.lstrip()[:1] == b"[" else [_ONE.validate_json(body)]
    except ValidationError as error:
        invalid = any(one["type"] == "json_invalid" for one in error.errors(include_input=False)[:1])
        # Below `sums` a sender names columns: what it wrote there is not repeated.
        reasons = [
            reason.model_copy(update={"field": reason.field.partition("sums.")[0] + "sums"})
            if "sums." in reason.field
            else reason
            for reason in reasons_of(error)
        ]
        raise RequestRefusedError(400 if invalid else 422, reasons) from None
    if len(totals) > MAX_TOTALS:
        raise refusal(413, "", "too_large", vi=f"tối đa {MAX_TOTALS} dòng", en=f"at most {MAX_TOTALS} totals")
    return totals


def _check(feed: Feed, token: Token, place: int, total: ControlTotal) -> list[Reason]:
    reasons = []
    if not token.allows_reporter(total.reporter):
        reasons.append(
            Reason(
                field=f"{place}.reporter",
                rule="reporter_forbidden",
                message_vi="mã truy cập này không được gửi thay cho đơn vị báo cáo này",
                message_en="this token may not publish for this reporter",
            )
        )
    known = summable(feed)
    if any(name not in known for name in total.sums):
        listed = ", ".join(known) or "-"
        reasons.append(
            Reason(
                field=f"{place}.sums",
                rule="column_unknown",
                message_vi=f"chỉ tính tổng các cột: {listed}",
                message_en=f"sums are of these columns only: {listed}",
            )
        )
    return reasons
