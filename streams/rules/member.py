"""Distinct counts: what becomes of the counts of all areas and periods when members appear on days, or disappear.

A member is kept once for each unit and day on which it is there. A count of an area and period is the number of members
that have a day there. It changes when the first such day comes or the last one goes; for that it is enough to know the
member's nearest other days, before and after the one that turns.
"""

from __future__ import annotations

import polars as pl

from ioc.period import PERIODS, bucket_expr, end_expr

TURNING_SCHEMA: dict[str, pl.DataType] = {
    "measure_id": pl.Int32(),
    "area_id": pl.Int32(),
    "bucket": pl.Date(),
    "member": pl.String(),
}


def sum_members(members: pl.DataFrame) -> pl.DataFrame:
    """Return `MEMBER_SCHEMA` with each member, unit and day once; nothing where `n` comes to 0."""
    key = list(TURNING_SCHEMA)
    return members.group_by(key).agg(pl.col("n").sum()).filter(pl.col("n") != 0).select(*key, "n")


def within_areas(turning: pl.DataFrame, chains: pl.DataFrame) -> pl.DataFrame:
    """Return the days on which members turn, once for each area that holds the unit: `measure_id`, `area_id`, `day`,
    `member`; and as `first` and `last` the days between which another day matters.

    turning: `TURNING_SCHEMA`.
    chains:  `origin_id`, `area_id` for each unit and each unit above it, itself included.
    """
    day = pl.col("day")
    return (
        turning.rename({"area_id": "origin_id", "bucket": "day"})
        .join(chains.select("origin_id", "area_id"), on="origin_id")
        .select("measure_id", "area_id", "day", "member")
        .unique()
        .sort("measure_id", "member", "area_id", "day")
        .with_columns(
            # A week reaches over the end of its year.
            first=pl.min_horizontal(bucket_expr("year", day), bucket_expr("week", day)),
            last=pl.max_horizontal(
                end_expr(pl.lit("year"), bucket_expr("year", day)), end_expr(pl.lit("week"), bucket_expr("week", day))
            ),
        )
    )


def turnovers(appeared: pl.DataFrame, disappeared: pl.DataFrame) -> pl.DataFrame:
    """Return by how much counts change: `measure_id`, `period`, `area_id`, `bucket`, `change`, none of them 0.

    appeared, disappeared: as `within_areas`, each with `earlier` (until the day) and `later` (after it): the member's
                           nearest days in the area; for those that appeared as it was before, for the others as it is.
    """
    turned = pl.concat([appeared.with_columns(sign=pl.lit(1)), disappeared.with_columns(sign=pl.lit(-1))])
    cells = pl.concat(
        turned.select(
            "measure_id",
            "area_id",
            "member",
            "sign",
            period=pl.lit(period),
            bucket=bucket_expr(period, pl.col("day")),
            stays=(pl.col("earlier") >= bucket_expr(period, pl.col("day"))).fill_null(value=False)
            | (pl.col("later") <= end_expr(pl.lit(period), bucket_expr(period, pl.col("day")))).fill_null(value=False),
        )
        for period in PERIODS
    )
    return (
        cells.group_by("measure_id", "period", "area_id", "bucket", "member")
        .agg(pl.col("stays").any(), first=pl.col("sign").min(), last=pl.col("sign").max())
        # Where one day came and another went, the member was there before and is there now.
        .filter(~pl.col("stays") & (pl.col("first") == pl.col("last")))
        .group_by("measure_id", "period", "area_id", "bucket")
        .agg(change=pl.col("first").sum().cast(pl.Int64))
        .filter(pl.col("change") != 0)
        .sort("measure_id", "period", "area_id", "bucket")
    )
