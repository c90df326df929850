"""Checks of time in formulas: functions get what they can take, and both sides of a division are of one span."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from ioc.catalogue.formula import (
    Formula,
    FormulaReference,
    added_units,
    divides_by_nothing,
    divisions,
    parse_formula,
    reference_of,
)
from ioc.catalogue.indicator import Indicator
from ioc.errors import ConfigError
from ioc.feeds.feed import Feed
from ioc.table import Row

# What a number speaks of: the days of the period, its last day, the year so far, the whole year.
Tense = Literal["period", "end", "ytd", "year"]
_TOLD: Mapping[Tense, str] = {
    "period": "the days of the period",
    "end": "its last day",
    "ytd": "the year so far",
    "year": "the whole year",
}
# A stock may divide a sum of the year: children vaccinated since 1 January / children that there are.
_FITTING: tuple[frozenset[Tense], ...] = (
    frozenset({"ytd", "year"}),
    frozenset({"ytd", "end"}),
    frozenset({"year", "end"}),
)


def check_functions(
    row: Row, indicator: Indicator, formula: Formula, indicators: Mapping[str, Indicator], feeds: Mapping[str, Feed]
) -> None:
    """Complain about functions of what they cannot take, a division by 0, and units that cannot be added."""
    if (nothing := divides_by_nothing(formula.text)) is not None:
        row.complain("formula", f"chia cho `{nothing}`, luôn bằng 0 · divides by `{nothing}`, which is always 0")
    for left, right in added_units(formula.text, lambda name: _unit_of(name, indicators)):
        row.complain(
            "formula",
            f"cộng {left} với {right}; đưa về cùng đơn vị, hoặc chia trước"
            f" · adds {left} and {right}; bring them to one unit, or divide first",
        )
    for one in formula.references:
        if one.function in ("expected", "received"):
            _check_feed(row, one, feeds)
        elif one.name not in indicators:
            continue
        elif one.function == "standing_days" and not _is_counted_stock(indicators[one.name]):
            row.complain(
                "formula",
                f"`{one}`: {one.name} không phải chỉ tiêu lũy kế có bản ghi hoặc báo cáo riêng"
                f" · `{one}`: {one.name} is no stock with records or reports of its own; name one that is",
            )
        elif one.function in ("max", "min") and indicators[one.name].sector != indicator.sector:
            row.complain(
                "formula",
                f"`{one}`: chỉ lấy cực trị của chỉ tiêu cùng ngành {indicator.sector}"
                f" · `{one}`: extremes are taken of indicators of the same sector, {indicator.sector}",
            )


def check_spans(row: Row, indicator: Indicator, indicators: Mapping[str, Indicator]) -> None:
    """Complain about a division whose halves speak of different times, unless the row says why that is right."""
    if row.text("span_note"):
        return
    for above, below in divisions(indicator.formula):
        over, under = _tenses(above, indicators), _tenses(below, indicators)
        mixed = [
            (first, second)
            for first in sorted(over)
            for second in sorted(under)
            if first != second and frozenset({first, second}) not in _FITTING
        ]
        if mixed:
            first, second = mixed[0]
            row.complain(
                "formula",
                "tử số và mẫu số nói về thời gian khác nhau;"
                " dùng standing_days, ytd hoặc year, hoặc ghi lý do ở span_note"
                f" · divides what speaks of {_TOLD[first]} ({_codes(above)})"
                f" by what speaks of {_TOLD[second]} ({_codes(below)});"
                " use standing_days, ytd or year, or say in span_note why it is right",
            )
            return


def _unit_of(name: str, indicators: Mapping[str, Indicator]) -> str | None:
    reference = reference_of(name)
    indicator = indicators.get(reference.name)
    if indicator is None or reference.function in ("expected", "received", "standing_days"):
        return None
    return indicator.unit


def _check_feed(row: Row, one: FormulaReference, feeds: Mapping[str, Feed]) -> None:
    feed = feeds.get(one.name)
    if feed is None:
        row.complain(
            "formula",
            f"`{one}`: {one.name} không phải là nguồn"
            f" · `{one}`: {one.name} is not a feed; use one of {', '.join(feeds)}",
        )
    elif one.function == "expected" and feed.reports_every is None:
        due = ", ".join(key for key, other in feeds.items() if other.reports_every)
        row.complain(
            "formula",
            f"`{one}`: {one.name} chỉ có sự kiện, không ai phải báo cáo định kỳ"
            f" · `{one}`: events alone drive {one.name}, nobody owes it a report; reports are due of {due}",
        )


def _is_counted_stock(indicator: Indicator) -> bool:
    if indicator.formula:
        return False
    return indicator.kind == "stock" or (indicator.kind == "reported" and indicator.value == "stock")


def _tenses(references: Iterable[FormulaReference], indicators: Mapping[str, Indicator]) -> set[Tense]:
    found: set[Tense] = set()
    for one in references:
        match one.function:
            case "ytd":
                found.add("ytd")
            case "year":
                found.add("year")
            case "standing_days" | "expected" | "received":
                found.add("period")
            case "":
                found |= _tense_of(indicators.get(one.name), indicators)
    return found


def _tense_of(indicator: Indicator | None, indicators: Mapping[str, Indicator]) -> set[Tense]:
    """Return what an indicator speaks of; nothing for rates, which are compared as they are."""
    if indicator is None:
        return set()
    if indicator.formula:
        try:
            formula = parse_formula(indicator.formula)
        except ConfigError:
            return set()
        return set() if divisions(indicator.formula) else _tenses(formula.references, indicators)
    match indicator.kind, indicator.value:
        case ("flow" | "distinct", _) | ("reported", "flow"):
            return {"period"}
        case ("stock", _) | ("reported", "stock"):
            return {"end"}
    return set()


def _codes(references: Iterable[FormulaReference]) -> str:
    return ", ".join(map(str, references))
