"""Range of what a feed may hold, in one place: every date, time and number of every feed.

They are wide; what is plausible today is a matter of `ioc/feeds/plausibility.py`. They hold because later layers
compute with the values: a time is moved to UTC and to the province's zone, a day gets a week, a quarter or a year
around it, columns are derived, and sums are whole numbers of eight bytes. A declared feed takes its dates and times
from here, and `Feed` refuses a field without bounds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Annotated, Any, get_args, get_origin

from annotated_types import BaseMetadata, Ge, GroupedMetadata, Gt, Le, Lt
from pydantic import AwareDatetime, Field

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2199, 12, 31)
# The largest number that a field may have: an invoice of ten thousand billion đồng.
MOST = 10**13
# A sum holds so many records even where each has the largest value that its field may have: more than a year of daily
# reports for every area that the province has and had (147 x 366). The catalogue refuses what could not be summed so.
# More of them than that is no year of any province; then the last lines refuse or set aside what would run over.
SUMMED = 90_000

Day = Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY)]
Moment = Annotated[
    AwareDatetime,
    Field(ge=datetime(1900, 1, 2, tzinfo=UTC), le=datetime(2199, 12, 30, 23, 59, 59, 999_999, tzinfo=UTC)),
]
# What an envelope's `time` may be: its milliseconds are a revision, and a revision is not negative.
SentAt = Annotated[
    AwareDatetime,
    Field(ge=datetime(1970, 1, 1, tzinfo=UTC), le=datetime(2199, 12, 30, 23, 59, 59, 999_999, tzinfo=UTC)),
]

Range = tuple[Any, Any]


def bounds_of(hint: Any, metadata: tuple[Any, ...] | list[Any] = ()) -> Range | None:
    """Return the lowest and the highest value of an annotation, None where it has no bound on either side.

    Optionals and `Annotated` are looked into; `metadata` is what pydantic has taken out of the annotation already.
    Exclusive bounds are returned as they are: wider by one value.
    """
    low: Any = None
    high: Any = None
    for one in _constraints(hint, metadata):
        if isinstance(one, Ge):
            low = one.ge
        elif isinstance(one, Gt):
            low = one.gt
        elif isinstance(one, Le):
            high = one.le
        elif isinstance(one, Lt):
            high = one.lt
    return None if low is None or high is None or not _finite(low) or not _finite(high) else (low, high)


def _constraints(hint: Any, metadata: tuple[Any, ...] | list[Any]) -> Iterator[BaseMetadata]:
    for one in metadata:
        if isinstance(one, GroupedMetadata):
            yield from (part for part in one if isinstance(part, BaseMetadata))
        elif isinstance(one, BaseMetadata):
            yield one
        else:
            yield from _constraints(None, getattr(one, "metadata", ()))
    if get_origin(hint) is Annotated:
        inner, *own = get_args(hint)
        yield from _constraints(inner, own)
    else:
        for part in get_args(hint):
            yield from _constraints(part, ())


def _finite(value: Any) -> bool:
    return not isinstance(value, float) or math.isfinite(value)
