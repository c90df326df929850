"""What an indicator counts: in words, Vietnamese and English, and as SQL over the record table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from ioc.catalogue import Catalogue, Indicator
from ioc.catalogue.formula import DAYS, NAME, reference_of
from ioc.catalogue.indicator import REPORT_PERIODS
from ioc.catalogue.row import EFFECTIVE_ON
from ioc.feeds.feed import Feed

_PERIODS_VI = {"day": "ngày", "week": "tuần", "month": "tháng", "quarter": "quý", "year": "năm"}


@dataclass(frozen=True)
class IndicatorDefinition:
    """`sql` gives the figure of a period from :from to :to, whose last day so far is :to; or it is a formula."""

    vi: str
    en: str
    sql: str


def define(indicator: Indicator, catalogue: Catalogue, feeds: Mapping[str, Feed]) -> IndicatorDefinition:
    """Return the definition of one indicator of a catalogue."""
    if indicator.formula:
        return _formula(indicator, catalogue, feeds)
    if indicator.kind == "reported":
        return _reported(indicator, feeds[indicator.feed])
    return _counted(indicator, feeds[indicator.feed])


_FUNCTIONS: Mapping[str, tuple[str, str]] = {
    "standing_days": (
        "tổng mức cuối mỗi ngày trong kỳ của {}",
        "the levels of all days of the period, added up, of {}",
    ),
    "ytd": ("lũy kế từ đầu năm của {}", "{} since 1 January"),
    "year": ("cả năm của {}", "{} of the whole year"),
    "expected": ("số báo cáo phải có trong kỳ của {}", "reports due in the period of {}"),
    "received": ("số bản ghi trong kỳ của {}", "records in the period of {}"),
    "max": ("ngày cao nhất trong kỳ của {}", "the highest day of the period of {}"),
    "min": ("ngày thấp nhất trong kỳ của {}", "the lowest day of the period of {}"),
}


def _formula(indicator: Indicator, catalogue: Catalogue, feeds: Mapping[str, Feed]) -> IndicatorDefinition:
    def words(language: int, days: str) -> str:
        def name(text: str) -> str:
            reference = reference_of(text)
            found = feeds[reference.name] if reference.code is None else catalogue.indicators[reference.name]
            told = f"“{(found.name_vi, found.name_en)[language]}”"
            pattern = _FUNCTIONS.get(reference.function, ("{}", "{}"))[language]
            return f"[{pattern.format(told)}]" if reference.function else told

        text = NAME.sub(lambda match: f"\0{_named(match)}\0", indicator.formula)
        parts = text.split("\0")
        parts[::2] = [part.replace("*", "×").replace(DAYS, days) for part in parts[::2]]
        parts[1::2] = [name(one) for one in parts[1::2]]
        return "".join(parts)

    return IndicatorDefinition(words(0, "số ngày trong kỳ"), words(1, "days of the period"), indicator.formula)


def _named(match: re.Match[str]) -> str:
    """Return what a match means, without blanks between the function and its brackets."""
    function, code = match.groups()
    return f"{function}({code})" if function else code


def _reported(indicator: Indicator, feed: Feed) -> IndicatorDefinition:
    period = REPORT_PERIODS[indicator.cadence]
    which = f"indicator = '{indicator.code}' AND period = '{period}'"

    def last_of(area: str) -> str:
        """Return the condition that a report is the last of its area up to the end."""
        newest = (
            f"SELECT max(period_start) FROM {feed.table} WHERE {which} AND area_code = {area} AND period_start <= :to"  # noqa: S608 - shown, names are ours
        )
        return f"{which} AND period_start = ({newest})"

    head_vi, head_en = f"Cơ quan báo cáo theo {_PERIODS_VI[period]}", f"Reported by agencies for each {period}"
    match indicator.value:
        case "flow":
            return IndicatorDefinition(
                f"{head_vi}; cộng theo thời gian và theo địa bàn.",
                f"{head_en}; added over time and areas.",
                f"SELECT sum(value) FROM {feed.table} WHERE {which} AND period_start BETWEEN :from AND :to",  # noqa: S608 - shown, names are ours
            )
        case "stock":
            return IndicatorDefinition(
                f"{head_vi}; lấy số báo cáo gần nhất của từng địa bàn tính đến cuối kỳ, rồi cộng lại.",
                f"{head_en}; of each area the last one up to the period's end, then added over areas.",
                f"SELECT sum(value) FROM {feed.table} r WHERE {last_of('r.area_code')}",  # noqa: S608 - shown, names are ours
            )
    return IndicatorDefinition(
        f"{head_vi}; lấy số báo cáo gần nhất tính đến cuối kỳ, của đúng địa bàn đó.",
        f"{head_en}; the last one up to the period's end, of that very area.",
        f"SELECT avg(value) FROM {feed.table} WHERE area_code = :area AND {last_of(':area')}",  # noqa: S608 - shown, names are ours
    )


def _counted(indicator: Indicator, feed: Feed) -> IndicatorDefinition:
    condition = "" if indicator.where == "TRUE" else indicator.where
    column = _day(indicator.at, feed)
    vi, en, selected = _aggregate(indicator, feed)
    where_vi, where_en = (f" thỏa `{condition}`", f" with `{condition}`") if condition else ("", "")
    if indicator.kind == "stock":
        when_vi, when_en = f"từ ngày `{column}`", f"from `{column}`"
        span = f"{column} <= :to"
        if indicator.until:
            when_vi, when_en = f"{when_vi} đến trước ngày `{indicator.until}`", f"{when_en} until `{indicator.until}`"
            span = f"{span} AND ({indicator.until} IS NULL OR {indicator.until} > :to)"
    else:
        when_vi, when_en = f"theo ngày `{column}`", f"by `{column}`"
        span = f"{column} BETWEEN :from AND :to"
    sql = f"SELECT {selected} FROM {feed.table} WHERE {span}"  # noqa: S608 - shown, names are ours
    if condition:
        sql += f" AND ({condition})" if " OR " in condition else f" AND {condition}"
    note_vi, note_en = _estimated(indicator, feed)
    return IndicatorDefinition(f"{vi}{where_vi}, {when_vi}.{note_vi}", f"{en}{where_en}, {when_en}.{note_en}", sql)


def _estimated(indicator: Indicator, feed: Feed) -> tuple[str, str]:
    """Return what to say of a day that may be a plan that is used in place of what a source cannot tell."""
    columns = [column for column in (indicator.at, indicator.until) if column in feed.estimated]
    if not columns:
        return "", ""
    day, flag = columns[0], feed.estimated[columns[0]]
    return (
        f" Nguồn không báo được `{day}` thì sau ngày dự kiến lấy ngày dự kiến, đánh dấu `{flag}` (ước tính).",
        f" Where a source cannot tell `{day}`, the planned day is used once it is over, marked `{flag}` (estimated).",
    )


def _aggregate(indicator: Indicator, feed: Feed) -> tuple[str, str, str]:
    """Return what is made of the records, in words and as what is selected."""
    value, records_vi, records_en = indicator.value, f"bản ghi `{feed.key}`", f"records of `{feed.key}`"
    match indicator.kind:
        case "distinct":
            return (
                f"Số `{value}` khác nhau trong các {records_vi}",
                f"Different `{value}` among {records_en}",
                f"count(DISTINCT {value})",
            )
        case "ratio":
            return (
                f"100 × tỷ lệ bản ghi có `{value}` trong các {records_vi}",
                f"100 × the share with `{value}` of {records_en}",
                f"100.0 * count(*) FILTER (WHERE {value}) / nullif(count({value}), 0)",
            )
        case "average":
            return (
                f"Bình quân `{value}` của các {records_vi}",
                f"Average of `{value}` over {records_en}",
                f"avg({value})",
            )
    stock = indicator.kind == "stock"
    if value == "1":
        return (
            f"{'Số' if stock else 'Đếm'} {records_vi}{' hiện có' if stock else ''}",
            f"{'Number' if stock else 'Count'} of {records_en}",
            "count(*)",
        )
    return f"Tổng `{value}` của các {records_vi}", f"Sum of `{value}` over {records_en}", f"sum({value})"


def _day(at: str, feed: Feed) -> str:
    """Return the date column by the feed's own name where it has one."""
    own = {column.name: column.dtype for column in feed.columns}
    return feed.effective if at == EFFECTIVE_ON and own.get(feed.effective) == pl.Date() else at
