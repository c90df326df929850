"""Who is expected to report: establishments, sellers and their shops, agencies that keep registers.

A profile's `reporters_*.csv` hold them. Columns beside the fixed ones are attributes; a feed takes those it
names in `enrich`, and the registers publish those that `registry.reporter` has a column for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import polars as pl

from ioc.feeds.feed import Feed
from ioc.table import Problems, Row, read_rows
from ioc.territory.area import FOREVER, AreaTree

REGISTER_FEED = "registry.reporter"
Attribute = str | int | float
_COLUMNS = ("feeds", "registers", "code", "name", "area_code", "valid_from", "valid_to")
_CODE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}")


@dataclass(frozen=True)
class Reporter:
    """One reporter of one feed; who reports to two feeds is two of them.

    `registers` are the registers that hold it as a place (its rooms and its number are stocks);
    `valid_from` is the day it opened, `valid_to` (exclusive) the day it closed.
    """

    feed: str
    code: str
    name: str
    area_code: str
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    valid_from: date = date(2000, 1, 1)
    valid_to: date = FOREVER
    registers: tuple[str, ...] = ()


def over_time(reporters: Iterable[Reporter], areas: AreaTree) -> Iterator[Reporter]:
    """Yield each reporter for each unit in which it has lain: a register is not written anew with every reform.

    `area_code` is the unit's of that time, `valid_from` and `valid_to` say how long. Where a unit was divided, nobody
    knows in which part the reporter lies: from then on it has no unit, until the register names one.
    """
    for reporter in reporters:
        area = areas.find(reporter.area_code, reporter.valid_from)
        while area is not None and area.valid_from < reporter.valid_to:
            yield replace(
                reporter,
                area_code=area.code,
                valid_from=max(reporter.valid_from, area.valid_from),
                valid_to=min(reporter.valid_to, area.valid_to),
            )
            area = areas[area.successor_id] if area.successor_id is not None else None


def load_reporters(
    directory: Path, feeds: Mapping[str, Feed], areas: AreaTree, registers: Mapping[str, str]
) -> tuple[Reporter, ...]:
    """Read every `reporters_*.csv` of a directory, by file and row.

    Raises ConfigError naming file, row and column for an unknown feed, register, area, or a code given twice.
    """
    problems = Problems()
    types = _attribute_types(feeds)
    reporters: list[Reporter] = []
    seen: dict[tuple[str, str], str] = {}
    for path in sorted(directory.glob("reporters_*.csv")):
        for row in read_rows(path, _COLUMNS, problems, extra=True):
            for reporter in _reporters(row, feeds, areas, registers, types):
                first = seen.setdefault((reporter.feed, reporter.code), row.at("code"))
                if first != row.at("code"):
                    row.complain(
                        "code",
                        f"{reporter.code} đã báo cáo {reporter.feed} ở dòng khác"
                        f" · {reporter.code} reports {reporter.feed} already at {first}",
                    )
                reporters.append(reporter)
    problems.raise_if_any()
    return tuple(reporters)


def _attribute_types(feeds: Mapping[str, Feed]) -> dict[str, pl.DataType]:
    types = {name: dtype for feed in feeds.values() for name, dtype in feed.enrich.values()}
    if REGISTER_FEED in feeds:
        types |= {column.name: column.dtype for column in feeds[REGISTER_FEED].model_columns}
    return types


def _reporters(
    row: Row,
    feeds: Mapping[str, Feed],
    areas: AreaTree,
    registers: Mapping[str, str],
    types: Mapping[str, pl.DataType],
) -> list[Reporter]:
    code = row.required("code")
    if code and not _CODE.fullmatch(code):
        row.complain(
            "code",
            f"mã {code!r} chỉ gồm chữ, số và . _ -, tối đa 64 ký tự"
            f" · {code!r} may hold letters, digits and . _ - only, at most 64",
        )
    keys = row.words("feeds", tuple(feeds))
    if not keys:
        row.complain("feeds", f"còn trống; ghi một hay nhiều nguồn · is empty; name one or more of {', '.join(feeds)}")
    valid_from = row.day("valid_from") or Reporter.valid_from
    area_code = row.required("area_code")
    if area_code and areas.find(area_code, valid_from) is None:
        row.complain(
            "area_code",
            f"ngày {valid_from} không có đơn vị mang mã {area_code!r}; xem areas.csv"
            f" · no unit bears {area_code!r} on {valid_from}; see areas.csv",
        )
    member_of = row.words("registers", tuple(registers))
    if member_of and area_code and areas.leaf(area_code, valid_from) is None:
        row.complain(
            "area_code",
            f"{area_code} còn cấp dưới; cơ sở phải ở cấp thấp nhất"
            f" · {area_code} has units below it; a place lies in the lowest one",
        )
    attributes: dict[str, Attribute] = {}
    for name in row.values:
        if name not in _COLUMNS and row.text(name):
            value = row.integer(name) if types.get(name) == pl.Int64() else row.text(name)
            if value is not None:
                attributes[name] = value
    return [
        Reporter(
            feed=key,
            code=code,
            name=row.required("name"),
            area_code=area_code,
            attributes=attributes,
            valid_from=valid_from,
            valid_to=row.day("valid_to") or FOREVER,
            registers=member_of,
        )
        for key in keys
        if key in feeds
    ]
