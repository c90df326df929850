"""Periods as reports write them: SDMX, Vietnamese labels, or first and last day.

A month of a management report runs from the 15th of the month before to the 14th (NĐ 09/2019/NĐ-CP Art. 12), its
quarter and year likewise; it counts as the month, quarter or year of its last day.
"""

from __future__ import annotations

import re
from datetime import date

from connectors.formats.plain import plain
from ioc.period import end_of, start_of

_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4}
_YEAR = re.compile(r"(?:nam )?(\d{4})(?:-a1)?")
_MONTH = re.compile(r"(?:thang |t)?(\d{1,2})(?:[/.-]| nam )(\d{4})")
_ISO_MONTH = re.compile(r"(\d{4})(?:-|-?m)(\d{2})")
_QUARTER = re.compile(r"(?:quy |q)(i{1,3}|iv|[1-4])[/. -](?:nam )?(\d{4})")
_ISO_QUARTER = re.compile(r"(\d{4})-?q([1-4])")
_WEEK = re.compile(r"(\d{4})-?w(\d{2})")
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_FIRST, _LAST = 15, 14
_SPANS = {1: "month", 3: "quarter", 12: "year"}

ReportPeriod = tuple[str, date]


def period_of(label: str) -> ReportPeriod:
    """Return (kind, first day) of a label such as `2024-09`, `2024-Q3`, `Tháng 9/2024`, `Quý III/2024`, `2024-W40`.

    Raises ValueError for anything else, half-years among it, which no indicator is reported for.
    """
    text = plain(label)
    if found := _DAY.fullmatch(text):
        return "day", date(int(found[1]), int(found[2]), int(found[3]))
    if found := _ISO_MONTH.fullmatch(text):
        return "month", date(int(found[1]), int(found[2]), 1)
    if found := _MONTH.fullmatch(text):
        return "month", date(int(found[2]), int(found[1]), 1)
    if found := _ISO_QUARTER.fullmatch(text):
        return "quarter", date(int(found[1]), int(found[2]) * 3 - 2, 1)
    if found := _QUARTER.fullmatch(text):
        number = _ROMAN.get(found[1]) or int(found[1])
        return "quarter", date(int(found[2]), number * 3 - 2, 1)
    if found := _WEEK.fullmatch(text):
        return "week", date.fromisocalendar(int(found[1]), int(found[2]), 1)
    if found := _YEAR.fullmatch(text):
        return "year", date(int(found[1]), 1, 1)
    raise ValueError(label)


def period_between(first: date, last: date) -> ReportPeriod:
    """Return (kind, first day) of the period that two days bound; raises ValueError where they bound none."""
    if first.day == _FIRST and last.day == _LAST:
        months = (last.year - first.year) * 12 + last.month - first.month
        kind = _SPANS.get(months)
        if kind is not None:
            start = start_of(kind, last)
            # The last day's month ends its quarter or year.
            if end_of(kind, start).month == last.month:
                return kind, start
    for kind in ("day", "week", "month", "quarter", "year"):
        if start_of(kind, first) == first and end_of(kind, first) == last:
            return kind, first
    raise ValueError(f"{first}..{last}")
