"""The status of figures: which of the seven it is, in the order in which they are asked. Pure, by whole blocks."""

from __future__ import annotations

from datetime import date, timedelta
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from ioc.period import end_of
from ioc.province.calendar import BusinessCalendar
from streams.rules.pace import TOLERANCE
from streams.rules.quality import LIMITS

Mask = NDArray[np.bool_]
Values = NDArray[np.float64]

COMPLETE_FROM = 0.95  # of the reporters that are due: fewer, and the figure is not judged


class Status(IntEnum):
    """In the order of concern, worst last; names are those of the table."""

    on_track = 0
    no_target = 1
    at_risk = 2
    lagging = 3
    no_data = 4
    incomplete = 5
    stale = 6


def classify(
    *, known: Mask, stale: Mask, incomplete: Mask, targeted: Mask, met: Mask, lag: Values, misses: Mask
) -> NDArray[np.int8]:
    """Return the status of each figure; all arrays have one shape.

    known:      there is a figure
    stale:      it is too old, or a feed that it rests on is silent
    incomplete: its deadline has passed and reporters are missing
    targeted:   a document asks something of it
    met:        it reaches the target today
    lag:        how far it is behind its pace; NaN where that is not known
    misses:     the forecast does not reach the target
    """
    status = np.full(known.shape, Status.on_track, dtype=np.int8)
    with np.errstate(invalid="ignore"):
        status[misses | (np.isnan(lag) & ~met)] = Status.at_risk  # not known to be on pace is not good
        status[lag > TOLERANCE] = Status.lagging
    status[~targeted] = Status.no_target
    status[incomplete] = Status.incomplete
    status[stale] = Status.stale
    status[~known] = Status.no_data
    return status


def is_incomplete(reported: int, due: int) -> bool:
    """Whether too few of those who had to report have, once the deadline has passed."""
    return due > 0 and reported < COMPLETE_FROM * due


def is_outdated(
    cadence: str, period: str, bucket: date, today: date, calendar: BusinessCalendar, *, rests: bool
) -> bool:
    """Whether a figure is older than its cadence allows: the period it is for ended too long ago.

    rests: its feed comes on business days only, so that the limit of a day's figure counts those: a figure of the day
           before Tết is not old in the days of Tết.
    """
    last = end_of(period, bucket)
    working = rests and period == "day"
    return calendar.add(last, LIMITS[cadence].days, working=working) < today - timedelta(days=1)
