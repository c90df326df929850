"""Another province by data alone: Bạc Liêu's areas, reporters, catalogue and targets on the same code."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from testbed.feed_event import HOTEL, KafkaRecord, place, report, reported, stay
from testbed.gateway import BATCH, GatewayBed
from testbed.pipeline import Pipeline
from testbed.server import cloned_database

from deploy.local.stack import Stack
from deploy.simulator.province import Province
from deploy.simulator.roster import FEEDS
from grafana.bundle import load_bundle
from grafana.checking.check import rule_queries
from grafana.checking.run import last_days, run_board, run_queries
from grafana.query.macros import Situation
from ioc.database.connection import connect
from ioc.database.migration import migrate
from ioc.errors import ConfigError
from ioc.feeds.feed import Feed
from ioc.province.profile import Profile, load_profile, load_profile_catalogue
from ioc.province.store import load_into_database
from ioc.settings import ROOT, Settings
from streams.quality.report import report_quality

IOC = str(Path(sys.executable).with_name("ioc"))
BAC_LIEU = ROOT / "ioc" / "profiles" / "bac_lieu"
# A hotel and a guesthouse of the city, one of Gành Hào, and a medical place; see the profile's files.
CITY, COAST, STATION = "95-954-0001", "95-960-0001", "yt-954-01"
PROVINCE, CITY_DISTRICT, COAST_DISTRICT = "95", "954", "960"


@pytest.fixture(scope="module")
def own(infrastructure: Stack, stack_settings: Settings, feeds: dict[str, Feed]) -> Iterator[Settings]:
    """An empty database of the other province, migrated and loaded."""
    name = f"t{uuid.uuid4().hex[:12]}"
    settings = stack_settings.model_copy(update={"db_name": name, "topic_prefix": name, "profile": BAC_LIEU})
    with cloned_database(settings, "template0"):
        yield settings


@pytest.fixture(scope="module")
def profile() -> Profile:
    return load_profile(BAC_LIEU)


@pytest.fixture(scope="module")
def bac_lieu(own: Settings, feeds: dict[str, Feed], profile: Profile, gateway: GatewayBed) -> Iterator[Pipeline]:
    """Some days of October 2024, sent through the gateway by its sector systems."""
    with connect(own, "owner", autocommit=True) as owner:
        owner.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
    migrate(own, feeds.values())
    load_into_database(own, profile, load_profile_catalogue(BAC_LIEU, feeds))
    pipeline = Pipeline(own, feeds, profile)
    abroad = {"origin": "international", "nationality": "KOR", "home_region": None}
    sent = {
        "tourism.stay": [
            stay(CITY, 1, "2024-10-05", check_out="2024-10-07"),
            stay(CITY, 2, "2024-10-05", check_out="2024-10-06", doc_type="vneid"),
            stay(COAST, 1, "2024-10-07"),
            stay(STATION, 3, "2024-10-06", **abroad),
        ],
        "registry.reporter": [
            registered(CITY, area_of(profile, CITY), 20),
            registered(COAST, area_of(profile, COAST), 10),
        ],
        "tourism.daily_report": [report(CITY, "2024-10-05", rooms_total=20, rooms_available=20, rooms_sold=6)],
        "report.value": [fibre(72.5)],
    }
    for feed, events in sent.items():
        gateway.memory.records.clear()
        assert gateway.post(events, BATCH).status_code == 202
        fetched = [KafkaRecord(at, one.value, one.headers, one.key) for at, one in enumerate(gateway.memory.records)]
        counts = pipeline.apply(feed, fetched)
        assert (counts.accepted, counts.rejected) == (len(events), 0)
    pipeline.roll_up()
    yield pipeline
    pipeline.close()


@pytest.fixture(scope="module")
def gateway(own: Settings, tmp_path_factory: pytest.TempPathFactory, feeds: dict[str, Feed]) -> GatewayBed:
    """The gateway with a token for the province's reporters."""
    bed = GatewayBed(tmp_path_factory.mktemp("gateway"), settings=own)
    bed.token, bed.secret = bed.tokens.create("Bạc Liêu", list(feeds), ["95-*", "yt-*", "so-*"])
    return bed


def area_of(profile: Profile, code: str) -> str:
    return next(reporter.area_code for reporter in profile.reporters if reporter.code == code)


def registered(code: str, area: str, rooms: int) -> dict[str, Any]:
    """An entry of the register that the province's own department keeps."""
    entry = place(code, "2023-01-01", rooms=rooms, star=0, type="hotel", area_code=area)
    return json.loads(json.dumps(entry).replace("so-du-lich", "so-vhttdl"))  # type: ignore[no-any-return]


def fibre(value: float) -> dict[str, Any]:
    return reported("so-tttt", "telecom.households_fibre", PROVINCE, "month", "2024-10-01", value)


MONTH = ("month", "2024-10-01")
FIGURES = [
    # Four stays are notified; the one in a medical place is no tourist's.
    ("lodging.notices.total", PROVINCE, *MONTH, 4),
    ("lodging.notices.medical", CITY_DISTRICT, *MONTH, 1),
    ("lodging.notices.lodging", PROVINCE, *MONTH, 3),
    ("lodging.notifiers.total", PROVINCE, *MONTH, 3),
    ("lodging.notifiers.medical", PROVINCE, *MONTH, 1),
    ("lodging.guests.total", PROVINCE, *MONTH, 3),
    ("lodging.guests.total", CITY_DISTRICT, *MONTH, 2),
    ("lodging.guests.total", COAST_DISTRICT, *MONTH, 1),
    ("lodging.guests.total", "957", *MONTH, 0),
    ("lodging.unique_guests.total", PROVINCE, *MONTH, 2),  # guest 1 in two districts
    ("lodging.nights.total", PROVINCE, *MONTH, 3),
    ("lodging.avg_stay.total", CITY_DISTRICT, *MONTH, 1.5),
    ("lodging.international_share", PROVINCE, *MONTH, 0),
    ("lodging.vneid_share", PROVINCE, *MONTH, 100),
    ("lodging.in_house.total", PROVINCE, *MONTH, 1),
    ("lodging.rooms.total", PROVINCE, *MONTH, 30),
    # 6 rooms sold; 30 rooms in the register on 7 days: the last day known is the 7th.
    ("lodging.occupancy.total", PROVINCE, *MONTH, 100 * 6 / (30 * 7)),
    ("telecom.households_fibre", PROVINCE, *MONTH, 72.5),
]


def test_figures_of_another_province(bac_lieu: Pipeline) -> None:
    found = [(*row[:4], bac_lieu.figure(*row[:4])) for row in FIGURES]
    assert found == [(*row[:4], pytest.approx(row[4])) for row in FIGURES]
    assert bac_lieu.figure("lodging.guests.total", area_of(bac_lieu.profile, COAST), *MONTH) == 1
    assert bac_lieu.reconcile().differences == ()


def test_another_provinces_reporters_are_refused(bac_lieu: Pipeline, gateway: GatewayBed) -> None:
    """By the gateway, whose token is not for them, and by the worker, whose register does not hold them."""
    assert gateway.post(stay(HOTEL, 7)).status_code == 403
    counts = bac_lieu.send("tourism.stay", [stay(HOTEL, 7)])
    assert (counts.accepted, counts.rejected) == (0, 1)
    assert bac_lieu.rows("SELECT rule FROM rejected_event") == [("unknown_reporter",)]


def test_its_reporters_are_those_of_the_press_report(profile: Profile) -> None:
    stays = {reporter.code for reporter in profile.reporters if reporter.feed == "tourism.stay"}
    medical = {reporter.code for reporter in profile.reporters if reporter.feed == "health.checkout"}
    assert len(medical) == 74 and medical <= stays
    assert len(stays - medical) == 1480
    communes = {area.code for area in profile.areas.at(date(2024, 10, 1)) if area.level == "commune"}
    assert {reporter.area_code for reporter in profile.reporters if reporter.code in stays} == communes


def test_its_units_before_and_after_the_reform(profile: Profile) -> None:
    def count(day: date) -> Counter[str]:
        return Counter(area.level for area in profile.areas.at(day))

    reform = date(2025, 7, 1)
    assert count(date(2024, 10, 1)) == {"province": 1, "district": 7, "commune": 64}
    assert count(reform) == {"province": 1, "commune": 25}
    # Each commune of 2024 went into one of 2025, and nothing else did.
    new = {area.area_id for area in profile.areas.at(reform) if area.level == "commune"}
    ended = [area for area in profile.areas.areas if area.level == "commune" and area.valid_to == reform]
    assert {area.successor_id for area in ended} == new


def test_targets_are_the_provinces_own(bac_lieu: Pipeline) -> None:
    rows = bac_lieu.rows(
        "SELECT code, target_op, target, definition ->> 'target_source' FROM indicator "
        "WHERE live AND code IN ('telecom.households_fibre', 'dti.rank') ORDER BY code"
    )
    assert [row[:3] for row in rows] == [("dti.rank", None, None), ("telecom.households_fibre", ">=", 80)]
    assert "60/63" in str(rows[0][3])


def test_boards_and_rules_are_built_for_it(own: Settings, bac_lieu: Pipeline) -> None:
    bundle = load_bundle(own, ["vi", "en"])
    text = json.dumps([board.model for board in bundle.boards] + [*bundle.rule_groups], ensure_ascii=False)
    assert "lodging" in text
    assert "Bà Rịa" not in text and "Vũng Tàu" not in text and "petrol." not in text


def test_its_boards_and_rules_run_on_its_database(own: Settings, bac_lieu: Pipeline) -> None:
    bundle = load_bundle(own, ["vi"])
    october = Situation(datetime(2024, 10, 1, tzinfo=UTC), datetime(2024, 11, 1, tzinfo=UTC), timedelta(days=1))
    with connect(own, "grafana", autocommit=True) as reader:
        answers = [answer for board in bundle.boards for answer in run_board(reader, board.model, october)]
        answers += run_queries(reader, rule_queries(bundle.rules), last_days(1))
    assert [(answer.place, answer.error) for answer in answers if answer.error] == []
    areas = next(answer for answer in answers if answer.place.startswith("ioc-area / Các địa bàn"))
    assert {"Thành phố Bạc Liêu", "Huyện Đông Hải"} <= {row[0] for row in areas.rows}


def test_without_the_sector_there_is_no_quality_to_report(
    own: Settings, bac_lieu: Pipeline, profile: Profile, feeds: dict[str, Feed]
) -> None:
    catalogue = load_profile_catalogue(BAC_LIEU, feeds)
    assert report_quality(own, [], datetime.now(UTC), profile=profile, catalogue=catalogue, feeds=feeds) == []


def test_the_simulator_makes_its_events_from_its_data(profile: Profile, feeds: dict[str, Feed]) -> None:
    indicators = load_profile_catalogue(BAC_LIEU, feeds).indicators.values()
    province = Province(profile, indicators=[one for one in indicators if one.kind == "reported"])
    sent = {out.feed for _ in range(48) for out in province.tick(50)}
    assert sent == {"tourism.stay", "tourism.daily_report", "health.checkout", "report.value"}
    assert set(province.left_out) == set(FEEDS) - sent


def test_the_commands_know_it(own: Settings, bac_lieu: Pipeline) -> None:
    def run(*words: str) -> Any:
        done = subprocess.run(
            [IOC, *words, "--json"], env=own.to_environment(), capture_output=True, text=True, check=True, timeout=60
        )
        return json.loads(done.stdout)

    assert {row["what"]: row["rows"] for row in run("profile", "show")}["reporters of health.checkout"] == 74
    checked = run("catalogue", "check")
    assert checked["indicators"] == 47 and "Bạc Liêu" in checked["statement_vi"]
    shown = run("indicator", "show", "lodging.guests.total", "--period", "month")
    assert {row["area_code"]: row["value"] for row in shown}[PROVINCE] == 3


def test_a_database_holds_one_province(
    own: Settings, bac_lieu: Pipeline, stack_settings: Settings, feeds: dict[str, Feed]
) -> None:
    other = load_profile(stack_settings.profile)
    catalogue = load_profile_catalogue(stack_settings.profile, feeds)
    with pytest.raises(ConfigError, match=r"holds the data of Bạc Liêu.*IOC_DB_NAME"):
        load_into_database(own, other, catalogue)
    done = subprocess.run(
        [IOC, "profile", "load"],
        env=own.model_copy(update={"profile": stack_settings.profile}).to_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode != 0 and "IOC_DB_NAME" in done.stderr and "Traceback" not in done.stderr
    assert bac_lieu.figure("lodging.guests.total", PROVINCE, *MONTH) == 3
