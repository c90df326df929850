"""Events at the edges of what their fields may hold, and beyond: of every feed, made from its samples alone."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from itertools import combinations, product
from typing import Any, Literal, get_args, get_origin

import polars as pl
from pydantic_core import from_json

from connectors.gateway.verdict import judge
from ioc.feeds.feed import Column, Feed
from ioc.feeds.plausibility import Now
from ioc.web.tokens import Token
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
    changed: Mapping[str, str] = field(default_factory=dict)  # field of the data -> the value at an edge, as JSON

    @property
    def bytes(self) -> bytes:
        """The event as JSON."""
        return json.dumps(self.event).encode()


class Edges:
    """Events of one feed at the edges of its fields, alone and in pairs, made from its valid samples.

    taken: whether the gateway takes an event: what is refused for one field says nothing of another beside it.
    """

    def __init__(self, feed: Feed, now: Now, taken: Callable[[Edge], bool]) -> None:
        self.feed = feed
        self._taken = taken
        self._now = now
        samples = [event for event in events_of(feed.key) if event.get("data")]
        self.samples = samples[:3]
        self.values: dict[str, list[Any]] = {}
        for column in feed.model_columns:
            seen = [event["data"][column.name] for event in samples if column.name in event["data"]]
            words = _words(feed.model.model_fields[column.name].annotation)
            self.values[column.name] = _different([*_values(column, now), *words, *seen])
        self._number = 0
        # By sample and field: the values that are taken where nothing else is changed.
        self._good: list[dict[str, list[Any]]] = [
            {name: [v for v in values if taken(self.made(sample, {name: v}))] for name, values in self.values.items()}
            for sample in self.samples
        ]

    def alone(self) -> Iterator[Edge]:
        """Yield each field at each of its edges in each sample, and each attribute of the envelope."""
        for sample in self.samples:
            for name, candidates in self.values.items():
                for value in candidates:
                    yield self.made(sample, {name: value})
        for name, candidates in (("time", TIMES), ("revision", REVISIONS), ("id", TEXTS), ("subject", TEXTS)):
            for value in candidates:
                self._number += 1
                made = copy.deepcopy(self.samples[0]) | {"id": f"edge-{self._number}"} | {name: value}
                if name == "time":
                    made.pop("revision", None)
                yield Edge(self.feed.key, f"{name} = {value!r}"[:80], made)

    def pairs(self) -> Iterator[Edge]:
        """Yield every pair of values of two fields that are taken alone, and every refused one beside every field."""
        for sample, changes in self.taken_alone():
            yield self.made(sample, changes)
        good = self._good[0]
        for name, candidates in self.values.items():
            for value in candidates:
                if value in good[name]:
                    continue
                for other, beside in good.items():
                    if other != name and beside:
                        yield self.made(self.samples[0], {name: value, other: beside[-1]})

    def covering(self) -> Iterator[Edge]:
        """Yield few events that hold every pair which is taken, each with many of its fields at an edge.

        Greedy: an event begins with a pair that is not covered yet, and takes in what covers most and leaves it valid.
        """
        for at, sample in enumerate(self.samples):
            open_pairs = {
                frozenset(_named(changes))
                for origin, changes in self.taken_alone()
                if origin is sample and self._taken(self.made(sample, changes))
            }
            while open_pairs:
                changes = dict(_plain(next(iter(sorted(open_pairs, key=repr)))))
                for name, candidates in self._good[at].items():
                    if name in changes:
                        continue
                    gains = [
                        (sum(frozenset(_named({name: v, k: w})) in open_pairs for k, w in changes.items()), v)
                        for v in candidates
                    ]
                    for gain, value in sorted(gains, key=lambda one: -one[0])[:2]:
                        if gain and self._taken(self.made(sample, {**changes, name: value})):
                            changes[name] = value
                            break
                yield self.made(sample, changes)
                open_pairs -= {frozenset(two) for two in combinations(_named(changes), 2)}

    def taken_alone(self) -> Iterator[tuple[Event, dict[str, Any]]]:
        """Yield (sample, two changes) of values that are taken alone, each pair with one sample."""
        done: set[frozenset[tuple[str, str]]] = set()
        for sample, good in zip(self.samples, self._good, strict=True):
            for one, other in combinations(good, 2):
                for first, second in product(good[one], good[other]):
                    changes = {one: first, other: second}
                    pair = frozenset(_named(changes))
                    if pair not in done:
                        done.add(pair)
                        yield sample, changes

    def made(self, sample: Event, changes: dict[str, Any]) -> Edge:
        """Return a sample with fields of its data changed."""
        self._number += 1
        return _changed(self.feed, sample, self._number, changes)


def _named(changes: dict[str, Any]) -> list[tuple[str, str]]:
    return [(name, json.dumps(value)) for name, value in changes.items()]


def _plain(pair: frozenset[tuple[str, str]]) -> list[tuple[str, Any]]:
    return [(name, json.loads(text)) for name, text in sorted(pair)]


def _different(values: Iterable[Any]) -> list[Any]:
    """Return values without those that are written alike: 1 and true are not, though Python says so."""
    return list({json.dumps(value): value for value in values}.values())


def _words(hint: Any) -> Iterator[Any]:
    if get_origin(hint) is Literal:
        yield from get_args(hint)
    else:
        for part in get_args(hint):
            yield from _words(part)


def _changed(feed: Feed, sample: Event, number: int, changes: dict[str, Any]) -> Edge:
    made = {**sample, "id": f"edge-{number}", "data": {**sample["data"], **changes}}
    reporter = made["source"].rpartition(":")[2]
    try:
        record = feed.model.model_validate_json(json.dumps(made["data"]))
        made["subject"] = f"{reporter}/{record.record_key()}"
    except ValueError:
        pass  # no record can be made of it: whatever its subject, it must be refused
    made["revision"] = number
    what = ", ".join(f"{name} = {value!r}" for name, value in changes.items())[:80]
    return Edge(feed.key, what, made, dict(_named(changes)))


def taken_by(feeds: Mapping[str, Feed], now: Now) -> Callable[[Edge], bool]:
    """Return the gateway's own rules, for a token that may send everything."""
    by_type = {feed.event_type: feed for feed in feeds.values()}
    token = Token(
        id="0" * 12, name="all", sha256="0" * 64, feeds=tuple(feeds), reporters=("*",), created_at=now.latest_time
    )

    def taken(edge: Edge) -> bool:
        try:
            event = from_json(edge.bytes, allow_inf_nan=False)
        except ValueError:
            return False
        return judge(by_type, token, 0, event, now=now).result.status == "accepted"

    return taken


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
