"""What the platform says of its data: shares by hand, limits, and that no row of the catalogue is forgotten."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from ioc.catalogue import DATA, Catalogue, load_catalogue
from ioc.catalogue.indicator import CADENCES, REPORT_FEED, REPORT_PERIODS
from ioc.errors import ConfigError
from ioc.feeds.feed import Feed, load_feeds
from ioc.feeds.validation import check_envelope
from ioc.province.profile import Profile
from streams.quality.report import QualityReport, to_records
from streams.rules.quality import (
    BY_AGENCIES,
    LIMITS,
    PLATFORM,
    SECTOR,
    DailyOutcome,
    QualityValue,
    Readings,
    ReportAccount,
    codes,
    is_delivered,
    measure,
    oldest_live,
    sources,
    to_event,
)

DAY = date(2024, 10, 20)
NOON = datetime(2024, 10, 20, 5, tzinfo=UTC)
ALL = load_feeds()
FEEDS = sources(ALL)


@pytest.fixture(scope="module")
def catalogue(feeds: dict[str, Feed]) -> Catalogue:
    return load_catalogue(DATA, feeds)


def values(read: Readings) -> dict[str, float]:
    return {figure.indicator: figure.value for figure in measure(read, ALL)}


def test_no_row_is_forgotten(catalogue: Catalogue) -> None:
    rows = {row.code for row in catalogue.of_sector(SECTOR) if row.kind == "reported"}
    assert rows == codes(ALL) | BY_AGENCIES.keys()
    assert not codes(ALL) & BY_AGENCIES.keys()
    assert all(BY_AGENCIES.values())


def test_the_rows_name_feeds_that_there_are(catalogue: Catalogue) -> None:
    named = {row.breakdown_value for row in catalogue.of_sector(SECTOR) if row.breakdown == "feed"}
    assert named == FEEDS.keys()


def test_two_feeds_have_no_name_together(feeds: dict[str, Feed]) -> None:
    twin = replace(feeds["tourism.stay"], key="tourism.twin")
    with pytest.raises(
        ConfigError, match=r"tourism\.twin and tourism\.stay both have the quality_source 'lodging_stay'"
    ):
        sources({**feeds, twin.key: twin})


def test_every_figure_is_of_the_period_that_its_row_counts(catalogue: Catalogue) -> None:
    read = Readings(
        DAY,
        accounts=dict.fromkeys(FEEDS.values(), DailyOutcome(1, 1, 0, 0)),
        ages=dict.fromkeys(FEEDS.values(), 1.0),
        total=4,
        added=3,
        live=2,
        agencies=1,
        alerts=5,
        reports=ReportAccount(9, 6, 2),
    )
    figures = measure(read, ALL)
    assert {figure.indicator for figure in figures} == codes(ALL)
    for figure in figures:
        assert figure.period == REPORT_PERIODS[catalogue.indicators[figure.indicator].cadence]
        assert figure.period_start == (DAY if figure.period == "day" else date(2024, 10, 1))


def test_shares_are_of_all_events_that_came() -> None:
    figures = {f.indicator: f for f in measure(Readings(DAY, {"tourism.stay": DailyOutcome(30, 20, 1, 7)}), ALL)}
    assert figures == {
        f"data_quality.{name}.lodging_stay": QualityValue(
            f"data_quality.{name}.lodging_stay", "day", DAY, share, part, 30
        )
        for name, share, part in (
            ("valid_rate", 66.667, 20),
            ("missing_rate", 23.333, 7),
            ("duplicate_rate", 3.333, 1),
        )
    }


def test_no_figure_is_not_zero() -> None:
    assert measure(Readings(DAY), ALL) == []
    assert measure(Readings(DAY, {"tourism.stay": DailyOutcome(0, 0, 0, 0)}), ALL) == []
    assert values(Readings(DAY, total=3, live=0)) == {
        "data_quality.indicators_total": 3,
        "data_quality.indicators_live": 0,
    }


def test_a_feed_without_a_row_is_not_reported() -> None:
    assert measure(Readings(DAY, {"app.usage": DailyOutcome(1, 1, 0, 0)}, {"app.usage": 5.0}), ALL) == []


def test_an_age_is_never_negative() -> None:
    ages = {"tourism.stay": -0.2, "tax.einvoice": 12.34567}
    assert values(Readings(DAY, ages=ages)) == {
        "data_quality.freshness_lag.lodging_stay": 0,
        "data_quality.freshness_lag.einvoice": 12.346,
    }


def test_the_platforms_own_reports_are_not_an_agencys() -> None:
    assert DailyOutcome(50, 40, 3, 5).without(DailyOutcome(30, 29, 0, 1)) == DailyOutcome(20, 11, 3, 4)
    # A report that was measured before midnight may be committed after it.
    assert DailyOutcome(4, 4, 0, 0).without(DailyOutcome(9, 9, 0, 0)) == DailyOutcome(0, 0, 0, 0)


def test_every_cadence_has_a_limit_no_tighter_than_itself() -> None:
    assert LIMITS.keys() == set(CADENCES)
    for cadence, period in REPORT_PERIODS.items():
        assert LIMITS[cadence].period == period
    longest = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}
    assert all(limit.days >= longest[limit.period] for limit in LIMITS.values())


@pytest.mark.parametrize(
    ("cadence", "day", "period", "oldest"),
    [
        ("realtime", "2024-10-20", "day", "2024-10-19"),
        ("daily", "2024-10-20", "day", "2024-10-18"),
        # The week of Monday the 7th ends on Sunday the 13th; ten days later is the 23rd.
        ("weekly", "2024-10-23", "week", "2024-10-07"),
        ("weekly", "2024-10-24", "week", "2024-10-14"),
        # September ends on the 30th; 46 days later is 15 November.
        ("monthly", "2024-11-15", "month", "2024-09-01"),
        ("monthly", "2024-11-16", "month", "2024-10-01"),
        ("quarterly", "2024-10-30", "quarter", "2024-04-01"),
        ("quarterly", "2024-10-31", "quarter", "2024-07-01"),
        ("yearly", "2024-10-20", "year", "2023-01-01"),
    ],
)
def test_until_when_a_figure_is_live(cadence: str, day: str, period: str, oldest: str) -> None:
    assert oldest_live(cadence, date.fromisoformat(day)) == (period, date.fromisoformat(oldest))


def test_a_stock_of_a_silent_feed_is_not_live(feeds: dict[str, Feed]) -> None:
    stays, register = feeds["tourism.stay"], feeds["registry.reporter"]

    def delivered(hours: float, days: float) -> bool:
        told = {stays.key: NOON - timedelta(hours=hours), register.key: NOON - timedelta(days=days)}
        return is_delivered("realtime", [stays, register], told, moment=NOON)

    assert delivered(24, 35), "a register is expected every 35 days, whatever rests on it"
    assert not delivered(25, 1)
    assert not delivered(1, 36)
    assert not is_delivered("realtime", [stays], {}, moment=NOON), "it has never delivered"


def test_a_figure_is_a_report_of_the_platform(feeds: dict[str, Feed], profile: Profile) -> None:
    feed = feeds[REPORT_FEED]
    assert any(r.feed == feed.key and r.code == PLATFORM for r in profile.reporters)
    for code in codes(ALL):
        event = to_event(feed, QualityValue(code, "day", DAY, 12.5, 1, 8), "77", NOON)
        envelope = feed.envelope.validate_json(json.dumps(event))
        assert check_envelope(feed, envelope) == []
        assert envelope.effective_revision == 1_729_400_400_000
    assert event["data"] == {
        "agency": "ioc-tinh",
        "indicator": code,
        "area_code": "77",
        "period": "day",
        "period_start": "2024-10-20",
        "value": 12.5,
    }


def test_only_what_is_new_is_sent_in_one_record_of_the_platforms_key() -> None:
    figure = QualityValue("data_quality.indicators_total", "day", DAY, 1298)
    report = QualityReport(figure, "77", "new", {"id": "a"})
    changed, same = replace(report, status="changed", event={"id": "b"}), replace(report, status="unchanged")
    ((topic, key, value, headers),) = to_records("ioc.report.value.v1", [report, same, changed])
    assert (topic, key, json.loads(value or b"")) == ("ioc.report.value.v1", b"ioc-tinh", [{"id": "a"}, {"id": "b"}])
    assert headers == (("content-type", b"application/cloudevents-batch+json"),)
    assert to_records("t", [same]) == []
