"""Reading one row of the catalogue: each cell by itself, and the cells against each other and the feed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from ioc.catalogue.domain import LARGEST, Domain, domains_of
from ioc.catalogue.expression import Expression, parse_expression, schema_of
from ioc.catalogue.expression_type import NUMERIC, Type
from ioc.catalogue.indicator import (
    CADENCES,
    DIRECTIONS,
    KINDS,
    LEVELS,
    REPORT_FEED,
    REPORT_PERIODS,
    REPORTED,
    Indicator,
    Target,
    is_code,
)
from ioc.errors import ConfigError
from ioc.feeds.bounds import SUMMED
from ioc.feeds.feed import Feed
from ioc.table import Row

EFFECTIVE_ON = "effective_on"
MAX_DECIMALS = 6
REPORTED_DECIMALS = 3
_TARGET = re.compile(r"(>=|<=) ?(-?[0-9]{1,15}(?:\.[0-9]{1,15})?)")
_RECORD_COLUMNS = ("feed", "value", "where", "at", "until", "decimals")


@dataclass(frozen=True)
class _CountRule:
    """How records count, in canonical form; empty for a formula."""

    feed: str = ""
    value: str = ""
    where: str = ""
    at: str = ""
    until: str = ""
    decimals: int = 0


class RowReader:
    """Turns rows into indicators; what is wrong with a row is noted there."""

    def __init__(self, feeds: Mapping[str, Feed], units: Mapping[str, str], owners: Mapping[str, str]) -> None:
        self._feeds = feeds
        self._schemas = {key: schema_of(feed) for key, feed in feeds.items()}
        self._domains = {key: domains_of(feed) for key, feed in feeds.items()}
        self._units = units
        self._owners = owners

    def read(self, row: Row, sector: str) -> Indicator:
        """Return the row's indicator; a wrong cell is complained about and left empty."""
        _check_code(row, sector)
        _check_breakdown(row)
        kind = row.choice("kind", KINDS)
        count = self._count(row, kind)
        return Indicator(
            code=row.text("code"),
            sector=sector,
            name_vi=row.required("name_vi"),
            name_en=row.required("name_en"),
            unit=self._unit(row),
            kind=kind,
            feed=count.feed,
            value=count.value,
            where=count.where,
            at=count.at,
            until=count.until,
            formula=row.text("formula"),
            decimals=count.decimals,
            cadence=row.choice("cadence", CADENCES),
            direction=row.choice("direction", DIRECTIONS),
            target=read_target(row),
            levels=_several(row, "levels", LEVELS),
            owners=self._responsible(row),
            basis=row.required("basis"),
            breakdown=row.text("breakdown"),
            breakdown_value=row.text("breakdown_value"),
            definition=dict(row.values),
        )

    def _unit(self, row: Row) -> str:
        unit = row.required("unit")
        if unit and unit not in self._units:
            row.complain(
                "unit",
                f"{unit!r} không có trong units.csv; dùng đơn vị đã có hoặc thêm vào đó"
                f" · {unit!r} is not in units.csv; use one that is, or add it there",
            )
        return unit

    def _responsible(self, row: Row) -> tuple[str, ...]:
        owners = tuple(name.strip() for name in row.required("owner").split(";") if name.strip())
        for name in owners:
            if name not in self._owners:
                row.complain(
                    "owner",
                    f"{name!r} không có trong owners.csv; dùng cơ quan đã có hoặc thêm vào đó"
                    f" · {name!r} is not in owners.csv; use one that is, or add it there",
                )
        return owners

    def _count(self, row: Row, kind: str) -> _CountRule:
        if kind == "reported":
            return _reported(row)
        if row.text("formula"):
            for column in _RECORD_COLUMNS:
                if row.text(column):
                    row.complain(
                        column,
                        "phải để trống khi có công thức"
                        " · must be empty beside a formula; the feeds follow from its codes",
                    )
            if kind == "distinct":
                row.complain(
                    "formula",
                    "đếm riêng không tính bằng công thức; ghi feed và value"
                    " · members are counted, not computed; give feed and value instead",
                )
            return _CountRule()
        key = row.text("feed")
        if key not in self._feeds:
            known = ", ".join(self._feeds)
            row.complain(
                "feed",
                f"{key!r} không phải là nguồn; chọn một nguồn đã có hoặc ghi công thức"
                f" · {key!r} is not a feed; use one of {known}, or give a formula",
            )
            return _CountRule()
        schema = self._schemas[key]
        domains = self._domains[key]
        value = self._value(row, kind, schema, domains)
        where = _expression(row, "where", schema, domains) if row.text("where") else Expression("TRUE", Type.BOOLEAN)
        if where and where.type != Type.BOOLEAN:
            row.complain(
                "where",
                "không phải là điều kiện; hãy so sánh với một giá trị"
                f" · gives {where.type}, not a condition; compare it with something",
            )
        return _CountRule(
            feed=key,
            value=value.sql if value else "",
            where=where.sql if where else "",
            at=_day(row, "at", schema, self._feeds[key]) or EFFECTIVE_ON,
            until=_until(row, kind, schema, self._feeds[key]),
            decimals=_decimals(row, value),
        )

    def _value(
        self, row: Row, kind: str, schema: Mapping[str, pl.DataType], domains: Mapping[str, Domain]
    ) -> Expression | None:
        """Return what a record adds; each kind asks for a type of its own."""
        if not row.text("value"):
            if kind in ("flow", "stock"):
                return Expression("1", Type.INTEGER)
            if kind in _WANTED:
                row.complain("value", f"còn trống · is empty; {_WANTED[kind][1]}")
            return None
        value = _expression(row, "value", schema, domains)
        if value and kind in _WANTED and value.type not in _WANTED[kind][0]:
            row.complain("value", f"không đúng kiểu của loại {kind} · gives {value.type}; {_WANTED[kind][1]}")
        return value


_WANTED: Mapping[str, tuple[tuple[Type, ...], str]] = {
    "flow": (NUMERIC, "a flow adds numbers"),
    "stock": (NUMERIC, "a stock adds numbers"),
    "average": (NUMERIC, "an average is taken of numbers"),
    "distinct": ((Type.TEXT,), "members are named by a text column"),
    "ratio": ((Type.BOOLEAN,), "a ratio without formula is the share of the records that meet a condition"),
}


def _reported(row: Row) -> _CountRule:
    """Return how reports of the row's own code and period count."""
    if row.text("feed") != REPORT_FEED:
        row.complain(
            "feed",
            f"phải là {REPORT_FEED}, nơi các cơ quan báo cáo · must be {REPORT_FEED}: that is where agencies report",
        )
    for column in ("where", "at", "until", "formula"):
        if row.text(column):
            row.complain(
                column,
                "phải để trống: số báo cáo tính cho chính mã, địa bàn và kỳ của nó"
                " · must be empty: a reported value counts for its own code, area and period",
            )
    if row.text("cadence") not in REPORT_PERIODS:
        row.complain(
            "cadence", f"phải là kỳ của báo cáo · must be the period of its reports: {', '.join(REPORT_PERIODS)}"
        )
    decimals = row.integer("decimals")
    if decimals is not None and not 0 <= decimals <= REPORTED_DECIMALS:
        row.complain("decimals", f"phải từ 0 đến {REPORTED_DECIMALS} · must lie between 0 and {REPORTED_DECIMALS}")
    return _CountRule(
        feed=REPORT_FEED,
        value=row.choice("value", REPORTED),
        decimals=REPORTED_DECIMALS if decimals is None else decimals,
    )


def _check_code(row: Row, sector: str) -> None:
    code = row.required("code")
    if code and not is_code(code):
        row.complain(
            "code",
            f"mã {code!r} phải có dạng ngành.số_đo hoặc ngành.số_đo.giá_trị, chữ thường"
            f" · {code!r} must look like sector.measure or sector.measure.value, in lower case",
        )
    elif code and not code.startswith(f"{sector}."):
        row.complain(
            "code",
            f"mã {code!r} phải bắt đầu bằng {sector!r} và dấu chấm, theo tên tệp"
            f" · {code!r} must begin with {sector!r} and a point, as the file's name says",
        )
    if row.text("sector") != sector:
        row.complain(
            "sector",
            f"phải là {sector!r} theo tên tệp · {row.text('sector')!r} must be {sector!r}, as the file's name says",
        )


def _check_breakdown(row: Row) -> None:
    value = row.text("breakdown_value")
    if bool(row.text("breakdown")) != bool(value):
        row.complain(
            "breakdown_value",
            "đi cùng breakdown; điền cả hai hoặc để trống cả hai · goes with breakdown; fill both or neither",
        )
    if value and not row.text("code").endswith(value):
        row.complain("breakdown_value", f"mã phải kết thúc bằng {value!r} · {value!r} must be how the code ends")


def _several(row: Row, column: str, allowed: tuple[str, ...]) -> tuple[str, ...]:
    row.required(column)
    return row.words(column, allowed)


def _expression(
    row: Row, column: str, schema: Mapping[str, pl.DataType], domains: Mapping[str, Domain]
) -> Expression | None:
    try:
        return parse_expression(row.text(column), schema, domains)
    except ConfigError as error:
        row.complain(column, str(error))
        return None


def _day(row: Row, column: str, schema: Mapping[str, pl.DataType], feed: Feed) -> str:
    """Return a date column; the feed's business date goes by its shared name, so that measures are shared."""
    name = row.text(column)
    if name and schema.get(name) != pl.Date():
        days = ", ".join(sorted(key for key, dtype in schema.items() if dtype == pl.Date()))
        row.complain(
            column,
            f"{name!r} không phải cột ngày của {feed.key}"
            f" · {name!r} is not a date column of {feed.key}; use one of {days}",
        )
    elif name in feed.ahead:
        row.complain(
            column,
            f"{name!r} có thể là ngày tương lai, việc chưa xảy ra thì không tính"
            f" · {name!r} may lie ahead of today, and what has not happened yet counts nowhere",
        )
    return EFFECTIVE_ON if name == feed.effective else name


def _until(row: Row, kind: str, schema: Mapping[str, pl.DataType], feed: Feed) -> str:
    if row.text("until") and kind != "stock":
        row.complain("until", f"chỉ dùng cho chỉ tiêu lũy kế (stock) · is for stocks; a {kind} takes nothing back")
    return _day(row, "until", schema, feed)


def _decimals(row: Row, value: Expression | None) -> int:
    decimals = row.integer("decimals") or 0
    if not 0 <= decimals <= MAX_DECIMALS:
        row.complain("decimals", f"phải từ 0 đến {MAX_DECIMALS} · must lie between 0 and {MAX_DECIMALS}")
    elif value and value.type == Type.NUMBER and not decimals:
        row.complain(
            "decimals",
            "phải nêu số chữ số thập phân (1 đến 6): giá trị không nguyên"
            " · must say how many digits after the point count (1 to 6): the value is not whole",
        )
    elif value and value.type != Type.NUMBER and decimals:
        row.complain("decimals", "phải trống hoặc 0: giá trị là số nguyên · must be empty or 0: the value is whole")
    elif value and value.largest is not None and value.largest * 10**decimals * SUMMED > LARGEST:
        row.complain(
            "decimals" if decimals else "value",
            f"giá trị tới {value.largest:.1e} với {decimals} chữ số: tổng của {SUMMED:,} bản ghi vượt mức lưu được"
            f" · of values up to {value.largest:.1e} with {decimals} digits, a sum of {SUMMED:,} records is more than "
            "is stored; count something smaller",
        )
    return decimals


def read_target(row: Row) -> Target | None:
    """Return the target of a row with the columns target, target_on, target_source; None where there is none."""
    text, due, source = row.text("target"), row.day("target_on"), row.text("target_source")
    if not text:
        if due is not None:
            row.complain(
                "target_on",
                "có mà không có mục tiêu; bỏ đi hoặc ghi mục tiêu"
                " · is given without a target; remove it or give the target",
            )
        return None
    match = _TARGET.fullmatch(text)
    if match is None:
        row.complain(
            "target",
            f"{text!r} phải là >= hoặc <= rồi đến một số, ví dụ >=95"
            f" · {text!r} must be >= or <= and a number, such as >=95",
        )
        return None
    if not source:
        row.complain(
            "target_source",
            "còn trống; ghi quyết định, kế hoạch hoặc văn bản giao mục tiêu"
            " · is empty; name the decision, plan or document that sets the target",
        )
    return Target(match[1], float(match[2]), due, source)
