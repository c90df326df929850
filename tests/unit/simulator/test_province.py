"""The simulated province: the same for the same seed, valid where it means to be, wrong at exact rates."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest
from pydantic import ValidationError

from deploy.simulator.breakage import BREAKAGES
from deploy.simulator.calendar import DAYS, HOURS, SimulatedSpan, day_of
from deploy.simulator.habit import ALWAYS, CITIZEN, OFFICE, TOWN, Habit
from deploy.simulator.ledger import ExpectedOutcome, Outgoing
from deploy.simulator.province import Province
from deploy.simulator.rates import FAULTS, Metronome, Rates
from deploy.simulator.roster import FEEDS, of_agencies
from deploy.simulator.systems.tax_einvoice import net_of, vat_of
from ioc.catalogue import Catalogue
from ioc.feeds.feed import Feed
from ioc.feeds.validation import check_envelope
from ioc.province.profile import Profile
from ioc.province.reporter import REGISTER_FEED
from streams.rules.quality import BY_AGENCIES, SECTOR

NONE = Rates(**dict.fromkeys(FAULTS, 0.0))


@pytest.fixture(scope="module")
def three_days(profile: Profile, catalogue: Catalogue) -> list[Outgoing]:
    indicators = catalogue.indicators.values()
    return run(Province(profile, rates=Rates(broken=0.05), indicators=indicators), 3 * HOURS, events=150)


def run(province: Province, ticks: int, events: float = 60) -> list[Outgoing]:
    return [one for _ in range(ticks) for one in province.tick(events)]


def is_valid(feed: Feed, outgoing: Outgoing) -> bool:
    try:
        return not check_envelope(feed, feed.envelope.validate_python(outgoing.event))
    except ValidationError:
        return False


def test_the_same_seed_makes_the_same_events(profile: Profile) -> None:
    first, again, other = (run(Province(profile, seed=seed), HOURS) for seed in (7, 7, 8))
    assert first == again
    assert first != other


def test_every_event_that_should_be_accepted_passes_its_feed(
    three_days: list[Outgoing], feeds: dict[str, Feed]
) -> None:
    good = [one for one in three_days if one.outcome is not ExpectedOutcome.REJECTED]
    assert {one.feed for one in good} == set(FEEDS)
    assert [one for one in good if not is_valid(feeds[one.feed], one)] == []


def test_every_breakage_is_refused_for_every_feed(three_days: list[Outgoing], feeds: dict[str, Feed]) -> None:
    for feed in FEEDS:
        whole = next(one for one in three_days if one.feed == feed and one.outcome is ExpectedOutcome.NEW)
        for breakage in BREAKAGES:
            broken = Outgoing(feed, whole.reporter, breakage(whole.event), ExpectedOutcome.REJECTED)
            assert not is_valid(feeds[feed], broken), breakage.__name__


def test_the_register_publishes_every_place_once(profile: Profile, feeds: dict[str, Feed]) -> None:
    events = Province(profile).register()
    assert all(is_valid(feeds[REGISTER_FEED], one) for one in events)
    assert {one.outcome for one in events} == {ExpectedOutcome.NEW}
    registries = Counter(one.event["data"]["registry"] for one in events)
    assert registries["lodging"] == 476
    assert registries["petrol"] == 255


def test_agencies_report_all_but_what_the_platform_measures(catalogue: Catalogue) -> None:
    rows = catalogue.indicators.values()
    reported = {row.code for row in rows if row.kind == "reported"}
    by_platform = {row.code for row in rows if row.sector == SECTOR and row.code not in BY_AGENCIES}
    assert {row.code for row in of_agencies(rows)} == reported - by_platform


def test_petrol_shops_and_sellers_of_all_communes_issue_invoices(profile: Profile) -> None:
    places = {reporter.code: reporter for reporter in profile.reporters if reporter.feed == "tax.einvoice"}
    invoices = [one.event["data"] for one in run(Province(profile, rates=NONE), 2 * HOURS, events=400)]
    sales = [data for data in invoices if data.get("seller_id")]
    at_shops = {data["shop_id"] for data in sales if data.get("shop_id")}
    assert len(at_shops) == 255
    areas = {places[data.get("shop_id") or data["seller_id"]].area_code for data in sales}
    assert len(areas - {"755"}) == 82


@pytest.mark.parametrize("rate", [0.0, 0.003, 0.1, 1 / 3, 1.0])
@pytest.mark.parametrize("phase", [0.0, 0.618, 0.999])
def test_a_metronome_is_never_a_beat_off(rate: float, phase: float) -> None:
    metronome = Metronome(rate, phase)
    fired = 0
    for beats in range(1, 2001):
        fired += metronome.beat()
        assert abs(fired - rate * beats) <= 1


def test_faults_befall_records_at_their_rates(profile: Profile) -> None:
    rates = Rates()
    province = Province(profile, rates=rates)
    run(province, 2 * HOURS)
    for feed in FEEDS:
        for fault in FAULTS:
            expected = getattr(rates, fault) * province.records[feed]
            assert abs(province.faults[feed, fault] - expected) <= 1, (feed, fault)


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ("duplicate", ExpectedOutcome.DUPLICATE),
        ("void", ExpectedOutcome.VOIDED),
        ("void_first", ExpectedOutcome.SUPERSEDED),
        ("disorder", ExpectedOutcome.SUPERSEDED),
        ("conflict", ExpectedOutcome.REJECTED),
        ("broken", ExpectedOutcome.REJECTED),
        ("stranger", ExpectedOutcome.REJECTED),
        ("implausible", ExpectedOutcome.REJECTED),
    ],
)
def test_each_fault_leads_to_its_outcome_once(profile: Profile, fault: str, outcome: ExpectedOutcome) -> None:
    province = Province(profile, rates=Rates(**{**dict.fromkeys(FAULTS, 0.0), fault: 0.1}))
    events = run(province, HOURS) + run(province, HOURS, events=0)  # the second day brings what was put off
    counted = Counter((one.feed, one.outcome) for one in events)
    assert province.faults["tourism.stay", fault] >= 8
    # Feeds that send nothing by calendar: of the others the second day has faults of its own, some of which come later.
    for feed in ("tourism.stay", "dossier.event", "document.flow", "health.checkout"):
        assert counted[feed, outcome] == province.faults[feed, fault]


def test_without_faults_nothing_is_rejected_or_repeated(profile: Profile) -> None:
    outcomes = {one.outcome for one in run(Province(profile, rates=NONE), 2 * HOURS)}
    assert outcomes == {ExpectedOutcome.NEW, ExpectedOutcome.CORRECTED}


def test_a_cancelled_invoice_is_voided_and_leaves_a_notice_without_amounts(profile: Profile) -> None:
    province = Province(profile, rates=Rates(**{**dict.fromkeys(FAULTS, 0.0), "void": 0.2}))
    events = [one.event for one in run(province, HOURS) if one.feed == "tax.einvoice"]
    notices = [e for e in events if e.get("data") and e["data"]["relation"] == "cancellation"]
    voids = {e["subject"] for e in events if e.get("voided")}
    assert voids and {f"{subject}/cancellation" for subject in voids} == {e["subject"] for e in notices}
    assert all("amount_net" not in e["data"] for e in notices)


def test_invoice_amounts_agree(three_days: list[Outgoing]) -> None:
    invoices = [one.event["data"] for one in three_days if one.feed == "tax.einvoice" and one.event.get("data")]
    checked: set[str] = set()
    for data in invoices:
        if "amount_net" not in data or not isinstance(data["amount_net"], int):
            continue
        assert data["amount_net"] + data["amount_vat"] == data.get("amount_gross", 0)
        nets = {k: v for k, v in data.items() if k.startswith("net_") and isinstance(v, int)}
        assert sum(nets.values()) == data["amount_net"] or (not nets and data["template"] in "26")
        for name in nets:
            rate = int(name.removeprefix("net_")) if name[4:].isdecimal() else 0
            assert abs(Decimal(data["amount_vat"]) - Decimal(data["amount_net"]) * rate / 100) <= 1
            assert data.get(f"vat_{rate}", 0) == data["amount_vat"]
            checked.add(name)
        if data.get("shop_id") and data["relation"] == "original":
            fuel = [v for k, v in data.items() if k.startswith("fuel_")]
            assert fuel == [data["amount_gross"]]
    assert {"net_8", "net_10"} <= checked


def test_vat_is_rounded_half_up() -> None:
    assert (vat_of(1_000, 8), vat_of(1_005, 10), vat_of(1_004, 10)) == (80, 101, 100)
    assert (net_of(1_100, 10), net_of(305_224, 10)) == (1_000, 277_476)


def test_new_revisions_lie_above_the_base(profile: Profile) -> None:
    events = run(Province(profile, revision_base=1000), HOURS)
    assert min(one.event["revision"] for one in events) == 1001


def test_the_month_begins_again_and_corrects_the_reports(profile: Profile) -> None:
    province = Province(profile, rates=NONE, feeds=["tourism.daily_report"])
    run(province, DAYS * HOURS, events=0)
    again = [one for one in run(province, 2 * HOURS, events=0) if one.feed == "tourism.daily_report"]
    assert len(again) > 900
    assert {one.outcome for one in again} == {ExpectedOutcome.CORRECTED}


@pytest.mark.parametrize("habit", [ALWAYS, CITIZEN, OFFICE, TOWN])
def test_an_average_hour_has_load_one(habit: Habit) -> None:
    week = 7 * HOURS
    assert sum(habit.of(tick) for tick in range(week)) / week == pytest.approx(1)
    assert day_of(0).isoformat() == "2024-10-04" and SimulatedSpan().clock(DAYS * HOURS) == 0


def test_a_rate_outside_0_to_1_is_refused() -> None:
    with pytest.raises(ValueError, match="void"):
        Rates(void=1.5)
