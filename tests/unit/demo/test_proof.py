"""Comparing what is stored with what the simulator expects: each way of being wrong is seen."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest

from deploy.demo.proof import compare_records, compare_totals
from deploy.simulator.ledger import Ledger, Outgoing
from deploy.simulator.province import Province
from ioc.feeds.feed import Feed, load_feeds
from ioc.province.profile import load_profile
from ioc.settings import Settings

FEED: Feed = load_feeds()["tourism.stay"]
Rows = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def ledger_and_rows() -> tuple[Ledger, Rows]:
    """A morning of stays, and the rows that the database should hold of them."""
    province = Province(load_profile(Settings(_env_file=None).profile), feeds=[FEED.key])
    ledger = Ledger({FEED.key: FEED}, {})
    stays: list[Outgoing] = [e for _ in range(30) for e in province.tick(20) if e.feed == FEED.key]
    rows: Rows = {}
    for stay in stays:
        ledger.settle(stay, taken=True)
        record = ledger.winning.get(FEED.key, {}).get(stay.event["subject"])
        if record is None:
            rows.pop(stay.event["subject"], None)
        elif record.revision == stay.event["revision"] and stay.event.get("data") and stay.outcome != "rejected":
            values = dict(FEED.model.model_validate(stay.event["data"]).__dict__)
            values["declared_at"] = values["declared_at"].astimezone(UTC)
            rows[stay.event["subject"]] = {"record_key": stay.event["subject"], "revision": record.revision} | values
    return ledger, rows


def differences(ledger: Ledger, rows: Rows) -> list[str]:
    return list(compare_records(FEED, ledger.winning[FEED.key], iter(rows.values())))


def test_equal_records_have_no_difference(ledger_and_rows: tuple[Ledger, Rows]) -> None:
    ledger, rows = ledger_and_rows
    assert len(rows) > 100
    assert differences(ledger, rows) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda rows, key: rows.pop(key), "not stored"),
        (lambda rows, key: rows[key].update(revision=77), "revision 77 is stored"),
        (lambda rows, key: rows[key].update(age_years=200), "with other content"),
        (lambda rows, key: rows.update(x=rows[key] | {"record_key": "ghost"}), "should not stand"),
    ],
)
def test_each_difference_is_named(ledger_and_rows: tuple[Ledger, Rows], change: Any, says: str) -> None:
    ledger, rows = ledger_and_rows
    changed = {key: dict(row) for key, row in rows.items()}
    change(changed, next(iter(changed)))
    found = differences(ledger, changed)
    assert len(found) == 1
    assert says in found[0]


def test_totals_are_compared_in_their_units() -> None:
    witnesses = {"lodging.guests.total": 12, "petrol.volume.total": 1_500}
    assert list(compare_totals(witnesses, {"lodging.guests.total": 12.0, "petrol.volume.total": 1.5})) == []
    assert len(list(compare_totals(witnesses, {"lodging.guests.total": 11.0, "petrol.volume.total": 1.501}))) == 2
    assert "no value" in next(iter(compare_totals(witnesses, {})))
