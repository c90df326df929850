"""A simulated year as files: the same for the same seed, readable, with seasons, silences, outbreaks and its truth."""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest

from deploy.simulator.calendar import HOURS, LIVE, SimulatedSpan, day_of
from deploy.simulator.files import MOST_TWINS, write_span, written
from deploy.simulator.ledger import ExpectedOutcome
from deploy.simulator.province import Province
from deploy.simulator.season import SEASONS, outbreaks_of, season_of
from deploy.simulator.truth import FIGURES, Truth
from deploy.simulator.year import SimulatedYear, plausible_year
from ioc.catalogue import Catalogue
from ioc.errors import RejectedError
from ioc.feeds.feed import Feed
from ioc.feeds.validation import check_envelope, read_event
from ioc.province.profile import Profile, load_profile

BAC_LIEU = Path(__file__).resolve().parents[3] / "ioc" / "profiles" / "bac_lieu"
TET = SimulatedSpan(date(2024, 2, 3), 5)


def read(directory: Path) -> dict[str, list[dict[str, object]]]:
    return {
        str(path.relative_to(directory)): [json.loads(line) for line in path.read_text().splitlines()]
        for path in sorted(directory.glob("*/*.ndjson"))
    }


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory, profile: Profile, catalogue: Catalogue) -> Path:
    directory = tmp_path_factory.mktemp("week")
    write_span(directory, profile, catalogue.indicators.values(), span=TET, hourly=20, twins=2)
    return directory


def test_the_same_seed_writes_the_same_files(tmp_path: Path, profile: Profile) -> None:
    for name, seed in (("one", 7), ("two", 7), ("three", 8)):
        write_span(tmp_path / name, profile, (), span=SimulatedSpan(date(2024, 12, 30), 3), seed=seed, hourly=10)
    one, two, three = (
        {p.name: p.read_bytes() for p in (tmp_path / n).rglob("*.*") if p.is_file()} for n in ("one", "two", "three")
    )
    assert one == two != three


def test_every_line_is_what_its_feed_takes_unless_it_is_meant_to_be_wrong(week: Path, feeds: dict[str, Feed]) -> None:
    """Twins too: no two records that stand are one, and as many are refused as the account says."""
    lines = read(week)
    told = list(csv.DictReader((week / "truth" / "events.csv").read_text().splitlines()))
    assert {row["feed"] for row in told} == set(feeds)
    assert sum(map(len, lines.values())) == sum(int(row["events"]) for row in told)
    ids = Counter(str(event["id"]) for events in lines.values() for event in events)
    again = sum(int(row["events"]) for row in told if row["outcome"] == "duplicate")
    assert ids.total() - len(ids) == again
    rejected: Counter[str] = Counter()
    for name, events in lines.items():
        feed = feeds[name.split("/")[0]]
        for event in events:
            try:
                rejected[feed.key] += bool(check_envelope(feed, read_event(feed, json.dumps(event).encode())))
            except RejectedError:
                rejected[feed.key] += 1
    for feed_key, count in rejected.items():
        meant = sum(int(row["events"]) for row in told if (row["feed"], row["outcome"]) == (feed_key, "rejected"))
        assert count <= meant, "conflicts, strangers and dates out of bounds are found by the agents only"


def test_twins_are_other_records_at_the_same_reporter(profile: Profile, catalogue: Catalogue) -> None:
    province = Province(profile, indicators=catalogue.indicators.values())
    events = [one for _ in range(3 * HOURS) for one in province.tick(100)]
    seen = set()
    for one in events:
        if one.outcome is not ExpectedOutcome.NEW or (one.feed, one.event["subject"]) in province.by_calendar:
            continue
        lines = [json.loads(line) for line in written(one, MOST_TWINS)]
        assert lines[0] == one.event
        assert len({line["subject"] for line in lines}) == len({line["id"] for line in lines}) == len(lines)
        assert {line["source"] for line in lines} == {one.event["source"]}
        assert len(lines) in (1, 1 + MOST_TWINS)
        seen.add(one.feed)
    assert seen >= {"tourism.stay", "tax.einvoice", "health.checkout", "document.flow", "infosec.event"}


def test_a_year_has_its_seasons() -> None:
    assert season_of("tourism.stay", date(2024, 7, 6)) > 1.4 * season_of("tourism.stay", date(2024, 11, 6))
    tet = date(2024, 2, 10)
    assert season_of("dossier.event", tet) < 0.1
    assert season_of("tourism.stay", tet + timedelta(days=2)) > 1
    assert all(season.of(date(2024, 10, day)) == 1 for season in SEASONS.values() for day in range(1, 32))
    dengue = next(one for one in outbreaks_of(date(2024, 1, 1), 366) if one.disease == "dengue")
    assert (
        dengue.of(date(2024, 8, 15)) == dengue.share > dengue.of(date(2024, 7, 10)) > dengue.of(date(2024, 6, 1)) == 0
    )


def test_an_outbreak_shows_in_the_visits(profile: Profile) -> None:
    span = SimulatedSpan(date(2024, 8, 10), 3)

    def dengue(year: SimulatedYear) -> int:
        province = Province(profile, feeds=["health.checkout"], span=span, year=year)
        events = [one.event for _ in range(2 * HOURS) for one in province.tick(60)]
        return sum((event.get("data") or {}).get("disease") == "dengue" for event in events)

    assert dengue(plausible_year(span, (), seed=1)) > 2 * dengue(SimulatedYear())


def test_a_silent_reporter_says_nothing(profile: Profile) -> None:
    span = SimulatedSpan(date(2024, 3, 4), 4)
    year = plausible_year(span, profile.reporters, seed=3)
    assert len(year.silences) > 20
    province = Province(profile, span=span, year=year, feeds=["tourism.stay", "tourism.daily_report"])
    for hour in range(4 * HOURS):
        day = day_of(span.clock(hour))
        silent = {(one.feed, one.reporter) for one in year.silences if one.covers(day)}
        new = {(one.feed, one.reporter) for one in province.tick(30) if one.outcome is ExpectedOutcome.NEW}
        assert not new & silent


def test_other_years_and_other_provinces(feeds: dict[str, Feed], catalogue: Catalogue) -> None:
    """Also over the turn of a year, where series begin anew, and with a profile of few feeds."""
    profile = load_profile(BAC_LIEU)
    province = Province(profile, span=SimulatedSpan(date(2024, 12, 30), 4), indicators=catalogue.indicators.values())
    truth = Truth(profile.reporters, profile.areas.roots(LIVE.first)[0].code)
    made = [one for _ in range(4 * HOURS) for one in province.tick(20)]
    for one in made:
        truth.take(one)
        if one.outcome is not ExpectedOutcome.REJECTED:
            assert check_envelope(feeds[one.feed], read_event(feeds[one.feed], json.dumps(one.event).encode())) == []
    assert {one.code for one in truth.figures()} >= {"lodging.guests.total", "lodging.room_nights.total"}


def test_invoices_of_two_years(profile: Profile, feeds: dict[str, Feed]) -> None:
    province = Province(profile, span=SimulatedSpan(date(2024, 12, 31), 2), feeds=["tax.einvoice"])
    feed = feeds["tax.einvoice"]
    made = [one for _ in range(2 * HOURS) for one in province.tick(40) if one.outcome is not ExpectedOutcome.REJECTED]
    series = set()
    for one in made:
        assert check_envelope(feed, read_event(feed, json.dumps(one.event).encode())) == []
        series |= {one.event["data"]["series"][1:3]} if one.event.get("data") else set()
    assert series == {"24", "25"}


def test_every_feed_that_events_move_has_a_truth(feeds: dict[str, Feed]) -> None:
    """The registers are stocks from before the span; reported values are what they say."""
    # Files of a simulated year are written for the feeds that come with the project; a further one needs none.
    assert len(FIGURES) == 12
    assert FIGURES.keys() <= feeds.keys() - {"registry.reporter", "report.value"}
