"""The account: it balances when nothing is lost, and says what does not."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from deploy.demo.account import FeedCounts, Proof, settle_account
from deploy.simulator.ledger import ExpectedOutcome, FeedTally

STAY = "tourism.stay"


def tally(**changes: Any) -> FeedTally:
    """100 published: 5 refused by the gateway, 3 rejected by the agent, 4 duplicates, 88 accepted."""
    expected = Counter(
        {
            ExpectedOutcome.NEW: 70,
            ExpectedOutcome.CORRECTED: 12,
            ExpectedOutcome.VOIDED: 4,
            ExpectedOutcome.SUPERSEDED: 2,
            ExpectedOutcome.DUPLICATE: 4,
            ExpectedOutcome.REJECTED: 8,
        }
    )
    return FeedTally(**({"published": 100, "refused": 5, "unknown": 0, "expected": expected} | changes))


def counts(**changes: Any) -> FeedCounts:
    values = {"consumed": 95, "accepted": 88, "rejected": 3, "duplicate": 4, "corrected": 12, "voided": 4}
    return FeedCounts("Lượt khách lưu trú", **(values | changes))


def test_a_balanced_account_holds() -> None:
    account = settle_account({STAY: tally()}, {STAY: counts()}, Proof(records=82))
    assert account.problems == ()
    assert account.holds
    line = account.lines[0]
    assert (line.published, line.accepted, line.rejected, line.duplicate) == (100, 88, 8, 4)
    assert account.to_plain()["holds"] is True


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"consumed": 94, "accepted": 87}, "published 100 is not accepted 87 + rejected 8 + duplicate 4"),
        ({"consumed": 96, "duplicate": 5}, "published 100 is not accepted 88 + rejected 8 + duplicate 5"),
        ({"accepted": 87, "rejected": 4}, "accepted 87, the simulator expects 88"),
        ({"rejected": 2, "duplicate": 5}, "5 duplicates, the simulator expects 4"),
    ],
)
def test_an_imbalance_is_a_problem(changes: dict[str, int], says: str) -> None:
    account = settle_account({STAY: tally()}, {STAY: counts(**changes)}, Proof())
    assert not account.holds
    assert any(says in problem for problem in account.problems), account.problems


@pytest.mark.parametrize("arrived", [0, 7, 20])
def test_what_was_sent_again_counts_as_published_again_where_both_arrived(arrived: int) -> None:
    account = settle_account(
        {STAY: tally(unknown=20)}, {STAY: counts(consumed=95 + arrived, duplicate=4 + arrived)}, Proof()
    )
    assert account.problems == ()
    assert account.lines[0].published == 100 + arrived


def test_more_arrivals_than_sendings_are_a_problem() -> None:
    account = settle_account({STAY: tally(unknown=20)}, {STAY: counts(consumed=116, duplicate=25)}, Proof())
    assert any("published 120 is not" in problem for problem in account.problems)


def test_differences_surprises_and_open_answers_are_problems() -> None:
    account = settle_account(
        {STAY: tally()},
        {STAY: counts()},
        Proof(differences=tuple(f"cell {n}" for n in range(30))),
        surprises=("refused, but valid",),
        unsettled=9,
    )
    assert "9 events were sent and never answered" in account.problems
    assert "refused, but valid" in account.problems
    assert "cell 19" in account.problems and "cell 20" not in account.problems
    assert "… and 10 more like these" in account.problems


def test_a_feed_that_only_one_side_knows_is_in_the_account() -> None:
    account = settle_account({STAY: tally()}, {STAY: counts(), "tax.einvoice": FeedCounts("Hóa đơn")}, Proof())
    assert [line.feed for line in account.lines] == ["tax.einvoice", STAY]
    lost = settle_account({STAY: tally()}, {}, Proof())
    assert not lost.holds


def test_a_demo_in_which_nothing_happened_has_shown_nothing() -> None:
    assert not settle_account({}, {STAY: FeedCounts("Lượt khách")}, Proof()).holds
