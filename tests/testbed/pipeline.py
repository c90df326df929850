"""The agents' and the roll-up's work done by hand, batch by batch, over a real database and without Kafka."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from random import Random
from typing import Any

from ioc.catalogue.store import load_measures, read_epoch
from ioc.database.connection import connect
from ioc.faultpoint import FaultPoint, no_fault
from ioc.feeds.feed import Feed, load_feeds
from ioc.feeds.plausibility import Calendar
from ioc.province.profile import Profile
from ioc.settings import Settings
from streams.proof.reconcile import ReconcileResult, reconcile
from streams.rollup.service import Rollup
from streams.rules.batch import ParsedBatch
from streams.rules.contribute import Contributor
from streams.rules.parse import BatchParser
from streams.rules.register import Register
from streams.rules.span import BatchCounts
from streams.worker.last_line import LastLine
from streams.worker.store import RecordStore, TopicId, any_topic
from testbed.feed_event import NOW, Event, KafkaRecord, records, sent

# Everything that events leave behind; what the migrations and the profile bring stays.
EVENT_TABLES = (
    f"{', '.join(feed.table for feed in load_feeds().values())}, record_identity, record_revision, rejected_event, "
    "stream_position, stream_batch, stream_gap, measure_delta, member_delta, measure_cell, distinct_member, "
    "indicator_cell, open_day, open_day_change, stream_halt, contribution_set_aside, figure_change, figure_record, "
    "figure_snapshot, figure_snapshot_run, disclosure_cell, figure_postponed"
)


def make_parser(feed: Feed, profile: Profile) -> BatchParser:
    """A parser as the worker makes it."""
    register = Register(feed, profile.reporters, profile.areas)
    return BatchParser(feed, register, Calendar.of(Settings(_env_file=None), profile.timezone))


class Pipeline:
    """Parses, stores and folds events; offsets of each feed's partitions go on where the last batch ended."""

    def __init__(self, settings: Settings, feeds: Mapping[str, Feed], profile: Profile) -> None:
        self.settings = settings
        self.feeds = feeds
        self.profile = profile
        self.connection = connect(settings, "writer", autocommit=True)
        self._ids = dict(self.connection.execute("SELECT key, feed_id FROM feed").fetchall())
        self._parsers = {key: make_parser(feed, profile) for key, feed in feeds.items()}
        self._next: defaultdict[tuple[str, int], int] = defaultdict(int)
        self.now = NOW  # of the worker's clock; what lies after it is refused
        self.start_again()

    def start_again(self) -> None:
        """Read the catalogue anew, as worker and roll-up do when it has changed."""
        self._epoch = read_epoch(self.connection)
        measures = load_measures(self.connection)
        self._contributors = {
            key: Contributor([stored for stored in measures if stored.measure.feed == key]) for key in self.feeds
        }
        self.stores = {key: self.store(key) for key in self.feeds}
        self._rollup = Rollup(self.settings, self.connection)

    def store(self, feed: str, fault: FaultPoint = no_fault, topic_id: TopicId = any_topic) -> RecordStore:
        """A store of its own for a feed."""
        return RecordStore(
            self.feeds[feed],
            self._ids[feed],
            self._contributors[feed],
            epoch=self._epoch,
            topic_id=topic_id,
            fault=fault,
        )

    def topic(self, feed: str) -> str:
        """Name of a feed's topic."""
        return self.feeds[feed].topic(self.settings.topic_prefix)

    def parse(
        self, feed: str, fetched: Sequence[KafkaRecord], partition: int = 0, *, begins_at: int | None = None
    ) -> ParsedBatch:
        """Parse one fetch, and make sure that its partition has a position."""
        self.connection.execute(
            "INSERT INTO stream_position (topic, partition, next_offset) VALUES (%s, %s, 0) ON CONFLICT DO NOTHING",
            [self.topic(feed), partition],
        )
        return self._parsers[feed].parse(self.topic(feed), partition, fetched, now=self.now, begins_at=begins_at)

    def apply(
        self, feed: str, fetched: Sequence[KafkaRecord], partition: int = 0, *, known_gap: bool = False
    ) -> BatchCounts:
        """Parse and store one fetch whose offsets are given."""
        return self.apply_all(feed, [(partition, fetched)], known_gap=known_gap)

    def apply_all(
        self, feed: str, fetches: Sequence[tuple[int, Sequence[KafkaRecord]]], *, known_gap: bool = False
    ) -> BatchCounts:
        """Parse fetches of partitions and store them in one transaction, but for what cannot be stored.

        known_gap: what is missing before a fetch, Kafka has deleted.
        """
        begins_at = 0 if known_gap else None
        batches = [self.parse(feed, fetched, partition, begins_at=begins_at) for partition, fetched in fetches]
        last_line = LastLine(feed, partial(self._write, feed), partial(self._write, feed, keep=False))
        counts = last_line.apply(batches)
        for batch in batches:
            self._next[feed, batch.partition] = batch.next_offset
        return counts

    def _write(self, feed: str, batches: Sequence[ParsedBatch], *, keep: bool = True) -> BatchCounts:
        return self.stores[feed].apply(self.connection, batches, log_start=lambda *_: 2**62, keep=keep)

    def send(self, feed: str, events: Iterable[Event], partition: int = 0) -> BatchCounts:
        """Store events as one fetch, at the partition's next offsets."""
        return self.apply(feed, records(events, self._next[feed, partition]), partition)

    def roll_up(self) -> None:
        """Fold until nothing is waiting."""
        while self._rollup.run_once(self.connection):
            pass

    def reconcile(self) -> ReconcileResult:
        """Recompute everything from the records; whoever asks has folded what was sent."""
        result = reconcile(self.settings)
        assert result.waiting == 0, f"{result.waiting} contributions wait: nothing was compared"
        return result

    def figure(self, code: str, area_code: str, period: str, bucket: str) -> float | None:
        """An indicator's value as dashboards read it; None where there is none."""
        row = self.connection.execute(
            "SELECT value FROM indicator_value WHERE code = %s AND area_code = %s AND period = %s AND bucket = %s",
            [code, area_code, period, bucket],
        ).fetchone()
        return row[0] if row else None

    def rows(self, statement: str, parameters: Sequence[object] = ()) -> list[tuple[object, ...]]:
        """Result of a query of the test's own."""
        return self.connection.execute(statement, parameters).fetchall()  # type: ignore[arg-type]

    def clear(self) -> None:
        """Forget every event, for the next example of a property."""
        with connect(self.settings, "owner", autocommit=True) as owner:
            owner.execute(f"TRUNCATE {EVENT_TABLES}")
        self._next.clear()

    def reconnect(self) -> None:
        """Go on over a new connection."""
        self.connection.close()
        self.connection = connect(self.settings, "writer", autocommit=True)

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()


def assert_any_order_agrees(
    pipeline: Pipeline, feed: str, rng: Random, count: int, reporters: Sequence[str], make: Callable[[], dict[str, Any]]
) -> None:
    """Send revisions of records, some of them voids, in any order, and see both engines agree on the sums."""
    events: dict[tuple[str, str, int], Event] = {}
    for _ in range(count):
        reporter, data, revision = rng.choice(reporters), make(), rng.randrange(1, 4)
        made = sent(feed, reporter, data, revision, void=rng.randrange(12) == 0)
        events.setdefault((reporter, made["subject"], revision), made)
    shuffled = list(events.values())
    rng.shuffle(shuffled)
    counts = [pipeline.send(feed, shuffled[at : at + 70]) for at in range(0, len(shuffled), 70)]
    pipeline.roll_up()
    assert sum(count.rejected for count in counts) == 0
    result = pipeline.reconcile()
    assert result.cells > 0
    assert result.differences == ()
