"""Data quality as the platform measures it: what it can say of one day, and the reports that say it. Pure.

The rows of the catalogue's sector `data_quality` are values that are reported; most of them only the platform
can know. Definitions, in two languages, are in docs/quality.md. No figure is not zero: a feed without events has no
shares.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from ioc.errors import ConfigError
from ioc.feeds.event import event_json
from ioc.feeds.feed import Feed
from ioc.period import start_of

SECTOR = "data_quality"
# The reporter of `report.value` that the platform speaks as.
PLATFORM = "ioc-tinh"

SHARES = ("valid_rate", "missing_rate", "duplicate_rate")
FRESHNESS = "freshness_lag"
COUNTS = ("indicators_total", "indicators_live", "agencies", "indicators_added", "alerts_open")
REPORTS = ("reports_due", "reports_on_time", "reports_late")
# Incidents that are about the data itself; that an indicator lags is none of its faults.
ALERTS = (
    "feed_silent",
    "reporter_missing",
    "rejections_up",
    "control_total",
    "events_set_aside",
    "figures_differ",
)

# Rows that the platform cannot know, and why; agencies report them.
BY_AGENCIES: Mapping[str, str] = {
    f"{SECTOR}.district_iocs": "a connection of a district's centre is no event",
    f"{SECTOR}.leader_use_rate": "who reads a board is known to Grafana's accounts only",
}


@dataclass(frozen=True)
class FreshnessLimit:
    """Until when a figure is live: `days` after the last day of the `period` that it is for."""

    period: str
    days: int


# One period, and what its figure may take to come. Figures are kept by the day, so nothing here is finer than that.
LIMITS: Mapping[str, FreshnessLimit] = {
    "realtime": FreshnessLimit("day", 1),
    "hourly": FreshnessLimit("day", 1),
    "daily": FreshnessLimit("day", 2),
    "weekly": FreshnessLimit("week", 7 + 3),
    "monthly": FreshnessLimit("month", 31 + 15),
    "quarterly": FreshnessLimit("quarter", 92 + 30),
    "yearly": FreshnessLimit("year", 366 + 90),
}


@dataclass(frozen=True)
class DailyOutcome:
    """What became of a feed's events in one day; `missing` are rejected ones that lacked a mandatory field."""

    consumed: int
    accepted: int
    duplicate: int
    missing: int

    def without(self, own: DailyOutcome) -> DailyOutcome:
        """Return the account of the others' events, given that of one's own."""
        consumed = max(self.consumed - own.consumed, 0)
        rest = (self.accepted - own.accepted, self.duplicate - own.duplicate, self.missing - own.missing)
        return DailyOutcome(consumed, *(min(max(number, 0), consumed) for number in rest))


@dataclass(frozen=True)
class OwedReport:
    """A period of a row that agencies report: by when it was due, and when its first report came; None = not yet."""

    due_at: datetime
    received_at: datetime | None


@dataclass(frozen=True)
class ReportAccount:
    """Of a month so far: reports whose deadline has passed; of these, how many came in time, and how many later.

    Those that have not come at all are neither: due - on_time - late.
    """

    due: int
    on_time: int
    late: int


def account_of(owed: Iterable[OwedReport]) -> ReportAccount:
    """Return the account of reports."""
    due = on_time = late = 0
    for one in owed:
        due += 1
        if one.received_at is not None:
            on_time += one.received_at <= one.due_at
            late += one.received_at > one.due_at
    return ReportAccount(due, on_time, late)


@dataclass(frozen=True)
class Readings:
    """What the database says of one business day.

    accounts: by feed; ages: seconds from the newest record to the moment of measuring, by feed.
    total, added: indicators at the day's end, and those that are new in its month; None before there was any.
    live, agencies: None once the day, or its month, is over: what was the case then cannot be read now.
    alerts: incidents about the data that were open at the end; None where no scheduler was watching.
    reports: of the day's month, up to the day's end; None where reports do not come by the clock of their deadlines.
    """

    day: date
    accounts: Mapping[str, DailyOutcome] = field(default_factory=dict)
    ages: Mapping[str, float] = field(default_factory=dict)
    total: int | None = None
    added: int | None = None
    live: int | None = None
    agencies: int | None = None
    alerts: int | None = None
    reports: ReportAccount | None = None


@dataclass(frozen=True)
class QualityValue:
    """One value to report; a share has the numbers behind it: 100 x `part` / `whole`."""

    indicator: str
    period: str
    period_start: date
    value: float
    part: int | None = None
    whole: int | None = None


def sources(feeds: Mapping[str, Feed]) -> dict[str, str]:
    """Return what the catalogue's rows call the feeds: name -> key of the feed.

    Raises ConfigError where two feeds have one name.
    """
    found: dict[str, str] = {}
    for key, feed in feeds.items():
        if feed.quality_source is not None and found.setdefault(feed.quality_source, key) != key:
            raise ConfigError(
                f"{key} and {found[feed.quality_source]} both have the quality_source {feed.quality_source!r}; "
                "each needs a name of its own"
            )
    return found


def codes(feeds: Mapping[str, Feed]) -> frozenset[str]:
    """Return the codes of the rows that the platform gives."""
    by_feed = {f"{SECTOR}.{name}.{source}" for name in (*SHARES, FRESHNESS) for source in sources(feeds)}
    return frozenset(by_feed | {f"{SECTOR}.{name}" for name in (*COUNTS, *REPORTS)})


def measure(read: Readings, feeds: Mapping[str, Feed]) -> list[QualityValue]:
    """Return the figures of a day and of its month that the readings give."""
    return [*_of_feeds(read, sources(feeds)), *_of_indicators(read)]


def _of_feeds(read: Readings, known: Mapping[str, str]) -> Iterator[QualityValue]:
    for source, feed in known.items():
        account = read.accounts.get(feed)
        if account is not None and account.consumed > 0:
            parts = zip(SHARES, (account.accepted, account.missing, account.duplicate), strict=True)
            for name, part in parts:
                share = round(100 * part / account.consumed, 3)
                yield QualityValue(f"{SECTOR}.{name}.{source}", "day", read.day, share, part, account.consumed)
        if feed in read.ages:
            # A sender's clock may be ahead of ours.
            age = max(round(read.ages[feed], 3), 0.0)
            yield QualityValue(f"{SECTOR}.{FRESHNESS}.{source}", "day", read.day, age)


def _of_indicators(read: Readings) -> Iterator[QualityValue]:
    month = start_of("month", read.day)
    found = (
        ("indicators_total", "day", read.day, read.total),
        ("indicators_live", "day", read.day, read.live),
        ("agencies", "month", month, read.agencies),
        ("indicators_added", "month", month, read.added),
        ("alerts_open", "day", read.day, read.alerts),
        *(
            (name, "month", month, count)
            for name, count in zip(
                REPORTS,
                (read.reports.due, read.reports.on_time, read.reports.late) if read.reports else (),
                strict=False,
            )
        ),
    )
    for name, period, start, count in found:
        if count is not None:
            yield QualityValue(f"{SECTOR}.{name}", period, start, float(count))


def oldest_live(cadence: str, day: date) -> tuple[str, date]:
    """Return the period that an indicator of a cadence is looked at in, and its oldest bucket that is live."""
    limit = LIMITS[cadence]
    return limit.period, start_of(limit.period, day - timedelta(days=limit.days))


def is_delivered(
    cadence: str, feeds: Iterable[Feed], delivered_at: Mapping[str, datetime], *, moment: datetime
) -> bool:
    """Whether each feed has delivered within the limit of a cadence, or its own cadence where that is longer.

    A stock is carried on, so that a figure of today alone does not show that its feed still lives.
    """
    limit = timedelta(days=LIMITS[cadence].days)
    return all(
        feed.key in delivered_at and moment - delivered_at[feed.key] <= max(limit, feed.cadence) for feed in feeds
    )


def to_event(feed: Feed, figure: QualityValue, area_code: str, measured_at: datetime) -> dict[str, Any]:
    """Return a figure as an event of `report.value`; its revision is the milliseconds of the measuring time."""
    record = feed.model.model_validate(
        {
            "agency": PLATFORM,
            "indicator": figure.indicator,
            "area_code": area_code,
            "period": figure.period,
            "period_start": figure.period_start,
            "value": figure.value,
        }
    )
    revision = to_revision(measured_at)
    return event_json(
        feed.event_type,
        f"{PLATFORM}/{record.record_key()}",
        measured_at.astimezone(UTC).isoformat(timespec="milliseconds"),
        event_id=f"{record.record_key()}@{revision}",
        revision=revision,
        data=record.model_dump(mode="json"),
    )


def to_revision(at: datetime) -> int:
    """Return the milliseconds of a time: a later measurement has a higher revision."""
    return int(at.timestamp() * 1000)
