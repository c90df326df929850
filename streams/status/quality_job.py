"""Keeps `quality_measure` current, and finds what is wrong with the data itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import httpx
import psycopg
import structlog
from prometheus_client.parser import text_string_to_metric_families
from psycopg import sql
from psycopg.rows import dict_row

from ioc.feeds.feed import Feed
from ioc.settings import Settings
from streams.rules.incident import Finding
from streams.rules.wording import Bilingual, listed, number_en, number_vi
from streams.status.job import State
from streams.status.measures import DayMeter
from streams.status.service import StatusService
from streams.status.stream_fault import StreamFaults

log = structlog.get_logger(__name__)

_REFUSED = ("rejected", "refused")
_TIMEOUT = 3.0
_CONTROLLED = timedelta(days=62)  # control totals of older periods have been looked at often enough


class QualityJob:
    """Measures yesterday and today."""

    def __init__(
        self, connection: psycopg.Connection, settings: Settings, status: StatusService, feeds: Mapping[str, Feed]
    ) -> None:
        self._connection = connection
        self._status = status
        self._feeds = feeds
        self._zone = status.zone
        self._meter = DayMeter(connection, feeds, status.sectors, status.zone)
        self._gateway = f"http://{settings.gateway_host}:{settings.gateway_port}/metrics"
        self._totals: list[Finding] = []
        self._faults = StreamFaults(connection, feeds, status.sectors, settings.topic_prefix)

    def run(self, now: datetime, state: State) -> State:
        """Measure; the state holds what the gateway's counters said last and what it refused by day."""
        root = self._status.evaluator.ground.root.area_id
        today = now.astimezone(self._zone).date()
        counters, refused = _counted(state, today, self._read_gateway())
        with self._connection.transaction():
            for day in (today - timedelta(days=1), today):
                turned_away = {feed: int(n) for feed, n in refused.get(day.isoformat(), {}).items()}
                self._meter.write(self._meter.clean(day, now, root, turned_away), now)
                self._meter.write(self._meter.superseded(day, now, root), now)
                self._meter.write(self._meter.live(day, now, root), now)
            calls, missing = self._status.roll_calls()
            self._meter.write(self._meter.complete(calls, missing, self._status.evaluator.ground), now)
        self._totals = self._compare_totals(now)
        kept = {(today - timedelta(days=n)).isoformat() for n in (0, 1)}
        return {"counters": counters, "refused": {day: feeds for day, feeds in refused.items() if day in kept}}

    def findings(self, now: datetime) -> list[Finding]:
        """Return what the stream could not store, fold or read, and control totals that differ."""
        return self._faults.findings(now) + self._totals

    def _compare_totals(self, now: datetime) -> list[Finding]:
        """Compare what reporters say they have sent with the stored records; one finding a reporter and feed."""
        differing: dict[tuple[str, str], list[dict[str, Any]]] = {}
        since = (now - _CONTROLLED).astimezone(self._zone).date()
        for row in self._meter.rows("select_control_totals", since=since):
            feed = self._feeds.get(row["feed"])
            if feed is None:
                continue
            records, total = self._stored(feed, row)
            said = None if row["total"] is None else float(row["total"])
            if records != row["records"] or (
                said is not None and abs(said - (total or 0.0)) > 1e-6 * max(abs(said), 1)
            ):
                shown = {
                    "first_on": row["first_on"].isoformat(),
                    "last_on": row["last_on"].isoformat(),
                    "records_said": row["records"],
                    "records_stored": records,
                    "summed": row["summed"],
                    "total_said": said,
                    "total_stored": total,
                    "told_at": row["told_at"],
                }
                differing.setdefault((row["feed"], row["reporter"]), []).append(shown)
        return [
            _total_finding(self._feeds[feed], self._status.sectors[feed], reporter, rows)
            for (feed, reporter), rows in differing.items()
        ]

    def _stored(self, feed: Feed, row: Mapping[str, Any]) -> tuple[int, float | None]:
        summed = row["summed"]
        if summed and summed not in {column.name for column in feed.columns}:
            return -1, None
        total = sql.SQL("sum({})").format(sql.Identifier(summed)) if summed else sql.SQL("NULL")
        statement = sql.SQL(
            "SELECT count(*) AS records, ({total})::float8 AS total FROM {table} WHERE reporter = %(reporter)s "
            "AND effective_on BETWEEN %(first)s AND %(last)s "
            "AND effective_at >= %(first)s::date - 1 AND effective_at < %(last)s::date + 2"
        ).format(total=total, table=sql.Identifier(feed.table))
        parameters = {"reporter": row["reporter"], "first": row["first_on"], "last": row["last_on"]}
        found = self._connection.cursor(row_factory=dict_row).execute(statement, parameters).fetchone()
        assert found is not None
        return int(found["records"]), found["total"]

    def _read_gateway(self) -> dict[str, float] | None:
        """Return the gateway's counters of refused events by feed; None while it does not answer."""
        try:
            answer = httpx.get(self._gateway, timeout=_TIMEOUT, trust_env=False)
            answer.raise_for_status()
            families = list(text_string_to_metric_families(answer.text))
        except (httpx.HTTPError, ValueError):
            return None
        return {
            sample.labels["feed"]: sample.value
            for family in families
            if family.name == "ioc_gateway_events"
            for sample in family.samples
            if sample.name.endswith("_total") and sample.labels.get("outcome") in _REFUSED
        }


def _counted(
    state: State, today: date, counters: Mapping[str, float] | None
) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """Add what the gateway has refused since its counters were last read; one that has started again counts from 0."""
    before: Mapping[str, float] = state.get("counters", {})
    refused: dict[str, dict[str, float]] = {day: dict(feeds) for day, feeds in state.get("refused", {}).items()}
    if counters is None:
        return dict(before), refused
    day = refused.setdefault(today.isoformat(), {})
    for feed, value in counters.items():
        last = before.get(feed, 0.0)
        day[feed] = day.get(feed, 0.0) + (value - last if value >= last else value)
    return dict(counters), refused


def _total_finding(feed: Feed, sector: str, reporter: str, rows: list[dict[str, Any]]) -> Finding:
    days = [f"{row['first_on']}..{row['last_on']}" for row in rows]
    first = rows[0]
    title = Bilingual(
        f"{feed.name_vi}: số đối chiếu của {reporter} không khớp", f"{feed.name_en}: totals of {reporter} differ"
    )
    said, stored = first["records_said"], first["records_stored"]
    names = listed(days)
    summary = Bilingual(
        f"Kỳ {names.vi}: đơn vị báo {number_vi(said, 0)} bản ghi, hệ thống có {number_vi(stored, 0)}.",
        f"Period {names.en}: {number_en(said, 0)} records sent as they say, {number_en(stored, 0)} stored here.",
    )
    since = min(row["told_at"] for row in rows)
    return Finding(
        cause=f"control_total:{feed.key}:{reporter}",
        kind="control_total",
        severity="warning",
        sector=sector,
        owner=reporter,
        title_vi=title.vi,
        title_en=title.en,
        summary_vi=summary.vi,
        summary_en=summary.en,
        since=since,
        feed=feed.key,
        evidence={"reporter": reporter, "periods": [{**row, "told_at": row["told_at"].isoformat()} for row in rows]},
        link={"board": "quality", "feed": feed.key, "reporter": reporter},
    )
