"""What stood before, for a block whose units are others than in the last pass."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import polars as pl

from streams.status.plan import Block
from streams.status.store import StatusStore, Written

NUMBERS = (
    *("value", "target", "expected", "lag", "lag_days", "forecast", "forecast_low", "forecast_high"),
    *("needed_per_week", "unusual_score", "usual"),
)
NOW = datetime(2024, 10, 23, tzinfo=UTC)


class NoConnection:
    """Takes every statement, and has no rows."""

    def cursor(self, **_: Any) -> NoConnection:
        return self

    def execute(self, *_: Any) -> NoConnection:
        return self

    def fetchall(self) -> list[Any]:
        return []

    def copy(self, _: Any) -> NoConnection:
        return self

    def write(self, _: Any) -> None: ...
    def __enter__(self) -> NoConnection:
        return self

    def __exit__(self, *_: object) -> None: ...


def frame(areas: list[int]) -> pl.DataFrame:
    nothing = {
        name: pl.Series([None] * len(areas), dtype=dtype)
        for name, dtype in {
            **dict.fromkeys(("bucket", "through", "target_on"), pl.Date()),
            **dict.fromkeys(("target_op", "pace", "settlement", "lag_in", "cause"), pl.String()),
            **dict.fromkeys(("target_id", "reported", "due"), pl.Int32()),
            **dict.fromkeys(NUMBERS, pl.Float64()),
        }.items()
    }
    fixed = {name: ["x"] * len(areas) for name in ("code", "sector", "unit", "owner")}
    return pl.DataFrame(
        {
            **fixed,
            "area_id": pl.Series(areas, dtype=pl.Int32),
            "period": ["day"] * len(areas),
            "status": ["no_data"] * len(areas),
            "unusual": [False] * len(areas),
            **nothing,
        }
    )


def test_other_units_are_compared_with_nothing_and_the_same_ones_with_themselves() -> None:
    store = StatusStore(NoConnection())  # type: ignore[arg-type]
    block = Block("x", "day", ())
    counts = []
    for areas in ([1, 2, 3], [1, 2, 3], [3, 4], [1, 2, 3]):
        written = Written()
        store.write(block, frame(areas), NOW, written)
        counts.append(written.rows)
    assert counts == [3, 0, 1, 2]
