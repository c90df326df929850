"""Where records count before and after a reform, on the profile's own reforms and on made-up ones."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ioc.province.profile import load_profile
from ioc.province.reporter import Reporter, over_time
from ioc.settings import Settings
from ioc.territory.area import FOREVER, Area, AreaTree
from ioc.territory.placement import ALWAYS, carry_overs, placements, takeovers, unit_on

BEFORE, REFORM, AFTER = date(2025, 6, 28), date(2025, 7, 1), date(2025, 8, 5)


@pytest.fixture(scope="module")
def tree() -> AreaTree:
    return load_profile(Settings().profile).areas


# Thắng Tam (26508) and six more became Vũng Tàu (26506); Phước Hiệp (26551) joined Phước Trung (26560) in January.
EXAMPLES = [
    ("26508", BEFORE, BEFORE, "26508"),
    ("26508", BEFORE, AFTER, "26506"),
    ("26508", BEFORE, date(1999, 1, 1), "26508"),  # before all areas: as it was at their beginning
    ("26551", date(2024, 5, 1), date(2025, 2, 1), "26560"),
    ("26551", date(2024, 5, 1), AFTER, "26560"),
    # What is known of a new ward's past is the district that held all of it.
    ("26506", AFTER, BEFORE, "747"),
    ("26560", date(2025, 2, 1), date(2024, 5, 1), "748"),
    ("26732", AFTER, BEFORE, "755"),  # Côn Đảo: a special zone now, a district without communes before
    ("77", BEFORE, AFTER, "79"),
    ("79", AFTER, BEFORE, "77"),
    ("747", BEFORE, AFTER, "747"),  # districts ended, and nothing took over
]


@pytest.mark.parametrize(("code", "known", "day", "place"), EXAMPLES)
def test_where_a_record_counts(tree: AreaTree, code: str, known: date, day: date, place: str) -> None:
    area = tree.find(code, known)
    assert area is not None
    assert tree[unit_on(tree, area.area_id, day)].code == place


def test_what_stood_in_a_ward_stands_in_all_that_hold_its_ground(tree: AreaTree) -> None:
    ward = tree.find("26508", BEFORE)
    assert ward is not None
    found = {
        (tree[carried.area_id].code, carried.since)
        for carried in carry_overs(tree)
        if carried.origin_id == ward.area_id
    }
    assert found == {("26508", ALWAYS), ("747", ALWAYS), ("77", ALWAYS), ("26506", REFORM), ("79", REFORM)}


def test_whose_reports_replace_those_of_an_ended_unit(tree: AreaTree) -> None:
    def replaced_by(code: str) -> set[tuple[str, date]]:
        unit = tree.find(code, BEFORE)
        assert unit is not None
        return {(tree[one.area_id].code, one.since) for one in takeovers(tree) if one.origin_id == unit.area_id}

    assert replaced_by("26508") == {("26506", REFORM), ("79", REFORM)}  # the ward that it went into, and the province
    district = replaced_by("747")  # it was divided: those that its wards went into
    assert {("26506", REFORM), ("79", REFORM)} < district
    assert ("26560", REFORM) not in district  # of another district
    assert replaced_by("77") == {("79", REFORM)}
    assert not [one for one in takeovers(tree) if tree[one.origin_id].valid_to == FOREVER]


def test_a_reporter_goes_on_in_the_ward_that_took_over(tree: AreaTree) -> None:
    reporter = Reporter("tourism.stay", "77-747-0001", "x", "26508", valid_to=date(2026, 1, 1))
    assert [(one.area_code, one.valid_from, one.valid_to) for one in over_time([reporter], tree)] == [
        ("26508", date(2000, 1, 1), REFORM),
        ("26506", REFORM, date(2026, 1, 1)),
    ]
    late = Reporter("tourism.stay", "77-747-0002", "x", "26506", valid_from=AFTER)
    assert [(one.area_code, one.valid_from) for one in over_time([late], tree)] == [("26506", AFTER)]


def test_every_reporter_of_the_profile_has_a_unit_after_the_reforms(tree: AreaTree) -> None:
    reporters = load_profile(Settings().profile).reporters
    located = {(one.feed, one.code) for one in over_time(reporters, tree) if one.valid_from <= AFTER < one.valid_to}
    lost = {(r.feed, r.code, r.area_code) for r in reporters if r.valid_to > AFTER} - {
        (feed, code, area) for feed, code in located for area in {r.area_code for r in reporters if r.code == code}
    }
    # Only a district's own agencies ended with it.
    assert {area for _, _, area in lost} <= {area.code for area in tree.areas if area.level == "district"}


FIRST = date(2020, 1, 1)


@st.composite
def histories(draw: st.DrawFn) -> AreaTree:
    """A province whose leaves merge, or are renamed, on a few days; some end without a successor."""
    areas = {1: Area(1, "P", "P", "P", "province", None, FIRST)}
    valid = list(range(2, 2 + draw(st.integers(2, 5))))
    areas |= {leaf: Area(leaf, f"L{leaf}", "x", "x", "commune", 1, FIRST) for leaf in valid}
    for step in range(1, draw(st.integers(1, 3)) + 1):
        day = FIRST + timedelta(days=100 * step)
        merged = draw(st.lists(st.sampled_from(valid), min_size=1, unique=True))
        new = max(areas) + 1
        divided = draw(st.booleans())
        for leaf in merged:
            old = areas[leaf]
            areas[leaf] = Area(
                leaf, old.code, "x", "x", "commune", 1, old.valid_from, day, successor_id=None if divided else new
            )
        areas[new] = Area(new, f"L{new}", "x", "x", "commune", 1, day)
        valid = [leaf for leaf in valid if leaf not in merged] + [new]
    return AreaTree(areas.values())


@given(tree=histories())
def test_every_unit_has_one_place_at_any_time(tree: AreaTree) -> None:
    for area in tree.areas:
        own = [place for place in placements(tree) if place.area_id == area.area_id]
        assert own[0].since == ALWAYS and own[-1].until == FOREVER
        assert [place.until for place in own[:-1]] == [place.since for place in own[1:]]
        (here,) = (place for place in own if place.since <= area.valid_from < place.until)
        assert here.unit_id == area.area_id


@given(tree=histories())
def test_nothing_stands_twice_and_nothing_is_lost(tree: AreaTree) -> None:
    """On any day the leaves of that day hold what was counted in a leaf at most once; the province always does."""
    found = carry_overs(tree)
    for day in (*tree.changes(), FOREVER - timedelta(days=1)):
        for origin in tree.leaves():
            if origin.valid_from > day:
                continue
            there = [s.area_id for s in found if s.origin_id == origin.area_id and s.since <= day]
            assert there.count(1) == 1
            leaves = [area_id for area_id in there if tree[area_id].holds(day) and area_id != 1]
            assert len(leaves) <= 1
            if origin.holds(day) or origin.successor_id is not None:
                last = unit_on(tree, origin.area_id, day)
                assert leaves == ([last] if tree[last].holds(day) else [])
