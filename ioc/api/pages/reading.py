"""What the pages read: current statuses, incidents and figures, each page from one snapshot."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg.rows import dict_row

from ioc.api.pages.course import course_points
from ioc.api.pages.view import (
    CoursePoint,
    FoundRow,
    FoundRows,
    IncidentView,
    IndicatorView,
    Morning,
    Overview,
    PagePlace,
    SectorView,
)
from ioc.api.pages.word import BEHIND, UNKNOWN
from ioc.api.problem import ProblemError
from ioc.period import start_of
from sql import load_queries

# How many periods a chart shows without a target.
_SHOWN: Mapping[str, int] = {"day": 31, "week": 26, "month": 24, "quarter": 12, "year": 6}
# The periods whose sums make the course of a longer one; days, until there are enough of the longer ones to see.
_PARTS: Mapping[str, tuple[str, ...]] = {"year": ("month", "day"), "quarter": ("day",), "month": ("day",)}
_ENOUGH = 4
_SEVEN_DAYS = timedelta(days=7)
DUE_AHEAD = timedelta(days=30)
# The scheduler looks every few seconds; after this time without a look it is stopped.
_KEPT_CURRENT = timedelta(minutes=5)


class PageReading:
    """Reads pages; `connect` lends a connection within a snapshot and turns what goes wrong into ProblemError."""

    def __init__(
        self,
        connect: Callable[[], AbstractContextManager[psycopg.Connection]],
        zone: ZoneInfo,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._connect = connect
        self._zone = zone
        self._now = now
        self._queries = load_queries("page")

    @property
    def zone(self) -> ZoneInfo:
        """The province's time zone."""
        return self._zone

    def now(self) -> datetime:
        """The present."""
        return self._now()

    def overview(self) -> Overview:
        """Return the province's overview."""
        with self._connect() as connection:
            place = self._place(connection)
            counted = {row["sector"]: row for row in self._rows(connection, "count_statuses", area_id=place.area_id)}
            sectors = [
                {**totals_of([]), **row, **counted.get(row["sector"], {})}
                for row in self._rows(connection, "count_indicators")
            ]
            # Those that need a look come first; the others keep the catalogue's order.
            sectors.sort(key=lambda row: not any(row.get(status) for status in (*BEHIND, *UNKNOWN)))
            return Overview(
                place,
                sectors,
                totals_of(counted.values()),
                self._statuses(connection, place, BEHIND, 12),
                self._rows(connection, "count_causes", area_id=place.area_id, statuses=list(UNKNOWN)),
                self._incidents(connection),
                self._rows(connection, "list_unusual", area_id=place.area_id, limit=6),
            )

    def sector(self, sector: str) -> SectorView:
        """Return a sector's page; raises ProblemError for one that has no indicators."""
        with self._connect() as connection:
            place = self._place(connection)
            indicators = self._rows(connection, "list_indicators", sector=sector)
            if not indicators:
                raise unknown_page("không có lĩnh vực này", "there is no such sector")
            every = [*BEHIND, *UNKNOWN, "on_track", "no_target"]
            statuses = {row["code"]: row for row in self._statuses(connection, place, every, 2000, sector)}
            figures: dict[str, FoundRows] = {}
            rows = []
            for one in indicators:
                period = own_period(one["cadence"])
                if period not in figures:
                    figures[period] = self._rows(
                        connection, "select_newest_figures", sector=sector, period=period, area_id=place.area_id,
                        day=place.day,
                    )  # fmt: skip
                rows.append({**one, **_newest(one["slot"], period, figures[period]), **statuses.get(one["code"], {})})
            order = {status: at for at, status in enumerate(every)}
            rows.sort(key=lambda row: (order.get(row.get("status") or "", len(order)), -(row.get("lag") or 0)))
            heads = [row for row in rows if not row["breakdown"] or row["status"] in BEHIND]
            parts = [row for row in rows if row["breakdown"] and row["status"] not in BEHIND]
            return SectorView(place, sector, heads, parts, self._incidents(connection, sector=sector))

    def indicator(self, code: str, *, area: str | None, period: str | None) -> IndicatorView:
        """Return an indicator's page in an area (none: the province); raises ProblemError for what there is not."""
        with self._connect() as connection:
            root = self._place(connection)
            place = root if area is None else self._place(connection, area)
            found = self._rows(connection, "select_indicator", code=code)
            if not found:
                raise unknown_page("không có chỉ tiêu nào mang mã này", "no indicator has this code")
            indicator = found[0]
            statuses = self._rows(connection, "select_status", code=code, area_id=place.area_id)
            status = statuses[0] if statuses else None
            shown, summed, course = self._course(connection, indicator, status, place, period)
            areas = self._rows(connection, "list_area_statuses", code=code, area_id=place.area_id, day=place.day)
            areas.sort(key=lambda row: _natural(row["area_name"]))
            newest = next((point.bucket for point in reversed(course) if point.value is not None), None)
            own = shown if period else own_period(indicator["cadence"])
            if newest is not None and not any(row["status"] for row in areas):
                values = self._rows(
                    connection, "select_area_figures", sector=indicator["sector"], slot=indicator["slot"], period=own,
                    bucket=start_of(own, newest), area_id=place.area_id,
                )  # fmt: skip
                by_area = {row["area_id"]: row["value"] for row in values}
                ids = self._rows(connection, "list_area_ids", area_id=place.area_id, day=place.day)
                areas = [{**row, "value": by_area.get(row["area_id"]), "status": None} for row in ids]
            incidents = self._incidents(connection, code=code)
            missing, total = self._missing(connection, status, place)
            return IndicatorView(place, indicator, status, shown, summed, course, areas, incidents, missing, total)

    def _missing(
        self, connection: psycopg.Connection, status: FoundRow | None, place: PagePlace
    ) -> tuple[list[str], int]:
        """Return who was due on the day that is judged, or the one after it, and has not reported: names and number."""
        if status is None or not status["due"] or status["cause"] is None or status["due"] <= (status["reported"] or 0):
            return [], 0
        day = status["bucket"] or place.day
        rows = self._rows(
            connection, "list_missing", feed=status["cause"], area_id=place.area_id, day=day, until=place.day
        )
        if not rows:
            return [], 0
        return [one["name"] for one in rows[0]["missing"] or ()], int(rows[0]["total"])

    def incident(self, incident_id: int) -> IncidentView:
        """Return an incident's page; raises ProblemError for an unknown one."""
        with self._connect() as connection:
            found = self._rows(connection, "select_incident", incident_id=incident_id)
            if not found:
                raise unknown_page("không có sự cố này", "there is no such incident")
            queries = ("list_incident_touches", "list_incident_changes", "list_incident_receipts")
            return IncidentView(found[0], *(self._rows(connection, name, incident_id=incident_id) for name in queries))

    def incidents(self) -> FoundRows:
        """Return incidents that are open, the worst first, and those that ended in the last seven days."""
        with self._connect() as connection:
            return self._incidents(connection, since=self._now() - _SEVEN_DAYS, limit=200)

    def morning(self) -> Morning:
        """Return the leader's page of today."""
        now = self._now()
        since = now - timedelta(days=1)
        with self._connect() as connection:
            place = self._place(connection)
            counted = self._rows(connection, "count_statuses", area_id=place.area_id)
            asked = {"area_id": place.area_id, "since": since, "until": now}
            worse, better = worse_and_better(self._rows(connection, "list_changes", **asked, limit=500))
            incidents = self._incidents(connection, since=since, limit=100)
            due = {"day": place.day, "until": place.day + DUE_AHEAD}
            return Morning(
                place,
                since,
                totals_of(counted),
                worse,
                better,
                self._statuses(connection, place, BEHIND, 10),
                self._rows(connection, "list_due", area_id=place.area_id, limit=8, **due),
                self._rows(connection, "count_causes", area_id=place.area_id, statuses=list(UNKNOWN)),
                [row for row in incidents if row["closed_at"] is None],
                [row for row in incidents if row["closed_at"] is not None],
            )

    def _place(self, connection: psycopg.Connection, code: str | None = None) -> PagePlace:
        today = self._now().astimezone(self._zone).date()
        # Simulated provinces live in the past: what is newest there is today, and the units are those of that day.
        (last,) = self._rows(connection, "select_last_day", today=today)
        day: date = last["day"] or today
        found = self._rows(connection, "select_root", day=day)
        if not found:
            raise unknown_page("chưa có địa bàn; hãy chạy ioc profile load", "there are no areas; run ioc profile load")
        if code is not None:
            found = self._rows(connection, "select_area", code=code, day=day)
            if not found:
                raise unknown_page("không có địa bàn nào mang mã này", "no area has this code")
        (job,) = self._rows(connection, "select_job")
        area = found[0]
        computed_at = job["finished_at"]
        is_old = computed_at is not None and self._now() - computed_at > _KEPT_CURRENT
        return PagePlace(area["area_id"], area["code"], area["name_vi"], day, computed_at, is_old)

    def _course(
        self,
        connection: psycopg.Connection,
        indicator: FoundRow,
        status: FoundRow | None,
        place: PagePlace,
        period: str | None,
    ) -> tuple[str, bool, list[CoursePoint]]:
        """Return the period of a chart, whether it is summed up, and its points, oldest first."""
        judged = None if status is None or status["target"] is None or status["bucket"] is None else status
        parts = () if judged is None or period or indicator["kind"] != "flow" else _PARTS.get(judged["period"], ())
        shown = period or (judged["period"] if judged is not None else own_period(indicator["cadence"]))
        since, limit = date(1900, 1, 1), _SHOWN[shown]
        if judged is not None and parts:
            since, limit = judged["bucket"], 400
        rows: FoundRows = []
        for part in parts or (shown,):
            shown = part
            rows = self._rows(
                connection,
                "select_course",
                sector=indicator["sector"],
                slot=indicator["slot"],
                period=shown,
                area_id=place.area_id,
                day=place.day,
                since=since,
                limit=limit,
            )
            if len(rows) >= _ENOUGH:
                break
        points = course_points(rows, shown, status, limit=limit, summed=bool(parts))
        return shown, bool(parts), points

    def _statuses(
        self,
        connection: psycopg.Connection,
        place: PagePlace,
        statuses: Sequence[str],
        limit: int,
        sector: str | None = None,
    ) -> FoundRows:
        parameters = {"area_id": place.area_id, "statuses": list(statuses), "sector": sector, "limit": limit}
        return self._rows(connection, "list_statuses", **parameters)

    def _incidents(
        self,
        connection: psycopg.Connection,
        *,
        sector: str | None = None,
        code: str | None = None,
        since: datetime | None = None,
        limit: int = 20,
    ) -> FoundRows:
        since = since or self._now() + timedelta(days=1)
        return self._rows(connection, "list_incidents", sector=sector, code=code, since=since, limit=limit)

    def _rows(self, connection: psycopg.Connection, query: str, **parameters: Any) -> FoundRows:
        cursor = connection.cursor(row_factory=dict_row)
        return cursor.execute(self._queries[query].encode(), parameters).fetchall()


def own_period(cadence: str) -> str:
    """Return the period in which an indicator of a cadence is shown by itself."""
    return {"weekly": "week", "monthly": "month", "quarterly": "quarter", "yearly": "year"}.get(cadence, "day")


def _newest(slot: int, period: str, cells: FoundRows) -> FoundRow:
    """Return an indicator's newest figure and the one before it."""
    found = [(cell["bucket"], cell["figures"][slot - 1] if len(cell["figures"]) >= slot else None) for cell in cells]
    bucket, value = next(((at, figure) for at, figure in found if figure is not None), (None, None))
    return {"period": period, "bucket": bucket, "value": value, "status": None, "lag": None}


def _natural(name: str) -> tuple[tuple[str, int], ...]:
    """Return a key that sorts `Phường 2` before `Phường 10`."""
    return tuple((word, int(digits or 0)) for word, digits in re.findall(r"(\D+)(\d*)", name))


def totals_of(rows: Any) -> dict[str, int]:
    names = ("lagging", "at_risk", "on_track", "stale", "incomplete", "no_data", "no_target", "unusual")
    total = dict.fromkeys(names, 0)
    for row in rows:
        for name in names:
            total[name] += row[name]
    return total


def worse_and_better(changes: FoundRows) -> tuple[FoundRows, FoundRows]:
    """Return which indicators have come to lag or to be at risk, and which are on their pace again; newest first."""
    turned = last_of_each(changes)
    return (
        [row for row in turned if row["status"] in BEHIND and row["before"] not in BEHIND],
        [row for row in turned if row["status"] == "on_track" and row["before"] in BEHIND],
    )


def last_of_each(changes: FoundRows) -> FoundRows:
    """Return by indicator what became of it: the newest status beside the one before all changes; newest first."""
    found: dict[str, FoundRow] = {}
    for row in changes:
        if row["code"] in found:
            found[row["code"]]["before"] = row["before"]
        else:
            found[row["code"]] = row
    return [row for row in found.values() if row["before"] != row["status"]]


def unknown_page(vi: str, en: str) -> ProblemError:
    return ProblemError(404, "unknown", vi=vi, en=en)
