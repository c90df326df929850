"""Values of reports that no unit allows: a share of a whole above 100 %, more residents than any province has."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import polars as pl

from ioc.catalogue.limit import ReportLimit
from ioc.errors import Reason
from streams.rules.wording import number_en, number_vi

IMPLAUSIBLE_VALUE = "implausible_value"
NO_LIMITS: Mapping[str, ReportLimit] = MappingProxyType({})


def beyond(limits: Mapping[str, ReportLimit]) -> pl.Expr:
    """Return whether an event's `value` lies beyond the limit of its `indicator`; no limits, and it never does."""
    if not limits:
        return pl.lit(False)
    codes = list(limits)
    least, most = (
        pl.col("indicator").replace_strict(codes, ends, default=None, return_dtype=pl.Float64())
        for ends in ([limit.least for limit in limits.values()], [limit.most for limit in limits.values()])
    )
    return ((pl.col("value") < least) | (pl.col("value") > most)).fill_null(False)


def implausible_value(row: Mapping[str, Any], limits: Mapping[str, ReportLimit]) -> Reason:
    """Return the reason of such an event; `row` has its `indicator` and `value`."""
    limit = limits[row["indicator"]]
    vi, en = ([number(end, 6) for end in (limit.least, limit.most)] for number in (number_vi, number_en))
    return Reason(
        field="data.value",
        rule=IMPLAUSIBLE_VALUE,
        value=f"{row['value']:.15g}",
        message_vi=f"giá trị của chỉ tiêu này phải từ {vi[0]} đến {vi[1]} {limit.unit}; "
        "kiểm tra số liệu và đơn vị tính",
        message_en=f"a value of this indicator lies between {en[0]} and {en[1]} {limit.unit}; "
        "check the figure and its unit",
    )
