"""Areas: the real tree at its dates of change, and what the loader refuses."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ioc.errors import ConfigError
from ioc.settings import ROOT
from ioc.territory.area import FOREVER, AreaTree, load_areas

AREAS = ROOT / "ioc" / "profiles" / "ba_ria_vung_tau" / "areas.csv"
HEADER = (
    "area_id,code,name_vi,name_en,level,parent_id,valid_from,valid_to,successor_id,latitude,longitude\n"
    "1,77,Tỉnh,Province,province,,2024-01-01,,,,\n"
)


_TREE = load_areas(AREAS)


@pytest.fixture
def tree() -> AreaTree:
    return _TREE


@pytest.mark.parametrize(
    ("on", "root", "districts", "communes", "leaves"),
    [
        (date(2024, 1, 1), "77", 8, 82, 83),
        (date(2024, 12, 31), "77", 8, 82, 83),
        (date(2025, 1, 1), "77", 7, 77, 78),
        (date(2025, 6, 30), "77", 7, 77, 78),
        (date(2025, 7, 1), "79", 0, 30, 30),
    ],
)
def test_the_tree_at_its_dates(
    tree: AreaTree, on: date, *, root: str, districts: int, communes: int, leaves: int
) -> None:
    assert [area.code for area in tree.roots(on)] == [root]
    assert len(tree.units(on, "district")) == districts
    assert len(tree.units(on, "commune")) == communes
    assert sum(tree.is_leaf(area) for area in tree.at(on)) == leaves


def test_con_dao_is_its_own_leaf(tree: AreaTree) -> None:
    leaf = tree.leaf("755", date(2024, 10, 1))
    assert leaf is not None
    assert [tree[area_id].code for area_id in tree.chain(leaf.area_id)] == ["755", "77"]
    assert tree.leaf("747", date(2024, 10, 1)) is None


def test_a_code_means_another_unit_after_a_reform(tree: AreaTree) -> None:
    before, after = (tree.leaf("26506", on) for on in (date(2025, 6, 30), date(2025, 7, 1)))
    assert before is not None
    assert after is not None
    assert (before.name_vi, after.name_vi) == ("Phường 1", "Phường Vũng Tàu")
    assert before.area_id != after.area_id


def test_the_merges_of_2025(tree: AreaTree) -> None:
    def name(code: str, on: date) -> str | None:
        area = tree.find(code, on)
        return area and area.name_vi

    assert name("26551", date(2025, 1, 1)) is None
    assert name("753", date(2025, 1, 1)) == "Huyện Long Đất"
    assert name("26608", date(2025, 1, 1)) == "Thị trấn Kim Long"
    assert name("754", date(2025, 2, 28)) == "Thị xã Phú Mỹ"
    assert name("754", date(2025, 3, 1)) == "Thành phố Phú Mỹ"
    assert name("26707", date(2025, 3, 1)) == "Phường Tân Hoà"


def test_the_communes_of_each_district_of_2024(tree: AreaTree) -> None:
    on = date(2024, 10, 1)
    communes = {area.code: len(tree.children(area.area_id, on)) for area in tree.units(on, "district")}
    assert communes == {"747": 17, "748": 11, "750": 16, "751": 13, "752": 7, "753": 8, "754": 10, "755": 0}


def test_what_each_unit_of_july_2025_was_made_of(tree: AreaTree) -> None:
    """How many of the 82 communes and Côn Đảo each new unit took over."""
    before, after = date(2024, 10, 1), date(2025, 7, 1)
    made: Counter[str] = Counter()
    for area in tree.at(before):
        if tree.is_leaf(area):
            successor = tree.successor(area.area_id, after)
            assert successor is not None, area.name_vi
            made[successor.name_vi] += 1
    assert made == {
        "Phường Vũng Tàu": 7,
        "Phường Tam Thắng": 4,
        "Phường Rạch Dừa": 3,
        "Phường Phước Thắng": 2,
        "Xã Long Sơn": 1,
        "Phường Bà Rịa": 5,
        "Phường Long Hương": 3,
        "Phường Tam Long": 3,
        "Xã Ngãi Giao": 3,
        "Xã Xuân Sơn": 3,
        "Xã Bình Giã": 3,
        "Xã Châu Đức": 2,
        "Xã Kim Long": 3,
        "Xã Nghĩa Thành": 2,
        "Xã Hồ Tràm": 3,
        "Xã Xuyên Mộc": 3,
        "Xã Bàu Lâm": 2,
        "Xã Hòa Hội": 3,
        "Xã Hòa Hiệp": 1,
        "Xã Bình Châu": 1,
        "Xã Long Điền": 4,
        "Xã Long Hải": 3,
        "Xã Đất Đỏ": 4,
        "Xã Phước Hải": 4,
        "Phường Phú Mỹ": 2,
        "Phường Tân Hải": 2,
        "Phường Tân Phước": 2,
        "Phường Tân Thành": 2,
        "Xã Châu Pha": 2,
        "Đặc khu Côn Đảo": 1,
    }


@pytest.mark.parametrize(
    ("code", "names"),
    [
        (
            "26551",
            ["Phường Phước Hiệp, 748", "Phường Phước Trung, 748", "Phường Phước Trung, 748", "Phường Bà Rịa, 79"],
        ),
        ("26665", ["Xã An Ngãi, 752", "Xã Tam An, 753", "Xã Tam An, 753", "Xã Long Điền, 79"]),
        (
            "26692",
            ["Thị trấn Phước Hải, 753", "Thị trấn Phước Hải, 753", "Thị trấn Phước Hải, 753", "Xã Phước Hải, 79"],
        ),
        ("26707", ["Xã Tân Hoà, 754", "Xã Tân Hoà, 754", "Phường Tân Hoà, 754", "Phường Tân Hải, 79"]),
        ("26608", ["Xã Kim Long, 750", "Thị trấn Kim Long, 750", "Thị trấn Kim Long, 750", "Xã Kim Long, 79"]),
        ("755", ["Huyện Côn Đảo, 77", "Huyện Côn Đảo, 77", "Huyện Côn Đảo, 77", "Đặc khu Côn Đảo, 79"]),
    ],
)
def test_what_became_of_a_unit(tree: AreaTree, code: str, names: list[str]) -> None:
    """A unit of 2024 with the code above it, then whoever held its land after each reform."""
    area = tree.find(code, date(2024, 10, 1))
    assert area is not None
    found = []
    for day in (date(2024, 10, 1), date(2025, 1, 1), date(2025, 3, 1), date(2025, 7, 1)):
        holder = tree.successor(area.area_id, day)
        assert holder is not None
        assert holder.parent_id is not None
        found.append(f"{holder.name_vi}, {tree[holder.parent_id].code}")
    assert found == names


@given(st.dates(date(2024, 1, 1), date(2035, 1, 1)))
def test_every_leaf_reaches_the_one_root(on: date) -> None:
    tree = _TREE
    (root,) = tree.roots(on)
    for area in tree.at(on):
        chain = tree.chain(area.area_id)
        assert chain[-1] == root.area_id
        assert all(tree[area_id].holds(on) for area_id in chain)


@given(st.dates(date(2024, 1, 1), date(2027, 1, 1)), st.dates(date(2024, 1, 1), date(2027, 1, 1)))
def test_successors_conserve_the_province(first: date, second: date) -> None:
    first, later = sorted((first, second))
    taken_over = {_TREE.successor(area.area_id, later) for area in _TREE.at(first) if _TREE.is_leaf(area)}
    assert taken_over == {area for area in _TREE.at(later) if _TREE.is_leaf(area)}


def test_there_is_no_way_back_in_time(tree: AreaTree) -> None:
    ward = tree.leaf("26506", date(2025, 7, 1))
    assert ward is not None
    assert tree.successor(ward.area_id, date(2024, 10, 1)) is None


def test_frames_say_the_same_as_the_tree(tree: AreaTree) -> None:
    frame = tree.frame()
    for code, area_id, valid_from, valid_to in frame.iter_rows():
        leaf = tree.leaf(code, valid_from)
        assert leaf is not None
        assert (leaf.area_id, leaf.valid_to) == (area_id, valid_to)
    assert frame["valid_to"].max() == FOREVER
    assert tree.frame(leaves=False).height == len(tree)
    pairs = {(origin_id, area_id) for origin_id, area_id, _ in tree.chains().iter_rows()}
    assert pairs == {(origin.area_id, up) for origin in tree.areas for up in tree.chain(origin.area_id)}


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("2,747,A,A,district,9,2024-01-01,,,,", "row 3 column parent_id: no row has area_id 9"),
        ("1,747,A,A,district,1,2024-01-01,,,,", "row 3 column area_id: 1 is there twice"),
        ("2,77,A,A,district,1,2024-05-01,,,,", "row 3 column valid_from: code 77 overlaps area 1"),
        ("2,747,A,A,district,1,2023-01-01,,,,", "row 3 column parent_id: Tỉnh does not exist all the while"),
        ("2,747,A,A,province,1,2024-01-01,,,,", "row 3 column parent_id: Tỉnh (province) cannot hold"),
        ("2,747,A,A,region,1,2024-01-01,,,,", "row 3 column level: 'region' is not one of"),
        ("2,747,A,A,district,1,2024-13-01,,,,", "row 3 column valid_from: '2024-13-01' is not a date"),
        ("2,747,A,A,district,1,2024-02-01,2024-02-01,,,", "row 3 column valid_to: must lie after valid_from"),
        ("2,747,,A,district,1,2024-01-01,,,,", "row 3 column name_vi: is empty"),
        ("2,747,A,A,district,1,2024-01-01,,8,,", "row 3 column successor_id: no row has area_id 8"),
        ("2,747,A,A,district,1,2024-01-01,,,north,", "row 3 column latitude: 'north' is not a number"),
        ("2,747,A,A,district,1,2024-01-01,,", "row 3: has 9 cells, the header 11"),
        (
            "2,79,A,A,province,,2025-01-01,,,,",
            "on 2025-01-01 there must be one unit without a parent, there are 2",
        ),
    ],
)
def test_what_is_wrong_is_said_with_row_and_column(tmp_path: Path, row: str, complaint: str) -> None:
    path = tmp_path / "areas.csv"
    path.write_text(HEADER + row + "\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_areas(path)
    assert f"areas.csv {complaint}" in str(caught.value) or f"areas.csv: {complaint}" in str(caught.value)


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        (
            "2,1,Lớn,A,commune,1,2024-01-01,,,,\n3,2,Nhỏ,B,commune,1,2024-01-01,2025-01-01,2,,\n",
            "row 4 column successor_id: Lớn gains land on 2025-01-01; give it a row of its own from that day",
        ),
        (
            "2,1,Đông,A,district,1,2024-01-01,,,,\n3,2,Tây,B,district,1,2024-01-01,,,,\n"
            "4,3,Xã,C,commune,2,2024-01-01,2025-01-01,5,,\n5,3,Xã,C,commune,3,2025-01-01,,,,\n",
            "row 5 column successor_id: leads out of Đông, which loses land on 2025-01-01; split its row too\n"
            "areas.csv dòng 5 cột successor_id: vào Tây, nơi thêm địa giới ngày 2025-01-01; tách cả dòng đó · "
            "areas.csv row 5 column successor_id: leads into Tây, which gains land on 2025-01-01; split its row too",
        ),
        (
            "2,1,Đông,A,district,1,2024-01-01,2025-01-01,3,,\n3,1,Tây,B,district,1,2025-01-01,,,,\n"
            "6,2,Bắc,B,district,1,2025-01-01,,,,\n"
            "4,3,Xã,C,commune,2,2024-01-01,2025-01-01,5,,\n5,3,Xã,C,commune,6,2025-01-01,,,,\n",
            "row 6 column successor_id: leads out of Đông, which loses land",
        ),
    ],
)
def test_a_row_stands_for_one_territory(tmp_path: Path, rows: str, complaint: str) -> None:
    path = tmp_path / "areas.csv"
    path.write_text(HEADER + rows, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_areas(path)
    assert complaint in str(caught.value)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "areas.csv"
    path.write_text(HEADER + "x,747,,A,district,1,,,,,\n2,748,B,B,ward,1,2024-01-01,,,,\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_areas(path)
    assert [line.partition(" · ")[2].partition(":")[0] for line in str(caught.value).splitlines()] == [
        "areas.csv row 3 column valid_from",
        "areas.csv row 3 column area_id",
        "areas.csv row 3 column name_vi",
        "areas.csv row 4 column level",
    ]


def test_a_missing_file_and_a_wrong_header(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        load_areas(tmp_path / "areas.csv")
    (tmp_path / "areas.csv").write_text("area_id,code\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="add these columns to the header: name_vi"):
        load_areas(tmp_path / "areas.csv")
    (tmp_path / "areas.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="is not UTF-8"):
        load_areas(tmp_path / "areas.csv")
