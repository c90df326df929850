"""Administrative units and how they nest on any date.

Codes are reused after reforms, so a unit is a row with a validity and an `area_id` of its own; code and date
together find it. Nothing assumes a number of levels: a leaf is whatever has no units below it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from ioc.table import Problems, Row, read_rows

LEVELS = ("country", "province", "district", "commune")
FOREVER = date.max
_COLUMNS = (
    "area_id",
    "code",
    "name_vi",
    "name_en",
    "level",
    "parent_id",
    "valid_from",
    "valid_to",
    "successor_id",
    "latitude",
    "longitude",
)


@dataclass(frozen=True)
class Area:
    """One unit in one validity.

    `valid_to` is exclusive, `FOREVER` while the unit exists. `successor_id` is the unit that took over its
    whole territory at `valid_to`, where one did.
    """

    area_id: int
    code: str
    name_vi: str
    name_en: str
    level: str
    parent_id: int | None
    valid_from: date
    valid_to: date = FOREVER
    latitude: float | None = None
    longitude: float | None = None
    successor_id: int | None = None

    def holds(self, on: date) -> bool:
        """Return whether the unit exists on a day."""
        return self.valid_from <= on < self.valid_to


class AreaTree:
    """All units of a profile over time."""

    def __init__(self, areas: Iterable[Area]) -> None:
        self._areas = {area.area_id: area for area in areas}
        self._by_code: defaultdict[str, list[Area]] = defaultdict(list)
        self._children: defaultdict[int, list[Area]] = defaultdict(list)
        for area in self._areas.values():
            self._by_code[area.code].append(area)
            if area.parent_id is not None:
                self._children[area.parent_id].append(area)

    def __len__(self) -> int:
        return len(self._areas)

    def __getitem__(self, area_id: int) -> Area:
        return self._areas[area_id]

    @property
    def areas(self) -> tuple[Area, ...]:
        """Every unit of every validity, in the file's order."""
        return tuple(self._areas.values())

    def at(self, on: date) -> tuple[Area, ...]:
        """Return the units that exist on a day."""
        return tuple(area for area in self._areas.values() if area.holds(on))

    def units(self, on: date, level: str) -> tuple[Area, ...]:
        """Return the units of one level that exist on a day."""
        return tuple(area for area in self.at(on) if area.level == level)

    def roots(self, on: date) -> tuple[Area, ...]:
        """Return the units of a day that have no parent."""
        return tuple(area for area in self.at(on) if area.parent_id is None)

    def find(self, code: str, on: date) -> Area | None:
        """Return the unit that has a code on a day."""
        return next((area for area in self._by_code.get(code, ()) if area.holds(on)), None)

    def is_leaf(self, area: Area) -> bool:
        """Return whether a unit has no units below it: a commune, or a district without communes."""
        return area.area_id not in self._children

    def leaf(self, code: str, on: date) -> Area | None:
        """Return the leaf that has a code on a day; None where the code is unknown or is not a leaf's."""
        area = self.find(code, on)
        return area if area is not None and self.is_leaf(area) else None

    def children(self, area_id: int, on: date | None = None) -> tuple[Area, ...]:
        """Return the units directly below one (on a day, or ever)."""
        below = self._children.get(area_id, ())
        return tuple(area for area in below if on is None or area.holds(on))

    def chain(self, area_id: int) -> tuple[int, ...]:
        """Return the ids from a unit (first) up to its root (last)."""
        chain = [area_id]
        while (parent_id := self._areas[chain[-1]].parent_id) is not None:
            chain.append(parent_id)
        return tuple(chain)

    def successor(self, area_id: int, on: date) -> Area | None:
        """Return the unit that holds a unit's whole territory on a day not before its own validity."""
        area = self._areas[area_id]
        while not area.holds(on):
            if area.successor_id is None or on < area.valid_from:
                return None
            area = self._areas[area.successor_id]
        return area

    def changes(self) -> tuple[date, ...]:
        """Return the days on which the tree changes, the first one included."""
        return tuple(sorted({a.valid_from for a in self.areas} | {a.valid_to for a in self.areas} - {FOREVER}))

    def leaves(self) -> tuple[Area, ...]:
        """Return the leaves of every validity."""
        return tuple(area for area in self.areas if self.is_leaf(area))

    def frame(self, *, leaves: bool = True) -> pl.DataFrame:
        """Return the leaves, or all units, as (code, area_id, valid_from, valid_to), for a join on code and day."""
        return pl.DataFrame(
            [
                (area.code, area.area_id, area.valid_from, area.valid_to)
                for area in (self.leaves() if leaves else self.areas)
            ],
            schema={"code": pl.String, "area_id": pl.Int32, "valid_from": pl.Date, "valid_to": pl.Date},
            orient="row",
        ).sort("code", "valid_from")

    def chains(self) -> pl.DataFrame:
        """Return (origin_id, area_id, level) for each unit and each unit of its chain, itself included."""
        return pl.DataFrame(
            [
                (origin.area_id, area_id, self._areas[area_id].level)
                for origin in self.areas
                for area_id in self.chain(origin.area_id)
            ],
            schema={"origin_id": pl.Int32, "area_id": pl.Int32, "level": pl.String},
            orient="row",
        )


def load_areas(path: Path) -> AreaTree:
    """Read `areas.csv`; an empty `valid_to` means that the unit exists now.

    Raises ConfigError naming row and column where units overlap, nest wrongly, or a day has no root.
    """
    problems = Problems()
    rows = [(row, _area(row)) for row in read_rows(path, _COLUMNS, problems)]
    problems.raise_if_any()
    by_id: dict[int, Area] = {}
    for row, area in rows:
        if area.area_id in by_id:
            row.complain(
                "area_id",
                f"{area.area_id} có hai dòng; số hiệu không dùng lại"
                f" · {area.area_id} is there twice; ids are never reused",
            )
        by_id[area.area_id] = area
    _check_codes(rows)
    for row, area in rows:
        _check_parent(row, area, by_id)
        _check_successor(row, area, by_id)
    problems.raise_if_any()
    tree = AreaTree(by_id.values())
    _check_roots(path, tree, problems)
    for row, area in rows:
        _check_territory(row, area, tree)
    problems.raise_if_any()
    return tree


def _area(row: Row) -> Area:
    row.required("area_id")
    row.required("valid_from")
    valid_from = row.day("valid_from") or date.min
    valid_to = row.day("valid_to") or FOREVER
    if valid_to <= valid_from:
        row.complain(
            "valid_to",
            "phải sau valid_from (là ngày đầu tiên đơn vị không còn)"
            " · must lie after valid_from (it is the first day that the unit no longer exists)",
        )
    return Area(
        area_id=row.integer("area_id") or 0,
        code=row.required("code"),
        name_vi=row.required("name_vi"),
        name_en=row.required("name_en"),
        level=row.choice("level", LEVELS),
        parent_id=row.integer("parent_id"),
        valid_from=valid_from,
        valid_to=valid_to,
        latitude=row.number_of("latitude"),
        longitude=row.number_of("longitude"),
        successor_id=row.integer("successor_id"),
    )


def _check_codes(rows: Sequence[tuple[Row, Area]]) -> None:
    earlier: defaultdict[str, list[Area]] = defaultdict(list)
    for row, area in rows:
        for other in earlier[area.code]:
            if area.valid_from < other.valid_to and other.valid_from < area.valid_to:
                row.complain(
                    "valid_from",
                    f"mã {area.code} trùng thời gian với đơn vị {other.area_id}; kết thúc một dòng trước dòng kia"
                    f" · code {area.code} overlaps area {other.area_id}; close one before the other",
                )
        earlier[area.code].append(area)


def _check_parent(row: Row, area: Area, by_id: dict[int, Area]) -> None:
    if area.parent_id is None:
        return
    parent = by_id.get(area.parent_id)
    if parent is None:
        row.complain("parent_id", f"không có dòng mang area_id {area.parent_id} · no row has area_id {area.parent_id}")
    elif LEVELS.index(parent.level) >= LEVELS.index(area.level):
        row.complain(
            "parent_id",
            f"{parent.name_vi} ({parent.level}) không thể chứa cấp {area.level}"
            f" · {parent.name_vi} ({parent.level}) cannot hold a {area.level}",
        )
    elif not (parent.valid_from <= area.valid_from and area.valid_to <= parent.valid_to):
        row.complain(
            "parent_id",
            f"{parent.name_vi} không tồn tại suốt thời gian; tách dòng theo ngày của cấp trên"
            f" · {parent.name_vi} does not exist all the while; split the row at the parent's dates",
        )


def _check_successor(row: Row, area: Area, by_id: dict[int, Area]) -> None:
    if area.successor_id is None:
        return
    successor = by_id.get(area.successor_id)
    if successor is None:
        row.complain(
            "successor_id", f"không có dòng mang area_id {area.successor_id} · no row has area_id {area.successor_id}"
        )
    elif not successor.holds(area.valid_to):
        row.complain(
            "successor_id",
            f"{successor.name_vi} không tồn tại ngày {area.valid_to}"
            f" · {successor.name_vi} does not exist on {area.valid_to}",
        )


def _check_territory(row: Row, area: Area, tree: AreaTree) -> None:
    """A row is one territory: what gains or loses land begins anew on that day."""
    if area.successor_id is None:
        return
    day, successor = area.valid_to, tree[area.successor_id]
    if successor.valid_from != day:
        row.complain(
            "successor_id",
            f"{successor.name_vi} thêm địa giới ngày {day}; lập dòng riêng từ ngày đó"
            f" · {successor.name_vi} gains land on {day}; give it a row of its own from that day",
        )
    before, after = tree.chain(area.area_id)[1:], tree.chain(successor.area_id)
    for above in map(tree.__getitem__, before):
        heir = above.area_id if above.holds(day) else above.successor_id
        if heir is not None and heir not in after:
            row.complain(
                "successor_id",
                f"ra khỏi {above.name_vi}, nơi mất địa giới ngày {day}; tách cả dòng đó"
                f" · leads out of {above.name_vi}, which loses land on {day}; split its row too",
            )
    for above in map(tree.__getitem__, after[1:]):
        if above.valid_from < day and above.area_id not in before:
            row.complain(
                "successor_id",
                f"vào {above.name_vi}, nơi thêm địa giới ngày {day}; tách cả dòng đó"
                f" · leads into {above.name_vi}, which gains land on {day}; split its row too",
            )


def _check_roots(path: Path, tree: AreaTree, problems: Problems) -> None:
    for day in tree.changes():
        roots = tree.roots(day)
        if len(roots) != 1:
            names = ", ".join(root.name_vi for root in roots) or "none"
            problems.add(
                path.name,
                f"ngày {day} phải có đúng một đơn vị không có cấp trên, đang có {len(roots)}"
                f" · on {day} there must be one unit without a parent, there are {len(roots)}: {names}",
            )
