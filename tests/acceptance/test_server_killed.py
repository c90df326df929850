"""Kafka and PostgreSQL killed under load, and back again: the worker goes on, or is started again and goes on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from testbed.invariants import assert_invariants
from testbed.run import Run

from deploy.local.stack import Component


@contextmanager
def always_back(part: Component) -> Iterator[None]:
    """Whatever the test does to a server, the tests after it find it running."""
    try:
        yield
    finally:
        part.start()


@pytest.mark.timeout(500)
def test_postgres_killed_under_load(run: Run) -> None:
    """SIGKILL to the server and its backends; then a fast shutdown, which ends every session in order."""
    postgres = run.stack.postgres
    with always_back(postgres):
        run.worker(kept=True, worker_fetch_records=50)
        run.rollup(kept=True)
        run.publish(1500)
        run.wait_for(lambda: run.progress() > 100, "the worker stores events")
        postgres.kill()
        postgres.start()
        run.publish(600)
        run.wait_for(lambda: run.progress() > 1600, "the worker goes on")
        postgres.stop()
        postgres.start()
    run.wait_drained(90)
    for service in run.services:
        service.stop()
    assert_invariants(run)


@pytest.mark.timeout(500)
def test_broker_killed_under_load(run: Run) -> None:
    kafka = run.stack.kafka
    with always_back(kafka):
        worker = run.worker(kept=True, worker_fetch_records=50)
        run.publish(1500)
        run.wait_for(lambda: run.progress() > 100, "the worker stores events")
        kafka.kill()
        kafka.start()
    run.publish(600)
    run.wait_drained(150)
    assert worker.starts <= 3
    worker.stop()
    assert_invariants(run)
