"""What records add to the measures of their areas and days, signed so that it can be taken back."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence

import polars as pl

from ioc.catalogue import StoredMeasure, contribution_expr, member_expr

DELTA_SCHEMA: dict[str, pl.DataType] = {
    "area_id": pl.Int32(),
    "bucket": pl.Date(),
    "sums": pl.List(pl.Int64()),
}
MEMBER_SCHEMA: dict[str, pl.DataType] = {
    "measure_id": pl.Int32(),
    "area_id": pl.Int32(),
    "bucket": pl.Date(),
    "member": pl.String(),
    "n": pl.Int32(),
}


class Contributor:
    """Turns records of one feed into deltas of its measures."""

    def __init__(self, measures: Sequence[StoredMeasure]) -> None:
        self._width = max((stored.slot for stored in measures), default=0)
        # (date column, sign) -> measures that count on that day with that sign
        self._sums: dict[tuple[str, int], list[StoredMeasure]] = defaultdict(list)
        self._distinct = [stored for stored in measures if stored.measure.kind == "distinct"]
        for stored in measures:
            if stored.measure.kind == "sum":
                self._sums[stored.measure.at, 1].append(stored)
                if stored.measure.until:
                    self._sums[stored.measure.until, -1].append(stored)

    def deltas(self, records: pl.DataFrame) -> pl.DataFrame:
        """Return `DELTA_SCHEMA`: one row an area and day, sums by slot (0 where nothing was added).

        records: `area_id`, `sign` (+1 counts, -1 takes back) and the feed's columns. Days that are null (a guest who
        has not left) contribute nothing yet.
        """
        slots = [f"s{slot}" for slot in range(1, self._width + 1)]
        parts = []
        for (column, direction), measures in self._sums.items():
            sums = [
                (contribution_expr(stored.measure) * pl.col("sign") * direction).sum().alias(f"s{stored.slot}")
                for stored in measures
            ]
            dated = records.filter(pl.col(column).is_not_null())
            if dated.height:
                parts.append(dated.group_by("area_id", pl.col(column).alias("bucket")).agg(sums))
        if not parts:
            return pl.DataFrame(schema=DELTA_SCHEMA)
        frame = pl.concat(parts, how="diagonal").group_by("area_id", "bucket").sum()
        present = [name for name in slots if name in frame.columns]
        frame = frame.filter(pl.any_horizontal(pl.col(name) != 0 for name in present))
        columns = [pl.col(name) if name in frame.columns else pl.lit(0, pl.Int64) for name in slots]
        return frame.sort("area_id", "bucket").select(
            pl.col("area_id").cast(pl.Int32), "bucket", pl.concat_list(columns).alias("sums")
        )

    def members(self, records: pl.DataFrame) -> pl.DataFrame:
        """Return `MEMBER_SCHEMA`: how many records more (or fewer) speak of each member in each area and day."""
        parts = [pl.DataFrame(schema=MEMBER_SCHEMA)]
        for stored in self._distinct:
            found = (
                records.select(
                    "area_id",
                    pl.col(stored.measure.at).alias("bucket"),
                    "sign",
                    member=member_expr(stored.measure),
                )
                .drop_nulls(["bucket", "member"])
                .group_by("area_id", "bucket", "member")
                .agg(n=pl.col("sign").sum())
                .filter(pl.col("n") != 0)
            )
            if found.height:
                parts.append(
                    found.select(
                        pl.lit(stored.measure_id, pl.Int32).alias("measure_id"),
                        pl.col("area_id").cast(pl.Int32),
                        "bucket",
                        _hashed(found["member"]),
                        pl.col("n").cast(pl.Int32),
                    )
                )
        return pl.concat(parts)


def _hashed(members: pl.Series) -> pl.Series:
    """Return members as 128-bit hashes in hexadecimal: one width for guests, sellers and places."""
    distinct = members.unique()
    hashes = [hashlib.md5(member.encode(), usedforsecurity=False).hexdigest() for member in distinct]
    return members.replace_strict(distinct, pl.Series(hashes, dtype=pl.String)).alias("member")
