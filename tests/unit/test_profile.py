"""The default profile, and what a profile's loader refuses."""

from __future__ import annotations

import shutil
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from stdnum.vn import mst

from ioc.errors import ConfigError
from ioc.province.profile import Profile, load_profile, registry_events
from ioc.province.reporter import REGISTER_FEED
from ioc.settings import Settings

OCTOBER = date(2024, 10, 1)


@pytest.fixture(scope="module")
def profile() -> Profile:
    return load_profile(Settings().profile)


def test_numbers_of_reporters(profile: Profile) -> None:
    expected = {
        "tourism.stay": 476,
        "tourism.daily_report": 476,
        "tax.einvoice": 1200 + 255,
        "health.record": 82 + 1,
        "health.checkout": 123,
        "vaccination.dose": 103,
        "dossier.event": 1 + 8 + 82,
        "document.flow": 21 + 8 + 82,
        "feedback.ticket": 2,
        "infosec.event": 1,
        "app.usage": 4,
        "environment.reading": 72,
        "registry.reporter": 6,
        "report.value": 27,
    }
    counted = Counter(reporter.feed for reporter in profile.reporters)
    assert {feed: counted[feed] for feed in expected} == expected  # a further feed brings its own


def test_every_leaf_of_2024_has_sellers(profile: Profile) -> None:
    sellers = {r.area_code for r in profile.reporters if r.attributes.get("type") == "seller"}
    assert sellers == {a.code for a in profile.areas.at(OCTOBER) if profile.areas.is_leaf(a)}


def test_sellers_have_valid_tax_codes_far_above_the_issued_ones(profile: Profile) -> None:
    codes = [r.code for r in profile.reporters if r.attributes.get("type") == "seller"]
    assert all(mst.is_valid(code) and code.startswith("3590") for code in codes)


def test_shops_belong_to_registered_sellers(profile: Profile) -> None:
    sellers = {r.code: r for r in profile.reporters if r.attributes.get("type") == "seller"}
    shops = [r for r in profile.reporters if r.attributes.get("type") == "petrol"]
    for shop in shops:
        seller = sellers[shop.code.partition(".")[0]]
        assert shop.valid_from >= seller.valid_from
        assert shop.attributes["seller_type"] == seller.attributes["seller_type"]
    assert len(shops) > len({shop.code.partition(".")[0] for shop in shops})


def test_only_ranked_types_bear_stars(profile: Profile) -> None:
    for place in profile.reporters:
        if place.feed == "tourism.stay" and place.attributes["star"] != 0:
            assert place.attributes["type"] in {"hotel", "resort", "apartment", "villa"}


def test_names_differ(profile: Profile) -> None:
    names = Counter(name for _, name in {(r.code, r.name) for r in profile.reporters})
    assert [name for name, times in names.items() if times > 1] == []


def test_registers_are_published_by_their_agencies(profile: Profile) -> None:
    events = list(registry_events(profile))
    kept = Counter((agency, entry.registry) for agency, entry in events)
    assert kept["so-du-lich", "lodging"] == 476
    assert kept["so-cong-thuong", "petrol"] == 255
    assert kept["cuc-thue", "einvoice"] == 1200
    assert set(kept) == {(profile.registers[register], register) for register in profile.registers}
    places = {r.code: r for r in profile.reporters if r.registers}
    for _, entry in events:
        assert entry.rooms == places[entry.place_id].attributes.get("rooms")
        assert entry.opened_on == places[entry.place_id].valid_from
        assert profile.areas.leaf(entry.area_code, entry.opened_on) is not None
    assert len({(agency, entry.record_key()) for agency, entry in events}) == len(events)


def test_the_profile_says_that_it_is_simulated(profile: Profile) -> None:
    assert profile.simulated
    assert "mô phỏng" in profile.note_vi
    assert (profile.province_code, profile.timezone) == ("77", "Asia/Ho_Chi_Minh")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(Settings().profile, tmp_path / "profile"))


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("tourism.guest,,x,X,26506,2024-01-01,", "column feeds: 'tourism.guest' is not one of"),
        (",,x,X,26506,2024-01-01,", "column feeds: is empty; name one or more of"),
        ("tourism.stay,,a b,X,26506,2024-01-01,", "column code: 'a b' may hold letters"),
        ("tourism.stay,,x,X,99999,2024-01-01,", "column area_code: no unit bears '99999' on 2024-01-01"),
        ("tourism.stay,hotels,x,X,26506,2024-01-01,", "column registers: 'hotels' is not one of"),
        ("tourism.stay,lodging,x,X,747,2024-01-01,", "column area_code: 747 has units below it"),
        (
            "tourism.stay,,77-747-0001,X,26506,2024-01-01,",
            "reports tourism.stay already at reporters_lodging",
        ),
        ("tourism.stay,,x,,26506,2024-01-01,", "column name: is empty"),
    ],
)
def test_a_wrong_reporter_is_refused(copy: Path, row: str, complaint: str) -> None:
    text = f"feeds,registers,code,name,area_code,valid_from,valid_to\n{row}\n"
    (copy / "reporters_new.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_profile(copy)
    assert "reporters_new.csv row 2" in str(caught.value)
    assert complaint in str(caught.value)


def test_an_attribute_that_must_be_a_number(copy: Path) -> None:
    text = "feeds,registers,code,name,area_code,valid_from,valid_to,rooms\ntourism.stay,,x,X,26506,,,ten\n"
    (copy / "reporters_new.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="row 2 column rooms: 'ten' is not a whole number"):
        load_profile(copy)


def test_a_register_needs_a_keeper(copy: Path) -> None:
    path = copy / "profile.toml"
    path.write_text(path.read_text(encoding="utf-8") + '\nschool = "so-giao-duc"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=f"so-giao-duc must be a reporter of {REGISTER_FEED}"):
        load_profile(copy)


@pytest.mark.parametrize("name", ["", "Asia/Nowhere", "Asia", "../Asia/Ho_Chi_Minh", "/etc/passwd", "+07:00"])
def test_a_time_zone_is_one_of_the_database(copy: Path, name: str) -> None:
    path = copy / "profile.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('"Asia/Ho_Chi_Minh"', f'"{name}"'), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"profile.toml: timezone: .* is no time zone"):
        load_profile(copy)


def test_a_directory_without_profile(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="IOC_PROFILE must name"):
        load_profile(tmp_path)
