"""From the raw records of one fetch to a typed frame of events, and the reasons of those that are none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate
from typing import Any

import polars as pl
from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from ioc.catalogue.limit import ReportLimit
from ioc.errors import Reason, RejectedError
from ioc.feeds.event import Envelope
from ioc.feeds.feed import UTC_TIME, Feed
from ioc.feeds.plausibility import Calendar, Now, check_clock
from ioc.feeds.validation import check_envelope, mask, read_event
from streams.rules.batch import Fetched, ParsedBatch, batch_of
from streams.rules.column_read import ColumnRead, ColumnReader
from streams.rules.content import VOID_HASH, content_hasher, md5
from streams.rules.dates import date_from_json, implausible_dates
from streams.rules.fault import DATA_FAULTS, told
from streams.rules.limit import IMPLAUSIBLE_VALUE, NO_LIMITS, beyond
from streams.rules.raw import Payloads, RawRecord, elements, is_batch, received_ms, value_of
from streams.rules.refuse import (
    EMPTY,
    MAX_PAYLOAD,
    NOT_AN_ARRAY,
    Rejection,
    day_told,
    reason_of,
    unreadable,
    unstorable,
)
from streams.rules.register import Register

MAX_KEY = 64
# Of records as they came: the steps of a check by column cost as much as reading so many events one by one.
ENOUGH_FOR_COLUMNS = 128 * 1024

EVENT_SCHEMA: dict[str, pl.DataType] = {
    "row": pl.Int64(),
    "fetch": pl.Int64(),
    "record_offset": pl.Int64(),
    "position": pl.Int64(),
    "received_at": UTC_TIME,
    "event_id": pl.String(),
    "reporter": pl.String(),
    "record_key": pl.String(),
    "key": pl.String(),
    "revision": pl.Int64(),
    "content_hash": pl.String(),
    "voided": pl.Boolean(),
}
_HEAD = tuple(name for name in EVENT_SCHEMA if name != "row")


@dataclass
class _Rows:
    """The accepted envelopes while they are gathered.

    now:      what is plausible while they are parsed; `now_ms` the moment itself.
    fetch:    number of the fetch whose events are being taken.
    received: when Kafka appended the record whose events are being taken, in milliseconds.
    heads:    values of the columns `_HEAD`, `received_at` in microseconds.
    contents: data as JSON by the model, without its nulls: what the frame is read from.
    """

    now: Now
    now_ms: int
    fetch: int = 0
    received: int = 0
    heads: list[tuple[Any, ...]] = field(default_factory=list)
    contents: list[bytes] = field(default_factory=list)

    def part(self, start: int, end: int | None) -> _Rows:
        """Return some of the rows."""
        return _Rows(self.now, self.now_ms, heads=self.heads[start:end], contents=self.contents[start:end])


class BatchParser:
    """Parses the fetches of one feed; holds no state between two calls."""

    def __init__(
        self,
        feed: Feed,
        register: Register,
        calendar: Calendar,
        *,
        limits: Mapping[str, ReportLimit] = NO_LIMITS,
        by_column_from: int = ENOUGH_FOR_COLUMNS,
        reader: ColumnReader | None = None,
        column_read_failed: Callable[[BaseException], None] = lambda error: None,
    ) -> None:
        """
        limits:         of the values that agencies report, by indicator.
        by_column_from: bytes of records that are read by the column, if so many are parsed together.
        reader:         reads by the column; the feed's own if none is given.
        column_read_failed: is told why records could not be read by the column; they are read one by one then.
        """
        self.feed = feed
        self._register = register
        self._limits = limits
        self._beyond = beyond(limits)
        self._calendar = calendar
        self._timezone = calendar.timezone
        self._many: TypeAdapter[list[Envelope]] = TypeAdapter(list[feed.envelope_type])  # type: ignore[name-defined]
        self._effective_type = next(c.dtype for c in feed.model_columns if c.name == feed.effective)
        self._json_schema = {
            column.name: pl.String() if column.dtype.is_temporal() else column.dtype for column in feed.model_columns
        }
        self._times = [date_from_json(column) for column in feed.model_columns if column.dtype.is_temporal()]
        self._key_prefix = f"{feed.key}/".encode()
        self._content_hash = content_hasher(feed.transport)
        self._reader = reader or ColumnReader(feed)
        self._by_column_from = by_column_from
        self._column_read_failed = column_read_failed

    def parse(
        self,
        topic: str,
        partition: int,
        records: Sequence[RawRecord],
        *,
        now: datetime,
        begins_at: int | None = None,
    ) -> ParsedBatch:
        """Parse one fetch (at least one record, in the order of their offsets); never raises for bad input.

        begins_at: where the client stood before the fetch; None = at its first record.
        """
        return self.parse_together([Fetched(topic, partition, records, begins_at)], now=now)[0]

    def parse_together(self, fetches: Sequence[Fetched], *, now: datetime) -> list[ParsedBatch]:
        """Parse fetches of the feed's partitions together; never raises for bad input.

        Some thirty steps over a frame cost the same for ten events as for a thousand.
        """
        now_ms = int(now.timestamp() * 1000)
        if sum(len(record.value or b"") for one in fetches for record in one.records) >= self._by_column_from:
            try:
                found = self._reader.read([one.records for one in fetches], self._calendar.at(now), now_ms)
                if found is not None:
                    return self._parse_all(fetches, now, now_ms, found)
            except DATA_FAULTS as error:
                # Something that no column can hold: read one by one, the event at fault is found.
                self._column_read_failed(error)
        return self._parse_all(fetches, now, now_ms, None)

    def _parse_all(
        self, fetches: Sequence[Fetched], now: datetime, now_ms: int, found: ColumnRead | None
    ) -> list[ParsedBatch]:
        """Parse fetches, of which some records may have been read by the column; raises `DATA_FAULTS` only then."""
        rows = _Rows(self._calendar.at(now), now_ms)
        refused: list[list[Rejection]] = [[] for _ in fetches]
        consumed: list[dict[int, int]] = [{} for _ in fetches]
        payloads = [Payloads(fetched.records) for fetched in fetches]
        for number, fetched in enumerate(fetches):
            rows.fetch = number
            for record in fetched.records:
                rows.received = received_ms(record, now_ms)
                taken = found.taken.get((number, record.offset)) if found is not None else None
                if found is None or taken is None:
                    consumed[number][record.offset] = self._read(record, rows, refused[number])
                    continue
                consumed[number][record.offset] = taken
                for position, text in found.left.get((number, record.offset), ()):
                    self._read_one(record, position, text, rows, refused[number])
        if found is None:
            kept, late = self._typed(rows, payloads)
        else:
            kept, late = self._check(self._frame(rows, found.rows), payloads, rows.now)
        for number, rejection in late:
            refused[number].append(rejection)
        events = _parted(kept, len(fetches))
        return [
            batch_of(fetched, events[number], refused[number], consumed[number], payloads[number], now_ms)
            for number, fetched in enumerate(fetches)
        ]

    def _typed(self, rows: _Rows, payloads: Sequence[Payloads]) -> tuple[pl.DataFrame, list[tuple[int, Rejection]]]:
        """Return the rows as typed events, and those refused with the number of their fetch; rows that no column can
        hold are found by halves.
        """
        try:
            return self._check(self._frame(rows), payloads, rows.now)
        except DATA_FAULTS as error:
            if len(rows.heads) == 1:
                head = dict(zip(_HEAD, rows.heads[0], strict=True))
                nothing = self._typed(_Rows(rows.now, rows.now_ms), payloads)[0]
                return nothing, [(head["fetch"], unstorable(head, payloads[head["fetch"]], told(error)))]
            middle = len(rows.heads) // 2
            parts = [self._typed(part, payloads) for part in (rows.part(0, middle), rows.part(middle, None))]
            return pl.concat(frame for frame, _ in parts), [refused for _, found in parts for refused in found]

    def _read(self, record: RawRecord, rows: _Rows, rejections: list[Rejection]) -> int:
        """Take the events of one Kafka record; return how many it holds, at least one.

        Whatever is raised over it lies in this record: it is set aside, and the feed goes on.
        """
        taken, refused = len(rows.heads), len(rejections)
        try:
            return self._read_record(record, rows, rejections)
        except Exception as error:  # one record that was not foreseen must not stop a feed
            del rows.heads[taken:], rows.contents[taken:], rejections[refused:]
            rejections.append(unreadable(record, 0, record.value or b"", told(error)))
            return 1

    def _read_record(self, record: RawRecord, rows: _Rows, rejections: list[Rejection]) -> int:
        value = value_of(record)
        if value is None:
            rejections.append(self._rejected(record, 0, b"", [EMPTY]))
            return 1
        if not is_batch(record):
            self._read_one(record, 0, value, rows, rejections)
            return 1
        try:
            envelopes = self._many.validate_json(value)
        except ValidationError:
            return self._read_each(record, value, rows, rejections)
        if not envelopes:
            rejections.append(self._rejected(record, 0, value, [EMPTY]))
            return 1
        if any(envelope.data_base64 is not None for envelope in envelopes):
            return self._read_each(record, value, rows, rejections)
        taken, refused = len(rows.heads), len(rejections)
        try:
            for position, envelope in enumerate(envelopes):
                self._take(record, position, envelope, None, rows, rejections)
        except Exception:  # one of the events: each is read alone, so that the others count
            del rows.heads[taken:], rows.contents[taken:], rejections[refused:]
            return self._read_each(record, value, rows, rejections)
        return len(envelopes)

    def _read_each(self, record: RawRecord, value: bytes, rows: _Rows, rejections: list[Rejection]) -> int:
        """Take a batch in which at least one event is wrong, event by event."""
        try:
            items = from_json(value)
        except ValueError:
            items = None
        if not isinstance(items, list):
            rejections.append(self._rejected(record, 0, value, [NOT_AN_ARRAY]))
            return 1
        events = elements(value)
        for position, event in enumerate(events):
            self._read_one(record, position, event, rows, rejections)
        return len(events)

    def _read_one(self, record: RawRecord, position: int, raw: bytes, rows: _Rows, rejections: list[Rejection]) -> None:
        try:
            self._take(record, position, read_event(self.feed, raw), raw, rows, rejections)
        except RejectedError as error:
            rejections.append(self._rejected(record, position, raw, error.reasons))
        except Exception as error:  # one event that was not foreseen costs none of its neighbours
            rejections.append(unreadable(record, position, raw, told(error)))

    def _take(
        self,
        record: RawRecord,
        position: int,
        envelope: Envelope,
        raw: bytes | None,
        rows: _Rows,
        rejections: list[Rejection],
    ) -> None:
        """Append a well-formed envelope to `rows`, or its reasons to `rejections`."""
        reasons = check_envelope(self.feed, envelope) or check_clock(envelope, rows.now)
        if reasons:
            event = raw if raw is not None else Payloads([record]).of(record.offset, position)
            rejections.append(self._rejected(record, position, event, reasons, envelope))
            return
        data = envelope.data
        content = b"{}" if data is None else data.__pydantic_serializer__.to_json(data, exclude_none=True)
        subject = envelope.subject
        head = (
            rows.fetch,
            record.offset,
            position,
            rows.received * 1000,
            envelope.id,
            envelope.reporter,
            subject,
            md5(self._key_prefix + subject.encode()),
            envelope.effective_revision,
            VOID_HASH if data is None else self._content_hash(content),
            data is None,
        )
        rows.heads.append(head)
        rows.contents.append(content)

    def _rejected(
        self, record: RawRecord, position: int, raw: bytes, reasons: Iterable[Reason], envelope: Envelope | None = None
    ) -> Rejection:
        return Rejection(
            record_offset=record.offset,
            position=position,
            reasons=tuple(reasons),
            reporter=envelope.reporter if envelope else self._shown(record.key),
            event_id=envelope.id if envelope else None,
            subject=envelope.subject if envelope else None,
            payload=raw if len(raw) <= MAX_PAYLOAD else None,
            effective_on=day_told(self.feed, raw, self._timezone),
        )

    def _shown(self, key: bytes | None) -> str | None:
        """Return a record's key as it may be shown: a reporter that is registered as it is, all else masked."""
        if key is None:
            return None
        text = key[:MAX_KEY].decode("utf-8", "replace")
        return text if self._register.knows(text) else mask(text)

    def _frame(self, rows: _Rows, others: pl.DataFrame | None = None) -> pl.DataFrame:
        """Return the events with the register's and the derived columns; `others` have been read by the column."""
        feed = self.feed
        if others is None or rows.heads:
            read = self._head(rows).hstack(self._body(rows.contents))
        if others is None:
            frame = read
        elif rows.heads:
            both = pl.concat([others.select(read.columns), read])
            frame = both.sort("fetch", "record_offset", "position")
        else:
            frame = others
        local = pl.col(feed.effective)
        if self._effective_type == pl.Date():
            day, moment = local, local.cast(pl.Datetime("us")).dt.replace_time_zone(str(self._timezone))
        else:
            day, moment = local.dt.convert_time_zone(str(self._timezone)).dt.date(), local
        frame = frame.with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
        frame = frame.with_columns(effective_on=day, effective_at=moment.dt.convert_time_zone("UTC"))
        frame = self._register.locate(frame)
        return frame.with_columns(
            expression.cast(dtype).alias(name) for name, (dtype, expression) in feed.derive.items()
        )

    def _head(self, rows: _Rows) -> pl.DataFrame:
        columns = zip(*rows.heads, strict=True) if rows.heads else ((),) * len(_HEAD)
        return pl.DataFrame(
            [
                pl.Series(name, values, dtype=pl.Int64() if name == "received_at" else EVENT_SCHEMA[name])
                for name, values in zip(_HEAD, columns, strict=True)
            ]
        ).with_columns(pl.col("received_at").cast(UTC_TIME))

    def _body(self, contents: list[bytes]) -> pl.DataFrame:
        """Return the data of the events: reading the model's own JSON costs half of copying values out of objects."""
        if not contents:
            return pl.DataFrame(schema=self._json_schema).with_columns(self._times)
        texts = pl.Series(contents, dtype=pl.Binary()).cast(pl.String())
        return texts.str.json_decode(pl.Struct(self._json_schema)).struct.unnest().with_columns(self._times)

    def _check(
        self, frame: pl.DataFrame, payloads: Sequence[Payloads], now: Now
    ) -> tuple[pl.DataFrame, list[tuple[int, Rejection]]]:
        """Part the events that register, calendar and limits allow from those that they do not."""
        frame = frame.with_columns(implausible=pl.coalesce(implausible_dates(self.feed, now))).with_columns(
            rule=pl.when(~pl.col("known_reporter"))
            .then(pl.lit("unknown_reporter"))
            .when(pl.col("voided"))
            .then(None)
            .when(pl.col("implausible").is_not_null())
            .then(pl.lit("implausible_date"))
            .when(self._beyond)
            .then(pl.lit(IMPLAUSIBLE_VALUE))
            .when(pl.col("area_id").is_null())
            .then(pl.lit("unknown_area"))
        )
        bad = frame.filter(pl.col("rule").is_not_null())
        refused = [(row["fetch"], self._refuse(row, payloads[row["fetch"]], now)) for row in bad.iter_rows(named=True)]
        return frame.filter(pl.col("rule").is_null()).drop("rule", "implausible", "known_reporter"), refused

    def _refuse(self, row: dict[str, Any], payloads: Payloads, now: Now) -> Rejection:
        payload = payloads.of(row["record_offset"], row["position"])
        return Rejection(
            record_offset=row["record_offset"],
            position=row["position"],
            reasons=(reason_of(self.feed, row, now, self._limits),),
            reporter=row["reporter"],
            event_id=row["event_id"],
            subject=row["record_key"],
            payload=payload if len(payload) <= MAX_PAYLOAD else None,
            effective_on=row["effective_on"],
        )


def _parted(events: pl.DataFrame, fetches: int) -> list[pl.DataFrame]:
    """Return the events of each fetch; they lie in the order of the fetches."""
    counts = [0] * fetches
    for number, count in events["fetch"].value_counts().iter_rows():
        counts[number] = count
    events = events.drop("fetch")
    starts = accumulate(counts, initial=0)
    return [events.slice(start, count) for start, count in zip(starts, counts, strict=False)]
