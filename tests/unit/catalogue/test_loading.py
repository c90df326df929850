"""Strict loading: each mistake is told with file, row, column and what to do, all of them at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from ioc.catalogue import Catalogue, Target, load_catalogue
from ioc.errors import ConfigError
from ioc.feeds.feed import Feed

Feeds = Mapping[str, Feed]
Write = Callable[..., Path]


def mistakes(directory: Path, feeds: Feeds) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_catalogue(directory, feeds)
    return str(caught.value).splitlines()


def test_a_row_as_it_is_read(write: Write, feeds: Feeds) -> None:
    row = {
        "code": "lodging.a.b",
        "where": "origin='domestic'",
        "at": "check_in_on",
        "target": ">=95.5",
        "target_on": "2025-12-31",
        "target_source": "target: NQ 1",
        "breakdown": "origin",
        "breakdown_value": "b",
    }
    indicator = load_catalogue(write(row), feeds).indicators["lodging.a.b"]
    assert (indicator.value, indicator.where, indicator.at) == ("1", "origin = 'domestic'", "effective_on")
    assert isinstance(indicator.target, Target)
    assert (indicator.target.op, indicator.target.value) == (">=", 95.5)
    assert indicator.target.on is not None
    assert indicator.definition["where"] == "origin='domestic'"


@pytest.mark.parametrize(
    ("row", "column", "complaint"),
    [
        ({"code": "Lodging.a"}, "code", "must look like sector.measure"),
        ({"code": "petrol.a"}, "code", "must begin with 'lodging'"),
        ({"sector": "petrol"}, "sector", "must be 'lodging'"),
        ({"name_vi": ""}, "name_vi", "is empty"),
        ({"unit": "lạng"}, "unit", "is not in units.csv"),
        ({"owner": "Sở Du lịch; Sở Mơ ước"}, "owner", "'Sở Mơ ước' is not in owners.csv"),
        ({"kind": "sum"}, "kind", "'sum' is not one of 'flow'"),
        ({"feed": "tourism.guest"}, "feed", "'tourism.guest' is not a feed; use one of"),
        ({"feed": ""}, "feed", "or give a formula"),
        ({"cadence": "often"}, "cadence", "'often' is not one of"),
        ({"direction": "up"}, "direction", "'up' is not one of"),
        ({"levels": "province;ward"}, "levels", "'ward' is not one of"),
        ({"levels": ""}, "levels", "is empty"),
        ({"basis": ""}, "basis", "is empty"),
        ({"where": "stars = 5"}, "where", "`stars` is not a column of the feed"),
        ({"where": "star"}, "where", "gives integer, not a condition"),
        ({"value": "origin"}, "value", "gives text; a flow adds numbers"),
        ({"kind": "distinct"}, "value", "is empty; members are named by a text column"),
        ({"kind": "distinct", "value": "star"}, "value", "gives integer; members are named by a text column"),
        ({"kind": "average"}, "value", "is empty; an average is taken of numbers"),
        ({"kind": "ratio", "value": "star"}, "value", "the share of the records that meet a condition"),
        ({"at": "origin"}, "at", "'origin' is not a date column of tourism.stay; use one of check_in_on"),
        ({"until": "check_out_on"}, "until", "is for stocks; a flow takes nothing back"),
        ({"kind": "stock", "until": "left_on"}, "until", "'left_on' is not a date column"),
        ({"decimals": "2"}, "decimals", "must be empty or 0: the value is whole"),
        ({"decimals": "9"}, "decimals", "must lie between 0 and 6"),
        ({"feed": "tax.einvoice", "value": "litres"}, "decimals", "must say how many digits"),
        ({"target": "90"}, "target", "must be >= or <= and a number"),
        ({"target": ">=90"}, "target_source", "is empty; name the decision"),
        ({"target_on": "2025-01-01"}, "target_on", "is given without a target"),
        ({"target_on": "next year"}, "target_on", "is not a date"),
        ({"breakdown": "origin"}, "breakdown_value", "fill both or neither"),
        ({"breakdown": "origin", "breakdown_value": "x"}, "breakdown_value", "must be how the code ends"),
        ({"formula": "lodging.z / 2"}, "feed", "must be empty beside a formula"),
        ({"feed": "", "formula": "lodging.b / 2"}, "formula", "no indicator has the code lodging.b"),
        ({"feed": "", "formula": "lodging.b +"}, "formula", "is not arithmetic"),
        ({"feed": "", "kind": "distinct", "formula": "lodging.z"}, "formula", "members are counted"),
        ({"feed": "", "formula": "lodging.a + lodging.z"}, "formula", "goes round in a circle"),
        (
            {"feed": "", "levels": "commune", "formula": "lodging.z"},
            "levels",
            "lodging.z has no values for commune",
        ),
    ],
)
def test_a_mistake_is_told(write: Write, feeds: Feeds, row: dict[str, str], column: str, complaint: str) -> None:
    told = mistakes(write({"code": "lodging.z"}, {"code": "lodging.a", **row}), feeds)
    assert len(told) == 1
    assert f"lodging.csv row 3 column {column}: " in told[0]
    assert complaint in told[0]


def test_all_mistakes_are_told_at_once(write: Write, feeds: Feeds) -> None:
    directory = write(
        {"code": "lodging.a", "unit": "x", "where": "origin"},
        {"code": "lodging.a"},
        {"code": "lodging.b", "name_vi": "Tên lodging.a"},
    )
    (directory / "tourism.csv").write_text("code\n", encoding="utf-8")
    assert [told.rpartition(" · ")[2].partition(":")[0] for told in mistakes(directory, feeds)] == [
        "tourism.csv",
        "lodging.csv row 2 column where",
        "lodging.csv row 2 column unit",
        "lodging.csv row 3 column code",
        "lodging.csv row 4 column name_vi",
    ]


def test_every_circle_is_told(write: Write, feeds: Feeds) -> None:
    def computed(code: str, formula: str) -> dict[str, str]:
        return {"code": code, "feed": "", "formula": formula}

    told = mistakes(
        write(
            computed("lodging.a", "lodging.b + 1"),
            computed("lodging.b", "lodging.a + 1"),
            computed("lodging.c", "2 * lodging.c"),
        ),
        feeds,
    )
    assert len(told) == 2
    assert any("lodging.c -> lodging.c" in line for line in told)


def test_a_wrong_head_or_header(write: Write, feeds: Feeds) -> None:
    directory = write({"code": "lodging.a"})
    (directory / "lodging.csv").write_text("code,sector\nlodging.a,lodging\n", encoding="utf-8")
    assert "lodging.csv row 1: add these columns to the header: name_vi" in mistakes(directory, feeds)[0]
    (directory / "catalogue.toml").write_text("name_vi = 'x'\n", encoding="utf-8")
    assert "catalogue.toml" in mistakes(directory, feeds)[0]
    (directory / "catalogue.toml").unlink()
    assert "does not exist" in mistakes(directory, feeds)[0]


def test_the_catalogue_says_what_it_is(catalogue: Catalogue) -> None:
    assert "mô phỏng" in catalogue.statement_vi
    assert "1.298" in catalogue.statement_vi
    assert "not the province's own list" in catalogue.statement_en


def test_no_unit_and_no_owner_is_left_over(catalogue: Catalogue) -> None:
    indicators = catalogue.indicators.values()
    assert set(catalogue.units) == {indicator.unit for indicator in indicators}
    assert set(catalogue.owners) == {owner for indicator in indicators for owner in indicator.owners}


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"value": "nights"}, "value: 'nights' is not one of 'flow'"),
        ({"feed": "tourism.stay"}, "feed: must be report.value"),
        ({"cadence": "hourly"}, "cadence: must be the period of its reports"),
        ({"where": "TRUE"}, "where: must be empty"),
        ({"decimals": "4"}, "decimals: must lie between 0 and 3"),
    ],
)
def test_a_reported_row(write: Write, feeds: Mapping[str, Feed], wrong: dict[str, str], complaint: str) -> None:
    row = {"code": "lodging.a", "kind": "reported", "feed": "report.value", "value": "flow"}
    assert load_catalogue(write(row), feeds).indicators["lodging.a"].decimals == 3
    with pytest.raises(ConfigError) as caught:
        load_catalogue(write(row | wrong), feeds)
    assert complaint in str(caught.value)
