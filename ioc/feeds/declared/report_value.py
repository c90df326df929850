"""Reported values: one number of one indicator, area and period, as an agency states it.

The area is the one that the number speaks of, of any level: a report for the whole province names the province. A
revision replaces the number. Which periods count is in the catalogue: those of the indicator's cadence.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import ConfigDict, Field, JsonValue, StringConstraints

from ioc.feeds.bounds import Day
from ioc.feeds.event import Record, ReporterCode
from ioc.feeds.feed import Ahead, Feed
from ioc.feeds.rule import RecordRule, Term, joined, named
from ioc.period import bucket_expr, end_expr, start_of

_EXAMPLE: dict[str, JsonValue] = {
    "agency": "cong-an-tinh",
    "indicator": "population.residents.total",
    "area_code": "26506",
    "period": "month",
    "period_start": "2024-09-01",
    "value": 17842,
}


_NAMES_VI = {"day": "ngày", "week": "tuần", "month": "tháng", "quarter": "quý", "year": "năm"}


def _start_of(period: str, day: Term) -> Term:
    """Return the first day of the period that holds a day."""
    read = day.of
    return Term(lambda values: start_of(period, read(values)), bucket_expr(period, day.expr))


class ReportValue(Record):
    """`value` is in the indicator's unit; `period_start` is the first day of the period (a week's is Monday)."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    agency: ReporterCode
    indicator: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+){1,2}$", max_length=100)]
    area_code: Annotated[str, StringConstraints(pattern=r"^\d{2,5}$")]
    period: Literal["day", "week", "month", "quarter", "year"]
    period_start: Day
    # With its thousandths, a sum holds `SUMMED` such numbers. Amounts of money are reported in tỷ đồng.
    value: Annotated[float, Field(ge=-(10**11), le=10**11, allow_inf_nan=False)]

    KEY: ClassVar[Term] = joined(
        named("indicator"), "/", named("area_code"), "/", named("period"), "/", named("period_start").text()
    )
    RULES: ClassVar[tuple[RecordRule, ...]] = (
        *(
            RecordRule(
                named("period").equals(period)
                & ~_start_of(period, named("period_start")).equals(named("period_start")),
                f"period_start is not the first day of a {period}",
                f"period_start không phải ngày đầu kỳ {name_vi}",
            )
            for period, name_vi in _NAMES_VI.items()
        ),
    )


FEED = Feed(
    key="report.value",
    model=ReportValue,
    effective="period_start",
    reporter="agency",
    cadence=timedelta(days=35),
    name_vi="Số liệu báo cáo của các cơ quan",
    name_en="Values reported by agencies",
    by_agencies=True,
    quality_source="report",
    located=True,
    any_level=True,
    foretells_ends=True,
    derive={
        # The first day on which the value no longer holds.
        "next_start": (
            pl.Date(),
            end_expr(pl.col("period"), pl.col("period_start")).dt.offset_by("1d"),
        ),
    },
    ahead={"next_start": Ahead(timedelta(days=367))},
)
