"""What arrives in any order, twice, or broken."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from testbed.feed_event import batch, stay
from testbed.invariants import assert_invariants
from testbed.poison import POISON
from testbed.run import FAULTS, FEEDS, Run, pack

from deploy.simulator.ledger import ExpectedOutcome
from deploy.simulator.province import Province
from ioc.messaging.record import OutgoingRecord
from ioc.province.profile import Profile
from ioc.settings import Settings


def test_permuted_and_repeated_events_give_the_same_tables(run: Run, profile: Profile) -> None:
    """Corrections before what they correct, voids before creations; a third of all events twice."""
    # Of a conflict the first to arrive stands: order matters there, and there alone.
    province = Province(profile, seed=11, rates=replace(FAULTS, conflict=0.0), feeds=FEEDS)
    outgoing = [one for _ in range(6) for one in province.tick(300)]
    random = Random(5)
    repeated = [
        one for one in random.sample(outgoing, len(outgoing) // 3) if one.outcome is not ExpectedOutcome.REJECTED
    ]
    arrival = [*outgoing, *repeated]
    random.shuffle(arrival)
    for start in range(0, len(arrival), 200):
        run.send_letters(pack(arrival[start : start + 200], run.feeds, run.settings.topic_prefix))
    for one in outgoing:
        run.ledger.settle(one, taken=True)
    for one in repeated:
        run.ledger.settle(replace(one, outcome=ExpectedOutcome.DUPLICATE), taken=True)
    run.worker()
    run.wait_drained()
    assert_invariants(run, ordered=False)


def test_poison_is_set_aside_and_the_rest_goes_on(run: Run) -> None:
    """Every poison twice, between events of the province."""
    poison = [_letter(run.settings, record.key, record.value, record.headers) for _, record in POISON.values()]
    run.publish(300)
    run.send_rejected("tourism.stay", poison, len(poison))
    run.publish(300)
    run.send_rejected("tourism.stay", poison, len(poison))
    bad = batch(0, [stay("99-999-9999", guest=guest) for guest in range(3)])
    run.send_rejected("tourism.stay", [_letter(run.settings, bad.key, bad.value, bad.headers)], 3)
    run.publish(300)
    worker = run.worker()
    run.wait_drained()
    assert worker.starts == 1
    assert_invariants(run)


def _letter(settings: Settings, key: bytes | None, value: bytes | None, headers: object) -> OutgoingRecord:
    return OutgoingRecord(f"{settings.topic_prefix}.tourism.stay.v1", key, value, list(headers))  # type: ignore[call-overload]
