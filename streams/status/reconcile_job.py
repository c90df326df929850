"""đúng: the proof on its own schedule, one feed and month a run, the one that was tried longest ago first.

It runs in a thread of its own, over a connection of its own: a month of many records delays no status.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

import psycopg
import structlog
from psycopg.errors import QueryCanceled
from psycopg.rows import scalar_row

from ioc.catalogue.store import load_measures
from ioc.feeds.feed import Feed
from ioc.period import end_of
from ioc.province.duty import CENTRE
from ioc.territory.area import AreaTree
from sql import load_queries
from streams.proof.window import DayProof, prove_window
from streams.rules.incident import PLATFORM, Finding
from streams.rules.wording import Bilingual, listed
from streams.status.job import State
from streams.status.measures import DayMeasure, DayMeter

log = structlog.get_logger(__name__)


class ReconcileJob:
    """Proves one window a run; the state says when each was tried and proved, and which differ.

    A window whose proof takes longer than a statement may is tried again after all others.
    """

    def __init__(
        self,
        connection: psycopg.Connection,
        areas: AreaTree,
        feeds: Mapping[str, Feed],
        sectors: Mapping[str, str],
        zone: ZoneInfo,
    ) -> None:
        self._connection = connection
        self._areas = areas
        self._feeds = feeds
        self._sectors = sectors
        self._meter = DayMeter(connection, feeds, sectors, zone)
        cursor = connection.cursor(row_factory=scalar_row)
        known = cursor.execute(load_queries("status")["select_job_state"], ["reconcile"]).fetchone()
        # Replaced as a whole, never changed in place: `findings` reads it from another thread.
        self._differing: dict[str, dict[str, int | str]] = dict((known or {}).get("differing", {}))

    def run(self, now: datetime, state: State) -> State:
        """Prove the window that is due."""
        proved: dict[str, str] = dict(state.get("proved", {}))
        tried: dict[str, str] = {**proved, **state.get("tried", {})}
        windows = self._windows()
        if not windows:
            return state
        key = min(windows, key=lambda one: (tried.get(one, ""), windows.index(one)))
        feed_key, _, month = key.partition("/")
        first = date.fromisoformat(month)
        feed = self._feeds[feed_key]
        measures = [one for one in load_measures(self._connection) if one.complete and one.measure.feed == feed_key]
        try:
            days = prove_window(self._connection, feed, measures, first, end_of("month", first))
        except QueryCanceled:
            log.warning("the proof took too long", feed=feed_key, month=month[:7])
            tried[key] = now.isoformat()
            return {**state, "tried": {one: tried[one] for one in windows if one in tried}}
        if days is None:
            return state  # contributions wait; the next run comes back to it
        self._write(feed, days, now)
        proved[key] = tried[key] = now.isoformat()
        wrong = {day.day.isoformat(): day.compared - day.equal for day in days if day.equal < day.compared}
        if wrong:
            known = self._differing.get(key)
            since = known["since"] if known else now.isoformat()
            found = {"since": since, "sums": sum(wrong.values()), "days": ";".join(sorted(wrong))}
            self._differing = {**self._differing, key: found}
        else:
            self._differing = {one: found for one, found in self._differing.items() if one != key}
        return {
            "proved": {one: proved[one] for one in windows if one in proved},
            "tried": {one: tried[one] for one in windows if one in tried},
            "differing": self._differing,
        }

    def findings(self, now: datetime) -> list[Finding]:
        """Return one finding a feed whose stored sums are not what its records say."""
        found = []
        by_feed: dict[str, list[tuple[str, Mapping[str, int | str]]]] = {}
        for key, wrong in self._differing.items():
            subject, _, month = key.partition("/")
            by_feed.setdefault(subject, []).append((month, wrong))
        for key, windows in by_feed.items():
            feed = self._feeds[key]
            months = listed([month[:7] for month, _ in sorted(windows)])
            sums = sum(int(wrong["sums"]) for _, wrong in windows)
            title = Bilingual(
                f"{feed.name_vi}: {sums} số cộng khác với bản ghi",
                f"{feed.name_en}: {sums} sums differ from the records",
            )
            summary = Bilingual(
                f"Tháng {months.vi}. Kiểm tra: ioc reconcile; tính lại: ioc rebuild --recount.",
                f"Months {months.en}. Check: ioc reconcile; count again: ioc rebuild --recount.",
            )
            found.append(
                Finding(
                    cause=f"figures_differ:{key}",
                    kind="figures_differ",
                    severity="critical",
                    sector=PLATFORM,
                    owner=CENTRE,
                    title_vi=title.vi,
                    title_en=title.en,
                    summary_vi=summary.vi,
                    summary_en=summary.en,
                    since=min(datetime.fromisoformat(str(wrong["since"])) for _, wrong in windows),
                    feed=key,
                    evidence={"windows": [{"month": month, **wrong} for month, wrong in sorted(windows)]},
                    link={"board": "quality", "feed": key},
                )
            )
        return found

    def _windows(self) -> list[str]:
        """Return feed/month of all that was counted, the newest month of each feed first."""
        found: list[tuple[date, str]] = []
        for feed in self._feeds:
            rows = self._connection.execute(load_queries("reconcile")["select_months"], [feed]).fetchall()
            found += [(month, feed) for (month,) in rows]
        return [f"{feed}/{month.isoformat()}" for month, feed in sorted(found, reverse=True)]

    def _write(self, feed: Feed, days: list[DayProof], now: datetime) -> None:
        measures = (
            DayMeasure(day.day, "correct", feed.key, self._sectors[feed.key], root.area_id, day.equal, day.compared)
            for day in days
            for root in self._areas.roots(day.day)[:1]
        )
        self._meter.write(measures, now)
