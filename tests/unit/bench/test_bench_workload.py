"""The load is what it says: the same events in every shape, valid, and the same again for the same seed."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
from pydantic_core import from_json

from bench.scenario.latency import sizes_of
from bench.workload import EVENTS_A_RECORD, Load, make_load
from ioc.feeds.event import CONTENT_TYPE_BATCH, CONTENT_TYPE_EVENT
from ioc.feeds.feed import Feed, load_feeds
from ioc.feeds.validation import check_envelope
from ioc.messaging.record import OutgoingRecord
from ioc.province.profile import load_profile
from ioc.settings import Settings

EVENTS = 3000


@pytest.fixture(scope="module")
def feed() -> Feed:
    return load_feeds()["tax.einvoice"]


@pytest.fixture(scope="module")
def load(feed: Feed) -> Load:
    return make_load(load_profile(Settings().profile), feed, EVENTS)


def by_reporter(events: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for event in events:
        found[event["source"]].append(event)
    return dict(found)


def events_of(record: OutgoingRecord) -> list[Any]:
    """The events of a record, one alone or an array."""
    value = from_json(record.value or b"")
    return value if isinstance(value, list) else [value]


def test_both_shapes_hold_the_same_events_in_the_order_of_each_reporter(load: Load) -> None:
    singles = [from_json(record.value) for record in load.singles]
    batched = [event for record in load.batches for event in events_of(record)]
    assert len(singles) == EVENTS
    assert by_reporter(batched) == by_reporter(singles)


def test_a_record_holds_one_reporters_events_and_says_so(load: Load) -> None:
    for record in load.batches:
        events = events_of(record)
        assert 1 <= len(events) <= EVENTS_A_RECORD
        assert {event["source"] for event in events} == {f"urn:ioc:reporter:{record.key.decode()}"}
        content_type = CONTENT_TYPE_EVENT if len(events) == 1 else CONTENT_TYPE_BATCH
        assert record.headers == (("content-type", content_type.encode()),)
    assert sum(sizes_of(load.batches)) == EVENTS


def test_every_event_is_valid(load: Load, feed: Feed) -> None:
    for record in load.singles:
        assert check_envelope(feed, feed.envelope.validate_json(record.value)) == []


def test_some_events_correct_and_some_repeat_an_earlier_one(load: Load) -> None:
    events = [from_json(record.value) for record in load.singles]
    revisions = [(event["subject"], event["revision"]) for event in events]
    corrected = sum(event["revision"] > 1 for event in events) / EVENTS
    assert 0.003 < corrected < 0.03
    assert 0.003 < 1 - len(set(revisions)) / EVENTS < 0.03


def test_the_same_seed_gives_the_same_load_and_another_one_another(load: Load, feed: Feed) -> None:
    profile = load_profile(Settings().profile)
    assert make_load(profile, feed, EVENTS) == load
    assert make_load(profile, feed, EVENTS, seed=2) != load


def test_a_load_without_faults_has_each_record_once(feed: Feed) -> None:
    plain = make_load(load_profile(Settings().profile), feed, 500, faults=0.0)
    assert len({from_json(record.value)["subject"] for record in plain.singles}) == 500
