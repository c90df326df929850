"""From marks to events, and from events to Kafka. A kill loses nothing; an event sent twice has the same id.

First, in one transaction: take marks, read what is shown now, keep an event for each figure that differs. Then: send,
wait for Kafka's acknowledgement, remove. The two steps hold no lock on a mark while Kafka is waited for, so that a
broker that is away never stops the roll-up.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import psycopg
from kafka import KafkaProducer
from psycopg.rows import class_row, dict_row, scalar_row

from ioc.database.connection import translated_errors
from ioc.messaging.client import open_producer, send_all
from ioc.messaging.figure_event import ObservationStatus, figure_event_json
from ioc.messaging.record import OutgoingRecord, content_type_of
from ioc.messaging.topic import figure_topic
from ioc.period import end_of
from ioc.settings import Settings
from sql import load_queries
from streams.process.faultpoint import FaultPoint, no_fault

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
                self._keep(taken, today)
            self._fault("taken")
        return len(taken)

    def _keep(self, taken: Sequence[_Taken], today: date) -> None:
        revision = self._connection.cursor(row_factory=scalar_row).execute(self._queries["next_revision"]).fetchone()
        assert revision is not None
        by_area: dict[int, list[bytes]] = {}
        for area_id, event in self._events(taken, today, revision):
            by_area.setdefault(area_id, []).append(event)
        with self._connection.cursor().copy(self._queries["copy_records"]) as copy:
            copy.set_types(["text", "bytea", "int4"])
            for area_id, events in by_area.items():
                for part in range(0, len(events), _BATCH):
                    batch = events[part : part + _BATCH]
                    value = batch[0] if len(batch) == 1 else b"[" + b",".join(batch) + b"]"
                    copy.write_row((str(area_id), value, len(batch)))

    def _events(self, taken: Sequence[_Taken], today: date, revision: int) -> list[tuple[int, bytes]]:
        """Return the area and the event of each figure that differs from what was shown before."""
        shown = self._shown(taken)
        indicators: dict[str, list[_ToldIndicator]] = {}
        for one in self._connection.cursor(row_factory=class_row(_ToldIndicator)).execute(
            self._queries["select_indicators"]
        ):
            indicators.setdefault(one.sector, []).append(one)
        named = self._connection.cursor(row_factory=dict_row)
        areas = {row["area_id"]: row for row in named.execute(self._queries["select_areas"])}
        events: list[tuple[int, bytes]] = []
        for mark in taken:
            figures, changed_at = shown.get(mark.cell, ([], mark.changed_at))
            area = areas.get(mark.area_id)
            if area is None:  # another profile's area
                continue
            over = end_of(mark.period, mark.bucket) < today
            for indicator, before, value in _differences(indicators.get(mark.sector, []), mark.before or [], figures):
                status: ObservationStatus = "M" if value is None else "A" if over else "P"
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
                events.append((mark.area_id, figure_event_json(change, changed_at)))
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


def _differences(
    indicators: Sequence[_ToldIndicator], before: Sequence[float | None], now: Sequence[float | None]
) -> Iterator[tuple[_ToldIndicator, float | None, float | None]]:
    """Return the indicators whose figure is another than before; what an array does not reach is no figure."""
    for one in indicators:
        old = before[one.slot - 1] if one.slot <= len(before) else None
        new = now[one.slot - 1] if one.slot <= len(now) else None
        if old != new:
            yield one, old, new
