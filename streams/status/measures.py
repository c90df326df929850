"""Đúng, đủ, sạch, sống of one day: measured from what is stored, each with its numerator and denominator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from ioc.feeds.feed import Feed
from sql import load_queries
from streams.status.feeds import Missing
from streams.status.judged import RollCall
from streams.status.plan import JudgedUnits

ALL = "*"
_NAMED = 50


@dataclass(frozen=True)
class DayMeasure:
    """One row of `quality_measure`: `numerator` of `denominator`."""

    day: date
    measure: str
    feed: str
    sector: str
    area_id: int
    numerator: float
    denominator: float
    reporter: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


class DayMeter:
    """Measures over a connection that the caller keeps."""

    def __init__(
        self, connection: psycopg.Connection, feeds: Mapping[str, Feed], sectors: Mapping[str, str], zone: ZoneInfo
    ) -> None:
        """
        sectors: the catalogue's sector that each feed serves.
        """
        self._sectors = sectors
        self._connection = connection
        self._feeds = feeds
        self._zone = zone
        self._queries = load_queries("measure_quality")

    def clean(self, day: date, now: datetime, root: int, refused: Mapping[str, int]) -> Iterator[DayMeasure]:
        """sạch: accepted of received, of each feed and sector, and of each reporter that was refused something.

        refused: events of the day that the gateway refused, by feed: they were received, too.
        """
        start, end = self._span(day, now)
        rules: dict[str, dict[str, int]] = {}
        for row in self._rows("select_rules", start=start, end=end):
            rules.setdefault(row["key"], {})[row["rule"]] = row["events"]
        sectors: dict[str, list[float]] = {}
        accounts = {row["key"]: row for row in self._rows("select_accounts", start=start, end=end)}
        for key, feed in self._feeds.items():
            account = accounts.get(key)
            turned_away = refused.get(key, 0)
            received = (account["consumed"] if account else 0) + turned_away
            if not received:
                continue
            accepted = account["accepted"] if account else 0
            counts = ("duplicate", "corrected", "voided", "superseded", "rejected")
            detail = {
                **{name: account[name] if account else 0 for name in counts},
                "refused_by_gateway": turned_away,
                "rules": rules.get(key, {}),
            }
            yield DayMeasure(day, "clean", key, self._sectors[feed.key], root, accepted, received, detail=detail)
            if account:
                shares = dict(zip(("p50", "p95", "p99"), account["seconds"], strict=True))
                seconds = {name: round(float(value), 3) for name, value in shares.items()}
                yield DayMeasure(day, "latency", key, self._sectors[feed.key], root, seconds["p95"], 1, detail=seconds)
            total = sectors.setdefault(self._sectors[feed.key], [0, 0])
            total[0] += accepted
            total[1] += received
        for sector, (accepted, received) in sectors.items():
            yield DayMeasure(day, "clean", ALL, sector, root, accepted, received)
        yield from self._clean_reporters(day, start, end, root)

    def _clean_reporters(self, day: date, start: datetime, end: datetime, root: int) -> Iterator[DayMeasure]:
        refused: dict[str, dict[str, int]] = {}
        for row in self._rows("select_refused_reporters", start=start, end=end):
            if row["key"] in self._feeds:
                refused.setdefault(row["key"], {})[row["reporter"]] = row["events"]
        for key, events in refused.items():
            feed = self._feeds[key]
            stored = self._stored(feed, list(events), start, end)
            for reporter, count in events.items():
                accepted = stored.get(reporter, 0)
                detail = {"rejected": count}
                yield DayMeasure(
                    day, "clean", key, self._sectors[feed.key], root, accepted, accepted + count, reporter, detail
                )

    def superseded(self, day: date, now: datetime, root: int) -> Iterator[DayMeasure]:
        """sạch: revisions that came after a newer one, of what was accepted; by feed, and by reporter.

        They are kept and never counted: their sender's numbering, or its clock, is wrong.
        """
        start, end = self._span(day, now)
        late: dict[str, dict[str, int]] = {}
        for row in self._rows("select_superseded", start=start, end=end):
            if row["key"] in self._feeds:
                late.setdefault(row["key"], {})[row["reporter"]] = row["revisions"]
        accounts = {row["key"]: row for row in self._rows("select_accounts", start=start, end=end)}
        for key, account in accounts.items():
            if key in self._feeds:
                counted, accepted = account["superseded"], account["accepted"]
                if accepted:
                    yield DayMeasure(day, "superseded", key, self._sectors[key], root, counted, accepted)
        for key, revisions in late.items():
            stored = self._stored(self._feeds[key], list(revisions), start, end)
            for reporter, count in revisions.items():
                accepted = stored.get(reporter, 0) + count
                yield DayMeasure(day, "superseded", key, self._sectors[key], root, count, accepted, reporter)

    def _stored(self, feed: Feed, reporters: list[str], start: datetime, end: datetime) -> dict[str, int]:
        """Count each reporter's records in force, of those that were written in [start, end)."""
        statement = sql.SQL(
            "SELECT reporter, count(*) AS records FROM {table} WHERE reporter = ANY (%(reporters)s) "
            "AND recorded_at >= %(start)s AND recorded_at < %(end)s "
            "AND effective_at >= %(start)s - interval '40 days' GROUP BY reporter"
        ).format(table=sql.Identifier(feed.table))
        parameters = {"reporters": reporters, "start": start, "end": end}
        return dict(self._connection.execute(statement, parameters).fetchall())

    def live(self, day: date, now: datetime, root: int) -> Iterator[DayMeasure]:
        """sống: the share of the day so far in which the newest accepted record was no older than the cadence."""
        start, end = self._span(day, now)
        whole = (end - start).total_seconds()
        if whole <= 0:
            return
        for row in self._rows("select_dead_seconds", start=start, end=end):
            alive = max(whole - row["dead"], 0.0)
            detail = {"age_seconds": round(row["age"]), "cadence_seconds": row["cadence"]}
            yield DayMeasure(
                day,
                "live",
                row["key"],
                self._sectors.get(row["key"], row["sector"]),
                root,
                round(alive),
                round(whole),
                detail=detail,
            )

    def complete(
        self,
        calls: Mapping[tuple[str, date], RollCall],
        missing: Mapping[tuple[str, date], tuple[Missing, ...]],
        ground: JudgedUnits,
    ) -> Iterator[DayMeasure]:
        """đủ: who has reported, of those who must: of each area, of the sector, and of each missing reporter."""
        for (key, day), call in calls.items():
            sector = self._sectors[key]
            absent = missing.get((key, day), ())
            for row, area_id in enumerate(ground.ids):
                if call.due[row]:
                    named = [one for one in absent if row == 0 or one.area_id == area_id][:_NAMED]
                    detail = {"missing": [{"code": one.code, "name": one.name} for one in named]} if named else {}
                    reported, due = float(call.reported[row]), float(call.due[row])
                    yield DayMeasure(day, "complete", key, sector, area_id, reported, due, detail=detail)
            for one in absent:
                yield DayMeasure(day, "complete", key, sector, ground.root.area_id, 0, 1, one.code, {"name": one.name})

    def write(self, measures: Iterator[DayMeasure], now: datetime) -> int:
        """Write what is other than before; return how many rows were looked at."""
        rows = [{**vars(one), "detail": Jsonb(dict(one.detail)), "now": now} for one in measures]
        with self._connection.cursor() as cursor:
            cursor.executemany(self._queries["upsert"].encode(), rows)
        return len(rows)

    def rows(self, query: str, **parameters: object) -> list[dict[str, Any]]:
        """Return the rows of one of the file's queries."""
        return self._rows(query, **parameters)

    def _span(self, day: date, now: datetime) -> tuple[datetime, datetime]:
        start = datetime.combine(day, time(), self._zone)
        return start, min(start + timedelta(days=1), now)

    def _rows(self, query: str, **parameters: object) -> list[dict[str, Any]]:
        cursor = self._connection.cursor(row_factory=dict_row)
        return cursor.execute(self._queries[query].encode(), parameters).fetchall()
