"""Whole fetches and stock delivery: the same work, the same tables."""

from __future__ import annotations

import httpx
import pytest
from testbed.invariants import assert_invariants
from testbed.run import Run


@pytest.mark.parametrize("whole", [True, False], ids=["whole fetches", "stock"])
def test_a_province_from_end_to_end(run: Run, whole: bool) -> None:
    """Registers and a few thousand events; the worker says how it does, and ends when asked."""
    run.publish_register()
    run.publish(1200)
    worker, rollup = run.worker(worker_whole_fetch=whole), run.rollup()
    for service in (worker, rollup):
        service.wait_ready()
    run.wait_drained()
    run.wait_for(lambda: run.waiting() == 0, "the roll-up folds everything")
    metrics = metrics_of(run.addresses[worker.name])
    events = sum(tally.published for tally in run.ledger.tallies.values())
    assert sum(value for name, value in metrics.items() if name.startswith("ioc_events_consumed_total")) == events
    assert not any(name.startswith("ioc_batches_unbalanced_total") for name in metrics)
    assert [service.stop() for service in (worker, rollup)] == [0, 0]
    assert_invariants(run)


def metrics_of(address: str) -> dict[str, float]:
    """Samples of a process, by name and labels."""
    text = httpx.get(f"http://{address}/metrics", timeout=5, trust_env=False).text
    samples = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in samples}
