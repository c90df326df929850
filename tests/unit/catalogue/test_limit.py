"""What one report of an indicator may say, by its unit: in the catalogue's data, and kept by the agents."""

from __future__ import annotations

from pathlib import Path

import pytest
from testbed.feed_event import NOW, Event, record
from testbed.pipeline import make_parser
from testbed.sample import events_of

from deploy.simulator.magnitude import magnitude_of, read_magnitudes
from ioc.catalogue import DATA, Catalogue
from ioc.catalogue.limit import ReportLimit, read_limits
from ioc.errors import ConfigError
from ioc.feeds.feed import Feed
from ioc.feeds.plausibility import Calendar
from ioc.province.profile import Profile, catalogue_directory, load_profile_catalogue
from ioc.settings import ROOT, Settings
from streams.rules.parse import BatchParser
from streams.rules.register import Register

SHARE, RESIDENTS, GROWTH = "health_system.stunting", "population.residents.total", "economy.grdp_growth"


def report(code: str, value: float) -> Event:
    """What an agency reports of an indicator."""
    sample = next(event for event in events_of("report.value") if event.get("data"))
    data = {**sample["data"], "indicator": code, "value": value}
    key = f"{code}/{data['area_code']}/{data['period']}/{data['period_start']}"
    return {**sample, "id": f"{code} {value}", "subject": f"{data['agency']}/{key}", "data": data}


@pytest.fixture(scope="module")
def limits(catalogue: Catalogue) -> dict[str, ReportLimit]:
    """The limit of every indicator that agencies report."""
    read = read_limits(DATA)
    reported = [found for found in catalogue.indicators.values() if found.kind == "reported"]
    found = {one.code: read.of(one.code, one.unit) for one in reported}
    assert len(found) > 300 and None not in found.values()
    return {code: limit for code, limit in found.items() if limit is not None}


def test_no_indicator_takes_what_no_province_has(limits: dict[str, ReportLimit], catalogue: Catalogue) -> None:
    assert [code for code, limit in limits.items() if limit.most > 10**11 or limit.least < -(10**11)] == []
    for code, limit in limits.items():
        if catalogue.indicators[code].unit == "%" and not code.startswith("economy."):
            assert (limit.least, limit.most) == (0, 100), code
        if catalogue.indicators[code].unit == "người":
            assert limit.most == 20_000_000, code


def test_every_simulated_value_lies_within(limits: dict[str, ReportLimit], catalogue: Catalogue) -> None:
    known = read_magnitudes()
    for code, limit in limits.items():
        usual = magnitude_of(catalogue.indicators[code], known).value
        assert limit.least <= usual / 4 and usual * (1 if limit.most == 100 else 4) <= limit.most, code


def test_a_report_beyond_its_unit_is_refused_with_what_the_unit_allows(
    feeds: dict[str, Feed], profile: Profile, limits: dict[str, ReportLimit]
) -> None:
    feed = feeds["report.value"]
    parser = BatchParser(
        feed,
        Register(feed, profile.reporters, profile.areas),
        Calendar.of(Settings(_env_file=None), profile.timezone),
        limits=limits,
    )
    values = [(SHARE, 10**11), (SHARE, 100.5), (SHARE, -1), (RESIDENTS, 10**10), (SHARE, 100), (GROWTH, -3.5)]
    values += [(RESIDENTS, 0), ("no.such.indicator", 10**11)]
    fetched = [record(at, report(code, value)) for at, (code, value) in enumerate(values)]
    parsed = parser.parse("t", 0, fetched, now=NOW)
    assert [one.record_offset for one in parsed.rejections] == [0, 1, 2, 3]
    assert {one.reasons[0].rule for one in parsed.rejections} == {"implausible_value"}
    share, *_, residents = [one.reasons[0] for one in parsed.rejections]
    assert (share.field, share.value) == ("data.value", "100000000000")  # as the reporter finds it in the file
    assert "0 đến 100 %" in share.message_vi and "between 0 and 100 %" in share.message_en
    assert "0 đến 20.000.000 người" in residents.message_vi and "0 and 20,000,000" in residents.message_en
    without = make_parser(feed, profile).parse("t", 0, fetched, now=NOW)
    assert without.rejections == ()


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("%,,x,100,", "must be a number"),
        ("%,,nan,100,", "must be a number"),
        ("%,,100,0,", "is below least"),
        (",,0,100,", "is empty"),
        ("%,,0,100,\n%,,0,50,", "is there twice"),
    ],
)
def test_a_mistake_is_told(tmp_path: Path, row: str, told: str) -> None:
    (tmp_path / "limits.csv").write_text(f"unit,code,least,most,note\n{row}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=told):
        read_limits(tmp_path)


def test_a_catalogue_without_limits_of_its_own_has_those_of_the_project(feeds: dict[str, Feed], tmp_path: Path) -> None:
    """So the second province refuses 10^12 %, too; who wants no limits writes a file without rows."""
    profile = ROOT / "ioc" / "profiles" / "bac_lieu"
    limits = read_limits(catalogue_directory(profile))
    reported = [one for one in load_profile_catalogue(profile, feeds).indicators.values() if one.kind == "reported"]
    assert len(reported) > 5
    assert [one.code for one in reported if limits.of(one.code, one.unit) is None] == []
    assert limits.of("telecom.households_fibre", "%") == ReportLimit(0, 100, "%")
    (tmp_path / "limits.csv").write_text("unit,code,least,most,note\n", encoding="utf-8")
    assert read_limits(tmp_path).of("telecom.households_fibre", "%") is None
