"""What is refused, and why the register, the calendar or the database refuses it, in two languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic_core import from_json

from ioc.catalogue.limit import ReportLimit
from ioc.errors import Reason
from ioc.feeds.feed import Feed
from ioc.feeds.plausibility import Now, implausible_date
from ioc.feeds.validation import mask
from streams.rules.limit import IMPLAUSIBLE_VALUE, NO_LIMITS, implausible_value
from streams.rules.raw import Payloads, RawRecord

UNSTORABLE = "unstorable"


# Nearly what a topic takes in one record: the rest is for the reasons, which travel with it to the dead letters.
MAX_PAYLOAD = 15 * 1024 * 1024
MAX_READ = 1024 * 1024  # of what was refused, for its day
_EARLIEST, _LATEST = date(1900, 1, 1), date(2999, 12, 31)


EMPTY = Reason(
    field="value",
    rule="empty",
    message_vi="bản ghi Kafka không chứa sự kiện nào",
    message_en="the Kafka record holds no event",
)
NOT_AN_ARRAY = Reason(
    field="value",
    rule="json_invalid",
    message_vi="không phải mảng JSON hợp lệ (UTF-8) như content-type đã khai",
    message_en="not a valid JSON array in UTF-8, as its content-type says",
)


@dataclass(frozen=True)
class Rejection:
    """An event that cannot be counted, and why.

    payload:      None when it is larger than `MAX_PAYLOAD`.
    effective_on: the business day that it speaks of, where that can be read.
    """

    record_offset: int
    position: int
    reasons: tuple[Reason, ...]
    reporter: str | None = None
    event_id: str | None = None
    subject: str | None = None
    payload: bytes | None = None
    effective_on: date | None = None


def day_told(feed: Feed, event: bytes, zone: ZoneInfo) -> date | None:
    """Return the business day that an event names, however wrong the rest of it is; None where it cannot be read."""
    if len(event) > MAX_READ:
        return None
    try:
        text = from_json(event)["data"][feed.effective]
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            moment = moment.astimezone(zone)
    except (ValueError, TypeError, KeyError, LookupError, OverflowError):
        return None
    return moment.date() if _EARLIEST <= moment.date() <= _LATEST else None


def reason_of(feed: Feed, row: Mapping[str, Any], now: Now, limits: Mapping[str, ReportLimit] = NO_LIMITS) -> Reason:
    """Return the reason of the row's `rule`: unknown_reporter, implausible_date, implausible_value or unknown_area."""
    rule = row["rule"]
    if rule == "unknown_reporter":
        return Reason(
            field="source",
            rule=rule,
            value=mask(row["reporter"]),
            message_vi=f"đơn vị báo cáo chưa có trong danh bạ của nguồn {feed.key}; hãy đăng ký trước khi gửi",
            message_en=f"reporter is not in the register of {feed.key}; register it, then replay the event",
        )
    if rule == "implausible_date":
        column = row["implausible"]
        return implausible_date(feed, column, row["effective_on"] if column == feed.effective else row[column], now)
    if rule == IMPLAUSIBLE_VALUE:
        return implausible_value(row, limits)
    return Reason(
        field="data.area_code" if feed.located else "source",
        rule=rule,
        value=str(row["area_code"] or ""),
        message_vi="không có đơn vị hành chính này vào ngày nghiệp vụ; kiểm tra danh bạ hoặc danh mục địa bàn",
        message_en="no such administrative unit on the business date; check the register or the area list",
    )


def unstorable(row: Mapping[str, Any], payloads: Payloads, fault: str) -> Rejection:
    """Return the rejection of an event that no table can hold, though every rule lets it pass.

    row:   `record_offset`, `position`, `reporter`, `event_id`, `record_key`.
    fault: what was raised, in short; it goes to the log, not to the sender.
    """
    payload = payloads.of(row["record_offset"], row["position"])
    return Rejection(
        record_offset=row["record_offset"],
        position=row["position"],
        reasons=(_unstorable("data", fault),),
        reporter=row["reporter"],
        event_id=row["event_id"],
        subject=row["record_key"],
        payload=payload if len(payload) <= MAX_PAYLOAD else None,
        effective_on=row.get("effective_on"),
    )


def unreadable(record: RawRecord, position: int, raw: bytes, fault: str) -> Rejection:
    """Return the rejection of what no rule foresaw while it was read; `fault` as of `unstorable`."""
    return Rejection(
        record_offset=record.offset,
        position=position,
        reasons=(_unstorable("", fault),),
        payload=raw if len(raw) <= MAX_PAYLOAD else None,
    )


def _unstorable(field: str, fault: str) -> Reason:
    return Reason(
        field=field,
        rule=UNSTORABLE,
        value=fault.partition(":")[0],
        message_vi="hệ thống không ghi được giá trị của sự kiện này; người vận hành đã được báo và sẽ phát lại",
        message_en="the platform cannot store what this event holds; its operators see this, and will replay it",
    )


def bare_reason(rule: str) -> Reason:
    """Return a reason that shows nothing of the event."""
    return Reason(
        field="",
        rule=rule,
        message_vi="bị từ chối; không ghi được chi tiết",
        message_en="refused; details cannot be kept",
    )
