"""One look at the province: statuses brought up to date, then incidents to what is found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg
from psycopg.rows import scalar_row

from ioc.catalogue.indicator import REPORT_FEED
from ioc.feeds.feed import Feed
from ioc.province.duty import load_ladder
from ioc.province.profile import Profile, load_english_names
from ioc.settings import Settings
from sql import load_queries
from streams.rules.incident import Finding
from streams.rules.wording import Bilingual
from streams.status.detect import detect, unknown_in
from streams.status.feeds import FeedState, silent_feeds
from streams.status.incident_store import IncidentStore, Moved
from streams.status.outage import Outage
from streams.status.service import PassResult, StatusService
from streams.status.sight import Sight

_LIVE = timedelta(hours=2)  # feeds that come at least so often
_LEAST_LIVE = 3
# How long after an outage nothing is said of feeds: what waited meanwhile has to be read first.
_GRACE = timedelta(minutes=5)


@dataclass(frozen=True)
class Look:
    """What a look did."""

    passed: PassResult
    moved: Moved


class Overseer:
    """Looks over a connection that the caller keeps, in autocommit mode; the clock is passed in."""

    def __init__(
        self, connection: psycopg.Connection, settings: Settings, profile: Profile, feeds: Mapping[str, Feed]
    ) -> None:
        self._connection = connection
        self.status = StatusService(connection, settings, profile, feeds)
        ladder = load_ladder(settings.profile, self.status.editions.live.slots)
        self.incidents = IncidentStore(connection, ladder, self.status.calendar, self.status.zone)
        self._feeds = feeds
        self._agencies = {one.code: one.name for one in profile.reporters if one.feed == REPORT_FEED}
        self._english = load_english_names(settings.profile)
        self._outage_at: datetime | None = None

    def look(
        self,
        now: datetime,
        *,
        outages: Sequence[Outage] = (),
        measured: Sequence[Finding] = (),
        business_now: datetime | None = None,
        full: bool = False,
    ) -> Look:
        """Bring statuses and incidents up to date.

        outages:  parts of the platform that do not work now.
        measured: what other jobs have found.
        """
        states = self.status.feeds.states(now)
        found = [*outages, *self._intake(states, now)]
        if found:
            self._outage_at = now
        held = frozenset(self._feeds) if self._is_held(now) else frozenset()
        if full or business_now is not None:
            passed = self.status.full(now, business_now, held=held)
        else:
            passed = self.status.follow(now, held=held)
        scene = Sight(
            moment=passed.moment,
            states=passed.states,
            statuses=self.status.store.current(),
            edition=self.status.editions.live,
            targets=self.status.evaluator.targets,
            ground=self.status.evaluator.ground,
            deadlines=self.status.deadlines,
            zone=self.status.zone,
            missing=passed.missing,
            rejections={
                key: self.status.feeds.rejections(key, now) for key, state in passed.states.items() if state.rejected
            },
            outages=found,
            held=held,
            agencies=self._agencies,
            english=self._english,
            measured=measured,
            loaded_at=self._loaded_at(),
            sectors=self.status.sectors,
        )
        return Look(passed, self.incidents.apply(detect(scene), now, unknown_in(scene)))

    def _is_held(self, now: datetime) -> bool:
        return self._outage_at is not None and now - self._outage_at < _GRACE

    def _intake(self, states: Mapping[str, FeedState], now: datetime) -> list[Outage]:
        """Return an outage where every feed that comes often is silent at once: one cause, not one a feed."""
        live = [state for state in states.values() if state.is_begun and state.cadence <= _LIVE]
        status = self.status
        silent = silent_feeds(live, now, status.calendar, status.deadlines, status.zone)
        refusing = any(state.rejected for state in live)
        newest = [state.newest_at for state in live if state.newest_at is not None]
        if len(live) < _LEAST_LIVE or len(silent) < len(live) or refusing or not newest:
            return []
        text = Bilingual("tất cả nguồn thường xuyên cùng im lặng", "all frequent feeds are silent at once")
        return [Outage("intake", text, max(newest), {"feeds": sorted(silent)})]

    def _loaded_at(self) -> datetime | None:
        cursor = self._connection.cursor(row_factory=scalar_row)
        loaded_at: datetime | None = cursor.execute(load_queries("status")["select_loaded_at"]).fetchone()
        return loaded_at
