"""The overview, the morning page and a sector's page as they were at a past moment: statuses, figures and incidents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg.rows import dict_row

from ioc.api.pages.reading import DUE_AHEAD, own_period, totals_of, unknown_page, worse_and_better
from ioc.api.pages.view import FoundRows, Morning, Overview, PagePlace, SectorView
from ioc.api.pages.word import BEHIND, UNKNOWN
from ioc.catalogue.opening import OpenDays
from ioc.catalogue.store import load_editions
from ioc.feeds.feed import Feed
from ioc.reading.past import PastFigures, PastMoment
from ioc.reading.small_cell import small_cell_plan
from ioc.territory.area import AreaTree
from sql import load_queries

LentOfMoment = Callable[[str], AbstractContextManager[tuple[psycopg.Connection, PastMoment | None]]]


class PastPageReading:
    """Reads pages of a moment; `asked` lends a connection on which tables are as they were, or raises ProblemError."""

    def __init__(
        self, asked: LentOfMoment, zone: ZoneInfo, feeds: Mapping[str, Feed], areas: Callable[[], AreaTree]
    ) -> None:
        self._asked = asked
        self._zone = zone
        self._feeds = feeds
        self._areas = areas
        self._queries = load_queries("page")

    def overview(self, as_of: str) -> Overview:
        """Return the province's overview; causes and usual values are not kept."""
        with self._asked(as_of) as (connection, moment):
            place, opened_by = self._place(connection, moment)
            counted = {row["sector"]: row for row in self._rows(connection, "count_statuses", area_id=place.area_id)}
            sectors = [
                {**totals_of([]), **row, **counted.get(row["sector"], {})}
                for row in self._rows(connection, "count_indicators")
            ]
            sectors.sort(key=lambda row: not any(row.get(status) for status in (*BEHIND, *UNKNOWN)))
            behind = self._statuses(connection, place, BEHIND, 12, None)
            return Overview(
                place,
                sectors,
                totals_of(counted.values()),
                behind,
                [],
                self._incidents(connection, opened_by, None),
                [],
            )

    def sector(self, sector: str, as_of: str) -> SectorView:
        """Return a sector's page; raises ProblemError for one that had no indicators."""
        with self._asked(as_of) as (connection, moment):
            place, opened_by = self._place(connection, moment)
            indicators = self._rows(connection, "list_indicators", sector=sector)
            if not indicators:
                raise unknown_page("khi đó không có lĩnh vực này", "there was no such sector then")
            every = [*BEHIND, *UNKNOWN, "on_track", "no_target"]
            statuses = {row["code"]: row for row in self._statuses(connection, place, every, 2000, sector)}
            figures = self._figures(connection, sector, indicators, place)
            rows = []
            for one in indicators:
                none = {"period": own_period(one["cadence"]), "bucket": None, "value": None}
                status = statuses.get(one["code"], {"status": None, "lag": None})
                rows.append({**one, **status, **none, **figures.get(one["code"], {})})
            order = {status: number for number, status in enumerate(every)}
            rows.sort(key=lambda row: (order.get(row["status"] or "", len(order)), -(row["lag"] or 0)))
            heads = [row for row in rows if not row["breakdown"] or row["status"] in BEHIND]
            parts = [row for row in rows if row["breakdown"] and row["status"] not in BEHIND]
            return SectorView(place, sector, heads, parts, self._incidents(connection, opened_by, sector))

    def morning(self, as_of: str) -> Morning:
        """Return the leader's page of a moment, and of the day before it; causes of what was not known are not kept."""
        with self._asked(as_of) as (connection, moment):
            place, opened_by = self._place(connection, moment)
            since = opened_by - timedelta(days=1)
            counted = self._rows(connection, "count_statuses", area_id=place.area_id)
            asked = {"area_id": place.area_id, "since": since, "until": opened_by}
            worse, better = worse_and_better(self._rows(connection, "list_changes", **asked, limit=500))
            due = {"day": place.day, "until": place.day + DUE_AHEAD}
            incidents = self._rows(connection, "list_incidents", sector=None, code=None, since=since, limit=200)
            ended = [row for row in incidents if row["closed_at"] is not None and row["closed_at"] <= opened_by]
            return Morning(
                place,
                since,
                totals_of(counted),
                worse,
                better,
                self._statuses(connection, place, BEHIND, 10, None),
                self._rows(connection, "list_due", area_id=place.area_id, limit=8, **due),
                [],
                self._incidents(connection, opened_by, None),
                ended,
            )

    def _figures(
        self, connection: psycopg.Connection, sector: str, indicators: FoundRows, place: PagePlace
    ) -> dict[str, dict[str, Any]]:
        """Return the newest figure of each indicator in the province; none of a sector whose small cells are kept
        from readers: which these were is decided of single indicators.
        """
        compiled = load_editions(connection).live.compiled
        if small_cell_plan(connection, sector, compiled) is not None:
            return {}
        by_period: dict[str, list[str]] = {}
        for one in indicators:
            by_period.setdefault(own_period(one["cadence"]), []).append(one["code"])
        reader = PastFigures(connection, compiled, self._feeds)
        opened = reader.opened(sector)
        area = self._areas()[place.area_id]
        found: dict[str, dict[str, Any]] = {}
        for period, codes in by_period.items():
            buckets = sorted(bucket for length, bucket in opened.buckets if length == period and bucket <= place.day)[
                -2:
            ]
            values = reader.read(codes, sector, period, buckets, [area])
            for (code, _, bucket), value in sorted(values.items(), key=lambda pair: pair[0][2]):
                found[code] = {"period": period, "bucket": bucket, "value": value}
        return found

    def _place(self, connection: psycopg.Connection, moment: PastMoment | None) -> tuple[PagePlace, datetime]:
        assert moment is not None  # who asks for now is shown the page of now
        today: date = moment.day(self._zone)
        day = min(OpenDays(connection).last() or today, today)
        found = self._rows(connection, "select_root", day=day)
        if not found:
            raise unknown_page("chưa có địa bàn; hãy chạy ioc profile load", "there are no areas; run ioc profile load")
        area = found[0]
        return PagePlace(area["area_id"], area["code"], area["name_vi"], day, moment.at), moment.at

    def _statuses(
        self, connection: psycopg.Connection, place: PagePlace, statuses: Any, limit: int, sector: str | None
    ) -> FoundRows:
        asked = {"area_id": place.area_id, "statuses": list(statuses), "sector": sector, "limit": limit}
        return self._rows(connection, "list_statuses", **asked)

    def _incidents(self, connection: psycopg.Connection, moment: datetime, sector: str | None) -> FoundRows:
        """Return the incidents that were open; what was done about them is on their own pages."""
        rows = self._rows(connection, "list_incidents", sector=sector, code=None, since=moment, limit=200)
        return [
            {**row, "closed_at": None, "acknowledged_by": row["acknowledged_by"] if _by(row, moment) else None}
            for row in rows
            if row["opened_at"] <= moment
        ]

    def _rows(self, connection: psycopg.Connection, query: str, **parameters: Any) -> FoundRows:
        cursor = connection.cursor(row_factory=dict_row)
        return cursor.execute(self._queries[query].encode(), parameters).fetchall()


def _by(incident: Mapping[str, Any], moment: datetime) -> bool:
    """Return whether an incident had been taken on by a moment."""
    taken: datetime | None = incident["acknowledged_at"]
    return taken is not None and taken <= moment
