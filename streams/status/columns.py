"""The columns of a block's statuses while they are computed: one array each, areas x members."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streams.rules.status import Status

Array = NDArray[np.generic]
SETTLEMENTS = (None, "provisional", "settled", "revised")
PROVISIONAL, SETTLED, REVISED = 1, 2, 3
# What makes a row another one: `computed_at` alone does not.
COMPARED = (
    "status",
    "bucket",
    "through",
    "value",
    "target_id",
    "expected",
    "lag",
    "lag_days",
    "forecast",
    "forecast_low",
    "forecast_high",
    "needed_per_week",
    "unusual",
    "settlement",
    "reported",
    "due",
    "cause",
    "period",
)
_FLOATS = (
    "value",
    "target",
    "expected",
    "lag",
    "lag_days",
    "forecast",
    "forecast_low",
    "forecast_high",
    "needed_per_week",
    "unusual_score",
    "usual",
)


class StatusColumns:
    """Arrays of one shape; words are places in their lists, 0 = none."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.shape = shape
        for name in _FLOATS:
            setattr(self, name, np.full(self.shape, np.nan))
        self.status: NDArray[np.int8] = np.full(self.shape, Status.no_data, dtype=np.int8)
        self.bucket = np.full(self.shape, np.datetime64("NaT", "D"))
        self.through = np.full(self.shape, np.datetime64("NaT", "D"))
        self.target_on = np.full(self.shape, np.datetime64("NaT", "D"))
        self.target_id = np.zeros(self.shape, dtype=np.int32)
        self.target_op = np.zeros(self.shape, dtype=np.int8)
        self.pace = np.zeros(self.shape, dtype=np.int8)
        self.settlement = np.zeros(self.shape, dtype=np.int8)
        self.reported = np.full(self.shape, -1, dtype=np.int32)
        self.due = np.full(self.shape, -1, dtype=np.int32)
        self.unusual = np.zeros(self.shape, dtype=bool)
        self.met = np.zeros(self.shape, dtype=bool)
        self.misses = np.zeros(self.shape, dtype=bool)
        self.yearly = np.zeros(self.shape, dtype=bool)
        self.cause: NDArray[np.object_] = np.full(self.shape, None, dtype=object)

    def take_back_judgement(self, few: NDArray[np.bool_]) -> None:
        """Say nothing of lag and forecast where a rate rests on few cases: what asks is kept, as is the value."""
        for name in ("lag", "lag_days", "forecast", "forecast_low", "forecast_high", "needed_per_week"):
            getattr(self, name)[few] = np.nan
        self.misses[few] = False

    value: NDArray[np.float64]
    target: NDArray[np.float64]
    expected: NDArray[np.float64]
    lag: NDArray[np.float64]
    lag_days: NDArray[np.float64]
    forecast: NDArray[np.float64]
    forecast_low: NDArray[np.float64]
    forecast_high: NDArray[np.float64]
    needed_per_week: NDArray[np.float64]
    unusual_score: NDArray[np.float64]
    usual: NDArray[np.float64]


OPS = (None, ">=", "<=")
PACES = (None, "at_once", "linear", "seasonal", "steps")
STATUSES = tuple(status.name for status in Status)


def to_frame(
    columns: StatusColumns, kept: NDArray[np.bool_], fixed: Mapping[str, pl.Series], period: str
) -> pl.DataFrame:
    """Return the rows of the areas and indicators that are kept, in their order.

    fixed: columns that do not change from pass to pass (code, area_id, sector, unit, owner, percentage), as long as
           there are kept rows.
    """

    def texts(indices: NDArray[np.int8], words: tuple[str | None, ...]) -> pl.Series:
        return pl.Series(np.array(words, dtype=object)[indices[kept]].tolist(), dtype=pl.String)

    def days(values: Array) -> pl.Series:
        return pl.Series(values[kept])

    def numbers(values: NDArray[np.float64]) -> pl.Series:
        return pl.Series(values[kept]).fill_nan(None)

    def counts(values: NDArray[np.int32]) -> pl.Series:
        series = pl.Series(values[kept])
        return series.set(series < 0, None)

    rows = len(fixed["code"])
    frame = pl.DataFrame(
        {
            **fixed,
            "period": np.where(columns.yearly[kept], "year", period) if rows else pl.Series([], dtype=pl.String),
            "status": texts(columns.status, STATUSES),
            "bucket": days(columns.bucket),
            "through": days(columns.through),
            "target_id": pl.Series(columns.target_id[kept]).replace(0, None),
            "target_op": texts(columns.target_op, OPS),
            "target_on": days(columns.target_on),
            "pace": texts(columns.pace, PACES),
            "unusual": pl.Series(columns.unusual[kept]),
            "settlement": texts(columns.settlement, SETTLEMENTS),
            "reported": counts(columns.reported),
            "due": counts(columns.due),
            "cause": pl.Series(columns.cause[kept].tolist(), dtype=pl.String),
            **{name: numbers(getattr(columns, name)) for name in _FLOATS},
        }
    )
    return frame.with_columns(
        lag_in=pl.when(pl.col("lag").is_not_null()).then(
            pl.when(pl.col("percentage")).then(pl.lit("point")).otherwise(pl.lit("%"))
        )
    ).drop("percentage")
