"""A roll-up that dies in the middle of its work adds nothing twice and forgets nothing."""

from __future__ import annotations

import time

from testbed.invariants import assert_invariants
from testbed.run import Run


def test_killed_again_and_again_while_it_folds(run: Run) -> None:
    run.worker(worker_fetch_records=50)
    rollup = run.rollup(kept=True)
    for _ in range(3):
        rollup.wait_ready()
        run.publish(600)
        run.wait_for(lambda: run.waiting() > 0, "contributions wait")
        time.sleep(0.3)
        rollup.kill()
    run.wait_drained()
    run.wait_for(lambda: run.waiting() == 0, "the roll-up folds everything", 150)
    run.wait_for(lambda: rollup.starts >= 4, "the roll-up has been started four times")
    rollup.stop()
    assert_invariants(run)


def test_two_roll_ups_take_turns(run: Run) -> None:
    run.publish(900)
    run.worker()
    for service in (run.rollup(), run.rollup()):
        service.wait_ready()
    run.wait_drained()
    run.wait_for(lambda: run.waiting() == 0, "the roll-ups fold everything", 90)
    assert_invariants(run)
