"""Events at the edges of what their fields may hold, and beyond: of every feed, made from its samples alone."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from random import Random
from typing import Any

import polars as pl

from ioc.feeds.feed import Column, Feed
from ioc.feeds.plausibility import Now
from testbed.feed_event import Event
from testbed.sample import events_of

FAR_DAYS = ("0001-01-01", "0000-00-00", "1582-10-10", "9999-12-31", "10000-01-01", "-0001-01-01", "2024-02-30", 0, None)
FAR_TIMES = (
    "0001-01-01T00:00:00+07:00",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59.999999-12:00",
    "9999-12-31T17:00:00Z",
    "2024-10-05T24:00:00Z",
    "2024-10-05T08:00:60+07:00",
    "2024-10-05T08:00:00+23:59",
    1522949460,
    None,
)
FAR_NUMBERS = (0, -1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 10**30, 1e308, 5e-324, -0.0, True, "1", None)
TEXTS = ("", " ", "x", "x" * 10_000, "\x00", "\ud800", "\\N", "🏖", "a\nb", '","', 1, True, None, {}, [])
BOOLEANS = (True, False, "true", 1, None)
REVISIONS = (0, 1, -1, 2**53, 2**62, 2**63, 4_094_956_800_000, "1", True, None)
TIMES = (*FAR_TIMES, "1969-12-31T23:59:59.999Z", "1970-01-01T00:00:00Z", "2099-10-05T08:00:00Z")


@dataclass(frozen=True)
class Edge:
    """An event of a feed and what is at an edge in it; `bytes` is its JSON, whatever Python would say of it."""

    feed: str
    what: str
    event: Event

    @property
    def bytes(self) -> bytes:
        """The event as JSON."""
        return json.dumps(self.event).encode()


def edges(feed: Feed, now: Now, *, pairs: int, seed: int = 1) -> Iterator[Edge]:
    """Yield events of a feed: each field at each of its edges in each valid sample, and `pairs` pairs of edges.

    Subjects follow the record where a record can be made of it, so that what is tried is the field and no other rule.
    """
    samples = [event for event in events_of(feed.key) if event.get("data")]
    random = Random(seed)
    values = {column.name: list(_values(column, now)) for column in feed.model_columns}
    number = 0
    for sample in samples[:3]:
        for name, candidates in values.items():
            for value in candidates:
                number += 1
                yield _changed(feed, sample, number, {name: value})
    for name, candidates in (("time", TIMES), ("revision", REVISIONS), ("id", TEXTS), ("subject", TEXTS)):
        for value in candidates:
            number += 1
            made = copy.deepcopy(samples[0]) | {name: value, "id": f"edge-{number}"} | {name: value}
            if name == "time":
                made.pop("revision", None)
            yield Edge(feed.key, f"{name} = {value!r}"[:80], made)
    names = list(values)
    for _ in range(pairs):
        number += 1
        one, other = random.sample(names, 2)
        changes = {one: random.choice(values[one]), other: random.choice(values[other])}
        yield _changed(feed, random.choice(samples), number, changes)


def _changed(feed: Feed, sample: Event, number: int, changes: dict[str, Any]) -> Edge:
    made = copy.deepcopy(sample)
    made["id"] = f"edge-{number}"
    made["data"] |= changes
    reporter = made["source"].rpartition(":")[2]
    try:
        record = feed.model.model_validate_json(json.dumps(made["data"]))
        made["subject"] = f"{reporter}/{record.record_key()}"
    except ValueError:
        pass  # no record can be made of it: whatever its subject, it must be refused
    made["revision"] = number
    return Edge(feed.key, ", ".join(f"{name} = {value!r}" for name, value in changes.items())[:80], made)


def _values(column: Column, now: Now) -> Iterator[Any]:
    """Yield the edges of a column's type, of its bounds and of the calendar, and what lies beside each of them."""
    day, second = timedelta(days=1), timedelta(seconds=1)
    if column.dtype == pl.Date():
        assert column.bounds is not None
        plausible = (now.earliest, now.latest, now.latest + timedelta(days=731), now.latest + timedelta(days=1827))
        found = {edge + step * day for edge in (*column.bounds, *plausible) for step in (-1, 0, 1)}
        yield from (one.isoformat() for one in sorted(found))
        yield from FAR_DAYS
    elif column.dtype.is_temporal():
        assert column.bounds is not None
        midnights = [datetime.combine(one, time(), now.timezone) for one in (now.earliest, now.latest + day)]
        for edge in (*column.bounds, *midnights):
            yield from ((edge + step * second).isoformat() for step in (-1, 0, 1))
        yield from FAR_TIMES
    elif column.dtype.is_numeric():
        assert column.bounds is not None
        for edge in column.bounds:
            yield from (edge - 1, edge, edge + 1)
        yield from FAR_NUMBERS
    elif column.dtype == pl.Boolean():
        yield from BOOLEANS
    else:
        yield from TEXTS
