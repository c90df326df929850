"""A province on simulated time: figures, batches and reports put where the platform would have put them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg.rows import dict_row

from ioc.feeds.feed import Feed
from ioc.province.profile import Profile
from ioc.settings import Settings
from streams.rules.incident import Finding
from streams.status.outage import Outage
from streams.status.overseer import Look, Overseer

LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
RATE = "dossier.reuse_rate"
DAY = date(2024, 10, 22)
MINUTE = timedelta(minutes=1)


def local(day: date | str, hour: float = 12.0) -> datetime:
    """A moment of a business day."""
    day = date.fromisoformat(day) if isinstance(day, str) else day
    return datetime(day.year, day.month, day.day, tzinfo=LOCAL) + timedelta(hours=hour)


NOW = local(DAY + timedelta(days=1))


class ProvinceDay:
    """Writes as owner, judges as the scheduler does, and reads what came of it."""

    def __init__(self, settings: Settings, db: psycopg.Connection, profile: Profile, feeds: Mapping[str, Feed]) -> None:
        self.settings = settings.model_copy(update={"business_day": "clock"})
        self.db = db
        self.profile = profile
        self.feeds = feeds
        self._slots = {
            code: (sector, slot)
            for code, sector, slot in db.execute("SELECT code, sector, slot FROM indicator WHERE live").fetchall()
        }
        self._offset = 0
        self.absent: Sequence[str] = ()  # reporters that do not report
        self.overseer = Overseer(db, self.settings, profile, feeds)

    def area_id(self, code: str, on: date | str = "2024-10-05") -> int:
        """A unit's id."""
        day = date.fromisoformat(on) if isinstance(on, str) else on
        area = self.profile.areas.find(code, day)
        assert area is not None
        return area.area_id

    def figure(self, code: str, area: str, period: str, bucket: date | str, value: float | None) -> None:
        """Put one figure as the roll-up would have stored it."""
        sector, slot = self._slots[code]
        self.db.execute(
            "INSERT INTO indicator_cell AS c (sector, period, area_id, bucket, figures) "
            "VALUES (%(sector)s, %(period)s, %(area)s, %(bucket)s, "
            "        array_fill(NULL::float8, ARRAY[%(slot)s - 1]) || %(value)s::float8) "
            "ON CONFLICT (sector, period, area_id, bucket) DO UPDATE SET updated_at = clock_timestamp(), figures = ("
            "SELECT array_agg(CASE WHEN n = %(slot)s THEN %(value)s ELSE c.figures[n] END ORDER BY n) "
            "FROM generate_series(1, greatest(cardinality(c.figures), %(slot)s)) n)",
            {
                "sector": sector,
                "slot": slot,
                "period": period,
                "area": self.area_id(area, str(bucket)),
                "bucket": bucket,
                "value": value,
            },
        )

    def batch(self, feed: str, at: datetime, accepted: int = 10, rejected: int = 0, rule: str = "missing") -> None:
        """Put the account of one batch, and its rejected events."""
        first = self._offset
        self._offset += accepted + rejected
        self.db.execute(
            "INSERT INTO stream_batch (committed_at, feed_id, topic, partition, first_offset, next_offset, consumed, "
            "accepted, rejected, duplicate, corrected, voided, superseded, oldest_received_at, newest_received_at) "
            "SELECT %(at)s, feed_id, %(topic)s, 0, %(first)s, %(next)s, %(consumed)s, %(accepted)s, %(rejected)s, 0, "
            "0, 0, 0, %(at)s - interval '1 second', %(at)s FROM feed WHERE key = %(feed)s",
            {
                "at": at,
                "topic": f"t.{feed}",
                "first": first,
                "next": self._offset,
                "consumed": accepted + rejected,
                "accepted": accepted,
                "rejected": rejected,
                "feed": feed,
            },
        )
        for number in range(rejected):
            self.db.execute(
                "INSERT INTO rejected_event (recorded_at, feed_id, topic, partition, record_offset, position, "
                "reporter, rule, reasons) SELECT %s, feed_id, %s, 0, %s, 0, 'r-1', %s, %s::jsonb "
                "FROM feed WHERE key = %s",
                [
                    at,
                    f"t.{feed}",
                    first + number,
                    rule,
                    f'[{{"field": "data.code", "rule": "{rule}", "value": "x", "message_vi": "mã không có trong danh '
                    f'mục", "message_en": "not in the code list"}}]',
                    feed,
                ],
            )

    def alive(self, at: datetime, feeds: Iterable[str] | None = None) -> None:
        """All feeds (or some) have just delivered."""
        for feed in feeds if feeds is not None else self.feeds:
            self.batch(feed, at - timedelta(seconds=30))

    def everyone_reports(self, day: date, *, but: Sequence[str] = ()) -> None:
        """Everybody who must report a day does, but some."""
        for table, feed in (("tourism_daily_report", "tourism.daily_report"), ("environment_reading",) * 2):
            self.db.execute(
                f"INSERT INTO {table} (key, record_key, revision, event_id, reporter, area_code, area_id, "
                "effective_at, effective_on, received_at) SELECT gen_random_uuid(), p.code, 1, p.code, "
                "p.code, p.area_code, 0, %(day)s::timestamptz, %(day)s, %(day)s::timestamptz "
                "FROM reporter p JOIN feed f USING (feed_id) "
                "WHERE f.key = %(feed)s AND p.valid_from <= %(day)s AND p.valid_to > %(day)s "
                "AND p.code <> ALL (%(but)s) "
                f"AND NOT EXISTS (SELECT FROM {table} r WHERE r.reporter = p.code AND r.effective_on = %(day)s)",
                {"day": day, "feed": feed.replace("environment_reading", "environment.reading"), "but": list(but)},
            )

    def reports(self, code: str, period: str, start: date, at: datetime) -> None:
        """The agency has reported a row for a period, of the province."""
        self.db.execute(
            "INSERT INTO report_value (key, record_key, revision, event_id, reporter, area_code, area_id, "
            "effective_at, effective_on, received_at, indicator, period, period_start, value, next_start) "
            "VALUES (gen_random_uuid(), "
            "%(code)s, 1, %(code)s, 'so-tttt', '77', %(area)s, %(start)s, %(start)s, %(at)s, %(code)s, %(period)s, "
            "%(start)s, 1, %(start)s)",
            {"code": code, "period": period, "start": start, "at": at, "area": self.area_id("77")},
        )

    def look(self, now: datetime, *, outages: Sequence[Outage] = (), measured: Sequence[Finding] = ()) -> Look:
        """A look at a moment, as the scheduler takes it; everybody who must report has done so in time."""
        today = now.astimezone(LOCAL).date()
        for days in (1, 2):
            self.everyone_reports(today - timedelta(days=days), but=self.absent)
        return self.overseer.look(now, outages=outages, measured=measured)

    def incidents(self, *, closed: bool = False) -> list[dict[str, Any]]:
        """Incidents that are open, or all, oldest first."""
        rows = self.db.cursor(row_factory=dict_row).execute("SELECT * FROM incident ORDER BY incident_id").fetchall()
        return [row for row in rows if closed or row["closed_at"] is None]

    def history(self, incident_id: int) -> list[str]:
        """What has become of an incident, in order."""
        rows = self.db.execute(
            "SELECT what FROM incident_change WHERE incident_id = %s ORDER BY change_id", [incident_id]
        ).fetchall()
        return [what for (what,) in rows]

    def row(self, code: str, area: str = "77", on: date | str = "2024-10-05") -> dict[str, Any]:
        """How an indicator stands in an area."""
        found = self.db.cursor(row_factory=dict_row).execute(
            "SELECT * FROM indicator_status WHERE code = %s AND area_id = %s", [code, self.area_id(area, on)]
        )
        row = found.fetchone()
        assert row is not None, f"{code} has no status in {area}"
        return row


def put_rates(province: ProvinceDay, whole: float, low: float, day: date = DAY) -> list[str]:
    """Give three districts of eight a low rate of reused results; return the districts."""
    districts = [area.code for area in province.profile.areas.units(day, "district")]
    assert len(districts) == 8
    for n, code in enumerate(districts):
        province.figure(RATE, code, "day", day, low if n < 3 else 31.5)
    province.figure(RATE, "77", "day", day, whole)
    return districts


def kinds(province: ProvinceDay) -> list[str]:
    return sorted(f"{row['kind']}:{row['feed'] or row['code'] or ''}" for row in province.incidents())
