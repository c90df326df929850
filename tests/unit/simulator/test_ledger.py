"""The simulator's own account: rules of revisions, tallies, winning records, witnesses."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deploy.simulator.ledger import EventJson, ExpectedOutcome, Judge, Ledger, Outgoing, digest_of
from deploy.simulator.province import Province
from deploy.simulator.roster import WITNESSES
from ioc.feeds.feed import load_feeds
from ioc.province.profile import load_profile
from ioc.settings import Settings


def event(revision: int, data: dict[str, Any] | None) -> EventJson:
    head: EventJson = {"id": f"e{revision}", "subject": "r/k", "revision": revision}
    return head | ({"voided": True} if data is None else {"data": data})


@pytest.mark.parametrize(
    ("history", "outcomes"),
    [
        ([(1, "a")], ["new"]),
        ([(1, "a"), (1, "a")], ["new", "duplicate"]),
        ([(1, "a"), (1, "b")], ["new", "rejected"]),
        ([(1, "a"), (2, "b"), (1, "a")], ["new", "corrected", "duplicate"]),
        ([(1, "a"), (2, "b"), (1, "c")], ["new", "corrected", "rejected"]),
        ([(2, "b"), (1, "a")], ["new", "superseded"]),
        ([(2, None), (1, "a"), (2, None)], ["voided", "superseded", "duplicate"]),
        ([(1, "a"), (2, None), (2, "b")], ["new", "voided", "rejected"]),
        ([(1, "a"), (2, None), (3, "b")], ["new", "voided", "corrected"]),
    ],
)
def test_the_rules_of_revisions(history: list[tuple[int, str | None]], outcomes: list[str]) -> None:
    judge = Judge()
    judged = [judge.judge(event(revision, {"v": v} if v else None)) for revision, v in history]
    assert [outcome.value for outcome in judged] == outcomes


@pytest.fixture(scope="module")
def ledger() -> tuple[Ledger, list[Outgoing]]:
    ledger = Ledger(load_feeds(), WITNESSES)
    province = Province(load_profile(Settings(_env_file=None).profile))
    events = [*province.register(), *(one for _ in range(30) for one in province.tick(80))]
    for one in events:
        ledger.settle(one, taken=one.outcome is not ExpectedOutcome.REJECTED)
    return ledger, events


def test_published_is_the_sum_of_what_is_expected(ledger: tuple[Ledger, list[Outgoing]]) -> None:
    book, events = ledger
    assert {feed: tally.published for feed, tally in book.tallies.items()} == Counter(e.feed for e in events)
    assert all(tally.expected.total() == tally.published for tally in book.tallies.values())
    assert all(tally.refused == tally.expected[ExpectedOutcome.REJECTED] for tally in book.tallies.values())
    assert book.surprises == []


def test_winning_is_the_highest_revision_of_each_record(ledger: tuple[Ledger, list[Outgoing]]) -> None:
    book, events = ledger
    for feed, winning in book.winning.items():
        valid = [e.event for e in events if e.feed == feed and e.outcome is not ExpectedOutcome.REJECTED]
        last: dict[str, EventJson] = {}
        for one in valid:
            if one["revision"] > last.get(one["subject"], {"revision": -1})["revision"]:
                last[one["subject"]] = one
        expected = {subject: e["revision"] for subject, e in last.items() if not e.get("voided")}
        assert {subject: record.revision for subject, record in winning.items()} == expected


def test_witnesses_are_recounted_from_the_events(ledger: tuple[Ledger, list[Outgoing]]) -> None:
    book, events = ledger
    content = {(e.event["subject"], e.event["revision"]): e.event.get("data") for e in reversed(events)}
    reports = book.winning["tourism.daily_report"].items()
    sold = [content[subject, record.revision]["rooms_sold"] for subject, record in reports]
    witnesses = book.witnesses()
    assert sold
    assert witnesses["lodging.room_nights.total"] == sum(sold)
    assert witnesses["lodging.guests.total"] == len(book.winning["tourism.stay"])


def test_a_refused_valid_event_is_a_surprise() -> None:
    ledger = Ledger(load_feeds(), WITNESSES)
    ledger.settle(Outgoing("tourism.stay", "r", event(1, {}), ExpectedOutcome.NEW), taken=False)
    assert len(ledger.surprises) == 1
    assert ledger.tallies["tourism.stay"].refused == 1
    assert "tourism.stay" not in ledger.winning


def test_a_row_of_the_database_has_the_digest_of_its_event() -> None:
    feed = load_feeds()["tourism.stay"]
    province = Province(load_profile(Settings(_env_file=None).profile))
    stay = next(e for _ in range(3) for e in province.tick(50) if e.feed == feed.key and e.event.get("data"))
    record = feed.model.model_validate(stay.event["data"])
    row = dict(record.__dict__)
    assert isinstance(row["declared_at"], datetime)
    row["declared_at"] = row["declared_at"].astimezone(UTC)
    assert digest_of(feed, row) == digest_of(feed, record)
    row["declared_at"] += timedelta(seconds=1)
    assert digest_of(feed, row) != digest_of(feed, record)
