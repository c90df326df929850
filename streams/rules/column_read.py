"""Reading the records of fetches by the column, where enough events wait to make that worth its cost.

The check itself is `ioc/feeds/column_check.py`: what it lets pass becomes rows at once, what it does not is named here
and read by pydantic, event by event.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from ioc.feeds.column_check import column_check_of
from ioc.feeds.event import CONTENT_TYPE_BATCH, CONTENT_TYPE_EVENT
from ioc.feeds.feed import UTC_TIME, Feed
from ioc.feeds.plausibility import Now
from streams.rules.content import md5
from streams.rules.raw import RawRecord, received_ms

_EVENT = ("content-type", CONTENT_TYPE_EVENT.encode())
_BATCH = ("content-type", CONTENT_TYPE_BATCH.encode())


@dataclass(frozen=True)
class ColumnRead:
    """What was read by the column.

    rows:  the events that passed: the columns of an event's head and of the feed's model, in the order of the log.
    taken: (number of the fetch, offset of a record) -> how many events it holds; all other records are still to read.
    left:  the same -> position and text of the events in it that did not pass.
    """

    rows: pl.DataFrame
    taken: dict[tuple[int, int], int] = field(default_factory=dict)
    left: dict[tuple[int, int], list[tuple[int, bytes]]] = field(default_factory=dict)


class ColumnReader:
    """Reads events of one feed by the column."""

    def __init__(self, feed: Feed) -> None:
        self._check = column_check_of(feed)
        self._key_prefix = f"{feed.key}/".encode()

    def read(self, fetches: Sequence[Sequence[RawRecord]], now: Now, now_ms: int) -> ColumnRead | None:
        """Read what can be read of some fetches' records; None where nothing can."""
        if self._check is None:
            return None
        records = [(number, record) for number, fetched in enumerate(fetches) for record in fetched]
        parts = [_lines(record) for _, record in records]
        chosen = [index for index, lines in enumerate(parts) if lines is not None]
        if not chosen:
            return None
        lines = [line for index in chosen for line in parts[index] or ()]
        counts = np.array([len(parts[index] or ()) for index in chosen])
        starts = np.cumsum(counts) - counts
        checked = self._check.check(pl.Series(lines, dtype=pl.Binary()).cast(pl.String(), strict=False), now)
        shaped, passed = checked.shaped.to_numpy(), checked.passed.to_numpy()
        # A record is cut where a brace follows a comma: that was right only if each piece is an event.
        whole = np.logical_and.reduceat(shaped, starts)
        found: ColumnRead = ColumnRead(pl.DataFrame())
        for row, index in enumerate(chosen):
            if whole[row]:
                number, record = records[index]
                found.taken[number, record.offset] = int(counts[row])
        in_whole = np.repeat(whole, counts)
        for line in np.flatnonzero(in_whole & ~passed).tolist():
            row = int(np.searchsorted(starts, line, side="right")) - 1
            number, record = records[chosen[row]]
            found.left.setdefault((number, record.offset), []).append((line - int(starts[row]), lines[line]))
        of_record = np.repeat(np.arange(len(chosen)), counts)
        position = np.arange(len(lines)) - np.repeat(starts, counts)
        heads = pl.DataFrame(
            {
                "fetch": np.array([records[index][0] for index in chosen], dtype=np.int64)[of_record],
                "record_offset": np.array([records[index][1].offset for index in chosen], dtype=np.int64)[of_record],
                "position": position.astype(np.int64),
                "received_at": np.array(
                    [received_ms(records[index][1], now_ms) * 1000 for index in chosen], dtype=np.int64
                )[of_record],
            }
        ).filter(pl.Series(passed))
        rows = heads.with_columns(pl.col("received_at").cast(UTC_TIME)).hstack(self._own(checked.envelope))
        rows = rows.with_columns(
            _hashes(checked.content).alias("content_hash"),
            pl.lit(value=False).alias("voided"),
        ).hstack(checked.data)
        if not whole.all():
            rows = rows.filter(pl.Series(in_whole[passed]))
        return ColumnRead(rows, found.taken, found.left)

    def _own(self, envelope: pl.DataFrame) -> pl.DataFrame:
        keys = _hashes(envelope["record_key"], self._key_prefix).alias("key")
        return envelope.select("event_id", "reporter", "record_key", keys, "revision")


def _lines(record: RawRecord) -> list[bytes] | None:
    """Return the texts of a record's events; None where they are not simply an object or an array of objects.

    An array is cut between its objects, wrongly where a text within them holds `,{`: the pieces are no events then.
    """
    value = record.value
    if not value or b"\n" in value:
        return None
    if _EVENT in record.headers:
        return [value]
    if _BATCH not in record.headers or not (value.startswith(b"[{") and value.endswith(b"}]")):
        return None
    inner = value[1:-1]
    if b", {" in inner:
        inner = inner.replace(b", {", b",{")
    return inner.replace(b",{", b"\n{").split(b"\n")


def _hashes(texts: pl.Series, prefix: bytes = b"") -> pl.Series:
    found = texts.cast(pl.Binary()).to_list()
    return pl.Series([md5(prefix + text) for text in found] if prefix else list(map(md5, found)), dtype=pl.String())
