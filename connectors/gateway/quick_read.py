"""Reads a request's events once, and lets those pass that are plainly good; each as the text that was sent.

Whatever does not pass is judged by pydantic (`verdict.py`), which has the last word and gives the reasons.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
import numpy as np

from connectors.gateway.verdict import MAX_RECORD_EVENTS
from ioc.feeds.event import REPORTER_URN
from ioc.feeds.feed import Feed
from ioc.feeds.plausibility import Now
from ioc.feeds.quick_check import JsonEvent, QuickCheck, quick_check_of
from ioc.feeds.validation import may_be_repeated
from ioc.web.tokens import Token

_TYPE = re.compile(rb'"type": ?"([a-z0-9._]{1,128})"')
_SOURCE = re.compile(rf"{REPORTER_URN}([0-9A-Za-z][0-9A-Za-z._-]{{0,63}})", re.ASCII)
# An escape or DEL may hide a control character; JSON allows no other control characters within a text.
_HIDING = (b"\\", b"\x7f")
_QUOTE, _COLON, _BLANK = 0x22, 0x3A, 0x20
_FAILURES = (msgspec.MsgspecError, ValueError, RecursionError)


class Passed(NamedTuple):
    """An event that is as pydantic would take it; `id` as an answer may show it."""

    feed: Feed
    reporter: str
    id: str | None


@dataclass(frozen=True, slots=True)
class QuickRead:
    """The events of a request: the text of each, and what it is where it passed."""

    texts: Sequence[bytes]
    passed: Sequence[Passed | None]

    def alike(self) -> Passed | None:
        """Return one of the events where all passed, are of one feed and reporter, and fit into a record together."""
        first = self.passed[0] if 0 < len(self.passed) <= MAX_RECORD_EVENTS else None
        if first is None:
            return None
        feed, reporter = first.feed, first.reporter
        same = all(one is not None and one.feed is feed and one.reporter == reporter for one in self.passed)
        return first if same else None


class QuickReader:
    """Reads requests; `feeds` are by event type."""

    def __init__(self, feeds: Mapping[str, Feed]) -> None:
        self._checks: dict[bytes, QuickCheck] = {
            event_type.encode(): check
            for event_type, feed in feeds.items()
            if (check := quick_check_of(feed)) is not None
        }
        self._texts = msgspec.json.Decoder(list[msgspec.Raw])

    def read(self, body: bytes, token: Token, now: Now, *, batch: bool, most: int = 1) -> QuickRead | None:
        """Return what can be said of a body at once; None where that is nothing, and it may be no JSON at all.

        Of a batch of more than `most` events none is read.
        """
        keys = None if any(hiding in body for hiding in _HIDING) else _keys_told(body)
        if keys is None:
            return None
        try:
            texts = [bytes(text) for text in self._texts.decode(body)] if batch else [body.strip()]
        except _FAILURES:
            return None
        if len(texts) > most:
            return QuickRead(texts, [None] * len(texts))
        reporters: dict[str, str | None] = {}
        passed = [
            None if found is None else self._passed(*found, token, reporters, now)
            for found in self._events(body, texts, keys, batch=batch)
        ]
        if b"\n" in body:  # lines within an event: the agents read events of one line by the column
            passed = [None if b"\n" in text else one for text, one in zip(texts, passed, strict=True)]
        return QuickRead(texts, passed)

    def _events(
        self, body: bytes, texts: Sequence[bytes], keys: int, *, batch: bool
    ) -> Sequence[tuple[QuickCheck, JsonEvent] | None]:
        """Return each event with the check of its feed; None where it is not read so."""
        check = self._check_of(body)
        if batch and check is not None:
            try:
                events = check.decode_many(body)
                if keys == sum(map(_keys, events)):
                    return [(check, event) for event in events]
            except _FAILURES:
                pass  # at least one of them is of another feed, or wrong
        return [self._event(text) for text in texts]

    def _event(self, text: bytes) -> tuple[QuickCheck, JsonEvent] | None:
        check = self._check_of(text)
        if check is None:
            return None
        try:
            event = check.decode(text)
        except _FAILURES:
            return None
        # A key that comes twice, or that nothing declares, is counted in the text and not in what was read.
        return (check, event) if text.count(b'":') == _keys(event) else None

    def _check_of(self, text: bytes) -> QuickCheck | None:
        found = _TYPE.search(text)
        return None if found is None else self._checks.get(found[1])

    def _passed(
        self, check: QuickCheck, event: JsonEvent, token: Token, reporters: dict[str, str | None], now: Now
    ) -> Passed | None:
        source = event["source"]
        if source in reporters:
            reporter = reporters[source]
        else:
            found = _SOURCE.fullmatch(source)
            reporter = reporters[source] = found[1] if found and token.allows_reporter(found[1]) else None
        if reporter is None or check.feed.key not in token.feeds or not check.passes(event, reporter, now):
            return None
        event_id = event["id"]
        return Passed(check.feed, reporter, event_id if may_be_repeated(event_id) else None)


def _keys_told(text: bytes) -> int | None:
    """Return how many keys a JSON text has, and not more; None where a blank behind a quote may stand before a colon.

    Numpy, because a search for two bytes of which the first is everywhere takes a microsecond an event.
    """
    signs = np.frombuffer(text, dtype=np.uint8)
    behind_quotes = signs[1:][signs[:-1] == _QUOTE]
    if (behind_quotes <= _BLANK).any():
        return None
    return int(np.count_nonzero(behind_quotes == _COLON))


def _keys(event: JsonEvent) -> int:
    return len(event) + len(event["data"])
