"""What records add to the measures of their areas and days, signed so that it can be taken back."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
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


# Half of what eight bytes hold, so that the sum of two that fit fits.
SUM_LIMIT = 2**62


class Contributor:
    """Turns records of one feed into deltas of its measures."""

    def __init__(self, measures: Sequence[StoredMeasure]) -> None:
        # Expressions are made once: building hundreds of them costs more than evaluating them over a small batch.
        sums = [stored for stored in measures if stored.measure.kind == "sum"]
        self._sums = [contribution_expr(stored.measure).alias(str(stored.slot)) for stored in sums]
        self._slots = np.array([stored.slot - 1 for stored in sums], dtype=np.int64)
        self._width = max((stored.slot for stored in measures), default=0)
        # (date column, sign) -> indexes in `_sums` of the measures that count on that day with that sign
        dated: dict[tuple[str, int], list[int]] = defaultdict(list)
        for index, stored in enumerate(sums):
            dated[stored.measure.at, 1].append(index)
            if stored.measure.until:
                dated[stored.measure.until, -1].append(index)
        self._dated = {key: np.array(indexes) for key, indexes in dated.items()}
        self._distinct = [stored for stored in measures if stored.measure.kind == "distinct"]
        self._members = [member_expr(stored.measure).alias(str(stored.measure_id)) for stored in self._distinct]

    def deltas(self, records: pl.DataFrame) -> pl.DataFrame:
        """Return `DELTA_SCHEMA`: one row an area and day, sums by slot (0 where nothing was added).

        Raises OverflowError where a sum would not fit eight bytes.

        records: `area_id`, `sign` (+1 counts, -1 takes back) and the feed's columns. Days that are null (a guest who
        has not left) contribute nothing yet.
        """
        if not self._sums or not records.height:
            return pl.DataFrame(schema=DELTA_SCHEMA)
        amounts = records.select(self._sums).to_numpy() * records["sign"].to_numpy()[:, None]
        check_fits(amounts)
        days = {column: records[column] for column, _ in self._dated}
        keys = pl.concat(pl.DataFrame({"area_id": records["area_id"], "bucket": day}) for day in days.values())
        keys = keys.drop_nulls().unique().sort("area_id", "bucket").with_row_index("at")
        totals = np.zeros((keys.height, self._width), dtype=np.int64)
        for (column, direction), indexes in self._dated.items():
            rows = pl.DataFrame({"area_id": records["area_id"], "bucket": days[column]}).with_row_index("row")
            rows = rows.drop_nulls().join(keys, on=["area_id", "bucket"]).sort("at")
            if rows.height:
                at, starts = np.unique(rows["at"].to_numpy(), return_index=True)
                dated = amounts[np.ix_(rows["row"].to_numpy(), indexes)]
                totals[np.ix_(at, self._slots[indexes])] += direction * np.add.reduceat(dated, starts, axis=0)
        keys = keys.select(pl.col("area_id").cast(pl.Int32), "bucket", sums=pl.Series(totals).arr.to_list())
        return keys.filter(pl.Series(totals.any(axis=1)))

    def members(self, records: pl.DataFrame) -> pl.DataFrame:
        """Return `MEMBER_SCHEMA`: how many records more (or fewer) speak of each member in each area and day."""
        parts = [pl.DataFrame(schema=MEMBER_SCHEMA)]
        columns = records.select(self._members)
        for stored, member in zip(self._distinct, columns.iter_columns(), strict=True):
            found = (
                pl.DataFrame(
                    {
                        "area_id": records["area_id"],
                        "bucket": records[stored.measure.at],
                        "member": member,
                        "n": records["sign"],
                    }
                )
                .drop_nulls()
                .group_by("area_id", "bucket", "member")
                .agg(pl.col("n").sum())
                .filter(pl.col("n") != 0)
            )
            if found.height:
                found = found.with_columns(_hashed(found["member"]), measure_id=pl.lit(stored.measure_id, pl.Int32))
                parts.append(found.select(pl.col(name).cast(dtype) for name, dtype in MEMBER_SCHEMA.items()))
        return pl.concat(parts)


def check_fits(amounts: np.ndarray[tuple[int, int], np.dtype[np.int64]]) -> None:
    """Raise OverflowError where a column's amounts, added up in any way, may not fit eight bytes: NumPy would wrap."""
    if not amounts.size:
        return
    largest = max(int(amounts.max()), -int(amounts.min()))
    if largest * len(amounts) < SUM_LIMIT:
        return  # no sum of them can run over: what nearly always holds costs one look at the largest
    total = float(np.abs(amounts.astype(np.float64)).sum(axis=0).max())
    if total >= SUM_LIMIT:
        raise OverflowError(f"a sum of {len(amounts)} contributions comes to {total:.3g}, beyond {SUM_LIMIT:.3g}")


def _hashed(members: pl.Series) -> pl.Series:
    """Return members as 128-bit hashes in hexadecimal: one width for guests, sellers and places."""
    distinct = members.unique()
    hashes = [hashlib.md5(member.encode(), usedforsecurity=False).hexdigest() for member in distinct]
    return members.replace_strict(distinct, pl.Series(hashes, dtype=pl.String)).alias("member")
