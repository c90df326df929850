"""From marks to events, and from events to Kafka. A kill loses nothing; an event sent twice has the same id.

First, in one transaction: take marks, read what is shown now, keep an event for each figure that differs. Then: send,
wait for Kafka's acknowledgement, remove. The two steps hold no lock on a mark while Kafka is waited for, so that a
broker that is away never stops the roll-up.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import psycopg
from kafka import KafkaProducer
from psycopg.rows import class_row, dict_row, scalar_row

from ioc.database.connection import translated_errors
from ioc.faultpoint import FaultPoint, no_fault
from ioc.messaging.client import open_producer, send_all
from ioc.messaging.figure_event import ObservationStatus, figure_event_json
from ioc.messaging.record import OutgoingRecord, content_type_of
from ioc.messaging.topic import figure_topic
from ioc.period import end_of
from ioc.settings import Settings
from sql import load_queries
from streams.change.disclosure import DecidedCell, DisclosureControl, PeriodGroup

_CELLS = 2000
_BATCH = 200  # most events of one Kafka record, about 100 KB
_RECORDS = 200


class _WaitingRecord(NamedTuple):
    """Events of an area that wait to be sent, as one record of Kafka."""

    figure_record_id: int
    key: str
    value: bytes
    events: int


@dataclass(frozen=True)
class RelayResult:
    """What one relay did: cells that were marked, events that Kafka acknowledged."""

    cells: int
    sent: int


@dataclass(frozen=True)
class _ToldIndicator:
    sector: str
    slot: int
    code: str
    version: int
    unit: str


class _MarkedCell(NamedTuple):
    sector: str
    period: str
    area_id: int
    bucket: date


@dataclass(frozen=True)
class _Taken:
    """A mark; its figures before."""

    sector: str
    period: str
    area_id: int
    bucket: date
    before: list[float | None] | None
    changed_at: datetime

    @property
    def cell(self) -> _MarkedCell:
        return _MarkedCell(self.sector, self.period, self.area_id, self.bucket)


@dataclass(frozen=True)
class _Seen:
    """A cell as readers saw it and see it now; `hidden`: slots whose figure they do not see."""

    cell: _MarkedCell
    before: Sequence[float | None]
    figures: Sequence[float | None]
    changed_at: datetime
    hidden: frozenset[int] = frozenset()


class ChangeRelay:
    """Relays over a connection in autocommit mode that the caller keeps; opens its producer when it first sends."""

    def __init__(
        self,
        settings: Settings,
        connection: psycopg.Connection,
        timezone: str,
        fault: FaultPoint = no_fault,
    ) -> None:
        self._settings = settings
        self._connection = connection
        self._zone = ZoneInfo(timezone)
        self._fault = fault
        self._queries = load_queries("figure_change")
        self._disclosure = DisclosureControl(connection)
        self._producer: KafkaProducer | None = None

    def close(self) -> None:
        """Close the producer, if there is one."""
        if self._producer is not None:
            self._producer.close(timeout=5)
            self._producer = None

    def run(self, now: datetime, seconds: float = 5.0) -> RelayResult:
        """Relay what waits, for about `seconds` at most; nothing while another process relays.

        now: tells which periods are not over. Raises KafkaUnavailableError (what was not sent waits) and
        DatabaseUnavailableError.
        """
        with translated_errors():
            if self._connection.execute(self._queries["try_relay_lock"]).fetchone() != (True,):
                return RelayResult(0, 0)
            try:
                return self._run(now, time.monotonic() + seconds)
            finally:
                if not self._connection.closed:
                    self._connection.execute(self._queries["unlock_relay"])

    def _run(self, now: datetime, until: float) -> RelayResult:
        cells = 0
        sent = self._send_all(until)  # those that an earlier run left
        while time.monotonic() < until:
            taken = self._take(now.astimezone(self._zone).date())
            if not taken:
                break
            cells += taken
            sent += self._send_all(until)
        return RelayResult(cells, sent)

    def _take(self, today: date) -> int:
        """Turn marks into events; return how many cells were marked."""
        with self._connection.transaction():
            cursor = self._connection.cursor(row_factory=class_row(_Taken))
            taken = cursor.execute(self._queries["take_changes"], {"most": _CELLS}).fetchall()
            if taken:
                guarded = self._disclosure.guarded()
                groups = {PeriodGroup(one.sector, one.period, one.bucket) for one in taken if one.sector in guarded}
                taken += self._take_groups(groups)
                self._keep([one for one in taken if one.sector not in guarded], today)
                self._keep_guarded(groups, {one.cell: one for one in taken if one.sector in guarded}, today)
            self._fault("taken")
        return len(taken)

    def _take_groups(self, groups: Collection[PeriodGroup]) -> list[_Taken]:
        """Take the other marks of periods that are decided of as a whole."""
        if not groups:
            return []
        asked = dict(zip(("sectors", "periods", "buckets"), map(list, zip(*groups, strict=True)), strict=True))
        cursor = self._connection.cursor(row_factory=class_row(_Taken))
        return cursor.execute(load_queries("disclosure")["take_group_changes"], asked).fetchall()

    def _keep_guarded(self, groups: Collection[PeriodGroup], marks: Mapping[_MarkedCell, _Taken], today: date) -> None:
        """Decide what readers may see of periods, and keep events of what they see otherwise than before."""
        for group, decided in self._disclosure.decide(groups):
            seen: list[_Seen] = []
            for one in decided:
                cell = _MarkedCell(group.sector, group.period, one.area_id, group.bucket)
                seen.append(_seen(cell, one, marks.get(cell)))
            there = {one.cell for one in seen}
            # Cells that are gone: nothing is shown of them any more.
            of_group = [one for cell, one in marks.items() if PeriodGroup(*cell[:2], cell.bucket) == group]
            gone = {mark.area_id: mark for mark in of_group if mark.cell not in there}
            hidden = self._disclosure.forget(group, gone)
            for area_id, mark in gone.items():
                before = _without(mark.before or [], hidden[area_id]) if area_id in hidden else []
                seen.append(_Seen(mark.cell, before, [], mark.changed_at))
            self._keep_events(self._events(seen, today))

    def _keep(self, taken: Sequence[_Taken], today: date) -> None:
        shown = self._shown(taken) if taken else {}
        seen = []
        for mark in taken:
            figures, changed_at = shown.get(mark.cell, ([], mark.changed_at))
            seen.append(_Seen(mark.cell, mark.before or [], figures, changed_at))
        self._keep_events(self._events(seen, today))

    def _keep_events(self, found: Sequence[tuple[int, bytes]]) -> None:
        by_area: dict[int, list[bytes]] = {}
        for area_id, event in found:
            by_area.setdefault(area_id, []).append(event)
        with self._connection.cursor().copy(self._queries["copy_records"]) as copy:
            copy.set_types(["text", "bytea", "int4"])
            for area_id, events in by_area.items():
                for part in range(0, len(events), _BATCH):
                    batch = events[part : part + _BATCH]
                    value = batch[0] if len(batch) == 1 else b"[" + b",".join(batch) + b"]"
                    copy.write_row((str(area_id), value, len(batch)))

    def _events(self, seen: Sequence[_Seen], today: date) -> list[tuple[int, bytes]]:
        """Return the area and the event of each figure that readers see otherwise than before."""
        if not seen or not self._settings.figure_changes:
            return []
        revision = self._connection.cursor(row_factory=scalar_row).execute(self._queries["next_revision"]).fetchone()
        assert revision is not None
        indicators: dict[str, list[_ToldIndicator]] = {}
        for told in self._connection.cursor(row_factory=class_row(_ToldIndicator)).execute(
            self._queries["select_indicators"]
        ):
            indicators.setdefault(told.sector, []).append(told)
        named = self._connection.cursor(row_factory=dict_row)
        areas = {row["area_id"]: row for row in named.execute(self._queries["select_areas"])}
        events: list[tuple[int, bytes]] = []
        for one in seen:
            mark = one.cell
            area = areas.get(mark.area_id)
            if area is None:  # another profile's area
                continue
            over = end_of(mark.period, mark.bucket) < today
            for indicator, before, value in _differences(indicators.get(mark.sector, []), one.before, one.figures):
                missing: ObservationStatus = "Q" if indicator.slot in one.hidden else "M"
                status: ObservationStatus = missing if value is None else "A" if over else "P"
                change = {
                    "indicator": indicator.code,
                    "version": indicator.version,
                    "unit": indicator.unit,
                    "area_id": mark.area_id,
                    "area_code": area["code"],
                    "area_level": area["level"],
                    "period": mark.period,
                    "bucket": mark.bucket,
                    "value": value,
                    "previous": before,
                    "status": status,
                    "revision": revision,
                }
                events.append((mark.area_id, figure_event_json(change, one.changed_at)))
        return events

    def _shown(self, taken: Sequence[_Taken]) -> dict[_MarkedCell, tuple[list[float | None], datetime]]:
        asked = {
            "sectors": [mark.sector for mark in taken],
            "periods": [mark.period for mark in taken],
            "areas": [mark.area_id for mark in taken],
            "buckets": [mark.bucket for mark in taken],
            "first": min(mark.bucket for mark in taken),
            "last": max(mark.bucket for mark in taken),
        }
        rows = self._connection.cursor(row_factory=dict_row).execute(self._queries["select_figures"], asked)
        return {
            _MarkedCell(*(row[name] for name in _MarkedCell._fields)): (row["figures"], row["updated_at"])
            for row in rows
        }

    def _send_all(self, until: float) -> int:
        """Send what is kept; return how many events Kafka has acknowledged."""
        topic = figure_topic(self._settings.topic_prefix)
        sent: int = 0
        while True:
            cursor = self._connection.cursor(row_factory=class_row(_WaitingRecord))
            rows = cursor.execute(self._queries["select_records"], {"most": _RECORDS}).fetchall()
            if not rows:
                return sent
            if self._producer is None:
                self._producer = open_producer(self._settings)
            records = [
                OutgoingRecord(
                    topic, one.key.encode(), one.value, (("content-type", content_type_of(one.value).encode()),)
                )
                for one in rows
            ]
            send_all(self._producer, records)
            self._fault("sent")
            self._connection.execute(self._queries["remove_records"], {"sent": [one.figure_record_id for one in rows]})
            sent += sum(one.events for one in rows)
            if len(rows) < _RECORDS or time.monotonic() >= until:
                return sent


def _seen(cell: _MarkedCell, one: DecidedCell, mark: _Taken | None) -> _Seen:
    """Return what readers saw of a guarded cell and see now.

    Where nothing had been decided, they saw what was there: a rule that is new takes back what is small.
    """
    before: Sequence[float | None] = one.figures if mark is None else mark.before or []
    if one.hidden_before is not None:
        before = _without(before, one.hidden_before)
    return _Seen(cell, before, _without(one.figures, one.hidden), one.updated_at, one.hidden)


def _without(figures: Sequence[float | None], hidden: frozenset[int]) -> list[float | None]:
    return [None if slot in hidden else value for slot, value in enumerate(figures, start=1)]


def _differences(
    indicators: Sequence[_ToldIndicator], before: Sequence[float | None], now: Sequence[float | None]
) -> Iterator[tuple[_ToldIndicator, float | None, float | None]]:
    """Return the indicators whose figure is another than before; what an array does not reach is no figure."""
    for one in indicators:
        old = before[one.slot - 1] if one.slot <= len(before) else None
        new = now[one.slot - 1] if one.slot <= len(now) else None
        if old != new:
            yield one, old, new
