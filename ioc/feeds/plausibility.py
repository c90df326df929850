"""What is plausible now: no date before the platform's time, none ahead but those that lie ahead by nature.

Gateway, file formats and agents ask the same questions. A date that a feed declares as `ahead` (a due date, a
planned check-out) may lie as far ahead as the declaration says; every other date and time ends with the tolerance
after today. A sender's clock may be a little fast: `time`, and the `revision` made of one, end with a tolerance of
their own after now, because a revision of the year 2099 would keep every later correction out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from ioc.errors import Reason
from ioc.feeds.event import Envelope
from ioc.feeds.feed import Feed
from ioc.feeds.validation import mask
from ioc.settings import Settings


@dataclass(frozen=True)
class Now:
    """A moment, and what it allows.

    earliest, latest: business days that may count.
    latest_time:      of an envelope's `time`; `latest_revision` its milliseconds.
    """

    earliest: date
    latest: date
    latest_time: datetime
    latest_revision: int
    timezone: ZoneInfo


@dataclass(frozen=True)
class Calendar:
    """The settings' limits; `at` applies them to a moment."""

    earliest: date
    tolerance: timedelta
    clock_tolerance: timedelta
    timezone: ZoneInfo

    @classmethod
    def of(cls, settings: Settings, timezone: str) -> Calendar:
        """Return the calendar of the settings, in a province's time zone."""
        return cls(
            settings.earliest_business_date,
            timedelta(days=settings.future_tolerance_days),
            timedelta(seconds=settings.clock_tolerance),
            ZoneInfo(timezone),
        )

    def at(self, moment: datetime) -> Now:
        """Return what is plausible at a moment (with its time zone)."""
        latest_time = moment.astimezone(UTC) + self.clock_tolerance
        return Now(
            self.earliest,
            moment.astimezone(self.timezone).date() + self.tolerance,
            latest_time,
            int(latest_time.timestamp() * 1000),
            self.timezone,
        )


def check_plausible(feed: Feed, envelope: Envelope, now: Now) -> list[Reason]:
    """Return why a well-formed event of `feed` cannot be true now; empty = it can."""
    return [*check_clock(envelope, now), *_implausible_dates(feed, envelope, now)]


def check_clock(envelope: Envelope, now: Now) -> list[Reason]:
    """Return why `time` or `revision` lies ahead."""
    if envelope.time > now.latest_time:
        return [
            Reason(
                field="time",
                rule="implausible_time",
                value=envelope.time.isoformat(),
                message_vi="thời điểm nằm ở tương lai; kiểm tra đồng hồ và múi giờ của hệ thống gửi",
                message_en="lies ahead of now; check the clock and the time zone of the sending system",
            )
        ]
    if envelope.effective_revision > now.latest_revision:
        return [
            Reason(
                field="revision",
                rule="implausible_revision",
                value=mask(envelope.effective_revision),
                message_vi="số phiên bản phải là số đếm hoặc mili giây từ 1970, không ở tương lai: phiên bản quá cao "
                "sẽ chặn mọi lần sửa sau",
                message_en="must be a counter or milliseconds since 1970, not ahead of now: a revision that is too "
                "high would keep every later correction out",
            )
        ]
    return []


def latest_of(feed: Feed, column: str, latest: date, *, passed: bool) -> date:
    """Return the last plausible day of a date or time; `passed`: the record says that its day has passed."""
    ahead = feed.ahead.get(column)
    if ahead is None:
        return latest
    # What has passed is told on the day after, so that the day after is not ahead either.
    return latest - timedelta(days=1) if passed else latest + ahead.at_most


def implausible_date(feed: Feed, column: str, value: object, now: Now) -> Reason:
    """Return the reason of a date or time that is not plausible."""
    ahead = column in feed.ahead
    return Reason(
        field=f"data.{column}",
        rule="implausible_date",
        value=str(value),
        message_vi=f"ngày phải từ {now.earliest:%d/%m/%Y} và không ở "
        + ("tương lai quá xa" if ahead else f"tương lai (muộn nhất {now.latest:%d/%m/%Y})"),
        message_en=f"must lie between {now.earliest.isoformat()} and "
        + ("a plausible time ahead" if ahead else now.latest.isoformat()),
    )


def _implausible_dates(feed: Feed, envelope: Envelope, now: Now) -> Iterator[Reason]:
    values = {} if envelope.data is None else envelope.data.__dict__
    for column in feed.dated:
        value = values.get(column)
        if value is None:
            continue
        day = value.astimezone(now.timezone).date() if isinstance(value, datetime) else value
        ahead = feed.ahead.get(column)
        passed = ahead is not None and ahead.unless is not None and bool(values.get(ahead.unless))
        if not now.earliest <= day <= latest_of(feed, column, now.latest, passed=passed):
            yield implausible_date(feed, column, day, now)
