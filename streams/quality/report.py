"""The platform's measurements of itself: read from the database, sent to `report.value` as any agency's reports are.

Measured again, a figure that has not changed is not sent again; one that has is a later revision of its report.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql
from pydantic_core import to_json

from ioc.catalogue import Catalogue, compile_measures
from ioc.catalogue.indicator import REPORT_FEED, REPORT_PERIODS
from ioc.database.connection import connect, translated_errors
from ioc.errors import ConfigError
from ioc.feeds.feed import Feed
from ioc.messaging.client import ACK_SECONDS, open_producer, send_all
from ioc.messaging.record import OutgoingRecord, record_of
from ioc.period import end_of, start_of
from ioc.province.calendar import load_calendar
from ioc.province.deadline import Deadlines, load_deadlines
from ioc.province.profile import Profile
from ioc.settings import Settings
from sql import load_queries
from streams.rules.quality import (
    ALERTS,
    PLATFORM,
    SECTOR,
    DailyOutcome,
    OwedReport,
    QualityValue,
    Readings,
    ReportAccount,
    account_of,
    codes,
    is_delivered,
    measure,
    oldest_live,
    to_event,
    to_revision,
)

# A feed of reports by the month or longer has few records; of the others, this long back before a month is searched.
_SELDOM = timedelta(days=28)
_SEARCHED = timedelta(days=731)
_UNWATCHED = timedelta(minutes=5)  # since incidents were last looked for


@dataclass(frozen=True)
class QualityReport:
    """A figure of an area after a run; `event` reports it to `report.value`."""

    figure: QualityValue
    area_code: str
    status: Literal["new", "changed", "unchanged"]
    event: Mapping[str, Any]

    def to_row(self) -> dict[str, Any]:
        """The report as a row to show."""
        return {**asdict(self.figure), "area_code": self.area_code, "status": self.status}


class QualityMeter:
    """Measures days of one province over a connection that the caller keeps; it only reads."""

    def __init__(
        self,
        connection: psycopg.Connection,
        *,
        profile: Profile,
        catalogue: Catalogue,
        feeds: Mapping[str, Feed],
        timezone: str,
        deadlines: Deadlines,
    ) -> None:
        if not any(r.feed == REPORT_FEED and r.code == PLATFORM for r in profile.reporters):
            raise ConfigError(
                f"profile {profile.code}: {PLATFORM} must be a reporter of {REPORT_FEED}; add it to a reporters_*.csv"
            )
        self._connection = connection
        self._areas = profile.areas
        self._catalogue = catalogue
        self._compiled = compile_measures(catalogue)
        self._feeds = feeds
        self._zone = ZoneInfo(timezone)
        self._deadlines = deadlines
        self._simulated = profile.simulated
        self._queries = load_queries("quality")

    def today(self, now: datetime) -> date:
        """Return the business day of a moment."""
        return now.astimezone(self._zone).date()

    def report(self, days: Sequence[date], now: datetime) -> list[QualityReport]:
        """Return what is to be reported of days that have begun; raises ConfigError for others.

        `now` is the moment of measuring: a day is measured up to it, and it is the revision of what has changed.
        """
        figures: dict[tuple[str, str, date], QualityValue] = {}
        with translated_errors():
            for day in sorted(days):
                for figure in measure(self.read(day, now), self._feeds):
                    # A row that the province's own catalogue does not have is not reported.
                    if figure.indicator in self._catalogue.indicators:
                        figures[figure.indicator, figure.period, figure.period_start] = figure
            stored = self._stored(min((start for *_, start in figures), default=self.today(now)))
        return [self._report(figure, stored, now) for figure in figures.values()]

    def read(self, day: date, now: datetime) -> Readings:
        """Return what the database says of a day up to `now`."""
        if day > self.today(now):
            raise ConfigError(f"{day} has not begun; give a day up to {self.today(now)}")
        month = start_of("month", day)
        start, end = self._midnight(day), self._midnight(day + timedelta(days=1))
        month_end = self._midnight(end_of("month", month) + timedelta(days=1))
        moment = min(now, end)
        total = self._count("count_indicators", moment=moment)
        return Readings(
            day,
            accounts=self._accounts(start, end),
            ages=self._ages(moment, running=now < end),
            total=total or None,
            added=self._count("count_added", start=self._midnight(month), end=month_end) if total else None,
            live=self._live(day, now) if now < end else None,
            agencies=self._agencies(self._midnight(month), now) if now < month_end else None,
            alerts=self._alerts(moment),
            reports=self._reports(month, moment),
        )

    def _alerts(self, moment: datetime) -> int | None:
        """Count the incidents about the data that were open at a moment; None without a scheduler then."""
        ((watched_at, count),) = self._rows("count_alerts", moment=moment, kinds=list(ALERTS))
        return int(count) if watched_at is not None and watched_at >= moment - _UNWATCHED else None

    def _reports(self, month: date, moment: datetime) -> ReportAccount | None:
        """Count what agencies owed in a month up to a moment: a report for each row and period whose deadline passed.

        Nothing was owed before the catalogue was loaded. Reports of a simulated province come years after their days,
        so that none of them is in time or late.
        """
        ((loaded_at,),) = self._rows("select_first_load")
        if self._simulated or loaded_at is None:
            return None
        start = max(self._midnight(month), loaded_at)
        own = codes(self._feeds)
        buckets: dict[str, list[tuple[date, datetime]]] = {}
        owed: list[tuple[str, date, datetime]] = []
        for code, row in self._catalogue.indicators.items():
            if row.kind != "reported" or code in own:
                continue
            if row.cadence not in buckets:
                buckets[row.cadence] = [
                    (bucket, due) for bucket, due in self._due(row.cadence, month) if start <= due <= moment
                ]
            owed += [(code, bucket, due) for bucket, due in buckets[row.cadence]]
        first = {
            (code, bucket): received_at
            for code, bucket, received_at in self._rows(
                "select_first_reports",
                codes=sorted({code for code, _, _ in owed}),
                since=min((bucket for _, bucket, _ in owed), default=month),
            )
            if received_at <= moment
        }
        return account_of(OwedReport(due, first.get((code, bucket))) for code, bucket, due in owed)

    def _due(self, cadence: str, month: date) -> Iterator[tuple[date, datetime]]:
        """Yield the periods of a cadence whose deadline may lie in a month, with it, the newest first."""
        rule = self._deadlines.find(REPORT_FEED, cadence)
        period = REPORT_PERIODS[cadence]
        bucket = start_of(period, end_of("month", month))
        while True:
            due = self._deadlines.due(rule, bucket)
            if due < self._midnight(month):
                return
            yield bucket, due
            bucket = start_of(period, bucket - timedelta(days=1))

    def _accounts(self, start: datetime, end: datetime) -> dict[str, DailyOutcome]:
        accounts = {}
        span = {"start": start, "end": end, "platform": PLATFORM}
        for key, consumed, accepted, duplicate, missing, own_rejected, own_missing in self._rows(
            "select_accounts", **span
        ):
            account = DailyOutcome(consumed, accepted, duplicate, missing)
            if key == REPORT_FEED:
                own = self._count("count_own", start=to_revision(start), end=to_revision(end))
                account = account.without(DailyOutcome(own + own_rejected, own, 0, own_missing))
            accounts[key] = account
        return accounts

    def _ages(self, moment: datetime, *, running: bool) -> dict[str, float]:
        newest: dict[str, datetime] = dict(self._rows("select_newest", moment=moment))
        newest.pop(REPORT_FEED, None)
        if running:
            ((received_at,),) = self._rows("select_newest_report")
            if received_at is not None:
                newest[REPORT_FEED] = received_at
        return {feed: (moment - received_at).total_seconds() for feed, received_at in newest.items()}

    def _live(self, day: date, now: datetime) -> int:
        """Count the indicators with a live figure of the province and feeds that deliver."""
        wanted = {code: oldest_live(row.cadence, day) for code, row in self._catalogue.indicators.items()}
        rows = self._rows(
            "select_current",
            codes=list(wanted),
            periods=[period for period, _ in wanted.values()],
            since=[since for _, since in wanted.values()],
            areas=[area.area_id for area in self._areas.areas if area.parent_id is None],
            day=day,
        )
        delivered_at: dict[str, datetime] = dict(self._rows("select_deliveries", moment=now))
        return sum(
            is_delivered(
                self._catalogue.indicators[code].cadence,
                [self._feeds[feed] for feed in self._compiled.feeds(code)],
                delivered_at,
                moment=now,
            )
            for (code,) in rows
        )

    def _agencies(self, start: datetime, moment: datetime) -> int:
        """Count the agencies whose records came in [start, moment), in the feeds whose reporters are agencies."""
        found: set[str] = set()
        for feed in self._feeds.values():
            if feed.by_agencies:
                # Of a feed that is written all the time, records of long ago are not searched.
                since = None if feed.cadence >= _SELDOM else start - _SEARCHED
                statement = sql.SQL(self._queries["select_agencies"]).format(table=sql.Identifier(feed.table))
                parameters = {"start": start, "moment": moment, "since": since, "platform": PLATFORM}
                found.update(code for (code,) in self._connection.execute(statement, parameters).fetchall())
        return len(found)

    def _stored(self, since: date) -> dict[tuple[str, str, str, date], float]:
        rows = self._rows("select_own", since=since)
        return {(indicator, area_code, period, start): value for indicator, area_code, period, start, value in rows}

    def _report(
        self, figure: QualityValue, stored: Mapping[tuple[str, str, str, date], float], now: datetime
    ) -> QualityReport:
        roots = self._areas.roots(figure.period_start)
        if not roots:
            raise ConfigError(f"areas.csv has no province on {figure.period_start}; measure a later day")
        area_code = roots[0].code
        before = stored.get((figure.indicator, area_code, figure.period, figure.period_start))
        status: Literal["new", "changed", "unchanged"] = "new" if before is None else "changed"
        return QualityReport(
            figure,
            area_code,
            "unchanged" if before == figure.value else status,
            to_event(self._feeds[REPORT_FEED], figure, area_code, now),
        )

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self._zone)

    def _count(self, query: str, **parameters: object) -> int:
        ((count,),) = self._rows(query, **parameters)
        return int(count)

    def _rows(self, query: str, **parameters: object) -> list[tuple[Any, ...]]:
        statement = self._queries[query].encode()
        return self._connection.execute(statement, {"platform": PLATFORM, **parameters}).fetchall()


def report_quality(
    settings: Settings,
    days: Sequence[date],
    now: datetime,
    *,
    profile: Profile,
    catalogue: Catalogue,
    feeds: Mapping[str, Feed],
    dry_run: bool = False,
) -> list[QualityReport]:
    """Measure days (none named: yesterday and today so far) and send what is new or has changed.

    A catalogue without the sector has nothing to report: the answer is empty, and no reporter is needed.
    Raises DatabaseUnavailableError, or KafkaUnavailableError when Kafka does not acknowledge in time; running it
    again sends what was not stored.
    """
    if SECTOR not in catalogue.sectors:
        return []
    with connect(settings, "reader") as connection:
        zone = ZoneInfo(profile.timezone)
        meter = QualityMeter(
            connection,
            profile=profile,
            catalogue=catalogue,
            feeds=feeds,
            timezone=profile.timezone,
            deadlines=load_deadlines(settings.profile, feeds, load_calendar(settings.profile), zone),
        )
        today = meter.today(now)
        reports = meter.report(days or [today - timedelta(days=1), today], now)
    records = to_records(feeds[REPORT_FEED].topic(settings.topic_prefix), reports)
    if records and not dry_run:
        producer = open_producer(settings)
        try:
            send_all(producer, records)
        finally:
            producer.close(timeout=ACK_SECONDS)
    return reports


def to_records(topic: str, reports: Sequence[QualityReport]) -> list[OutgoingRecord]:
    """Return one Kafka record with the events of all reports that are new or changed; none where there are none."""
    events = [to_json(report.event) for report in reports if report.status != "unchanged"]
    return [record_of(topic, PLATFORM, events)] if events else []
