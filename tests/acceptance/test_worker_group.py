"""Several workers: as many as wanted, coming and going, and one that comes back from the dead."""

from __future__ import annotations

import signal

import pytest
from testbed.invariants import assert_invariants
from testbed.run import Run

from deploy.local.process import send_signal


@pytest.mark.timeout(500)
def test_from_one_worker_to_three_and_back_to_one(run: Run) -> None:
    first = run.worker(worker_fetch_records=50)
    run.publish(900)
    others = [run.worker(worker_fetch_records=50), run.worker(worker_fetch_records=50)]
    for service in (first, *others):
        service.wait_ready()
    run.publish(900)
    others[0].kill()
    others[1].stop()
    run.publish(300)
    run.wait_drained(90)
    assert first.pid is not None
    assert_invariants(run)


@pytest.mark.timeout(500)
def test_a_worker_stopped_past_its_session_goes_on_beside_its_successor(run: Run) -> None:
    """It holds batches that its successor has stored meanwhile, and perhaps a transaction that was ended."""
    sleeper = run.worker(kept=True, worker_fetch_records=50)
    run.publish(1500)
    run.wait_for(lambda: run.progress() > 100, "the worker stores events")
    asleep = sleeper.pid
    assert asleep is not None
    send_signal(asleep, signal.SIGSTOP)
    run.worker(kept=True, worker_fetch_records=50)
    run.publish(300)
    run.wait_drained(90)
    send_signal(asleep, signal.SIGCONT)
    run.publish(600)
    run.wait_drained(90)
    assert_invariants(run)
