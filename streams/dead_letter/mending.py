"""Mending refused events in bulk: what a rule would do is shown first, and only what would be accepted is sent."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import polars as pl
import psycopg
from psycopg.rows import class_row, dict_row, scalar_row
from pydantic_core import from_json

from ioc.catalogue import StoredMeasure
from ioc.catalogue.edition import Edition
from ioc.catalogue.store import load_editions, load_measures
from ioc.database.connection import connect, translated_errors
from ioc.errors import FatalError
from ioc.feeds.feed import Feed
from ioc.feeds.plausibility import Calendar
from ioc.feeds.validation import mask
from ioc.messaging.client import ACK_SECONDS, open_producer, send_all
from ioc.province.profile import load_profile
from ioc.settings import Settings
from sql import load_queries
from streams.dead_letter.refused_event import RefusedEvent, record_of
from streams.dead_letter.rule import MendRule, mend
from streams.rules.contribute import Contributor
from streams.rules.parse import BatchParser
from streams.rules.register import Register

_BATCH = 500


class _StoredRevision(NamedTuple):
    key: str
    revision: int


@dataclass
class _MendedLetter:
    """A mended event as a Kafka record that was not sent yet; offset = its index among those mended."""

    offset: int
    value: bytes | None
    key: bytes | None = None
    headers: Sequence[tuple[str, bytes]] = ()
    timestamp: int = 0
    timestamp_type: int = 0


@dataclass(frozen=True)
class MovingIndicator:
    """An indicator that the mended events would move: in how many areas, from which day to which."""

    code: str
    areas: int
    first_day: date
    last_day: date


@dataclass(frozen=True)
class MendPlan:
    """What a rule does. accepted = new + replacing; of the rest nothing is sent.

    not_meant: events that lack what a step needs; refused: by reason, events that would be refused again;
    new, replacing, known: accepted events of records that are not stored, that are stored with a lower revision, and
    that change nothing (a duplicate, or superseded).
    """

    digest: str
    waiting: int
    not_meant: int
    refused: Mapping[str, int]
    new: int
    replacing: int
    known: int
    moving: tuple[MovingIndicator, ...]
    letters: tuple[tuple[RefusedEvent, bytes], ...]


def plan_mend(settings: Settings, feed: Feed, rule: MendRule, *, limit: int) -> MendPlan:
    """Mend up to `limit` waiting events in memory and parse them as the worker would; changes nothing."""
    queries = load_queries("deadletter")
    with connect(settings, "owner", autocommit=True) as connection, translated_errors():
        asked = {"feed": rule.feed, "rule": rule.rule, "field": rule.field, "limit": limit}
        cursor = connection.cursor(row_factory=class_row(RefusedEvent))
        waiting = cursor.execute(queries["select_mendable"], asked).fetchall()
        mended = [
            (one, changed)
            for one in waiting
            if one.payload is not None and (changed := mend(rule, one.payload)) is not None
        ]
        events, refused = _parsed(settings, feed, [changed for _, changed in mended])
        keys = events["key"].unique().to_list()
        found = connection.cursor(row_factory=class_row(_StoredRevision)).execute(queries["select_identities"], [keys])
        stored = {one.key: one.revision for one in found.fetchall()}
        moving = _moving(connection, feed, _moved(events, stored))
    state = Counter(_state(row["key"], row["revision"], stored) for row in events.iter_rows(named=True))
    accepted = tuple(mended[at] for at in events["record_offset"].to_list())
    return MendPlan(
        digest=rule.digest,
        waiting=len(waiting),
        not_meant=len(waiting) - len(mended),
        refused=refused,
        new=state["new"],
        replacing=state["replacing"],
        known=state["known"],
        moving=moving,
        letters=accepted,
    )


def send_mended(settings: Settings, feed: Feed, plan: MendPlan) -> int:
    """Send the accepted events to their feed and mark them as replayed; return how many.

    Idempotent: what another run has replayed meanwhile is left out, and an event that was sent twice because a
    process died before it was marked is a duplicate.
    """
    queries = load_queries("deadletter")
    topic = feed.topic(settings.topic_prefix)
    sent = 0
    producer = open_producer(settings)
    try:
        for start in range(0, len(plan.letters), _BATCH):
            with connect(settings, "owner") as connection, translated_errors():
                cursor = connection.cursor(row_factory=scalar_row)
                batch = [
                    (letter, payload)
                    for letter, payload in plan.letters[start : start + _BATCH]
                    if cursor.execute(queries["lock_waiting"], letter.place).fetchone() is not None
                ]
                send_all(producer, [record_of(topic, payload) for _, payload in batch])
                connection.cursor().executemany(queries["mark_replayed"], [letter.place for letter, _ in batch])
            sent += len(batch)
    finally:
        producer.close(timeout=ACK_SECONDS)
    return sent


def samples(settings: Settings, feed: str, rule: str | None, limit: int) -> list[dict[str, Any]]:
    """Return single refused events with their content masked: enough to find the mistake, not the person."""
    with connect(settings, "owner", autocommit=True) as connection, translated_errors():
        cursor = connection.cursor(row_factory=dict_row)
        asked = {"feed": feed, "rule": rule, "limit": limit}
        rows = cursor.execute(load_queries("deadletter")["select_samples"], asked).fetchall()
    return [{**row, "payload": masked(row["payload"])} for row in rows]


def masked(payload: bytes) -> Any:
    """Return an event with each value masked; the envelope's kind and names of fields stay."""
    try:
        event = from_json(payload)
    except ValueError:
        return mask(payload[:200].decode("utf-8", "replace"))
    return _masked(event, "")


def _masked(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        # A field's name may hold anything where the sender is wrong: what is no plain word is masked, too.
        return {
            key if key.isidentifier() and len(key) <= 40 else mask(key): _masked(part, key)
            for key, part in value.items()
        }
    if isinstance(value, list):
        return [_masked(part, name) for part in value[:5]]
    if name in ("specversion", "type", "revision", "voided") and (not isinstance(value, str) or len(value) <= 64):
        return value
    return mask(value)


def _parsed(settings: Settings, feed: Feed, payloads: Sequence[bytes]) -> tuple[pl.DataFrame, dict[str, int]]:
    """Return the events that the worker would accept (`record_offset` = index), and why others are refused."""
    profile = load_profile(settings.profile)
    register = Register(feed, profile.reporters, profile.areas)
    parser = BatchParser(feed, register, Calendar.of(settings, profile.timezone))
    letters = [_MendedLetter(at, payload) for at, payload in enumerate(payloads)]
    # Without a record there is nothing to parse; a void makes a frame with the right columns, and is left out.
    batch = parser.parse("mend", 0, letters or [_MendedLetter(0, b"")], now=datetime.now(UTC))
    if not letters:
        return batch.events, {}
    return batch.events, dict(Counter(one.reasons[0].rule for one in batch.rejections))


def _state(key: str, revision: int, stored: Mapping[str, int]) -> str:
    if key not in stored:
        return "new"
    return "replacing" if revision > stored[key] else "known"


def _moved(events: pl.DataFrame, stored: Mapping[str, int]) -> pl.DataFrame:
    """Return the events that would win: of each record the highest revision, where that is not stored already."""
    newest = events.filter(~pl.col("voided")).sort("revision").unique("key", keep="last", maintain_order=True)
    wins = [_state(row["key"], row["revision"], stored) != "known" for row in newest.iter_rows(named=True)]
    return newest.filter(pl.Series(wins, dtype=pl.Boolean))


def _moving(connection: psycopg.Connection, feed: Feed, events: pl.DataFrame) -> tuple[MovingIndicator, ...]:
    if events.is_empty():
        return ()
    editions = load_editions(connection)
    measures = [one for one in load_measures(connection) if one.measure.feed == feed.key]
    touched = _touched(Contributor(measures), measures, events.with_columns(sign=pl.lit(1, pl.Int64)))
    return _indicators(editions.live, touched)


_AreaDays = set[tuple[int, date]]


def _touched(
    contributor: Contributor, measures: Sequence[StoredMeasure], records: pl.DataFrame
) -> dict[StoredMeasure, _AreaDays]:
    """Return by measure the areas and days to which records add something."""
    touched: defaultdict[StoredMeasure, _AreaDays] = defaultdict(set)
    by_slot = {one.slot - 1: one for one in measures if one.measure.kind == "sum"}
    by_id = {one.measure_id: one for one in measures}
    try:
        deltas, members = contributor.deltas(records), contributor.members(records)
    except OverflowError as error:
        raise FatalError(f"the mended events hold amounts that no sum can take: {error}") from error
    for area_id, bucket, sums in deltas.select("area_id", "bucket", "sums").iter_rows():
        for slot, amount in enumerate(sums):
            if amount and slot in by_slot:
                touched[by_slot[slot]].add((area_id, bucket))
    for measure_id, area_id, bucket in members.select("measure_id", "area_id", "bucket").iter_rows():
        touched[by_id[measure_id]].add((area_id, bucket))
    return touched


def _indicators(edition: Edition, touched: Mapping[StoredMeasure, _AreaDays]) -> tuple[MovingIndicator, ...]:
    """Return the indicators that measures belong to, and those computed from them."""
    by_measure = {stored.measure: cells for stored, cells in touched.items()}
    found: defaultdict[str, _AreaDays] = defaultdict(set)
    for code, plan in edition.compiled.plans.items():
        cells = set[tuple[int, date]]().union(*(by_measure.get(one, set()) for one in plan.measures))
        if cells:
            for moved in {code, *edition.compiled.dependents(code)}:
                found[moved] |= cells
    return tuple(
        MovingIndicator(
            code, len({area for area, _ in cells}), min(day for _, day in cells), max(day for _, day in cells)
        )
        for code, cells in sorted(found.items())
    )
