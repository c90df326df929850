"""What a reporter says it has sent for a period: how many records, and the sums of some of their columns."""

from __future__ import annotations

from typing import Annotated, Self

import polars as pl
from pydantic import Field, StringConstraints, model_validator

from ioc.feeds.bounds import MOST, Day, Moment
from ioc.feeds.event import ReporterCode
from ioc.feeds.feed import Feed
from ioc.feeds.strict import StrictModel

# A feed's key and a column's name, as the platform declares them: nothing else could ever be compared.
FeedKey = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$", max_length=64)]
ColumnName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=63)]
ToldSum = Annotated[float, Field(ge=-10 * MOST, le=10 * MOST)]
_DAYS = 366


class ControlTotal(StrictModel, extra="forbid"):
    """One reporter's word on one period of a feed, `first_on` to `last_on`; records count by their business day.

    records: that stand at the period's end, corrections counted once, voided ones not at all.
    sums:    column of the record -> its sum over these records.
    """

    reporter: ReporterCode
    first_on: Day
    last_on: Day
    records: Annotated[int, Field(ge=0, le=MOST)]
    sums: dict[ColumnName, ToldSum] = Field(default_factory=dict, max_length=20)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not 0 <= (self.last_on - self.first_on).days < _DAYS:
            raise ValueError(
                "last_on must lie on or after first_on, within a year", "last_on phải sau first_on, trong vòng một năm"
            )
        return self


class ToldControlTotal(ControlTotal):
    """A control total as it travels: of which feed, and when it was told."""

    feed: FeedKey
    told_at: Moment


def summable(feed: Feed) -> list[str]:
    """Return the columns whose sums may be told: the numbers of the feed's own model."""
    return [column.name for column in feed.model_columns if column.dtype in (pl.Int64(), pl.Float64())]
