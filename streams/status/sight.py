"""Everything that is looked at, at one moment, to find what is wrong."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from ioc.catalogue.edition import Edition
from ioc.catalogue.target import TargetInForce
from ioc.province.deadline import Deadlines
from streams.rules.incident import Finding, Touch
from streams.status.feeds import FeedState, Missing
from streams.status.judged import PassMoment
from streams.status.outage import Outage
from streams.status.plan import JudgedUnits


@dataclass(frozen=True)
class Sight:
    """Everything that is looked at, at one moment.

    statuses: rows of `indicator_status`; held: feeds about which nothing can be said.
    rejections: feed -> the rules that its events of the last hour broke, most frequent first.
    agencies: code of a reporter of `report.value` -> name.
    english: Vietnamese names of units and owners -> English ones.
    """

    moment: PassMoment
    states: Mapping[str, FeedState]
    statuses: pl.DataFrame
    edition: Edition
    targets: Sequence[TargetInForce]
    ground: JudgedUnits
    deadlines: Deadlines
    zone: ZoneInfo
    missing: Mapping[tuple[str, date], tuple[Missing, ...]] = field(default_factory=dict)
    rejections: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    outages: Sequence[Outage] = ()
    held: Collection[str] = frozenset()
    agencies: Mapping[str, str] = field(default_factory=dict)
    english: Mapping[str, str] = field(default_factory=dict)
    measured: Sequence[Finding] = ()
    loaded_at: datetime | None = None
    sectors: Mapping[str, str] = field(default_factory=dict)

    @property
    def unread(self) -> frozenset[str]:
        """Feeds that are held, or whose reading has halted: that nothing comes of them has that one cause."""
        return frozenset(one.feed for one in self.measured if one.kind == "pipeline_stopped" and one.feed).union(
            self.held
        )


def touches_of(rows: pl.DataFrame) -> frozenset[Touch]:
    """Return the (indicator, area) of rows of `indicator_status`."""
    return frozenset(zip(rows["code"].to_list(), rows["area_id"].to_list(), strict=True))
