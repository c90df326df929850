"""Sends a province's events at a steady rate, several systems at once, and keeps the ledger."""

from __future__ import annotations

import queue
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from deploy.simulator.calendar import HOURS
from deploy.simulator.channel import Channel
from deploy.simulator.ledger import FeedTally, Ledger, Outgoing
from deploy.simulator.province import Province
from deploy.simulator.roster import PUBLISHERS

_PUBLISHER_OF: Final = {feed: publisher for publisher, feeds in PUBLISHERS.items() for feed in feeds}

_LANES: Final = 2
_CHUNK: Final = 200
# Most systems have little to send; that gathers for a while, as a request and a transaction cost more than an event.
_SMALLEST_CHUNK: Final = 100
_GATHERING_SECONDS: Final = 2.0
_WAITING_CHUNKS: Final = 20
_SLICE_SECONDS: Final = 0.1
_PAUSE_SECONDS: Final = 1.0


@dataclass(frozen=True)
class Pace:
    """`rate`: events a second on average; `day_seconds`: how long a simulated day takes."""

    rate: float = 1000.0
    day_seconds: float = 12.0

    @property
    def tick_seconds(self) -> float:
        """Seconds of a simulated hour."""
        return self.day_seconds / HOURS


class ProvincePublisher:
    """Publishes until it is told to stop.

    The events of one reporter take one lane, and a lane sends the next chunk only when the answer to the
    last is known; so they arrive in order, and what was never answered is sent again.
    """

    def __init__(self, province: Province, ledger: Ledger, open_channel: Callable[[str], Channel], pace: Pace) -> None:
        self._province = province
        self._ledger = ledger
        self._open_channel = open_channel
        self._pace = pace
        self._guard = threading.Lock()
        self._lanes: dict[str, list[_Lane]] = {}
        self._gathered: dict[_Lane, _Gathered] = {}
        self._unsettled = 0

    def run(self, stop: threading.Event, *, seconds: float | None = None, patience: float = 60.0) -> None:
        """Publish for `seconds`, or until `stop`; then wait at most `patience` seconds for the open answers.

        What is made but not yet sent at the end is dropped. Raises FatalError when a token is refused.
        """
        with self._running(patience):
            self._put(self._province.register(), stop, gathering=0)
            while self._waiting() and not stop.wait(_SLICE_SECONDS):
                self._raise_errors()
            self._publish(stop, seconds)

    @property
    def unsettled(self) -> int:
        """Events that were sent and whose answer had not come when the publisher gave up."""
        return self._unsettled

    def tallies(self) -> dict[str, FeedTally]:
        """A copy of the ledger's tallies as they are now."""
        with self._guard:
            return {
                feed: replace(tally, expected=tally.expected.copy()) for feed, tally in self._ledger.tallies.items()
            }

    def _publish(self, stop: threading.Event, seconds: float | None) -> None:
        step = self._pace.tick_seconds
        slices = max(1, round(step / _SLICE_SECONDS))
        begin = due = time.monotonic()
        end = float("inf") if seconds is None else begin + seconds
        while not stop.is_set() and time.monotonic() < end:
            events = self._province.tick(self._pace.rate * step)
            size = -(-len(events) // slices)
            for part in range(slices):
                self._put(events[part * size : (part + 1) * size], stop)
                due += step / slices
                if stop.wait(max(0.0, min(due, end) - time.monotonic())):
                    return
            self._raise_errors()
            # Held up by the gateway: go on at the same pace instead of catching up in a burst.
            due = max(due, time.monotonic() - step)

    def _put(self, events: Sequence[Outgoing], stop: threading.Event, *, gathering: float = _GATHERING_SECONDS) -> None:
        """Hand events to their lanes; few of a lane wait for more, at most for `gathering` seconds."""
        now, gathered = time.monotonic(), self._gathered
        for outgoing in events:
            lanes = self._lanes[_PUBLISHER_OF[outgoing.feed]]
            lane = lanes[zlib.crc32(outgoing.reporter.encode()) % len(lanes)]
            gathered.setdefault(lane, _Gathered(now)).events.append(outgoing)
        for lane, found in list(gathered.items()):
            if len(found.events) < _SMALLEST_CHUNK and now - found.since < gathering:
                continue
            part = gathered.pop(lane).events
            for start in range(0, len(part), _CHUNK):
                while not lane.offer(part[start : start + _CHUNK]):
                    self._raise_errors()
                    if stop.is_set():
                        return

    def _settle(self, chunk: Sequence[Outgoing], taken: Sequence[bool]) -> None:
        with self._guard:
            for outgoing, one in zip(chunk, taken, strict=True):
                self._ledger.settle(outgoing, taken=one)

    def _doubt(self, chunk: Sequence[Outgoing], attempts: int) -> None:
        with self._guard:
            for _ in range(attempts):
                self._ledger.lose(chunk)

    def _waiting(self) -> bool:
        return any(lane.is_busy for lanes in self._lanes.values() for lane in lanes)

    def _raise_errors(self) -> None:
        for lanes in self._lanes.values():
            for lane in lanes:
                if lane.error is not None:
                    raise lane.error

    @contextmanager
    def _running(self, patience: float) -> Iterator[None]:
        self._lanes = {
            publisher: [_Lane(self._open_channel(publisher), self._settle, self._doubt) for _ in range(_LANES)]
            for publisher in PUBLISHERS
        }
        self._gathered = {}
        lanes = [lane for lanes in self._lanes.values() for lane in lanes]
        try:
            for lane in lanes:
                lane.start()
            yield
        finally:
            for lane in lanes:
                lane.ask_to_end()
            deadline = time.monotonic() + patience
            for lane in lanes:
                lane.end(max(0.1, deadline - time.monotonic()))
            self._unsettled = sum(lane.unsettled for lane in lanes)
        self._raise_errors()


@dataclass
class _Gathered:
    """Events that wait for more of their lane, since when."""

    since: float
    events: list[Outgoing] = field(default_factory=list)


class _Lane:
    """One connection: a thread that sends chunk after chunk."""

    def __init__(
        self,
        channel: Channel,
        settle: Callable[[Sequence[Outgoing], Sequence[bool]], None],
        doubt: Callable[[Sequence[Outgoing], int], None],
    ) -> None:
        self._channel = channel
        self._settle = settle
        self._doubt = doubt
        self._chunks: queue.Queue[Sequence[Outgoing]] = queue.Queue(_WAITING_CHUNKS)
        self._ending = threading.Event()
        self._giving_up = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lane", daemon=True)
        self.error: Exception | None = None
        self.unsettled = 0

    @property
    def is_busy(self) -> bool:
        """Whether anything waits or is under way."""
        return self._chunks.unfinished_tasks > 0 and self.error is None

    def start(self) -> None:
        self._thread.start()

    def offer(self, chunk: Sequence[Outgoing]) -> bool:
        """Take a chunk; False when none of those waiting left within a moment."""
        try:
            self._chunks.put(chunk, timeout=_SLICE_SECONDS)
        except queue.Full:
            return False
        return True

    def ask_to_end(self) -> None:
        """Send nothing after the chunk that is under way."""
        self._ending.set()

    def end(self, timeout: float) -> None:
        """Wait for the chunk that is under way; give it up after `timeout` seconds."""
        self._thread.join(timeout)
        self._giving_up.set()
        self._thread.join(2 * _PAUSE_SECONDS)

    def _run(self) -> None:
        try:
            while not self._ending.is_set():
                try:
                    chunk = self._chunks.get(timeout=_SLICE_SECONDS)
                except queue.Empty:
                    continue
                self._send(chunk)
                self._chunks.task_done()
        except Exception as error:  # the publisher raises it again in its own thread
            self.error = error
        finally:
            self._channel.close()

    def _send(self, chunk: Sequence[Outgoing]) -> None:
        """Send until there is an answer."""
        self.unsettled = len(chunk)
        while not self._giving_up.is_set():
            delivery = self._channel.send(chunk)
            self._doubt(chunk, delivery.doubtful)
            if delivery.taken is not None:
                self._settle(chunk, delivery.taken)
                self.unsettled = 0
                return
            self._giving_up.wait(_PAUSE_SECONDS)
