"""The load: a month of simulated e-invoices with a few corrections and repetitions, in every shape that is drained."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from deploy.simulator.province import Province
from deploy.simulator.record import Life
from deploy.simulator.roster import of_agencies
from deploy.simulator.systems.tax_einvoice import InvoiceSystem
from ioc.catalogue import Catalogue
from ioc.feeds.event import event_json
from ioc.feeds.feed import Feed
from ioc.messaging.record import OutgoingRecord, record_of
from ioc.province.profile import Profile

EVENTS_A_RECORD = 100
FIRST_DAY = date(2024, 10, 1)
DAYS = 31
FAULTS = 0.01
_HOURLY = 500


@dataclass(frozen=True)
class Load:
    """`batches` and `singles` hold the same `events` events, once many a record, once one a record; without topic."""

    events: int
    batches: tuple[OutgoingRecord, ...]
    singles: tuple[OutgoingRecord, ...]


def make_load(
    profile: Profile, feed: Feed, events: int, *, seed: int = 1, faults: float = FAULTS, days: int = DAYS
) -> Load:
    """Return `events` events, in the order of business days; the same seed gives the same load.

    faults: share of the events that correct an earlier one, and share of those that repeat one.
    days:   business days that they spread over.
    """
    texts = list(_events(profile, feed, events, Random(seed), faults, days))
    return Load(
        events,
        tuple(_batched(texts, EVENTS_A_RECORD)),
        tuple(record_of("", reporter, [text.encode()]) for reporter, text in texts),
    )


def make_province(profile: Profile, catalogue: Catalogue, events: int) -> tuple[int, list[OutgoingRecord]]:
    """Return at least `events` events of a simulated province with its registers, and their number.

    A record's topic is the key of its feed; an hour's events of a reporter share a record.
    """
    province = Province(profile, revision_base=1, indicators=of_agencies(catalogue.indicators.values()))
    records: list[OutgoingRecord] = []
    made = 0
    hour = province.register()
    while made < events:
        waiting: defaultdict[tuple[str, str], list[bytes]] = defaultdict(list)
        for one in hour:
            waiting[one.feed, one.reporter].append(json.dumps(one.event, separators=(",", ":")).encode())
        records += [record_of(feed, reporter, texts) for (feed, reporter), texts in waiting.items()]
        made += len(hour)
        hour = province.tick(_HOURLY)
    return made, records


def _events(
    profile: Profile, feed: Feed, events: int, random: Random, faults: float, days: int
) -> Iterator[tuple[str, str]]:
    """Yield (reporter, event as JSON)."""
    system = InvoiceSystem(random, [reporter for reporter in profile.reporters if reporter.feed == feed.key])
    lives: list[Life] = []
    for number in range(events):
        day = number * days // events
        kind = random.random()
        if lives and kind < faults:
            life = random.choice(lives)
            life.data, life.revision = system.mend(life), life.revision + 1
        elif lives and kind < 2 * faults:
            life = random.choice(lives)
        else:
            life = system.create(FIRST_DAY + timedelta(days=day), day * 24 + 10)
            life.revision = 1
            lives.append(life)
        yield life.reporter, _event(feed, life)


def _event(feed: Feed, life: Life) -> str:
    event = event_json(
        feed.event_type,
        life.subject,
        life.data["signed_at"],
        event_id=f"{life.subject}#{life.revision}",
        revision=life.revision,
        data=life.data,
    )
    return json.dumps(event, separators=(",", ":"))


def _batched(texts: list[tuple[str, str]], size: int) -> Iterator[OutgoingRecord]:
    """Pack the events of each reporter, in their order; a record leaves when it is full, the rest at the end."""
    waiting: defaultdict[str, list[str]] = defaultdict(list)
    for reporter, text in texts:
        waiting[reporter].append(text)
        if len(waiting[reporter]) == size:
            yield _batch(reporter, waiting.pop(reporter))
    for reporter, rest in waiting.items():
        yield _batch(reporter, rest)


def _batch(reporter: str, texts: list[str]) -> OutgoingRecord:
    return record_of("", reporter, [text.encode() for text in texts])


@dataclass(slots=True)
class FetchedRecord:
    """A record as a Kafka client hands it over."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]
    timestamp_type: int = 1  # set by the broker


def as_fetched(records: Sequence[OutgoingRecord], *, at: datetime) -> list[FetchedRecord]:
    """Return records as if one partition had them all, from offset 0, appended at one moment."""
    timestamp = int(at.timestamp() * 1000)
    return [FetchedRecord(offset, timestamp, r.key, r.value, r.headers) for offset, r in enumerate(records)]
