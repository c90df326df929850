"""What each page shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

FoundRow = dict[str, Any]
FoundRows = list[FoundRow]


@dataclass(frozen=True)
class PagePlace:
    """The area that a page is of, the day up to which it looks, and when statuses were last brought up to date."""

    area_id: int
    code: str
    name: str
    day: date
    computed_at: datetime | None
    is_old: bool = False  # the scheduler no longer updates the statuses


@dataclass(frozen=True)
class CoursePoint:
    """A period's figure, and where the pace says that it should be."""

    bucket: date
    value: float | None
    expected: float | None = None


@dataclass(frozen=True)
class IndicatorView:
    """One indicator in one area: its status where there is one, its course, and the units below.

    missing: names of the reporters that were due and have not reported, at most 50 of `missing_total`.
    period: of the course; `summed` where its figures are summed up from the beginning of the year or other period.
    """

    place: PagePlace
    indicator: FoundRow
    status: FoundRow | None
    period: str
    summed: bool
    course: Sequence[CoursePoint]
    areas: FoundRows
    incidents: FoundRows
    missing: Sequence[str] = ()
    missing_total: int = 0


@dataclass(frozen=True)
class Overview:
    """The province: statuses counted by sector, what is behind, what is not known, and incidents."""

    place: PagePlace
    sectors: FoundRows
    totals: Mapping[str, int]
    behind: FoundRows
    causes: FoundRows
    incidents: FoundRows
    unusual: FoundRows


@dataclass(frozen=True)
class SectorView:
    """A sector's indicators with status and newest figures; `parts` are breakdowns that are not behind."""

    place: PagePlace
    sector: str
    rows: FoundRows
    parts: FoundRows
    incidents: FoundRows


@dataclass(frozen=True)
class IncidentView:
    """An incident with what it affects, what was done, and who got a message."""

    incident: FoundRow
    touches: FoundRows = field(default_factory=list)
    changes: FoundRows = field(default_factory=list)
    receipts: FoundRows = field(default_factory=list)


@dataclass(frozen=True)
class Morning:
    """A leader's page of a day: what got worse and better since the day before, what is due, what is not known."""

    place: PagePlace
    since: datetime
    totals: Mapping[str, int]
    worse: FoundRows
    better: FoundRows
    behind: FoundRows
    due: FoundRows
    causes: FoundRows
    incidents: FoundRows
    ended: FoundRows
