"""The province: all systems over simulated time, and the faults of their events.

Nothing is sent here. `register` and `tick` return events in the order in which they must arrive, each with
what should become of it; the same seed gives the same events.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from functools import partial
from random import Random

from deploy.simulator.breakage import BREAKAGES
from deploy.simulator.calendar import HOURS, LIVE, SimulatedSpan, day_of, hour_of, moment_of
from deploy.simulator.entry import Ground
from deploy.simulator.ledger import Data, EventJson, ExpectedOutcome, Judge, Outgoing
from deploy.simulator.rates import FAULTS, Metronome, Rates
from deploy.simulator.record import FollowUp, Life, Revision, System, Weighted
from deploy.simulator.roster import FEEDS, ROSTER
from deploy.simulator.territory import Population
from deploy.simulator.year import USUAL, Silence, SimulatedYear
from ioc.catalogue import Indicator
from ioc.feeds.event import event_json
from ioc.feeds.feed import load_feeds
from ioc.province.profile import Profile, registry_events
from ioc.province.reporter import REGISTER_FEED, Reporter

_LATEST_DAYS = 10
_GOLDEN = 0.618
# However much there is to be done with old records: of an hour's events, this share at least are new ones.
_NEW_AT_LEAST = 0.25


class Province:
    """Makes the events of simulated hours.

    revision_base: added to all revisions; who has published before goes on above the old revisions.
    feeds:         whose systems take part, of those that the profile has reporters of.
    indicators:    rows of the catalogue; the agencies report those of kind `reported`.
    span:          the days; when they are over the first begins again.
    year:          what the days of a year do: nothing, unless asked for.
    """

    def __init__(
        self,
        profile: Profile,
        *,
        seed: int = 1,
        rates: Rates | None = None,
        revision_base: int = 0,
        feeds: Collection[str] = FEEDS,
        indicators: Iterable[Indicator] = (),
        span: SimulatedSpan = LIVE,
        year: SimulatedYear = USUAL,
    ) -> None:
        self._profile = profile
        self._span, self._year = span, year
        self._seed = seed
        self._base = revision_base
        self._random = Random(seed)
        self._shares: dict[System, float] = {}
        territory, indicators = Population(profile.areas), tuple(indicators)
        for entry in ROSTER:
            if entry.feed in feeds and (reporters := _present(profile, entry.feed, span)):
                ground = Ground(reporters, territory, indicators, year.outbreaks)
                # Each has its own source of chance: who else takes part changes nothing of how it is built.
                self._shares[entry.build(Random(f"{seed}/{entry.feed}"), ground)] = entry.share
        self._silences: dict[tuple[str, str], list[Silence]] = {}
        for silence in year.silences:
            self._silences.setdefault((silence.feed, silence.reporter), []).append(silence)
        shares = asdict(rates or Rates())
        self._metronomes = {
            system.feed: {fault: Metronome(shares[fault], phase=i * _GOLDEN) for i, fault in enumerate(FAULTS)}
            for system in self._shares
        }
        self._judge = Judge({feed.event_type: feed.transport for feed in load_feeds().values()})
        self._sent_by_calendar: dict[tuple[str, str], Life] = {}
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._scheduled = 0
        self._made = 0
        self._out: list[Outgoing] = []
        self._tick = 0
        self.records: Counter[str] = Counter()
        self.faults: Counter[tuple[str, str]] = Counter()

    @property
    def now(self) -> tuple[date, int]:
        """Business date and hour of the next tick."""
        return day_of(self._clock), hour_of(self._clock)

    @property
    def left_out(self) -> tuple[str, ...]:
        """Feeds of which the profile has no reporter: nothing is simulated of them."""
        simulated = {system.feed for system in self._shares}
        return tuple(feed for feed in FEEDS if feed not in simulated)

    @property
    def by_calendar(self) -> Collection[tuple[str, str]]:
        """(feed, subject) of the records that were sent because the calendar asked for them."""
        return self._sent_by_calendar.keys()

    @property
    def _clock(self) -> int:
        """The tick as systems know it."""
        return self._span.clock(self._tick)

    def register(self) -> list[Outgoing]:
        """The registers' entries of the profile: rooms, establishments, sellers and shops as stocks."""
        self._out = []
        for agency, entry in registry_events(self._profile):
            life = Life(agency, entry.record_key(), entry.model_dump(mode="json"), revision=1)
            self._emit(REGISTER_FEED, life, 1, life.data)
        return self._out

    def tick(self, events: float) -> list[Outgoing]:
        """The next hour: what is due by calendar and of old records, then new ones.

        On the average of a week an hour has `events` events, if not more are due.
        """
        self._out = []
        clock = self._clock
        if hour_of(clock) == 0:
            self._plan_day()
        while self._due and self._due[0][0] <= self._tick:
            heapq.heappop(self._due)[2]()
        loads = {
            system: share * system.habit.of(clock) * self._year.season(system.feed, day_of(clock))
            for system, share in self._shares.items()
        }
        total = sum(self._shares.values())
        wanted = events * sum(loads.values()) / total if total else 0
        least = len(self._out) + _NEW_AT_LEAST * wanted
        chance = Weighted.of(loads)
        while len(self._out) < max(wanted, least):
            self._record(chance.pick(self._random))
        self._tick += 1
        return self._out

    def _plan_day(self) -> None:
        for system in self._shares:
            for hour, make in system.schedule(day_of(self._clock)):
                self._later(hour, partial(self._send, system, make))

    def _send(self, system: System, make: Callable[[], Life]) -> None:
        """Send what the calendar asks for."""
        life = make()
        if self._is_silent(system, life):
            return
        known = self._sent_by_calendar.get((system.feed, life.subject))
        if known is not None:  # the month has begun again
            self._revise(system, known, life.data)
            return
        self._sent_by_calendar[system.feed, life.subject] = life
        hits = self._hits(system.feed)
        delay = self._random.randint(1, 3) * HOURS if "late" in hits else 0
        self._later(delay, partial(self._enter, system, life, hits))

    def _record(self, system: System) -> None:
        """A new record that chance makes."""
        hits = self._hits(system.feed)
        days = self._random.randint(2, _LATEST_DAYS) if "late" in hits else 0
        day = day_of(self._clock) - timedelta(days=days)
        life = system.create(day, self._clock)
        while self._judge.knows(life.subject):  # a guest who was here today already
            life = system.create(day, self._clock)
        self._enter(system, life, hits)

    def _enter(self, system: System, life: Life, hits: frozenset[str]) -> None:
        """Send a record for the first time, and plan what else will come of it."""
        if self._is_silent(system, life):
            return
        original = life.data
        if "void_first" in hits:
            life.revision, life.is_void = 2, True
            self._emit(system.feed, life, 2, None)
            self._soon(partial(self._emit, system.feed, life, 1, original))
            self._remind(system, life)
        elif "disorder" in hits:
            life.revision, life.data = 2, system.mend(life)
            self._emit(system.feed, life, 2, life.data)
            self._soon(partial(self._emit, system.feed, life, 1, original))
        else:
            life.revision = 1
            self._emit(system.feed, life, 1, original)
        if "duplicate" in hits:
            self._soon(partial(self._repeat, self._out[-1]))
        if "conflict" in hits:
            self._soon(partial(self._contradict, system, life))
        if "correction" in hits:
            self._soon(partial(self._correct, system, life))
        if "void" in hits:
            self._soon(partial(self._cancel, system, life))
        self._add_strays(system, life, hits)
        self._follow(system, life)

    def _add_strays(self, system: System, life: Life, hits: frozenset[str]) -> None:
        """Events that must be refused; they are copies of `life` and change nothing of it."""
        copy = life.with_data(life.data)
        if "broken" in hits:
            breakage = BREAKAGES[self.faults[system.feed, "broken"] % len(BREAKAGES)]
            self._emit(system.feed, copy, 99, life.data, breakage=breakage)
        if "stranger" in hits:
            strange = system.estrange(copy)
            self._emit(system.feed, strange, 1, strange.data, reject=True)
        if "implausible" in hits:
            moved = system.misdate(copy, self._random.choice((1900, 2099)))
            self._emit(system.feed, moved, 1, moved.data, reject=True)

    def _follow(self, system: System, life: Life) -> None:
        """Plan what the system itself does with a record next."""
        step = None if life.is_void else system.follow(life, day_of(self._clock))
        if step is not None:
            self._later(step.hours, partial(self._take, system, life, step))

    def _is_silent(self, system: System, life: Life) -> bool:
        """Whether nothing comes of a reporter now: its system is down, and nobody enters anything later."""
        silences = self._silences.get((system.feed, life.reporter))
        return silences is not None and any(one.covers(day_of(self._clock)) for one in silences)

    def _take(self, system: System, life: Life, step: FollowUp) -> None:
        if self._is_silent(system, life):
            self._later(HOURS, partial(self._take, system, life, step))
            return
        data = None if life.is_void else step.change(life, day_of(self._clock))
        if data is not None:
            self._revise(system, life, data)
            self._follow(system, life)

    def _correct(self, system: System, life: Life) -> None:
        if not life.is_void:
            self._publish(system, system.correct(life, day_of(self._clock), self._clock))

    def _cancel(self, system: System, life: Life) -> None:
        if not life.is_void:
            self._publish(system, system.cancel(life, day_of(self._clock), self._clock))
            self._remind(system, life)

    def _remind(self, system: System, life: Life) -> None:
        """What the calendar asks for is sent again when it was withdrawn: the duty remains."""
        if (system.feed, life.subject) in self._sent_by_calendar:
            self._later(self._random.randint(1, 2) * HOURS, partial(self._restore, system, life))

    def _restore(self, system: System, life: Life) -> None:
        if life.is_void:
            self._revise(system, life, life.data)

    def _contradict(self, system: System, life: Life) -> None:
        """Send other content under a revision that has gone out already."""
        self._emit(system.feed, life, life.revision, system.mend(life))

    def _publish(self, system: System, revisions: Sequence[Revision]) -> None:
        for life, data in revisions:
            if data is None:
                life.revision, life.is_void = life.revision + 1, True
                self._emit(system.feed, life, life.revision, None)
            else:
                self._revise(system, life, data)

    def _revise(self, system: System, life: Life, data: Data) -> None:
        life.revision, life.data, life.is_void = life.revision + 1, data, False
        self._emit(system.feed, life, life.revision, data)

    def _repeat(self, outgoing: Outgoing) -> None:
        outcome = self._judge.judge(outgoing.event)
        self._out.append(Outgoing(outgoing.feed, outgoing.reporter, outgoing.event, outcome))

    def _emit(
        self,
        feed: str,
        life: Life,
        revision: int,
        data: Data | None,
        *,
        reject: bool = False,
        breakage: Callable[[EventJson], EventJson] | None = None,
    ) -> None:
        """Append an event; `data` None makes it a void, `breakage` spoils it."""
        self._made += 1
        event: EventJson = event_json(
            f"vn.ioc.{feed}.v1",
            life.subject,
            moment_of(self._clock, self._random.randrange(3600)).isoformat(),
            event_id=f"sim-{self._seed}-{self._made}",
            revision=self._base + revision,
            data=data,
        )
        if breakage is not None:
            event = breakage(event)
        outcome = ExpectedOutcome.REJECTED if reject or breakage else self._judge.judge(event)
        self._out.append(Outgoing(feed, life.reporter, event, outcome))

    def _hits(self, feed: str) -> frozenset[str]:
        """Count a new record and say which faults befall it."""
        self.records[feed] += 1
        hits = frozenset(fault for fault, metronome in self._metronomes[feed].items() if metronome.beat())
        self.faults.update((feed, fault) for fault in hits)
        return hits

    def _soon(self, action: Callable[[], None]) -> None:
        self._later(self._random.randint(1, 8), action)

    def _later(self, hours: int, action: Callable[[], None]) -> None:
        self._scheduled += 1
        heapq.heappush(self._due, (self._tick + hours, self._scheduled, action))


def _present(profile: Profile, feed: str, span: SimulatedSpan) -> list[Reporter]:
    """Reporters of a feed that exist on every business date that may occur."""
    first, last = span.first - timedelta(days=_LATEST_DAYS), span.end
    return [r for r in profile.reporters if r.feed == feed and r.valid_from <= first and r.valid_to > last]
