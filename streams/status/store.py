"""Statuses in the database: what they were, and what has changed, written in the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import polars as pl
import psycopg

from sql import load_queries
from streams.status.columns import COMPARED
from streams.status.plan import Block

_WRITTEN = (
    "code",
    "area_id",
    "sector",
    "unit",
    "owner",
    "status",
    "since",
    "period",
    "bucket",
    "through",
    "value",
    "target_id",
    "target_op",
    "target",
    "target_on",
    "pace",
    "expected",
    "lag",
    "lag_in",
    "lag_days",
    "forecast",
    "forecast_low",
    "forecast_high",
    "needed_per_week",
    "unusual",
    "unusual_score",
    "usual",
    "settlement",
    "reported",
    "due",
    "cause",
    "computed_at",
)
_KEY = ("code", "area_id")
_OF_CATALOGUE = ("sector", "unit", "owner")  # the same as long as a service lives
_BEFORE: Mapping[str, pl.DataType] = {
    "code": pl.String(),
    "area_id": pl.Int32(),
    "status": pl.String(),
    "since": pl.Datetime("us", "UTC"),
    "period": pl.String(),
    "bucket": pl.Date(),
    "through": pl.Date(),
    "value": pl.Float64(),
    "target_id": pl.Int32(),
    "expected": pl.Float64(),
    "lag": pl.Float64(),
    "lag_days": pl.Float64(),
    "forecast": pl.Float64(),
    "forecast_low": pl.Float64(),
    "forecast_high": pl.Float64(),
    "needed_per_week": pl.Float64(),
    "unusual": pl.Boolean(),
    "settlement": pl.String(),
    "reported": pl.Int32(),
    "due": pl.Int32(),
    "cause": pl.String(),
}


@dataclass
class Written:
    """What a pass has written: rows that changed, and of these how many became another status."""

    rows: int = 0
    changes: int = 0
    sectors: set[str] = field(default_factory=set)


class StatusStore:
    """Keeps the last rows of every block in memory, so that only what changed is written."""

    def __init__(self, connection: psycopg.Connection) -> None:
        """Read what stands in the database; `forget` is called where a transaction of `write` was rolled back."""
        self._connection = connection
        self._queries = load_queries("status")
        rows = connection.cursor(binary=True).execute(self._queries["select_statuses"].encode()).fetchall()
        self._stored = pl.DataFrame(rows, schema=_BEFORE, orient="row")
        self._last: dict[tuple[str, str], pl.DataFrame] = {}

    def current(self) -> pl.DataFrame:
        """Return all rows as they were last computed or, before that, stored."""
        if not self._last:
            return self._stored
        return pl.concat(list(self._last.values()), how="diagonal_relaxed")

    def write(self, block: Block, frame: pl.DataFrame, now: datetime, written: Written) -> None:
        """Write the rows of a block that are other than before, and the changes of status to the history."""
        key = (block.sector, block.period)
        now = now.astimezone(UTC)
        last = self._last.get(key)
        if last is not None and not last.select(_KEY).equals(frame.select(_KEY)):
            last = None  # another day has other units
        frame = _with_past(frame, self._before(key, frame) if last is None else last.select(list(_BEFORE)), now)
        different = pl.any_horizontal(
            *(pl.col(name).ne_missing(pl.col(f"{name}_before")) for name in COMPARED), pl.col("status_before").is_null()
        )
        different_rows = frame.select(different).to_series()
        changed = frame.filter(different_rows)
        self._last[key] = frame.select(_WRITTEN)
        if not changed.height:
            return
        written.rows += changed.height
        written.sectors.add(block.sector)
        self._connection.execute(self._queries["create_staging"])
        if last is None or not self._update(changed, last.filter(different_rows)):
            self._upsert(changed)
        # That nothing has ever been known of a figure is no change, when it is looked at for the first time.
        turned = changed.filter(
            (pl.col("status") != pl.col("status_before"))
            | (pl.col("status_before").is_null() & (pl.col("status") != "no_data"))
            | pl.col("unusual").ne_missing(pl.col("unusual_before").fill_null(False))
            | (pl.col("settlement") == "revised")
        )
        if turned.height:
            written.changes += turned.height
            history = turned.select(
                pl.lit(now).alias("changed_at"),
                *_KEY,
                pl.col("status_before").alias("before"),
                *("status", "period", "bucket", "value", "expected", "lag", "settlement", "reported", "due", "unusual"),
            )
            self._copy(self._queries["copy_changes"], history)

    def _update(self, changed: pl.DataFrame, before: pl.DataFrame) -> bool:
        """Write the columns that have moved in any row; return False if the database no longer has all of the rows.

        What is not compared (`usual`) may have moved in an earlier pass that wrote nothing: it is always written.
        """
        moved = [
            name
            for name in _WRITTEN
            if name not in (*_KEY, *_OF_CATALOGUE)
            and not (name in COMPARED and changed[name].equals(before[name], null_equal=True))
        ]
        self._stage(changed, [*_KEY, *moved])
        self._connection.execute(self._queries["expect_memory"])
        statement = self._queries["update_staged"].format(moves=", ".join(f"{name} = t.{name}" for name in moved))
        found = self._connection.execute(statement.encode()).rowcount
        self._connection.execute(self._queries["clear_staging"])
        return found == changed.height

    def _upsert(self, changed: pl.DataFrame) -> None:
        self._stage(changed, _WRITTEN)
        parts = {"columns": ", ".join(_WRITTEN), "excluded": ", ".join(f"excluded.{name}" for name in _WRITTEN)}
        self._connection.execute(self._queries["merge_staged"].format(**parts).encode())
        self._connection.execute(self._queries["clear_staging"])

    def _stage(self, rows: pl.DataFrame, columns: Sequence[str]) -> None:
        self._copy(self._queries["copy_staged"].format(columns=", ".join(columns)), rows.select(columns))

    def remove_gone(self, areas: list[int]) -> None:
        """Remove rows of indicators and units that are no longer there."""
        self._connection.execute(self._queries["remove_gone"], [areas])

    def _before(self, key: tuple[str, str], frame: pl.DataFrame) -> pl.DataFrame:
        """Return what stood for the rows of a frame, in its order, where no pass or one of other units went before."""
        last = self._last.get(key)
        before = self._stored if last is None else last.select(list(_BEFORE))
        return frame.select(_KEY).join(before, on=_KEY, how="left", maintain_order="left")

    def _copy(self, statement: str, frame: pl.DataFrame) -> None:
        with self._connection.cursor().copy(statement.encode()) as copy:
            copy.write(frame.write_csv(include_header=False, datetime_format="%Y-%m-%dT%H:%M:%S%.6f%z").encode())


def _with_past(frame: pl.DataFrame, before: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Add what stood before, since when the status is what it is, and whether a settled figure was revised."""
    past = before.select(pl.col(name).alias(f"{name}_before") for name in _BEFORE if name not in _KEY)
    joined = pl.concat([frame, past], how="horizontal")
    same_period = (pl.col("bucket") == pl.col("bucket_before")) & (pl.col("period") == pl.col("period_before"))
    was_settled = pl.col("settlement_before").is_in(["settled", "revised"])
    revised = (
        same_period
        & was_settled
        & (pl.col("settlement") == "settled")
        & ((pl.col("settlement_before") == "revised") | pl.col("value").ne_missing(pl.col("value_before")))
    )
    return joined.with_columns(
        since=pl.when(pl.col("status").eq_missing(pl.col("status_before")))
        .then(pl.col("since_before"))
        .otherwise(pl.lit(now)),
        settlement=pl.when(revised).then(pl.lit("revised")).otherwise(pl.col("settlement")),
        computed_at=pl.lit(now),
    )
