"""The position in the database is the truth: what Kafka has deleted is told, what does not fit ends the worker."""

from __future__ import annotations

from kafka import TopicPartition
from testbed.invariants import assert_invariants
from testbed.run import Run

from ioc.database.connection import connect
from ioc.messaging.client import admin_client


def test_what_kafka_deleted_unread_is_recorded_as_a_gap(run: Run) -> None:
    """Retention went past the stored position while no worker ran."""
    run.publish(600)
    worker = run.worker()
    run.wait_drained()
    worker.stop()
    topic = run.feeds["tourism.stay"].topic(run.settings.topic_prefix)
    lost_from = {place: end for place, end in run.log_ends().items() if place[0] == topic}
    lost = run.send_lost(topic, count=5)
    with admin_client(run.settings) as admin:
        admin.delete_records({TopicPartition(*place): end for place, end in lost.items()})
    run.publish(300)
    run.worker()
    run.wait_drained()
    with connect(run.settings, "owner", autocommit=True) as connection:
        rows = connection.execute("SELECT topic, partition, from_offset, to_offset FROM stream_gap").fetchall()
    assert {(t, p): (start, end) for t, p, start, end in rows} == {
        place: (lost_from.get(place, 0), end) for place, end in lost.items()
    }
    assert_invariants(run)


def test_a_batch_that_does_not_fit_the_position_ends_the_worker_and_is_read_again(run: Run) -> None:
    """An operator set a position back: the worker's next batch starts beyond it. Its successor reads from there."""
    run.publish(600)
    worker = run.worker(kept=True)
    run.wait_drained()
    topic = run.feeds["tourism.stay"].topic(run.settings.topic_prefix)
    with connect(run.settings, "owner", autocommit=True) as connection:
        connection.execute("UPDATE stream_position SET next_offset = 0 WHERE topic = %s", [topic])
    before = run.progress()
    run.publish(300)
    run.wait_for(lambda: worker.starts == 2, "the worker ends and is started again")
    run.wait_drained()
    assert run.progress() > before + 300  # what was read before is read again, and is a duplicate
    with connect(run.settings, "owner", autocommit=True) as connection:
        again = connection.execute(
            "SELECT sum(duplicate) > 0, sum(accepted + rejected + duplicate) = sum(consumed) FROM stream_batch"
        ).fetchone()
        twice = connection.execute(
            "SELECT count(*) FROM tourism_stay GROUP BY record_key HAVING count(*) > 1"
        ).fetchall()
    assert (again, twice) == ((True, True), [])
