"""Territories over time: the real reforms by hand, and made-up histories against the land that they were made from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ioc.settings import ROOT
from ioc.territory.area import FOREVER, Area, AreaTree, load_areas
from ioc.territory.crosswalk import Crosswalk, Territory

START = date(2020, 1, 1)
_TREE = load_areas(ROOT / "ioc" / "profiles" / "ba_ria_vung_tau" / "areas.csv")
_CROSSWALK = Crosswalk(_TREE)


def territory_of(code: str, on: str) -> Territory:
    """The territory of a unit of the real tree."""
    area = _TREE.find(code, date.fromisoformat(on))
    assert area is not None
    return _CROSSWALK.territory(area.area_id)


def told(area_ids: tuple[int, ...]) -> list[str]:
    """Units as `code from`."""
    return sorted(f"{_TREE[area_id].code} {_TREE[area_id].valid_from}" for area_id in area_ids)


# ------------------------------------------------------------------------------------------------- the real province
def test_a_ward_of_2025_is_the_wards_that_it_was_made_of() -> None:
    found = territory_of("26506", "2025-07-01")
    old = ["26506", "26508", "26509", "26512", "26515", "26518", "26521"]
    assert told(found.whole) == sorted([f"{code} 2000-01-01" for code in old] + ["26506 2025-07-01"])
    assert found.partly == ()
    assert found.same == (found.unit.area_id,)


def test_a_ward_that_merged_twice_is_followed_through_both_merges() -> None:
    """Phường Phước Hiệp went to Phước Trung on 2025-01-01, which went to Phường Bà Rịa on 2025-07-01."""
    assert told(territory_of("26560", "2025-07-01").whole) == [
        "26548 2000-01-01",
        "26551 2000-01-01",
        "26554 2000-01-01",
        "26557 2000-01-01",
        "26560 2000-01-01",
        "26560 2025-01-01",
        "26560 2025-07-01",
    ]


def test_what_a_merged_ward_counts_cannot_be_given_back_to_one_of_its_parts() -> None:
    found = territory_of("26508", "2024-10-01")
    assert told(found.whole) == ["26508 2000-01-01"]
    assert told(found.partly) == ["26506 2025-07-01"]


def test_an_old_district_is_known_after_its_end_where_each_new_ward_lies_in_it() -> None:
    found = territory_of("747", "2024-10-01")
    wards = ["26506", "26526", "26536", "26542", "26545"]
    assert told(found.whole) == sorted([f"{code} 2025-07-01" for code in wards] + ["747 2000-01-01"])
    assert found.partly == ()


def test_a_district_that_was_merged_is_known_by_its_communes_and_not_by_the_merged_district() -> None:
    found = territory_of("752", "2024-10-01")
    assert told(found.whole) == [
        "26659 2025-01-01",
        "26659 2025-07-01",
        "26662 2025-01-01",
        "26662 2025-07-01",
        "26668 2025-01-01",
        "26674 2025-01-01",
        "26677 2025-01-01",
        "752 2000-01-01",
    ]
    assert told(found.partly) == ["753 2025-01-01"]


@pytest.mark.parametrize(("code", "on"), [("77", "2024-10-01"), ("79", "2025-07-01")])
def test_the_province_has_one_territory_under_both_names(code: str, on: str) -> None:
    found = territory_of(code, on)
    assert (found.whole, found.partly, found.same) == ((771, 791), (), (771, 791))


def test_con_dao_is_the_same_as_a_district_and_as_a_special_zone() -> None:
    found = territory_of("26732", "2025-07-01")
    assert told(found.same) == told(found.whole) == ["26732 2025-07-01", "755 2000-01-01"]
    assert territory_of("755", "2024-10-01").same == found.same


def test_a_renamed_commune_is_the_same_through_its_rows() -> None:
    """Tân Hoà: a commune, a ward since 2025-03-01; Tân Hải took it over on 2025-07-01."""
    found = territory_of("26707", "2024-10-01")
    assert told(found.same) == told(found.whole) == ["26707 2000-01-01", "26707 2025-03-01"]
    assert told(found.partly) == ["26710 2025-07-01"]


def test_a_divided_commune_is_known_only_to_whom_it_lay_in_as_a_whole() -> None:
    """North and South came out of Old; South took Hill over as well, and East was not concerned.

    North can have come out of nothing but Old; of South nobody knows how much was Old and how much Hill.
    """
    day = date(2025, 1, 1)
    tree = AreaTree(
        [
            Area(1, "1", "", "", "province", None, START),
            Area(2, "2", "", "", "district", 1, START),
            Area(3, "3", "", "", "district", 1, START),
            Area(10, "10", "Old", "", "commune", 2, START, day),
            Area(11, "11", "Hill", "", "commune", 2, START, day, successor_id=21),
            Area(12, "12", "East", "", "commune", 3, START, day, successor_id=22),
            Area(20, "20", "North", "", "commune", 2, day),
            Area(21, "21", "South", "", "commune", 2, day),
            Area(22, "12", "East", "", "commune", 3, day),
        ]
    )
    found = Crosswalk(tree).territory
    assert (found(20).whole, found(20).partly) == ((20,), (10,))
    assert (found(21).whole, found(21).partly) == ((11, 21), (10,))
    assert (found(10).whole, found(10).partly) == ((10, 20), (21,))
    assert (found(11).whole, found(11).partly) == ((11,), (21,))
    assert (found(2).whole, found(2).partly) == ((2,), ())
    assert found(22).same == (12, 22)


# ------------------------------------------------------------------------------------------------- made-up histories
@dataclass
class History:
    """Units of a made-up province, and the fields (numbers) that the land of each leaf consists of."""

    areas: dict[int, Area]
    land: dict[int, frozenset[int]]
    day: date = START

    @cached_property
    def tree(self) -> AreaTree:
        return AreaTree(self.areas.values())

    def valid(self, level: str | None = None) -> list[Area]:
        """The units that exist now, by id."""
        return [area for area in self.areas.values() if area.valid_to == FOREVER and level in (None, area.level)]

    def leaves(self) -> list[Area]:
        """The leaves that exist now."""
        return [area for area in self.valid() if area.area_id in self.land]

    def begin(self, level: str, parent_id: int | None, land: frozenset[int] | None = None) -> int:
        """A new unit from today on."""
        area_id = len(self.areas) + 1
        self.areas[area_id] = Area(area_id, str(area_id), "", "", level, parent_id, self.day)
        if land is not None:
            self.land[area_id] = land
        return area_id

    def end(self, area_id: int, successor_id: int | None) -> None:
        """The last day of a unit was yesterday."""
        self.areas[area_id] = replace(self.areas[area_id], valid_to=self.day, successor_id=successor_id)

    def land_of(self, area_id: int) -> frozenset[int]:
        """The land of any unit: that of the leaves below it, on its first day."""
        area = self.areas[area_id]
        below = (leaf for leaf in self.land if area_id in self.tree.chain(leaf))
        return frozenset().union(*(self.land[leaf] for leaf in below if self.areas[leaf].holds(area.valid_from)))


@st.composite
def histories(draw: st.DrawFn, *, divisions: bool) -> History:
    """A province of some districts and communes, and a handful of reforms."""
    history = History({}, {})
    root = history.begin("province", None)
    fields = 0
    for _ in range(draw(st.integers(1, 3))):
        communes = draw(st.integers(0, 4))
        district = history.begin("district", root, None if communes else frozenset({fields, fields + 1}))
        for number in range(communes or 1):
            land = frozenset({fields + 2 * number, fields + 2 * number + 1})
            if communes:
                history.begin("commune", district, land)
        fields += 2 * (communes or 1)
    reforms = [_merge_communes, _rename, _merge_districts, _abolish_districts, *([_divide] if divisions else [])]
    for _ in range(draw(st.integers(1, 4))):
        history.day += timedelta(days=draw(st.integers(1, 400)))
        draw(st.sampled_from(reforms))(history, draw)
    return history


def _merge_communes(history: History, draw: st.DrawFn) -> None:
    siblings = [a for a in history.leaves() if a.level == "commune"]
    if not siblings:
        return
    parent_id = draw(st.sampled_from(siblings)).parent_id
    siblings = [a for a in siblings if a.parent_id == parent_id]
    chosen = draw(st.lists(st.sampled_from(siblings), min_size=1, unique_by=lambda a: a.area_id))
    land = frozenset[int]().union(*(history.land[a.area_id] for a in chosen))
    heir = history.begin("commune", parent_id, land)
    for area in chosen:
        history.end(area.area_id, heir)


def _rename(history: History, draw: st.DrawFn) -> None:
    area = draw(st.sampled_from(history.leaves()))
    history.end(area.area_id, history.begin(area.level, area.parent_id, history.land[area.area_id]))


def _move(history: History, area: Area, parent_id: int, level: str) -> None:
    history.end(area.area_id, history.begin(level, parent_id, history.land[area.area_id]))


def _merge_districts(history: History, draw: st.DrawFn) -> None:
    parents = [a for a in history.valid("district") if a.area_id not in history.land]
    if len(parents) < 2:
        return
    chosen = draw(st.lists(st.sampled_from(parents), min_size=2, max_size=2, unique_by=lambda a: a.area_id))
    heir = history.begin("district", chosen[0].parent_id)
    for district in chosen:
        for area in [a for a in history.valid() if a.parent_id == district.area_id]:
            _move(history, area, heir, area.level)
        history.end(district.area_id, heir)


def _abolish_districts(history: History, draw: st.DrawFn) -> None:
    """As on 2025-07-01: a new province, every commune right below it; some merge on that very day."""
    (old,) = history.valid("province")
    root = history.begin("province", None)
    history.end(old.area_id, root)
    leaves = history.leaves()
    merged = draw(st.booleans()) and len(leaves) > 1
    if merged:
        heir = history.begin("commune", root, history.land[leaves[0].area_id] | history.land[leaves[1].area_id])
        for area in leaves[:2]:
            history.end(area.area_id, heir)
    for area in leaves[2 if merged else 0 :]:
        _move(history, area, root, "commune")
    for district in history.valid("district"):
        history.end(district.area_id, None)


def _divide(history: History, draw: st.DrawFn) -> None:
    """A commune becomes two, of which one may take in a neighbour; who got what stands nowhere."""
    communes = [a for a in history.leaves() if a.level == "commune" and len(history.land[a.area_id]) > 1]
    if not communes:
        return
    area = draw(st.sampled_from(communes))
    fields = sorted(history.land[area.area_id])
    at = draw(st.integers(1, len(fields) - 1))
    neighbours = [a for a in history.leaves() if a.parent_id == area.parent_id and a.area_id != area.area_id]
    joining = neighbours[: draw(st.integers(0, 1))]
    taken = frozenset[int]().union(*(history.land[a.area_id] for a in joining))
    history.begin("commune", area.parent_id, frozenset(fields[:at]))
    second = history.begin("commune", area.parent_id, frozenset(fields[at:]) | taken)
    history.end(area.area_id, None)
    for neighbour in joining:
        history.end(neighbour.area_id, second)


def below(history: History, area_ids: tuple[int, ...]) -> list[int]:
    """The leaves below units, themselves included."""
    return [leaf for area_id in area_ids for leaf in history.land if area_id in history.tree.chain(leaf)]


@settings(max_examples=150, deadline=None)
@given(histories(divisions=True))
def test_what_is_said_of_a_territory_is_true_of_the_land(history: History) -> None:
    crosswalk = Crosswalk(history.tree)
    for area_id in history.areas:
        own = history.land_of(area_id)
        found = crosswalk.territory(area_id)
        inside = below(history, found.whole)
        assert len(inside) == len(set(inside)), "a leaf counts once"
        for leaf, land in history.land.items():
            if leaf in inside:
                assert land <= own
            elif leaf not in found.partly:
                assert not land & own
        assert all(history.land_of(other) == own for other in found.same)


@settings(max_examples=150, deadline=None)
@given(histories(divisions=False))
def test_where_nothing_was_divided_everything_is_known(history: History) -> None:
    crosswalk = Crosswalk(history.tree)
    for area_id in history.areas:
        own = history.land_of(area_id)
        found = crosswalk.territory(area_id)
        assert set(below(history, found.whole)) == {leaf for leaf, land in history.land.items() if land <= own}
        leaves = {leaf for leaf in found.partly if leaf in history.land}
        assert leaves == {leaf for leaf, land in history.land.items() if land & own and not land <= own}


@settings(max_examples=150, deadline=None)
@given(histories(divisions=True), st.data())
def test_the_province_is_conserved_in_the_units_of_every_date(history: History, data: st.DataObject) -> None:
    """What the units of a date know, and what only lies partly in them, each once, is what the province has counted."""
    counted = {leaf: data.draw(st.integers(-5, 50)) for leaf in history.land}
    total = sum(counted.values())
    tree = history.tree
    crosswalk = Crosswalk(tree)
    for day in tree.changes():
        for level in ("province", "district", "commune"):
            units = tree.units(day, level)
            beside = [
                a for a in tree.at(day) if tree.is_leaf(a) and not {u.area_id for u in units} & {*tree.chain(a.area_id)}
            ]
            found = [crosswalk.territory(unit.area_id) for unit in (*units, *beside)]
            known = [leaf for one in found for leaf in below(history, one.whole)]
            unknown = {leaf for one in found for leaf in one.partly if leaf in history.land}
            assert len(known) == len(set(known)), "nothing is counted twice"
            assert not unknown & set(known)
            assert unknown | set(known) == set(history.land), "nothing is lost"
            assert sum(counted[leaf] for leaf in (*known, *unknown)) == total
            if level == "province":
                assert not unknown
