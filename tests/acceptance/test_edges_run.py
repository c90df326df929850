"""Events at the edges of every field of every feed, over HTTP and straight into Kafka, at the real processes.

Nothing that anyone sends stops them: worker and roll-up live on, every event is accounted for, the good neighbours are
stored, and every figure is the recompute of its records.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from testbed.edge import Edges, taken_by
from testbed.gateway import BATCH, GatewayBed
from testbed.run import Run
from testbed.sample import events_of

from connectors.gateway.producer import KafkaEventProducer
from ioc.database.connection import connect
from ioc.feeds.event import CONTENT_TYPE_BATCH
from ioc.feeds.plausibility import Calendar
from ioc.messaging.record import OutgoingRecord
from ioc.province.profile import Profile
from streams.proof.reconcile import reconcile

_BATCH_HEADERS = [("content-type", CONTENT_TYPE_BATCH.encode())]


@pytest.mark.timeout(1500)
def test_nothing_that_anyone_sends_stops_the_platform(
    run: Run, profile: Profile, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    worker, rollup = run.worker(), run.rollup()
    now = Calendar.of(run.settings, profile.timezone).at(datetime.now(UTC))
    producer = KafkaEventProducer(run.settings)
    gateway = GatewayBed(tmp_path, producer, run.settings, gateway_burst=1e6, gateway_rate=1e6)
    _, secret = gateway.tokens.create("everything", list(run.feeds), ["*"])
    taken = taken_by(run.feeds, now)
    sent = refused = tried = 0
    for key, feed in run.feeds.items():
        edges = Edges(feed, now, taken)
        made = [*edges.alone(), *edges.covering()]
        tried += len(made)
        good = next(event for event in events_of(key) if event.get("data"))
        topic = feed.topic(run.settings.topic_prefix)
        letters: list[OutgoingRecord] = []
        for start in range(0, len(made), 40):
            part = [one.event for one in made[start : start + 40]]
            neighbour = {**good, "id": f"neighbour-{start}", "revision": now.latest_revision - 10**6 + start}
            value = json.dumps([*part, neighbour]).encode()
            letters.append(OutgoingRecord(topic, good["source"].rpartition(":")[2].encode(), value, _BATCH_HEADERS))
            sent += len(part) + 1 if is_json(value) else 1
        run.send_letters(letters)
        clean = [one.event for one in made[::4] if is_json(one.bytes)]
        for start in range(0, len(clean), 200):
            answer = gateway.post(clean[start : start + 200], BATCH, secret).json()
            assert answer["accepted"] + answer["refused"] == len(clean[start : start + 200]), answer["reasons"]
            sent += answer["accepted"]
            refused += answer["refused"]
    producer.close()
    record_property("inputs tried", tried)
    assert refused > tried // 20
    run.wait_drained(600)
    run.wait_for(lambda: run.waiting() == 0, "the roll-up folds everything", 600)
    assert (worker.starts, rollup.starts) == (1, 1)
    assert worker.pid is not None and rollup.pid is not None
    with connect(run.settings, "owner", autocommit=True) as connection:
        account = connection.execute(
            "SELECT sum(consumed)::bigint, sum(accepted + rejected + duplicate)::bigint FROM stream_batch"
        ).fetchone()
        assert account == (sent, sent)
        assert connection.execute("SELECT * FROM rejected_event WHERE rule = 'unstorable'").fetchall() == []
        assert connection.execute("SELECT * FROM contribution_set_aside").fetchall() == []
        for key, feed in run.feeds.items():
            good = next(event for event in events_of(key) if event.get("data"))
            row = connection.execute(f"SELECT revision FROM {feed.table} WHERE record_key = %s", [good["subject"]])
            assert (row.fetchone() or (0,))[0] >= now.latest_revision - 10**6, key
    assert reconcile(run.settings).differences == ()


def is_json(value: bytes) -> bool:
    """Whether an array is JSON as the agents read it: one lone surrogate spoils the whole Kafka record."""
    return b"\\ud800" not in value
