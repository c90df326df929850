"""A worker that dies by SIGKILL, wherever it is in its work, costs nothing and repeats nothing."""

from __future__ import annotations

import pytest
from testbed.invariants import assert_invariants
from testbed.run import Run, killed_itself

from ioc.faultpoint import WORKER_POINTS


@pytest.mark.parametrize("point", WORKER_POINTS)
def test_killed_at_a_named_point_and_started_again(run: Run, point: str) -> None:
    run.publish(1200)
    # The third time that it comes there, so that a part of the log is stored.
    assert killed_itself(run.worker(fault=f"{point}:3"))
    run.publish(600)
    run.worker()
    run.wait_drained()
    assert_invariants(run)
