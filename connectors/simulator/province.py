"""The province: all systems over simulated time, and the faults that befall their events.

Nothing is sent here. `register` and `tick` return events in the order in which they must arrive, each with
what should become of it; the same seed gives the same events.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from datetime import date, timedelta
from functools import partial
from random import Random

from connectors.simulator.breakage import BREAKAGES
from connectors.simulator.calendar import DAYS, FIRST_DAY, HOURS, day_of, hour_of, load_of, moment_of
from connectors.simulator.daily_report import DailyReportSystem
from connectors.simulator.invoice import InvoiceSystem
from connectors.simulator.ledger import Data, Event, Judge, Outcome, Outgoing
from connectors.simulator.rates import FAULTS, Metronome, Rates
from connectors.simulator.record import Life, System
from connectors.simulator.stay import StaySystem
from ioc.event import REPORTER_URN
from ioc.profile import Profile, registry_events
from ioc.reporter import REGISTER_FEED, Reporter

_LATEST_DAYS = 10
_STAY_SHARE = 0.4
_GOLDEN = 0.618
_CHECK_OUT_HOURS = (9, 10, 11, 11, 12)
_REPORT_HOURS = (6, 7, 7, 8, 8, 8, 9, 9, 10, 11)


class Province:
    """Makes the events of simulated hours.

    revision_base: added to all revisions; who has published before goes on above the old revisions.
    """

    def __init__(self, profile: Profile, *, seed: int = 1, rates: Rates | None = None, revision_base: int = 0) -> None:
        self._profile = profile
        self._seed = seed
        self._base = revision_base
        self._random = random = Random(seed)
        self._stays = StaySystem(random, _present(profile, StaySystem.feed))
        self._reports = DailyReportSystem(random, _present(profile, DailyReportSystem.feed))
        self._invoices = InvoiceSystem(random, _present(profile, InvoiceSystem.feed))
        shares = asdict(rates or Rates())
        self._metronomes = {
            feed: {fault: Metronome(shares[fault], phase=i * _GOLDEN) for i, fault in enumerate(FAULTS)}
            for feed in (StaySystem.feed, DailyReportSystem.feed, InvoiceSystem.feed)
        }
        self._judge = Judge()
        self._reported: dict[str, Life] = {}
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
        return day_of(self._tick), hour_of(self._tick)

    def register(self) -> list[Outgoing]:
        """The registers' entries of the profile: rooms, establishments, sellers and shops as stocks."""
        self._out = []
        for agency, entry in registry_events(self._profile):
            life = Life(agency, entry.record_key(), entry.model_dump(mode="json"), revision=1)
            self._emit(REGISTER_FEED, life, 1, life.data)
        return self._out

    def tick(self, events: float) -> list[Outgoing]:
        """The next hour. What is due comes first; new records fill up to `events` × how busy it is."""
        self._out = []
        if hour_of(self._tick) == 0:
            self._plan_reports(day_of(self._tick) - timedelta(days=1))
        while self._due and self._due[0][0] <= self._tick:
            heapq.heappop(self._due)[2]()
        wanted = events * load_of(self._tick)
        while len(self._out) < wanted:
            self._record(self._stays if self._random.random() < _STAY_SHARE else self._invoices)
        self._tick += 1
        return self._out

    def _plan_reports(self, day: date) -> None:
        for establishment in self._reports.establishments:
            self._later(self._random.choice(_REPORT_HOURS), partial(self._report, establishment, day))

    def _report(self, establishment: Reporter, day: date) -> None:
        life = self._reports.report(establishment, day)
        known = self._reported.get(life.subject)
        if known is not None:  # the month has begun again
            self._revise(self._reports.feed, known, life.data)
            return
        self._reported[life.subject] = life
        hits = self._hits(self._reports.feed)
        delay = self._random.randint(1, 3) * HOURS if "late" in hits else 0
        self._later(delay, partial(self._enter, self._reports, life, hits))

    def _record(self, system: System) -> None:
        """A new stay or invoice."""
        hits = self._hits(system.feed)
        days = self._random.randint(2, _LATEST_DAYS) if "late" in hits else 0
        day = day_of(self._tick) - timedelta(days=days)
        life = system.create(day, self._tick)
        while self._judge.knows(life.subject):  # a guest who was here today already
            life = system.create(day, self._tick)
        self._enter(system, life, hits)

    def _enter(self, system: System, life: Life, hits: frozenset[str]) -> None:
        """Send a record for the first time, and plan what else will come of it."""
        original = life.data
        if "void_first" in hits:
            life.revision, life.is_void = 2, True
            self._emit(system.feed, life, 2, None)
            self._soon(partial(self._emit, system.feed, life, 1, original))
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
        if system is self._stays:
            self._plan_check_out(life)

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

    def _plan_check_out(self, life: Life) -> None:
        nights = (date.fromisoformat(life.data["planned_check_out_on"]) - day_of(self._tick)).days
        if nights <= 0 or self._random.random() < 0.05:
            nights += 1  # late events whose guest has left by now, and guests who stay on
        hours = max(1, nights) * HOURS - hour_of(self._tick) + self._random.choice(_CHECK_OUT_HOURS)
        self._later(hours, partial(self._check_out, life))

    def _check_out(self, life: Life) -> None:
        data = self._stays.check_out(life, day_of(self._tick))
        if data is not None:
            self._revise(self._stays.feed, life, data)

    def _correct(self, system: System, life: Life) -> None:
        """Mend a record; invoices in turn by a new revision, an adjusting and a replacing invoice."""
        if life.is_void:
            return
        if system is not self._invoices:
            self._revise(system.feed, life, system.mend(life))
            return
        way = self._random.randrange(3)
        if way == 0:
            self._revise(system.feed, life, system.mend(life))
        elif way == 1:
            self._send_document(self._invoices.adjustment(life, day_of(self._tick), self._tick))
        else:
            self._send_document(self._invoices.replacement(life, day_of(self._tick), self._tick))
            self._void(system.feed, life)

    def _cancel(self, system: System, life: Life) -> None:
        if life.is_void:
            return
        if system is self._invoices:
            self._send_document(self._invoices.cancellation(life, day_of(self._tick), self._tick))
        self._void(system.feed, life)

    def _contradict(self, system: System, life: Life) -> None:
        """Send other content under a revision that has gone out already."""
        self._emit(system.feed, life, life.revision, system.mend(life))

    def _send_document(self, life: Life) -> None:
        life.revision = 1
        self._emit(self._invoices.feed, life, 1, life.data)

    def _revise(self, feed: str, life: Life, data: Data) -> None:
        life.revision, life.data, life.is_void = life.revision + 1, data, False
        self._emit(feed, life, life.revision, data)

    def _void(self, feed: str, life: Life) -> None:
        life.revision, life.is_void = life.revision + 1, True
        self._emit(feed, life, life.revision, None)

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
        breakage: Callable[[Event], Event] | None = None,
    ) -> None:
        """Append an event; `data` None makes it a void, `breakage` spoils it."""
        self._made += 1
        event: Event = {
            "specversion": "1.0",
            "id": f"sim-{self._seed}-{self._made}",
            "source": f"{REPORTER_URN}{life.reporter}",
            "type": f"vn.ioc.{feed}.v1",
            "subject": life.subject,
            "time": moment_of(self._tick, self._random.randrange(3600)).isoformat(),
            "revision": self._base + revision,
        }
        event |= {"voided": True} if data is None else {"data": data}
        if breakage is not None:
            event = breakage(event)
        outcome = Outcome.REJECTED if reject or breakage else self._judge.judge(event)
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


def _present(profile: Profile, feed: str) -> list[Reporter]:
    """Reporters of a feed that exist on every business date that may occur."""
    first, last = FIRST_DAY - timedelta(days=_LATEST_DAYS), FIRST_DAY + timedelta(days=DAYS)
    return [r for r in profile.reporters if r.feed == feed and r.valid_from <= first and r.valid_to > last]
