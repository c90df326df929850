"""Changes of figures reach the topic: each at least once, in order, and what a reader ends with is what is shown."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, date, datetime
from typing import Any

import jsonschema
import psycopg
import pytest
from hypothesis import given
from hypothesis import settings as bounded
from hypothesis import strategies as st
from kafka import KafkaConsumer, TopicPartition
from prometheus_client import CollectorRegistry
from psycopg.rows import scalar_row
from test_rebuild import OLD_GUESTS, edited, rebuilding
from testbed.feed_event import HOTEL, INN, ISLAND, PROVINCE, RIVAL, stay, void_stay
from testbed.pipeline import Pipeline

from ioc.errors import KafkaUnavailableError
from ioc.feeds.feed import Feed
from ioc.messaging.client import client_options
from ioc.messaging.schema import figure_schema
from ioc.messaging.topic import create_topics, figure_topic
from ioc.province.profile import load_profile_catalogue
from ioc.settings import Settings
from sql import load_queries
from streams.change.relay import ChangeRelay
from streams.status.job import run_due
from streams.status.probe import Probe
from streams.status.scheduler import Scheduler, SchedulerMetrics, utc_now

NOW = datetime(2024, 10, 20, tzinfo=UTC)
GUESTS = "lodging.guests.total"
Figures = dict[tuple[str, int, str, str], float]


class KilledError(Exception):
    """The process ends here."""


class Reader:
    """Another system: keeps the highest revision of each subject, passes over ids that it has seen."""

    def __init__(self, settings: Settings) -> None:
        topic = figure_topic(settings.topic_prefix)
        self._consumer = KafkaConsumer(**client_options(settings, 10), group_id=None, auto_offset_reset="earliest")
        self._places = [TopicPartition(topic, number) for number in sorted(self._consumer.partitions_for_topic(topic))]
        self._consumer.assign(self._places)
        self.events: list[dict[str, Any]] = []

    def close(self) -> None:
        self._consumer.close(autocommit=False)

    def read(self) -> list[dict[str, Any]]:
        """All events that lie in the topic and were not read before."""
        ends = self._consumer.end_offsets(self._places)
        fresh = []
        while any(self._consumer.position(place) < end for place, end in ends.items()):
            for records in self._consumer.poll(timeout_ms=500).values():
                for record in records:
                    told = json.loads(record.value)
                    kind = "cloudevents-batch" if isinstance(told, list) else "cloudevents"
                    assert dict(record.headers)["content-type"] == f"application/{kind}+json".encode()
                    events = told if isinstance(told, list) else [told]
                    assert {str(event["data"]["area_id"]) for event in events} == {record.key.decode()}
                    fresh += events
        self.events += fresh
        return fresh

    def figures(self) -> Figures:
        """What the reader holds now."""
        newest: dict[str, dict[str, Any]] = {}
        for event in self.events:
            data = event["data"]
            if event["subject"] not in newest or newest[event["subject"]]["revision"] < data["revision"]:
                newest[event["subject"]] = data
        return {
            (data["indicator"], data["area_id"], data["period"], data["bucket"]): data["value"]
            for data in newest.values()
            if data["value"] is not None
        }


@pytest.fixture
def reader(settings: Settings, feeds: dict[str, Feed]) -> Iterator[Reader]:
    create_topics(settings, feeds)
    with closing(Reader(settings)) as found:
        yield found


def shown(pipeline: Pipeline) -> Figures:
    """What the database shows, by any reader's key."""
    rows = pipeline.connection.execute("SELECT code, area_id, period, bucket::text, value FROM indicator_value")
    return {(code, area_id, period, bucket): value for code, area_id, period, bucket, value in rows}


def relay(pipeline: Pipeline, fault: Callable[[str], None] = lambda _: None) -> ChangeRelay:
    return ChangeRelay(pipeline.settings, pipeline.connection, pipeline.profile.timezone, fault)


def test_a_reader_of_changes_ends_with_what_is_shown(pipeline: Pipeline, reader: Reader) -> None:
    first = [stay(HOTEL, 1, "2024-10-05", check_out="2024-10-07"), stay(RIVAL, 2, "2024-10-19")]
    pipeline.send("tourism.stay", first)
    pipeline.roll_up()
    with closing(relay(pipeline)) as own:
        assert own.run(NOW, seconds=60).sent > 0
        told = {event["id"]: event for event in reader.read()}
        assert len(told) == len(reader.events)
        assert reader.figures() == shown(pipeline)
        schema = jsonschema.Draft202012Validator(figure_schema())
        for event in reader.events[:50]:
            schema.validate(event)
        province = [event["data"] for event in reader.events if event["data"]["area_code"] == PROVINCE]
        status = {(one["period"], one["bucket"]): one["status"] for one in province if one["indicator"] == GUESTS}
        assert status["day", "2024-10-05"] == "A"
        assert status["month", "2024-10-01"] == "P"  # October is not over on the 20th

        # Nothing has changed: nothing is told.
        assert own.run(NOW, seconds=60).sent == 0

        # What changes twice before the relay is told once; what comes back to where it was, not at all.
        pipeline.send("tourism.stay", [stay(INN, 3, "2024-10-06")])
        pipeline.roll_up()
        pipeline.send("tourism.stay", [void_stay(INN, 3, "2024-10-06")])
        pipeline.roll_up()
        assert own.run(NOW, seconds=60).cells > 0
        assert reader.read() == []

        # A figure that is gone is told as gone, with what it was.
        pipeline.send("tourism.stay", [void_stay(RIVAL, 2, "2024-10-19")])
        pipeline.roll_up()
        own.run(NOW, seconds=60)
        gone = {
            (event["data"]["period"], event["data"]["bucket"]): event["data"]
            for event in reader.read()
            if event["data"]["indicator"] == GUESTS and event["data"]["area_code"] == PROVINCE
        }
        assert gone["day", "2024-10-19"]["value"] is None
        assert gone["day", "2024-10-19"]["status"] == "M"
        assert gone["month", "2024-10-01"] | {"value": 1, "previous": 2} == gone["month", "2024-10-01"]
        assert reader.figures() == shown(pipeline)


STEPS = st.lists(
    st.tuples(
        st.sampled_from([HOTEL, INN, RIVAL]),
        st.integers(1, 3),
        st.booleans(),
        st.sampled_from(["", "taken", "sent", "away"]),
    ),
    min_size=1,
    max_size=5,
)


def test_a_relay_killed_anywhere_loses_nothing(pipeline: Pipeline, reader: Reader) -> None:
    """Between any two changes the relay may die before its marks are gone, after Kafka took them, or find no Kafka.

    A stay that remains keeps the day open: only the cells of who comes and goes change, not those of all areas.
    """
    revisions = itertools.count(1)
    pipeline.send("tourism.stay", [stay(ISLAND, 9, "2024-10-05")])
    pipeline.roll_up()
    with closing(relay(pipeline)) as own:
        own.run(NOW, seconds=60)

    @bounded(max_examples=10, derandomize=True, database=None)
    @given(steps=STEPS)
    def tried(steps: list[tuple[str, int, bool, str]]) -> None:
        for reporter, guest, there, point in steps:
            make = stay if there else void_stay
            pipeline.send("tourism.stay", [make(reporter, guest, "2024-10-05", next(revisions))])
            pipeline.roll_up()

            def fault(passed: str, point: str = point) -> None:
                if passed == point:
                    raise KilledError

            with closing(relay(pipeline, fault)) as own:
                if point == "away":
                    own._producer = _Refusing()
                with suppress(KilledError, KafkaUnavailableError):
                    own.run(NOW, seconds=60)
        with closing(relay(pipeline)) as own:
            own.run(NOW, seconds=60)
        reader.read()
        assert reader.figures() == shown(pipeline)

    tried()
    by_id: dict[str, Any] = {}
    for event in reader.events:
        assert by_id.setdefault(event["id"], event) == event  # a repeat is the same event
    assert len(by_id) < len(reader.events)


class _Refusing:
    """A producer whose broker does not answer."""

    def send(self, *_: object, **__: object) -> Any:
        raise KafkaUnavailableError("no broker")

    def close(self, **_: object) -> None:
        """Nothing is open."""


def test_the_scheduler_relays(pipeline: Pipeline, reader: Reader, feeds: dict[str, Feed]) -> None:
    pipeline.send("tourism.stay", [stay(HOTEL, 1, "2024-10-05")])
    pipeline.roll_up()
    registry = CollectorRegistry()
    with (
        closing(Probe(pipeline.settings, feeds)) as probe,
        closing(Scheduler(pipeline.settings, pipeline.connection, probe, SchedulerMetrics(registry))) as scheduler,
    ):
        jobs = [job for job in scheduler.jobs if job.name == "figure_changes"]
        assert run_due(pipeline.connection, jobs, utc_now) == ["figure_changes"]
    assert reader.read()
    assert registry.get_sample_value("ioc_figure_changes_total") == len(reader.events)


def test_nothing_is_marked_where_nobody_is_told(pipeline: Pipeline) -> None:
    pipeline.settings = pipeline.settings.model_copy(update={"figure_changes": False})
    pipeline.start_again()
    pipeline.send("tourism.stay", [stay(HOTEL, 1, "2024-10-05")])
    pipeline.roll_up()
    assert pipeline.connection.execute("SELECT count(*) FROM figure_change").fetchone() == (0,)
    assert shown(pipeline)


def test_a_cell_is_looked_up_by_its_whole_key(pipeline: Pipeline) -> None:
    """Where a chunk has no statistics yet, an index over the bucket looked as good, and read all cells of a day."""
    pipeline.send("tourism.stay", [stay(HOTEL, 1, "2024-10-05")])
    pipeline.roll_up()
    connection, queries = pipeline.connection, load_queries("rollup")
    span = {"first": date(2024, 10, 1), "last": date(2024, 12, 31)}
    cells = {"feed_id": 1, "periods": ["day"], "areas": [1], "buckets": [span["first"]]}
    connection.execute(queries["create_staging"])
    for query, asked in (
        (load_queries("figure_change")["mark_changed"], span),
        (queries["select_cells"], {**span, **cells}),
    ):
        rows = connection.cursor(row_factory=scalar_row).execute("EXPLAIN " + query, asked).fetchall()
        lookups = [line for line in rows if "Index Scan using" in line]
        assert lookups
        assert all("_cell_pkey" in line for line in lookups), "\n".join(rows)


def test_a_swap_of_versions_is_told_as_any_change(
    pipeline: Pipeline, reader: Reader, db: psycopg.Connection, feeds: dict[str, Feed]
) -> None:
    """Guests of 60 and more instead of all: each figure that moves, also in a cell whose mark waits, is told once."""
    stays = [stay(HOTEL, 1, "2024-10-05", age_years=30), stay(INN, 2, "2024-10-05", age_years=70)]
    pipeline.send("tourism.stay", stays)
    pipeline.roll_up()
    with closing(relay(pipeline)) as own:
        own.run(NOW, seconds=60)
        assert (reader.read() and reader.figures()) == shown(pipeline)
        pipeline.send("tourism.stay", [stay(RIVAL, 3, "2024-10-06", age_years=80)])
        pipeline.roll_up()  # marks wait
        catalogue = load_profile_catalogue(pipeline.settings.profile, feeds)
        with rebuilding(pipeline, db, edited(catalogue, OLD_GUESTS, feeds=feeds)) as job:
            job.run()
            job.swap()
        own.run(NOW, seconds=60)
        told = [event["data"] for event in reader.read()]
        assert reader.figures() == shown(pipeline)
        days = {
            one["bucket"]: (one["version"], one["previous"], one["value"])
            for one in told
            if (one["indicator"], one["area_code"], one["period"]) == (GUESTS, PROVINCE, "day")
        }
        assert days["2024-10-05"] == (2, 2, 1), "one of the two is 60 or more"
        assert days["2024-10-06"] in ((2, None, 1), (2, 0, 1)), "new, and told as the version that is shown"
        assert len({event["id"] for event in reader.events}) == len(reader.events)
        assert own.run(NOW, seconds=60).sent == 0
