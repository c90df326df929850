"""How many reports were due: reporters x deadlines, by area and span of days."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from ioc.feeds.feed import Feed
from ioc.province.reporter import Reporter, over_time
from ioc.territory.area import AreaTree

_MONTHS = {"month": 1, "quarter": 3, "year": 12}


class ExpectedReports:
    """The reports that a feed's reporters owe, one for each period of `Feed.reports_every`."""

    def __init__(self, feed: Feed, reporters: Iterable[Reporter], areas: AreaTree) -> None:
        rows = []
        for one in over_time((r for r in reporters if r.feed == feed.key), areas):
            for area in areas.areas:
                if area.code == one.area_code and area.valid_from < one.valid_to and one.valid_from < area.valid_to:
                    since, until = max(one.valid_from, area.valid_from), min(one.valid_to, area.valid_to)
                    rows += [(unit_id, since, until) for unit_id in areas.chain(area.area_id)]
        self._every = feed.reports_every
        self._entries = pl.DataFrame(
            rows, schema={"area_id": pl.Int32, "since": pl.Date, "until": pl.Date}, orient="row"
        )

    def count(self, spans: pl.DataFrame) -> pl.Series:
        """Return a number a row of `spans` (`area_id`, `first`, `last`): of the periods that lie wholly within.

        A reporter owes the periods that lie wholly within the days on which it is registered.
        """
        wanted = spans.select("area_id", "first", "last").unique()
        owed = wanted.join(self._entries, on="area_id").with_columns(
            low=pl.max_horizontal("first", "since"), high=pl.min_horizontal("last", pl.col("until").dt.offset_by("-1d"))
        )
        periods = self._periods_before(pl.col("high").dt.offset_by("1d")) - self._periods_before(
            pl.col("low"), rounded_up=True
        )
        counted = owed.group_by("area_id", "first", "last").agg(owed=periods.clip(lower_bound=0).sum())
        return spans.join(counted, on=["area_id", "first", "last"], how="left", maintain_order="left")[
            "owed"
        ].fill_null(0)

    def _periods_before(self, day: pl.Expr, *, rounded_up: bool = False) -> pl.Expr:
        """Return how many whole periods lie before a day; `rounded_up`: one that it lies within counts as whole."""
        if self._every in ("day", "week"):
            length = 1 if self._every == "day" else 7
            # Monday 1969-12-29 is day -3 of the calendar's count.
            number = day.cast(pl.Int32) + (3 if length == 7 else 0)
            return (number + (length - 1 if rounded_up else 0)).floordiv(length)
        months = _MONTHS[self._every or "month"]
        begun = (day.dt.day() > 1).cast(pl.Int32) if rounded_up else pl.lit(0)
        number = day.dt.year() * 12 + day.dt.month().cast(pl.Int32) - 1 + begun
        return (number + (months - 1 if rounded_up else 0)).floordiv(months)
